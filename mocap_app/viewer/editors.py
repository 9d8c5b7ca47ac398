"""One editor per kind of setting: a switch, a list, a number with its unit, chips, a path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PyQt6.QtCore import QEvent, QObject, QPoint, QPointF, QRect, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QPainter, QPaintEvent, QPen, QWheelEvent
from PyQt6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QHBoxLayout,
    QLayout,
    QLayoutItem,
    QLineEdit,
    QSpinBox,
    QToolButton,
    QWidget,
)

from .panel_style import colors_now, mixed
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
        raise NotImplementedError

    def _tell(self, value: Any) -> None:
        if not self._is_showing:
            self.edited.emit(value)

    def _hold(self, widget: QWidget, setting: Setting) -> None:
        """Name `widget` to screen readers and make it what the keyboard reaches."""
        widget.setAccessibleName(setting.row.label)
        widget.setAccessibleDescription(setting.meaning)
        widget.setToolTip(setting.tooltip)
        self.setFocusProxy(widget)


class Switch(QCheckBox):
    """A check box drawn as a switch."""

    def sizeHint(self) -> QSize:
        """Ask for the room of the switch alone; it has no text."""
        return QSize(40, 24)

    def hitButton(self, pos: QPoint) -> bool:
        """Take a click anywhere."""
        return self.rect().contains(pos)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint track and knob, and a ring where the keyboard is."""
        colors = colors_now()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        track = QRectF(2, self.height() / 2 - 9, 34, 18)
        fill = colors.accent if self.isChecked() else mixed(colors.card, colors.text, 0.3)
        painter.setOpacity(1.0 if self.isEnabled() else 0.45)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(fill)
        painter.drawRoundedRect(track, 9, 9)
        painter.setBrush(QColor("white"))
        left = track.right() - 16 if self.isChecked() else track.left() + 2
        painter.drawEllipse(QRectF(left, track.top() + 2, 14, 14))
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(colors.text)
            painter.drawRoundedRect(track.adjusted(-1.5, -1.5, 1.5, 1.5), 10.5, 10.5)
        painter.end()


class DropDown(QComboBox):
    """A list with an arrow of ours, for a style sheet takes the style's away."""

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the arrow over the rest."""
        super().paintEvent(event)
        paint_arrow(self, self.width() - 13, self.height() / 2, 1)


class WholeBox(QSpinBox):
    """A whole number with arrows of ours."""

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the arrows over the rest."""
        super().paintEvent(event)
        paint_arrows(self)


class NumberBox(QDoubleSpinBox):
    """A number with arrows of ours, written without zeros at its end."""

    def textFromValue(self, value: float) -> str:
        """Return 60 for 60.000."""
        text, point = super().textFromValue(value), self.locale().decimalPoint()
        return text.rstrip("0").removesuffix(point) if point in text else text

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the arrows over the rest."""
        super().paintEvent(event)
        paint_arrows(self)


def paint_arrows(box: QAbstractSpinBox) -> None:
    """Paint an arrow up and one down at the right."""
    paint_arrow(box, box.width() - 11, box.height() / 2 - 4.5, -1)
    paint_arrow(box, box.width() - 11, box.height() / 2 + 4.5, 1)


def paint_arrow(widget: QWidget, x: float, y: float, down: int) -> None:
    """Paint a small arrow with its middle at `x`, `y`; -1 points up."""
    colors = colors_now()
    painter = QPainter(widget)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    color = colors.dim if widget.isEnabled() else mixed(colors.card, colors.text, 0.3)
    painter.setPen(QPen(color, 1.4, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
    tail = y - down * 1.5
    painter.drawPolyline([QPointF(x - 3, tail), QPointF(x, tail + down * 3), QPointF(x + 3, tail)])
    painter.end()


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
        self.box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
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


class Flow(QLayout):
    """Widgets side by side, in as many lines as the width asks for."""

    GAP = 6

    def __init__(self, widgets: Sequence[QWidget] | Any = ()) -> None:
        super().__init__()
        self._items: list[QLayoutItem] = []
        for widget in widgets:
            self.addWidget(widget)

    def addItem(self, item: QLayoutItem | None) -> None:
        """Take one more."""
        if item is not None:
            self._items.append(item)

    def count(self) -> int:
        """Return how many there are."""
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        """Return one, or None beyond the last."""
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        """Give one back."""
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def hasHeightForWidth(self) -> bool:
        """Say that narrower is higher."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height at a width."""
        return self._lay(QRect(0, 0, width, 0), False)

    def sizeHint(self) -> QSize:
        """Ask for as little as may be."""
        return self.minimumSize()

    def minimumSize(self) -> QSize:
        """Return the room of the largest."""
        size = QSize()
        for item in self._items:
            size = size.expandedTo(item.minimumSize())
        return size

    def setGeometry(self, rect: QRect) -> None:
        """Place everything."""
        super().setGeometry(rect)
        self._lay(rect, True)

    def _lay(self, rect: QRect, is_real: bool) -> int:
        x, y, height = rect.x(), rect.y(), 0
        for item in self._items:
            size = item.sizeHint()
            if x > rect.x() and x + size.width() > rect.right() + 1:
                x, y, height = rect.x(), y + height + self.GAP, 0
            if is_real:
                item.setGeometry(QRect(QPoint(x, y), size))
            x, height = x + size.width() + self.GAP, max(height, size.height())
        return y + height - rect.y()


class _WheelGuard(QObject):
    """Lets the wheel scroll the panel, not change what the pointer happens to be over."""

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        if isinstance(event, QWheelEvent) and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()
            return True
        return super().eventFilter(watched, event)


def keep_from_wheel(box: QComboBox | QAbstractSpinBox) -> None:
    """Let the wheel change `box` only after it was clicked or reached by the keyboard."""
    box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    box.installEventFilter(_WheelGuard(box))


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


__all__ = ["ChoiceEditor", "Editor", "Flow", "NumberEditor", "PathEditor", "SeveralEditor", "Switch", "TextEditor",
           "ToggleEditor", "make_editor"]  # fmt: skip
