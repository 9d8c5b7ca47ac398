"""Colours and forms of the panels, all derived from the palette, so that they follow dark and light by themselves."""

from __future__ import annotations

from dataclasses import dataclass

from PyQt6.QtCore import QEvent, Qt
from PyQt6.QtGui import QColor, QPalette
from PyQt6.QtWidgets import QApplication, QLabel, QWidget

Role = QPalette.ColorRole
RECOLORED = (QEvent.Type.PaletteChange, QEvent.Type.StyleChange, QEvent.Type.ApplicationPaletteChange)
LEAST_CONTRAST = 3.0
"""Of white letters on the accent, which are bold."""


@dataclass(frozen=True, slots=True)
class Colors:
    """What the panels paint with."""

    text: QColor
    dim: QColor
    """Explanations; at least 4.5 to 1 against the card."""
    card: QColor
    line: QColor
    field: QColor
    accent: QColor
    green: QColor
    amber: QColor
    red: QColor
    is_dark: bool


def colors_of(palette: QPalette) -> Colors:
    """Return the colours that go with `palette`, the application's: a widget's own has style sheets mixed in."""
    window, base, text = palette.color(Role.Window), palette.color(Role.Base), palette.color(Role.WindowText)
    is_dark = window.lightness() < 128
    signals = ("#3ecf8e", "#f0b03f", "#ff7b72") if is_dark else ("#14804a", "#9a5b00", "#c22f2f")
    accent = palette.color(Role.Highlight)
    return Colors(
        text=text,
        dim=mixed(window, text, 0.68),
        card=mixed(base, text, 0.05) if is_dark else QColor("white"),
        line=mixed(window, text, 0.14),
        field=window if is_dark else base,
        accent=_firm(accent),
        green=QColor(signals[0]),
        amber=QColor(signals[1]),
        red=QColor(signals[2]),
        is_dark=is_dark,
    )


def _firm(accent: QColor) -> QColor:
    """Return an accent on which white letters can be read: a theme's highlight may be pale."""
    if 1.05 / (_luminance(accent) + 0.05) >= LEAST_CONTRAST:
        return accent
    return QColor.fromHsl(max(accent.hslHue(), 0), max(accent.hslSaturation(), 180), 115)


def _luminance(color: QColor) -> float:
    """Return relative luminance as WCAG 2 has it."""
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color.getRgbF()[:3] if c is not None]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def colors_now() -> Colors:
    """Return the colours to paint with now."""
    return colors_of(QApplication.palette())


def mixed(a: QColor, b: QColor, part: float) -> QColor:
    """Return `a` with `part` of `b` in it."""
    channels = zip(a.getRgb()[:3], b.getRgb()[:3], strict=True)
    return QColor(*(round(one + (other - one) * part) for one, other in channels))


def sheet_of(palette: QPalette) -> str:
    """Return the style sheet of a panel."""
    c = colors_of(palette)
    card, line, dim, text = c.card.name(), c.line.name(), c.dim.name(), c.text.name()
    hover, pressed = mixed(c.card, c.text, 0.08).name(), mixed(c.card, c.text, 0.16).name()
    on, on_text = c.accent.name(), "#ffffff"
    link = mixed(c.accent, QColor("white"), 0.35).name() if c.is_dark else on
    field, field_line = c.field.name(), mixed(c.card, c.text, 0.24).name()
    handle, disabled = mixed(c.card, c.text, 0.28).name(), mixed(c.card, c.text, 0.38).name()
    return f"""
    QFrame[part="card"] {{ background: {card}; border: 1px solid {line}; border-radius: 8px; }}
    QFrame[part="rule"] {{ background: {line}; border: none; max-height: 1px; min-height: 1px; }}
    QFrame[part="well"], QFrame[part="warning"], QFrame[part="alarm"] {{ border-radius: 8px; }}
    QFrame[part="well"] {{ background: {mixed(c.card, c.green, 0.10).name()}; border: 1px solid
        {mixed(c.card, c.green, 0.35).name()}; }}
    QFrame[part="warning"] {{ background: {mixed(c.card, c.amber, 0.14).name()}; border: 1px solid
        {mixed(c.card, c.amber, 0.5).name()}; }}
    QFrame[part="alarm"] {{ background: {mixed(c.card, c.red, 0.14).name()}; border: 1px solid
        {mixed(c.card, c.red, 0.5).name()}; }}
    QLabel[part="group"] {{ color: {text}; font-weight: 600; }}
    QLabel {{ background: transparent; }}
    QLabel[letters="small"] {{ font-size: 12px; }}
    QLabel[part="dim"] {{ color: {dim}; }}
    QLabel[part="error"] {{ color: {c.red.name()}; }}
    QLabel[part="good"] {{ color: {c.green.name()}; }}
    QLabel[part="big"] {{ color: {text}; font-weight: 600; }}
    QLineEdit, QComboBox, QAbstractSpinBox {{ background: {field}; color: {text}; border: 1px solid {field_line};
        border-radius: 6px; padding: 3px 8px; min-height: 20px; selection-background-color: {on};
        selection-color: {on_text}; }}
    QLineEdit:hover, QComboBox:hover, QAbstractSpinBox:hover {{ border-color: {disabled}; }}
    QLineEdit:focus, QComboBox:focus, QAbstractSpinBox:focus {{ border-color: {on}; }}
    QLineEdit:disabled, QComboBox:disabled, QAbstractSpinBox:disabled, QLabel:disabled {{ color: {disabled}; }}
    QLineEdit > QToolButton {{ background: transparent; border: none; padding: 0; min-height: 0; }}
    QComboBox {{ padding-right: 4px; }}
    QComboBox::drop-down {{ border: none; width: 20px; }}
    QComboBox::down-arrow {{ image: none; }}
    QComboBox QAbstractItemView {{ background: {field}; color: {text}; border: 1px solid {field_line};
        selection-background-color: {on}; selection-color: {on_text}; outline: none; }}
    QAbstractSpinBox {{ padding-right: 2px; }}
    QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{ border: none; background: transparent;
        width: 18px; }}
    QAbstractSpinBox::up-arrow, QAbstractSpinBox::down-arrow {{ image: none; }}
    QScrollBar:vertical {{ background: transparent; width: 8px; margin: 0; border: none; }}
    QScrollBar::handle:vertical {{ background: {handle}; border-radius: 4px; min-height: 30px; }}
    QScrollBar::handle:vertical:hover {{ background: {disabled}; }}
    QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {{ background: none;
        border: none; height: 0; }}
    QScrollArea, QWidget[part="column"] {{ background: transparent; border: none; }}
    QToolButton[part="quiet"], QToolButton[part="quiet"]:checked {{ background: transparent;
        border: 1px solid transparent; border-radius: 6px; padding: 2px 4px; color: {dim}; }}
    QToolButton[part="quiet"]:hover {{ background: {hover}; color: {text}; }}
    QToolButton[part="quiet"]:pressed {{ background: {pressed}; }}
    QToolButton[part="quiet"]:focus {{ border-color: {on}; }}
    QToolButton[part="chip"] {{ border: 1px solid {line}; border-radius: 11px; padding: 2px 9px; color: {text};
        background: transparent; }}
    QToolButton[part="chip"]:hover {{ background: {hover}; }}
    QToolButton[part="chip"]:checked {{ background: {on}; border-color: {on}; color: {on_text}; }}
    QToolButton[part="chip"]:focus {{ border: 1px solid {text}; }}
    QPushButton[part="main"] {{ background: {on}; color: {on_text}; border: 1px solid {on}; border-radius: 6px;
        padding: 6px 14px; font-weight: 600; }}
    QPushButton[part="main"]:hover {{ background: {mixed(c.accent, c.text, 0.15).name()}; }}
    QPushButton[part="main"]:focus {{ border: 1px solid {text}; }}
    QPushButton[part="link"] {{ background: transparent; border: 1px solid transparent; border-radius: 4px;
        color: {link}; text-decoration: underline; padding: 2px 4px; text-align: left; }}
    QPushButton[part="link"]:focus {{ border-color: {on}; }}
    QPushButton[part="plain"] {{ background: transparent; color: {text}; border: 1px solid {line}; border-radius: 6px;
        padding: 6px 14px; }}
    QPushButton[part="plain"]:hover {{ background: {hover}; }}
    QPushButton[part="plain"]:focus {{ border-color: {on}; }}
    """


class Panel(QWidget):
    """A widget whose style sheet follows the palette of the application."""

    def __init__(self) -> None:
        super().__init__()
        self._sheet = ""
        self._restyle()

    def changeEvent(self, event: QEvent | None) -> None:
        """Take over new colours; only where they are new, for a style sheet changes the style once more."""
        super().changeEvent(event)
        if event is not None and event.type() in RECOLORED:
            self._restyle()

    def _restyle(self) -> None:
        sheet = sheet_of(QApplication.palette())
        if sheet != self._sheet:
            self._sheet = sheet
            self.setStyleSheet(sheet)


def small(label: QLabel, part: str = "dim") -> QLabel:
    """Make `label` one of small letters, in the colours of `part` (dim, error, good), and return it."""
    label.setProperty("part", part)
    label.setProperty("letters", "small")
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def set_part(widget: QWidget, part: str) -> None:
    """Let `widget` be painted as another part from now on."""
    if widget.property("part") != part:
        widget.setProperty("part", part)
        style = widget.style()
        if style is not None:
            style.polish(widget)
