"""The picture as large as the window allows, and what is said over it: loading, count-in, recording."""

from __future__ import annotations

import time
from typing import cast

from PyQt6.QtCore import QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QFont, QImage, QPainter, QPaintEvent, QPen, QResizeEvent
from PyQt6.QtWidgets import QWidget

from ..sinks.colors import color_of
from .sinks import Shown
from .status_words import PanelText
from .theme import DARK, Theme

RECORD_EDGE_PX = 3
WHEEL_S = 0.08
"""Between two steps of the wheel: each has the whole window composed anew, for there is a view of OpenGL in it."""


class VideoPanel(QWidget):
    """Paints the newest picture. Belongs to the window's thread."""

    resized = pyqtSignal(int, int)
    """Device pixels that a picture may fill."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: Shown | None = None
        self._image = QImage()
        self._text = PanelText()
        self._theme = DARK
        self._turn_deg, self._turned_s = 0, 0.0
        self.setMinimumSize(240, 160)
        self.setAccessibleName("Picture of the source")

    @property
    def shown(self) -> Shown | None:
        """What is painted, None before the first picture."""
        return self._shown

    @property
    def text(self) -> PanelText:
        """What stands over the picture."""
        return self._text

    def show_picture(self, shown: Shown | None) -> None:
        """Paint `shown` from now on; None for nothing."""
        self._shown = shown
        if shown is None:
            self._image = QImage()
        else:
            height, width = shown.image.shape[:2]
            # No copy: the array lives as long as `_shown`, and nobody writes to it any more.
            pixels = cast(bytes, shown.image.data)
            self._image = QImage(pixels, width, height, shown.image.strides[0], QImage.Format.Format_RGB888)
        self.update()

    def show_text(self, text: PanelText) -> None:
        """Say `text` over the picture."""
        now_s = time.monotonic()
        turns = bool(text.loading) and now_s - self._turned_s >= WHEEL_S
        if turns:
            self._turn_deg, self._turned_s = (self._turn_deg + 24) % 360, now_s
        if text != self._text or turns:
            self._text = text
            self.setAccessibleDescription(", ".join(part for part in (text.badge, text.loading, text.hint) if part))
            self.update()

    def set_theme(self, theme: Theme) -> None:
        """Take over the colours."""
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        """Ask for a size; the user may give another."""
        return QSize(720, 480)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Say how large pictures may be."""
        super().resizeEvent(event)
        ratio = self.devicePixelRatioF()
        self.resized.emit(round(self.width() * ratio), round(self.height() * ratio))

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the picture and what is said over it."""
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
        painter.fillRect(self.rect(), QColor(self._theme.stage))
        if self._shown is not None:
            self._paint_picture(painter)
        self._paint_text(painter)
        painter.end()

    def _place(self) -> QRectF:
        """Return where the picture goes: centred, its proportions kept."""
        size = self._image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        left, top = (self.width() - size.width()) // 2, (self.height() - size.height()) // 2
        return QRectF(left, top, size.width(), size.height())

    def _paint_picture(self, painter: QPainter) -> None:
        assert self._shown is not None
        place = self._place()
        is_exact = abs(place.width() * self.devicePixelRatioF() - self._image.width()) < 1.5
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, not is_exact)
        painter.drawImage(place, self._image)
        scale = place.width() / max(self._image.width(), 1)
        for label in self._shown.labels:
            at = QPointF(place.left() + label.x_px * scale, place.top() + label.y_px * scale)
            self._paint_pill(painter, at, f"{label.track_id}", QColor(*color_of(label.track_id)), QColor("#101216"))

    def _paint_pill(self, painter: QPainter, centre: QPointF, text: str, ground: QColor, ink: QColor) -> None:
        painter.setFont(self._font(12, bold=True))
        width = max(22.0, painter.fontMetrics().horizontalAdvance(text) + 14.0)
        box = QRectF(centre.x() - width / 2, max(2.0, centre.y() - 26), width, 20)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(box, 10, 10)
        painter.setPen(ink)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_text(self, painter: QPainter) -> None:
        text = self._text
        if text.recording:
            self._paint_edge(painter)
        if text.badge:
            self._paint_badge(painter, text.badge, 12.0, QColor(16, 18, 22, 190), QColor("#ffffff"))
        if text.recording:
            self._paint_badge(painter, f"●  {text.recording}", -12.0, QColor(self._theme.record), QColor("#ffffff"))
        if text.count_in:
            self._paint_count_in(painter)
        elif text.loading:
            self._paint_loading(painter)
        elif text.hint and self._shown is None:
            painter.setPen(QColor(self._theme.muted))
            painter.setFont(self._font(15))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, text.hint)

    def _paint_edge(self, painter: QPainter) -> None:
        painter.setPen(QPen(QColor(self._theme.record), RECORD_EDGE_PX))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        half = RECORD_EDGE_PX / 2
        painter.drawRect(QRectF(self.rect()).adjusted(half, half, -half, -half))

    def _paint_badge(self, painter: QPainter, text: str, x: float, ground: QColor, ink: QColor) -> None:
        """Paint `text` in the upper left corner, or the upper right one for an `x` below 0."""
        painter.setFont(self._font(12, bold=True))
        width = painter.fontMetrics().horizontalAdvance(text) + 20.0
        box = QRectF(x if x >= 0 else self.width() + x - width, 12, width, 24)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(box, 12, 12)
        painter.setPen(ink)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_count_in(self, painter: QPainter) -> None:
        painter.fillRect(self.rect(), QColor(10, 12, 16, 120))
        side = min(self.width(), self.height()) * 0.5
        box = QRectF(0, 0, side, side)
        box.moveCenter(QRectF(self.rect()).center())
        painter.setPen(QPen(QColor(self._theme.record), side * 0.04))
        painter.setBrush(QColor(10, 12, 16, 140))
        painter.drawEllipse(box)
        painter.setPen(QColor("#ffffff"))
        painter.setFont(self._font(round(side * 0.55), bold=True))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self._text.count_in)

    def _paint_loading(self, painter: QPainter) -> None:
        is_over = self._shown is not None
        if is_over:
            painter.fillRect(self.rect(), QColor(10, 12, 16, 150))
        centre = QRectF(self.rect()).center()
        wheel = QRectF(centre.x() - 20, centre.y() - 46, 40, 40)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(self._theme.border), 4))
        painter.drawEllipse(wheel)
        pen = QPen(QColor(self._theme.accent), 4)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.drawArc(wheel, -self._turn_deg * 16, 90 * 16)
        painter.setPen(QColor("#ffffff" if is_over else self._theme.text))
        painter.setFont(self._font(15))
        below = QRectF(0, centre.y() + 8, self.width(), 30)
        painter.drawText(below, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, self._text.loading)

    def _font(self, size_px: int, bold: bool = False) -> QFont:
        font = QFont(self.font())
        font.setPixelSize(max(size_px, 8))
        font.setBold(bold)
        return font
