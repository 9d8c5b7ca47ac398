"""A dark and a light theme: one set of colours each, as Qt's palette and as one style sheet."""

from __future__ import annotations

from dataclasses import dataclass
from string import Template
from typing import Literal

from PyQt6.QtGui import QColor, QPalette

ThemeName = Literal["dark", "light"]


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours by what they are for, as #rrggbb."""

    name: ThemeName
    window: str
    surface: str
    """Panels."""
    raised: str
    """Buttons and fields."""
    hover: str
    border: str
    stage: str
    """Behind pictures."""
    text: str
    muted: str
    """Text of less weight; still 4.5 to 1 on a panel."""
    accent: str
    on_accent: str
    record: str
    error: str
    warning: str
    note: str
    done: str


DARK = Theme(
    "dark", window="#14161a", surface="#1c1f25", raised="#292d35", hover="#343944", border="#31363f", stage="#0d0f12",
    text="#e9ebef", muted="#9ba3b0", accent="#4c8dff", on_accent="#ffffff", record="#f0434a", error="#5c2328",
    warning="#57431a", note="#233a5e", done="#1d4a36",
)  # fmt: skip
LIGHT = Theme(
    "light", window="#eceef2", surface="#ffffff", raised="#eef0f4", hover="#e1e5ec", border="#d3d8e0", stage="#dfe3ea",
    text="#1a1d23", muted="#5a6372", accent="#1f66e0", on_accent="#ffffff", record="#d92c34", error="#fbe0e1",
    warning="#fdf0cf", note="#deeafc", done="#dbf3e5",
)  # fmt: skip
ICONS = "icons"
"""The name by which Qt finds the small pictures of the style sheet."""
THEMES: dict[ThemeName, Theme] = {"dark": DARK, "light": LIGHT}


def palette_of(theme: Theme) -> QPalette:
    """Return the palette that Qt's own drawing follows."""
    role = QPalette.ColorRole
    colors = {
        role.Window: theme.window, role.WindowText: theme.text, role.Base: theme.surface, role.Text: theme.text,
        role.AlternateBase: theme.raised, role.Button: theme.raised, role.ButtonText: theme.text,
        role.ToolTipBase: theme.raised, role.ToolTipText: theme.text, role.PlaceholderText: theme.muted,
        role.Highlight: theme.accent, role.HighlightedText: theme.on_accent, role.Link: theme.accent,
        role.Mid: theme.border, role.Midlight: theme.hover, role.Dark: theme.border, role.Light: theme.hover,
        role.Accent: theme.accent,
    }  # fmt: skip
    palette = QPalette()
    for which, color in colors.items():
        palette.setColor(which, QColor(color))
    for which in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, QColor(theme.muted))
    return palette


def style_of(theme: Theme) -> str:
    """Return the style sheet of the whole application."""
    names = {name: getattr(theme, name) for name in Theme.__dataclass_fields__}
    return Template(SHEET).substitute(names, icons=f"{ICONS}:{theme.name}")


SHEET = """
QWidget { font-size: 13px; }
QMainWindow, QDialog { background: $window; }
QMenuBar { background: $window; padding: 3px 6px; }
QMenuBar::item { padding: 5px 10px; border-radius: 5px; background: transparent; }
QMenuBar::item:selected { background: $hover; }
QMenu { background: $surface; border: 1px solid $border; border-radius: 8px; padding: 6px; }
QMenu::item { padding: 6px 26px 6px 26px; border-radius: 5px; }
QMenu::item:selected { background: $accent; color: $on_accent; }
QMenu::item:disabled { color: $muted; }
QMenu::separator { height: 1px; background: $border; margin: 5px 8px; }
QMenu::indicator { width: 14px; height: 14px; left: 6px; }
QToolTip { background: $raised; color: $text; border: 1px solid $border; padding: 5px 8px; }

QFrame#pane, QFrame#bar { background: $surface; border: 1px solid $border; border-radius: 10px; }
QFrame#bar QLabel, QFrame#pane QLabel { background: transparent; }
QLabel#pane_title { font-weight: 600; }
QLabel#muted { color: $muted; }
QLabel#error { color: $record; }
QLabel#clock { font-size: 24px; font-weight: 600; }
QLabel#caption { color: $muted; font-size: 11px; }

QPushButton, QToolButton {
    background: $raised; border: 1px solid $border; border-radius: 7px; padding: 6px 12px; min-height: 18px;
}
QToolButton { padding: 6px 8px; }
QPushButton:hover, QToolButton:hover { background: $hover; }
QPushButton:pressed, QToolButton:pressed { background: $border; }
QPushButton:checked, QToolButton:checked { background: $accent; border-color: $accent; color: $on_accent; }
QPushButton:disabled, QToolButton:disabled { color: $muted; background: $surface; }
QPushButton:focus, QToolButton:focus, QComboBox:focus, QLineEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus,
QCheckBox:focus, QListView:focus, QTreeView:focus, QTableView:focus { border: 1px solid $accent; }
QPushButton#primary { background: $accent; border-color: $accent; color: $on_accent; font-weight: 600; }
QPushButton#flat, QToolButton#flat { background: transparent; border-color: transparent; }
QPushButton#flat:hover, QToolButton#flat:hover { background: $hover; }
QToolButton#flat:checked { background: $hover; color: $text; border-color: $accent; }
QToolButton#flat:focus, QPushButton#flat:focus { border-color: $accent; }
QToolButton::menu-indicator { image: none; width: 0; }

QComboBox, QLineEdit, QSpinBox, QDoubleSpinBox, QPlainTextEdit, QTextEdit {
    background: $raised; border: 1px solid $border; border-radius: 7px; padding: 5px 10px; min-height: 20px;
    selection-background-color: $accent; selection-color: $on_accent;
}
QComboBox:hover, QLineEdit:hover { border-color: $muted; }
QComboBox { padding-right: 24px; }
QComboBox::drop-down { border: 0; width: 26px; }
QComboBox::down-arrow { image: url($icons/down.png); width: 12px; height: 12px; }
QComboBox::down-arrow:disabled { image: none; }
QSpinBox, QDoubleSpinBox { padding-right: 22px; }
QSpinBox::up-button, QDoubleSpinBox::up-button { border: 0; background: transparent; width: 20px; }
QSpinBox::down-button, QDoubleSpinBox::down-button { border: 0; background: transparent; width: 20px; }
QSpinBox::up-arrow, QDoubleSpinBox::up-arrow { image: url($icons/up.png); width: 10px; height: 10px; }
QSpinBox::down-arrow, QDoubleSpinBox::down-arrow { image: url($icons/down.png); width: 10px; height: 10px; }
QComboBox:disabled, QLineEdit:disabled, QSpinBox:disabled { color: $muted; background: $surface; }
QComboBox QAbstractItemView {
    background: $surface; border: 1px solid $border; outline: 0; padding: 4px;
    selection-background-color: $accent; selection-color: $on_accent;
}
QCheckBox, QRadioButton { spacing: 8px; background: transparent; border: 1px solid transparent; border-radius: 5px; }
QCheckBox::indicator, QListView::indicator, QTreeView::indicator, QTableView::indicator {
    width: 16px; height: 16px; border: 1px solid $muted; border-radius: 4px; background: $raised;
}
QCheckBox::indicator:hover { border-color: $accent; }
QCheckBox::indicator:checked, QListView::indicator:checked, QTreeView::indicator:checked,
QTableView::indicator:checked { background: $accent; border-color: $accent; image: url($icons/check.png); }
QCheckBox::indicator:disabled { background: $surface; border-color: $border; }
QRadioButton::indicator {
    width: 14px; height: 14px; border: 1px solid $muted; border-radius: 8px; background: $raised;
}
QRadioButton::indicator:checked { background: $accent; border-color: $accent; image: url($icons/dot.png); }
QMenu::indicator:checked { image: url($icons/menu_check.png); }
QSlider::groove:horizontal { height: 4px; background: $border; border-radius: 2px; }
QSlider::sub-page:horizontal { background: $accent; border-radius: 2px; }
QSlider::handle:horizontal { width: 14px; margin: -5px 0; border-radius: 7px; background: $accent; }
QGroupBox { border: 1px solid $border; border-radius: 8px; margin-top: 20px; padding: 8px; }
QGroupBox::title { subcontrol-origin: margin; left: 4px; top: 2px; color: $muted; }

QTabWidget::pane { border: 0; background: transparent; }
QTabBar { background: transparent; qproperty-drawBase: 0; }
QTabBar::tab { color: $muted; padding: 8px 9px; margin: 0; border: 0; border-bottom: 2px solid transparent; }
QTabBar::tab:hover { color: $text; }
QTabBar::tab:selected { color: $text; border-bottom: 2px solid $accent; font-weight: 600; }
QTabBar::tab:focus { color: $accent; }

QSplitter::handle { background: transparent; }
QSplitter::handle:hover { background: $border; border-radius: 2px; }
QScrollArea { background: transparent; border: 0; }
QScrollArea > QWidget > QWidget { background: transparent; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 2px; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 2px; }
QScrollBar::handle { background: $border; border-radius: 3px; min-height: 28px; min-width: 28px; }
QScrollBar::handle:hover { background: $muted; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QListView, QTreeView, QTableView { background: $surface; border: 1px solid $border; border-radius: 8px; outline: 0; }
QHeaderView::section { background: $surface; color: $muted; border: 0; padding: 6px; }
QProgressBar { background: $raised; border: 0; border-radius: 4px; height: 8px; text-align: center; }
QProgressBar::chunk { background: $accent; border-radius: 4px; }
QStatusBar { background: $window; color: $muted; }
QStatusBar QLabel { color: $muted; font-size: 12px; }
QStatusBar::item { border: 0; }

QFrame#banner { border-radius: 9px; border: 1px solid $border; }
QFrame#banner QLabel { background: transparent; }
QFrame#banner[kind="error"] { background: $error; border-color: $record; }
QFrame#banner[kind="warning"] { background: $warning; }
QFrame#banner[kind="note"] { background: $note; }
QFrame#banner[kind="done"] { background: $done; }
QFrame#card { background: $surface; border: 1px solid $border; border-radius: 14px; }
QFrame#card QLabel { background: transparent; }
QLabel#card_title { font-size: 19px; font-weight: 600; }
"""
