"""One setting in a panel: label, editor, what it means, what is wrong with it, and a way back to its default."""

from __future__ import annotations

from typing import Any

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from .editors import make_editor
from .panel_style import small
from .settings_model import Setting


class SettingRow(QWidget):
    """Shows one setting; tells the value the user gives, checked by nobody yet."""

    edited = pyqtSignal(str, object)
    """Key and value."""
    reset_asked = pyqtSignal(str)
    """Key."""

    def __init__(self, setting: Setting, compact: bool = False) -> None:
        """Make the editor of `setting`; a compact row leaves the explanation to the tooltip."""
        super().__init__()
        self.setting = setting
        self._is_compact = compact
        self.editor = make_editor(setting)
        self.label = QLabel(setting.row.label)
        self.label.setBuddy(self.editor)
        self.label.setToolTip(setting.tooltip)
        self.meaning = small(QLabel(setting.meaning))
        self.error = small(QLabel(), "error")
        self.reset = QToolButton()
        self._dress()
        self._arrange()
        self.editor.edited.connect(lambda value: self.edited.emit(setting.key, value))
        self.reset.clicked.connect(lambda: self.reset_asked.emit(setting.key))

    def show_value(self, value: Any) -> None:
        """Show a value that holds."""
        self.editor.show_value(value)
        self.error.hide()
        self.reset.setVisible(value != self.setting.default)

    def show_error(self, words: str) -> None:
        """Say what is wrong with what stands in the editor, which stays there to be mended."""
        self.error.setText(words)
        self.error.show()
        self.editor.setAccessibleDescription(words)
        self.reset.show()

    def _dress(self) -> None:
        self.error.hide()
        self.reset.setText("↺")
        self.reset.setProperty("part", "quiet")
        self.reset.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.reset.setAccessibleName(f"Reset {self.setting.row.label}")
        self.reset.setToolTip(f"Back to the default ({self.setting.tooltip.partition('Default: ')[2].splitlines()[0]})")
        self.reset.hide()

    def _arrange(self) -> None:
        grid = QGridLayout(self)
        top = 3 if self._is_compact else 8
        grid.setContentsMargins(12, top, 12, top)
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(0, 1)
        self.label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.label.setWordWrap(True)
        head = QHBoxLayout()
        head.addWidget(self.label, 1)
        grid.addLayout(head, 0, 0)
        if self._is_compact:
            head.addWidget(self.reset)
        else:
            below = QHBoxLayout()
            below.addWidget(self.meaning, 1)
            below.addWidget(self.reset, 0, Qt.AlignmentFlag.AlignTop)
            grid.addLayout(below, 1, 0, 1, 2)
        if self.editor.is_wide:
            grid.addWidget(self.editor, 2, 0, 1, 2)
        else:
            grid.addWidget(self.editor, 0, 1)
        grid.addWidget(self.error, 3, 0, 1, 2)


class Card(QFrame):
    """Rows below one heading, with thin lines between them."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.heading = QLabel(title)
        self.heading.setProperty("part", "group")
        self.rows: list[SettingRow] = []
        self._rules: list[QFrame] = []
        self._frame = QFrame()
        self._frame.setProperty("part", "card")
        self._column = QVBoxLayout(self._frame)
        self._column.setContentsMargins(0, 2, 0, 2)
        self._column.setSpacing(0)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(6)
        head = QHBoxLayout()
        head.setContentsMargins(4, 0, 4, 0)
        head.addWidget(self.heading)
        whole.addLayout(head)
        whole.addWidget(self._frame)

    def add(self, row: SettingRow) -> None:
        """Put one more row at the end."""
        if self.rows:
            self._rules.append(rule())
            self._column.addWidget(self._rules[-1])
        self.rows.append(row)
        self._column.addWidget(row)

    def filter(self, words: str) -> bool:
        """Show the rows that match, and say whether there are any."""
        shown = [row.setting.matches(words) for row in self.rows]
        for row, is_shown in zip(self.rows, shown, strict=True):
            row.setVisible(is_shown)
        for number, line in enumerate(self._rules, 1):
            line.setVisible(shown[number] and any(shown[:number]))
        self.setVisible(any(shown))
        return any(shown)


def rule() -> QFrame:
    """Return a thin line."""
    line = QFrame()
    line.setProperty("part", "rule")
    return line
