"""The painted part of the timeline: seconds, people, in and out points, and the playhead to drag."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from PyQt6.QtCore import QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QFontMetricsF, QMouseEvent, QPainter, QPaintEvent, QPalette, QPen, QPolygonF
from PyQt6.QtWidgets import QSizePolicy, QWidget

from ..sinks.colors import COLORS
from .glyphs import accent_of, faded, is_dark, mixed, muted_of
from .playhead import Playhead
from .take_wording import clock

MARGIN = 16
"""Points left and right of the take."""
RULER = 26
"""Height of the scale."""
LANE, GAP = 16, 4
"""Height of a person's bar, and space between two."""
MOST_LANES = 6
HANDLE = 8
"""How near to a handle a press takes hold of it, points."""
STEPS_S = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600)
LEAST_LABEL_PX = 64
Grip = Literal["", "time", "in", "out"]
Presence = Mapping[int, Sequence[tuple[float, float]]]
"""Person's number -> from when to when they are there, seconds."""


class Ruler(QWidget):
    """Paints a playhead's take. A press or drag on it moves playhead or handles."""

    scrubbed = pyqtSignal()
    """The playhead was moved."""
    span_dragged = pyqtSignal()
    """The in or out point was moved."""

    def __init__(self, playhead: Playhead) -> None:
        super().__init__()
        self._head = playhead
        self._people: Presence = {}
        self._grip: Grip = ""
        self._hovered: Grip = ""
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Timeline of the take")
        self.setAccessibleDescription(
            "Left and right go a frame back and on, I and O set the in and out points, Home and End go to them."
        )
        self.setToolTip("Click or drag to go there. Drag the brackets to choose what to play, trim or export.")

    def show_people(self, presence: Presence) -> None:
        """Paint a bar for each person from now on."""
        self._people = presence
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Ask for a lane for each person."""
        lanes = max(1, min(len(self._people), MOST_LANES))
        return QSize(480, RULER + lanes * (LANE + GAP) + 2 * GAP)

    def minimumSizeHint(self) -> QSize:
        """Be no lower than all lanes."""
        return QSize(200, self.sizeHint().height())

    def x_of(self, time_s: float) -> float:
        """Return where an instant is painted, points."""
        width = self.width() - 2 * MARGIN
        return MARGIN + (time_s / self._head.duration_s * width if self._head.duration_s else 0.0)

    def time_at(self, x: float) -> float:
        """Return the instant that is painted at `x`."""
        width = max(1, self.width() - 2 * MARGIN)
        return min(max((x - MARGIN) / width, 0.0), 1.0) * self._head.duration_s

    # Mouse ---------------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Take hold of a handle, or go where it was pressed."""
        if event is None or event.button() != Qt.MouseButton.LeftButton or not self._head.duration_s:
            return
        self._grip = self._handle_at(event.position()) or "time"
        self._drag(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        """Drag what was taken hold of; show what could be."""
        if event is None:
            return
        if self._grip:
            self._drag(event.position().x())
            return
        hovered = self._handle_at(event.position())
        if hovered != self._hovered:
            self._hovered = hovered
            self.setCursor(Qt.CursorShape.SizeHorCursor if hovered else Qt.CursorShape.ArrowCursor)
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        """Let go."""
        self._grip = ""

    def _handle_at(self, place: QPointF) -> Grip:
        handles: list[tuple[Grip, float | None]] = [("in", self._head.in_s), ("out", self._head.out_s)]
        for grip, time_s in handles:
            if time_s is not None and place.y() <= RULER and abs(place.x() - self.x_of(time_s)) <= HANDLE:
                return grip
        return ""

    def _drag(self, x: float) -> None:
        time_s = round(self.time_at(x) * self._head.fps) / self._head.fps
        begin, end = self._head.span_s
        frame_s = 1 / self._head.fps
        if self._grip == "in":
            self._head.set_in(min(time_s, end - frame_s))
        elif self._grip == "out":
            self._head.set_out(max(time_s, begin + frame_s))
        else:
            self._head.seek(self.time_at(x))
        (self.scrubbed if self._grip == "time" else self.span_dragged).emit()
        self.update()

    # Painting ------------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint scale, bars, span and playhead."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_ground(painter)
        if self._head.duration_s:
            self._paint_scale(painter)
            self._paint_people(painter)
            self._paint_span(painter)
            self._paint_playhead(painter)
        else:
            painter.setPen(muted_of(self.palette()))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "Choose a take to play it here")
        painter.end()

    def _paint_ground(self, painter: QPainter) -> None:
        palette = self.palette()
        base = palette.color(QPalette.ColorRole.Base)
        painter.setBrush(mixed(base, QColor("black"), 0.25) if is_dark(self) else mixed(base, QColor("#667"), 0.06))
        edge = accent_of(palette) if self.hasFocus() else mixed(base, palette.color(QPalette.ColorRole.Text), 0.16)
        painter.setPen(QPen(edge, 1))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 7, 7)

    def _paint_scale(self, painter: QPainter) -> None:
        palette = self.palette()
        muted = muted_of(palette)
        per_s = (self.width() - 2 * MARGIN) / self._head.duration_s
        step_s = next((s for s in STEPS_S if s * per_s >= LEAST_LABEL_PX), STEPS_S[-1])
        font = painter.font()
        font.setPixelSize(11)
        painter.setFont(font)
        metrics = QFontMetricsF(font)
        decimals = 0 if step_s >= 1 else 2 if step_s < 0.1 else 1
        handles = [self.x_of(time_s) for time_s in (self._head.in_s, self._head.out_s) if time_s is not None]
        parts = 5
        for n in range(int(self._head.duration_s / step_s * parts + 1e-6) + 1):
            x = self.x_of(n * step_s / parts)
            is_labelled = n % parts == 0
            painter.setPen(QPen(faded(muted, 0.9 if is_labelled else 0.4), 1))
            painter.drawLine(QPointF(x, RULER - (8 if is_labelled else 4)), QPointF(x, RULER - 1))
            if is_labelled:
                text = clock(n * step_s / parts, decimals)
                width = metrics.horizontalAdvance(text)
                left = min(max(x - width / 2, 4), self.width() - width - 4)
                if any(left - 10 < handle < left + width + 10 for handle in handles):
                    continue
                painter.setPen(muted)
                painter.drawText(QPointF(left, RULER - 12), text)

    def _paint_people(self, painter: QPainter) -> None:
        font = painter.font()
        font.setPixelSize(10)
        font.setBold(True)
        painter.setFont(font)
        for lane, (number, spans) in enumerate(sorted(self._people.items())[:MOST_LANES]):
            top = RULER + GAP + lane * (LANE + GAP)
            color = QColor(*COLORS[(number - 1) % len(COLORS)])
            track = QRectF(MARGIN, top, self.width() - 2 * MARGIN, LANE)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(faded(color, 0.14))
            painter.drawRoundedRect(track, 4, 4)
            for begin_s, end_s in spans:
                left, right = self.x_of(begin_s), self.x_of(end_s)
                bar = QRectF(left, top, max(right - left, 3.0), LANE)
                painter.setBrush(color if is_dark(self) else mixed(color, QColor("black"), 0.08))
                painter.drawRoundedRect(bar, 4, 4)
                if bar.width() > 70:
                    painter.setPen(QColor(20, 24, 30))
                    painter.drawText(bar.adjusted(7, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, f"Person {number}")
                    painter.setPen(Qt.PenStyle.NoPen)

    def _paint_span(self, painter: QPainter) -> None:
        if self._head.in_s is None and self._head.out_s is None:
            return
        begin, end = (self.x_of(t) for t in self._head.span_s)
        base, accent = self.palette().color(QPalette.ColorRole.Base), accent_of(self.palette())
        bottom = self.height() - 1.0
        for left, right in ((MARGIN, begin), (end, self.width() - MARGIN)):
            painter.fillRect(QRectF(left, RULER, max(right - left, 0), bottom - RULER), faded(base, 0.66))
        painter.fillRect(QRectF(begin, RULER - 3, end - begin, 3), accent)
        for grip, x, is_set in (("in", begin, self._head.in_s), ("out", end, self._head.out_s)):
            if is_set is not None:
                self._paint_bracket(painter, x, 1 if grip == "in" else -1, accent, grip in (self._hovered, self._grip))

    def _paint_bracket(self, painter: QPainter, x: float, side: int, color: QColor, is_hot: bool) -> None:
        width = 9.0 if is_hot else 7.0
        flag = QPolygonF([QPointF(x, 5), QPointF(x + side * width, 5), QPointF(x + side * width, 13), QPointF(x, 19)])
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        painter.drawPolygon(flag)
        painter.setPen(QPen(color, 2))
        painter.drawLine(QPointF(x, 6), QPointF(x, self.height() - 3))

    def _paint_playhead(self, painter: QPainter) -> None:
        x = self.x_of(self._head.time_s)
        color = QColor("#ffffff") if is_dark(self) else QColor("#11151c")
        painter.setPen(QPen(faded(QColor("black") if is_dark(self) else QColor("white"), 0.45), 4))
        painter.drawLine(QPointF(x, 12), QPointF(x, self.height() - 3))
        painter.setPen(QPen(color, 1.6))
        painter.drawLine(QPointF(x, 10), QPointF(x, self.height() - 3))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        points = ((x - 6, 3), (x + 6, 3), (x + 6, 9), (x, 16), (x - 6, 9))
        painter.drawPolygon(QPolygonF([QPointF(a, b) for a, b in points]))
