"""Small plots, painted by hand: a number over the last minute, and bars of times beside their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PyQt6.QtCore import QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QFont, QLinearGradient, QPainter, QPainterPath, QPaintEvent, QPen
from PyQt6.QtWidgets import QFrame, QSizePolicy, QWidget

from ..stats import Spread
from .health import KEPT, Plot
from .panel_style import Colors, colors_now, mixed

PAD = 10.0


class PlotTile(QFrame):
    """One number: its name, its newest value, and its last minute with a scale."""

    def __init__(self) -> None:
        super().__init__()
        self._plot: Plot | None = None
        self.setProperty("part", "card")
        self.setMinimumHeight(116)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_plot(self, plot: Plot) -> None:
        """Paint `plot` from now on; what it says can be read aloud as well."""
        self._plot = plot
        self.setAccessibleName(plot.title)
        self.setAccessibleDescription(f"{plot.value}, {plot.detail}")
        self.setToolTip(
            f"{plot.title}: {plot.value}\n{plot.detail}\nThe last minute; the line above is {plot.top_words}."
        )
        self.update()

    def sizeHint(self) -> QSize:
        """Ask for half the width of a narrow panel."""
        return QSize(150, 116)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the card, then words and curve."""
        super().paintEvent(event)
        if self._plot is None:
            return
        colors = colors_now()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_words(painter, colors, self._plot)
        self._paint_curve(painter, colors, self._plot)
        painter.end()

    def _paint_words(self, painter: QPainter, colors: Colors, plot: Plot) -> None:
        width = self.width() - 2 * PAD
        painter.setPen(colors.dim)
        painter.setFont(scaled(self.font(), -1))
        painter.drawText(QRectF(PAD, 8, width, 16), Qt.AlignmentFlag.AlignLeft, plot.title)
        painter.setPen(colors.text)
        painter.setFont(scaled(self.font(), 4, True))
        painter.drawText(QRectF(PAD, 25, width, 26), Qt.AlignmentFlag.AlignLeft, plot.value)

    def _paint_curve(self, painter: QPainter, colors: Colors, plot: Plot) -> None:
        area = QRectF(PAD, 67, self.width() - 2 * PAD, self.height() - 77)
        painter.setFont(scaled(self.font(), -2))
        painter.setPen(mixed(colors.card, colors.text, 0.55))
        above = QRectF(area.left(), area.top() - 17, area.width(), 14)
        painter.drawText(above, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom, plot.top_words)
        letters = painter.fontMetrics()
        room = int(area.width()) - letters.horizontalAdvance(plot.top_words) - 8
        detail = letters.elidedText(plot.detail, Qt.TextElideMode.ElideRight, room)
        painter.drawText(above, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom, detail)
        painter.setPen(QPen(colors.line, 1, Qt.PenStyle.DotLine))
        painter.drawLine(area.topLeft(), area.topRight())
        painter.setPen(QPen(colors.line, 1))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        if len(plot.values) > 1:
            curve = _curve(plot, area)
            painter.fillPath(_below(curve, area), _fading(colors.accent, area))
            painter.setPen(QPen(_bright(colors), 1.6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawPath(curve)


def _curve(plot: Plot, area: QRectF) -> QPainterPath:
    """Return the values as a line that ends at the right, where now is."""
    path = QPainterPath()
    step = area.width() / (KEPT - 1)
    begun = area.right() - step * (len(plot.values) - 1)
    for number, value in enumerate(plot.values):
        height = min(max(value / plot.top, 0.0), 1.0) * area.height()
        point = QPointF(begun + step * number, area.bottom() - height)
        if number:
            path.lineTo(point)
        else:
            path.moveTo(point)
    return path


def _below(curve: QPainterPath, area: QRectF) -> QPainterPath:
    """Return the area between a curve and the bottom."""
    filled = QPainterPath(curve)
    filled.lineTo(area.bottomRight())
    filled.lineTo(curve.elementAt(0).x, area.bottom())
    filled.closeSubpath()
    return filled


def _fading(color: QColor, area: QRectF) -> QLinearGradient:
    fade = QLinearGradient(area.topLeft(), area.bottomLeft())
    fade.setColorAt(0, QColor(color.red(), color.green(), color.blue(), 110))
    fade.setColorAt(1, QColor(color.red(), color.green(), color.blue(), 16))
    return fade


def _bright(colors: Colors) -> QColor:
    return mixed(colors.accent, QColor("white"), 0.3) if colors.is_dark else colors.accent


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of `Bars`."""

    name: str
    value: str
    middle: float
    """Painted strong."""
    high: float
    """Painted faint, behind it."""
    is_quiet: bool = False
    """Grey: not a time that could be saved."""


def bars_of(spreads: Mapping[str, Spread], quiet: Sequence[str] = ()) -> list[Bar]:
    """Return measured times as bars: the median, and what 95 of 100 stay below."""
    return [
        Bar(name, f"{_ms(spread.p50_ms)} / {_ms(spread.p95_ms)} ms", spread.p50_ms, spread.p95_ms, name in quiet)
        for name, spread in spreads.items()
    ]


def _ms(value_ms: float) -> str:
    return f"{value_ms:.1f}" if value_ms < 10 else f"{value_ms:.0f}"


class Bars(QWidget):
    """Names, bars and values below one another."""

    ROW = 24

    def __init__(self, name: str) -> None:
        super().__init__()
        self._bars: list[Bar] = []
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_bars(self, bars: Sequence[Bar]) -> None:
        """Paint these from now on; they can be read aloud as well."""
        if len(bars) != len(self._bars):
            self.setFixedHeight(self.ROW * len(bars))
        self._bars = list(bars)
        self.setAccessibleDescription("; ".join(f"{bar.name}: {bar.value}" for bar in bars))
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint every line on one scale."""
        colors = colors_now()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(scaled(self.font(), -0.5))
        longest = max((bar.high for bar in self._bars), default=0.0) or 1.0
        for number, bar in enumerate(self._bars):
            self._paint(painter, colors, bar, number * self.ROW, longest)
        painter.end()

    def _paint(self, painter: QPainter, colors: Colors, bar: Bar, y: float, longest: float) -> None:
        letters = painter.fontMetrics()
        names = max(letters.horizontalAdvance(b.name) for b in self._bars) + 12
        values = max(letters.horizontalAdvance(b.value) for b in self._bars) + 10
        room = max(self.width() - names - values, 12)
        color = mixed(colors.card, colors.text, 0.4) if bar.is_quiet else _bright(colors)
        painter.setPen(Qt.PenStyle.NoPen)
        for part, strength in ((1.0, 0.12), (bar.high / longest, 0.4), (bar.middle / longest, 1.0)):
            painter.setBrush(mixed(colors.card, color if part < 1.0 or strength > 0.2 else colors.text, strength))
            painter.drawRoundedRect(QRectF(names, y + self.ROW / 2 - 3, max(room * part, 3), 6), 3, 3)
        painter.setPen(colors.text)
        line = QRectF(0, y, self.width(), self.ROW)
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, bar.name)
        painter.setPen(colors.dim)
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, bar.value)


def scaled(font: QFont, points: float, is_bold: bool = False) -> QFont:
    """Return a font so many points larger."""
    changed = QFont(font)
    if font.pixelSize() > 0:  # a style sheet counts in pixels
        changed.setPixelSize(max(round(font.pixelSize() + 1.33 * points), 9))
    else:
        changed.setPointSizeF(max(font.pointSizeF() + points, 6.5))
    changed.setBold(is_bold)
    return changed
