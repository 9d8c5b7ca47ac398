"""The picture with skeletons over it, as large as the window allows."""

from __future__ import annotations

import numpy as np
from PyQt6.QtCore import QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QWidget

from ..sinks.overlay import COLORS
from .sinks import Shown
from .state import ViewState

LEAST_CONFIDENCE = 0.3
"""A bone whose ends are seen less surely is not drawn."""


class VideoPanel(QWidget):
    """Paints the newest picture. Belongs to the window's thread."""

    def __init__(self, state: ViewState) -> None:
        super().__init__()
        self._state = state
        self._shown: Shown | None = None
        self._image = QImage()
        self.setMinimumSize(320, 180)

    @property
    def shown(self) -> Shown | None:
        """What is painted, None before the first picture."""
        return self._shown

    def show_picture(self, shown: Shown) -> None:
        """Paint `shown` from now on."""
        height, width = shown.image.shape[:2]
        pixels = np.ascontiguousarray(shown.image).tobytes()
        # A copy, for the image does not keep the bytes alive.
        self._image = QImage(pixels, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
        self._shown = shown
        self.update()

    def sizeHint(self) -> QSize:
        """Ask for a size; the user may give another."""
        return QSize(960, 540)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint picture and skeletons."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(24, 26, 30))
        if self._shown is not None:
            place = self._place()
            painter.setRenderHints(QPainter.RenderHint.SmoothPixmapTransform | QPainter.RenderHint.Antialiasing)
            painter.drawImage(place, self._image)
            if self._state.show_skeleton:
                self._draw_skeletons(painter, place)
        painter.end()

    def _place(self) -> QRectF:
        """Return where the picture goes: centred, its proportions kept."""
        size = self._image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        left, top = (self.width() - size.width()) / 2, (self.height() - size.height()) / 2
        return QRectF(left, top, size.width(), size.height())

    def _draw_skeletons(self, painter: QPainter, place: QRectF) -> None:
        assert self._shown is not None
        scale = place.width() / max(self._image.width(), 1)
        points = self._shown.joints_px * scale + (place.left(), place.top())
        for person, track_id in enumerate(self._shown.track_ids):
            color = QColor(*COLORS[(int(track_id) - 1) % len(COLORS)])
            painter.setPen(QPen(color.darker(140), 2.5))
            for joint, parent in enumerate(self._shown.parents):
                seen = self._shown.confidence[person, [joint, max(int(parent), 0)]].min() >= LEAST_CONFIDENCE
                if parent >= 0 and seen:
                    painter.drawLine(
                        QPointF(*points[person, parent].tolist()), QPointF(*points[person, joint].tolist())
                    )
