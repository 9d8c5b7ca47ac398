"""One editor per kind of setting: a switch, a list, a number with its unit, chips, a path."""

from __future__ import annotations

from typing import Any

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QDoubleSpinBox, QFileDialog, QHBoxLayout, QLineEdit, QSpinBox, QToolButton, QWidget

from .controls import DropDown, NumberBox, Switch, WholeBox, keep_from_wheel
from .flow import Flow
from .settings_model import Kind, Setting

EDITOR_PX = 138
"""Width of an editor that stands beside its label."""


class Editor(QWidget):
    """Shows one value and tells when the user gave another; showing one tells nothing."""

    edited = pyqtSignal(object)
    is_wide = False
    """True where it needs a line of its own."""

    def __init__(self) -> None:
        super().__init__()
        self._is_showing = False
        self._line = QHBoxLayout(self)
        self._line.setContentsMargins(0, 0, 0, 0)
        self._line.setSpacing(6)

    def show_value(self, value: Any) -> None:
        """Show `value` and tell nobody."""
        self._is_showing = True
        self._put(value)
        self._is_showing = False

    def _put(self, value: Any) -> None:
        """Show `value`; an editor says how."""

    def _tell(self, value: Any) -> None:
        if not self._is_showing:
            self.edited.emit(value)

    def _hold(self, widget: QWidget, setting: Setting) -> None:
        """Name `widget` to screen readers and make it what the keyboard reaches."""
        widget.setAccessibleName(setting.row.label)
        widget.setAccessibleDescription(setting.meaning)
        widget.setToolTip(setting.tooltip)
        self.setFocusProxy(widget)


class ToggleEditor(Editor):
    """On or off."""

    def __init__(self, setting: Setting) -> None:
        super().__init__()
        self.switch = Switch()
        self._hold(self.switch, setting)
        self._line.addStretch(1)
        self._line.addWidget(self.switch)
        self.switch.toggled.connect(self._tell)

    def _put(self, value: Any) -> None:
        self.switch.setChecked(bool(value))


class ChoiceEditor(Editor):
    """One of a few."""

    def __init__(self, setting: Setting) -> None:
        super().__init__()
        self._choices = setting.choices
        self.box = DropDown()
        self.box.setSizeAdjustPolicy(DropDown.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._hold(self.box, setting)
        for number, choice in enumerate(setting.choices):
            self.box.addItem(choice.text)
            self.box.setItemData(number, choice.hint, Qt.ItemDataRole.ToolTipRole)
            if not choice.is_here:
                self.box.setItemData(number, self.palette().placeholderText(), Qt.ItemDataRole.ForegroundRole)
        keep_from_wheel(self.box)
        self._line.addWidget(self.box)
        self.box.activated.connect(lambda number: self._tell(self._choices[number].value))

    def _put(self, value: Any) -> None:
        values = [choice.value for choice in self._choices]
        self.box.setCurrentIndex(values.index(value) if value in values else -1)


class NumberEditor(Editor):
    """A whole number, or one with a point, with its unit; some may be left open."""

    def __init__(self, setting: Setting) -> None:
        super().__init__()
        row = setting.row
        low, high = row.low or 0.0, row.high or 0.0
        # One step below the lowest number stands for the number that is left open.
        self._open_at = low - row.step if setting.default is None else None
        self.box = self._box(setting, low if self._open_at is None else self._open_at, high)
        if self._open_at is not None:
            self.box.setSpecialValueText(row.nothing)
        self.box.setSuffix(f" {row.unit}" if row.unit and row.unit != "°" else row.unit)
        self.box.setKeyboardTracking(False)
        self.box.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._hold(self.box, setting)
        keep_from_wheel(self.box)
        self._line.addWidget(self.box)
        self.box.valueChanged.connect(lambda value: self._tell(None if value == self._open_at else value))

    def _box(self, setting: Setting, low: float, high: float) -> QSpinBox | QDoubleSpinBox:
        step = setting.row.step
        if setting.kind is Kind.WHOLE:
            whole = WholeBox()
            whole.setRange(int(low), int(high))
            whole.setSingleStep(int(step))
            return whole
        number = NumberBox()
        number.setDecimals(3)
        number.setRange(low, high)
        number.setSingleStep(step)
        return number

    def _put(self, value: Any) -> None:
        number = self._open_at if value is None else value
        if isinstance(self.box, QSpinBox):
            self.box.setValue(int(number or 0))
        else:
            self.box.setValue(float(number or 0.0))


class TextEditor(Editor):
    """A line of text."""

    def __init__(self, setting: Setting) -> None:
        super().__init__()
        self.box = QLineEdit()
        self._hold(self.box, setting)
        self.box.setPlaceholderText(setting.row.nothing)
        self._line.addWidget(self.box)
        self.box.editingFinished.connect(self._finish)
        self._last = ""

    def _finish(self) -> None:
        if self.box.text() != self._last:
            self._last = self.box.text()
            self._tell(self._last.strip())

    def _put(self, value: Any) -> None:
        self._last = str(value)
        self.box.setText(self._last)
        self.box.setCursorPosition(0)


class PathEditor(TextEditor):
    """A file or a folder, typed or chosen."""

    is_wide = True

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._setting = setting
        self.browse = QToolButton()
        self.browse.setText("Browse …")
        self.browse.setProperty("part", "chip")
        self.browse.setAccessibleName(f"Browse for {setting.row.label}")
        self.browse.setToolTip("Choose on this computer.")
        self.browse.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._line.addWidget(self.browse)
        self.browse.clicked.connect(self._choose)

    def _choose(self) -> None:
        title, now = self._setting.row.label, self.box.text()
        if self._setting.kind is Kind.FOLDER:
            chosen = QFileDialog.getExistingDirectory(self, title, now)
        else:
            chosen, _ = QFileDialog.getOpenFileName(self, title, now, self._setting.row.path)
        if chosen:
            self.box.setText(chosen)
            self._finish()


class SeveralEditor(Editor):
    """Some of many, as chips; told in the order of the choices."""

    is_wide = True

    def __init__(self, setting: Setting) -> None:
        super().__init__()
        self._chips = {choice.value: QToolButton() for choice in setting.choices}
        flow = Flow(self._chips.values())
        self._line.addLayout(flow)
        for choice in setting.choices:
            chip = self._chips[choice.value]
            chip.setText(choice.text)
            chip.setCheckable(True)
            chip.setProperty("part", "chip")
            chip.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            chip.setAccessibleName(f"{setting.row.label}: {choice.text}")
            chip.setToolTip(choice.hint or setting.tooltip)
            chip.toggled.connect(self._collect)
        self.setFocusProxy(next(iter(self._chips.values())))

    def _collect(self) -> None:
        self._tell(tuple(value for value, chip in self._chips.items() if chip.isChecked()))

    def _put(self, value: Any) -> None:
        for name, chip in self._chips.items():
            chip.setChecked(name in value)


def make_editor(setting: Setting) -> Editor:
    """Return the editor for a setting."""
    kinds: dict[Kind, type[Editor]] = {
        Kind.TOGGLE: ToggleEditor,
        Kind.CHOICE: ChoiceEditor,
        Kind.WHOLE: NumberEditor,
        Kind.NUMBER: NumberEditor,
        Kind.SEVERAL: SeveralEditor,
        Kind.TEXT: TextEditor,
        Kind.FILE: PathEditor,
        Kind.FOLDER: PathEditor,
    }
    editor = kinds[setting.kind](setting)  # type: ignore[call-arg]
    if not editor.is_wide:
        editor.setFixedWidth(EDITOR_PX)
    return editor
