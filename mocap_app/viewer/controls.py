"""Controls with a look of their own: a switch, and boxes with arrows that a style sheet would take away."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QObject, QPoint, QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent, QPen, QWheelEvent
from PyQt6.QtWidgets import QAbstractSpinBox, QCheckBox, QComboBox, QDoubleSpinBox, QSpinBox, QWidget

from .panel_style import colors_now, mixed


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
