"""Buttons with signs drawn here: sharp at any size, and of the palette's colours whatever that is."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QIcon, QKeyEvent, QPainter, QPainterPath, QPalette, QPen, QPixmap, QPolygonF
from PyQt6.QtWidgets import QToolButton, QWidget

SIDE = 24
"""Units of the drawings below."""
SCALES = (1, 2, 3)
"""Pixels per point of the screens an icon is made for."""

Drawing = Callable[[QPainter, QColor], None]


class GlyphButton(QToolButton):
    """A button that shows a sign alone; its tooltip says what it does and by which key."""

    def __init__(self, glyph: str, name: str, told: str, keys: str = "", size: int = 20) -> None:
        """Show a sign.

        Args:
            glyph: a key of `GLYPHS`.
            name: what the button does, in a word or two, for tooltip and screen readers.
            told: a sentence that explains.
            keys: the key that does the same, which somebody else listens for.
            size: of the sign, in points.
        """
        super().__init__()
        self._glyph = glyph
        self._drawn: tuple[str, int, int, int] | None = None
        self.setObjectName("flat")
        self.setAutoRaise(True)
        self.setIconSize(QSize(size, size))
        self.say(name, told, keys)
        self._draw()

    def say(self, name: str, told: str, keys: str = "") -> None:
        """Name the button anew."""
        key = f" <span style='white-space:nowrap'>({keys})</span>" if keys else ""
        self.setToolTip(f"<b>{name}</b>{key}<br>{told}")
        self.setAccessibleName(name)
        self.setAccessibleDescription(told)

    def show_glyph(self, glyph: str) -> None:
        """Show another sign."""
        if glyph != self._glyph:
            self._glyph = glyph
            self._draw()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Leave the arrows, which would move the focus, to whoever holds the button."""
        if event is not None and event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            event.ignore()
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent | None) -> None:
        """Draw the sign anew in other colours."""
        super().changeEvent(event)
        if event is not None and event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            self._draw()

    def _draw(self) -> None:
        palette, size = self.palette(), self.iconSize().width()
        text, accent = palette.color(QPalette.ColorRole.ButtonText), accent_of(palette)
        drawn = (self._glyph, text.rgba(), accent.rgba(), size)
        if drawn != self._drawn:  # a window that is put together changes its style a dozen times
            self._drawn = drawn
            self.setIcon(glyph_icon(self._glyph, palette, size))


def glyph_icon(glyph: str, palette: QPalette, size: int = 20) -> QIcon:
    """Return the sign `glyph` as an icon, its button on in the accent's colour, disabled in a pale one."""
    text = palette.color(QPalette.ColorRole.ButtonText)
    pale = QColor(text)
    pale.setAlphaF(0.32)
    on = accent_of(palette)
    icon = QIcon()
    colors = {
        (QIcon.Mode.Normal, QIcon.State.Off): text,
        (QIcon.Mode.Normal, QIcon.State.On): on,
        (QIcon.Mode.Disabled, QIcon.State.Off): pale,
        (QIcon.Mode.Disabled, QIcon.State.On): pale,
    }
    for (mode, state), color in colors.items():
        for scale in SCALES:
            icon.addPixmap(_pixmap(glyph, color, size, scale), mode, state)
    return icon


def accent_of(palette: QPalette) -> QColor:
    """Return the one strong colour of a palette."""
    return palette.color(QPalette.ColorRole.Highlight)


def muted_of(palette: QPalette) -> QColor:
    """Return the colour of text of less weight: between text and ground."""
    text, ground = palette.color(QPalette.ColorRole.Text), palette.color(QPalette.ColorRole.Base)
    return mixed(text, ground, 0.38)


def mixed(first: QColor, second: QColor, share: float) -> QColor:
    """Return `first` with a `share` (0 to 1) of `second` in it."""
    parts = zip(first.getRgb()[:3], second.getRgb()[:3], strict=True)
    return QColor(*(round((a or 0) * (1 - share) + (b or 0) * share) for a, b in parts))


def faded(color: QColor, opacity: float) -> QColor:
    """Return `color` with an opacity from 0 to 1."""
    result = QColor(color)
    result.setAlphaF(opacity)
    return result


def is_dark(widget: QWidget) -> bool:
    """Say whether a widget's ground is dark."""
    return widget.palette().color(QPalette.ColorRole.Base).lightnessF() < 0.5


def _pixmap(glyph: str, color: QColor, size: int, scale: int) -> QPixmap:
    picture = QPixmap(size * scale, size * scale)
    picture.setDevicePixelRatio(scale)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(size / SIDE, size / SIDE)
    solid = QColor(color)
    solid.setAlpha(255)
    painter.setPen(QPen(solid, 2.0, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
    GLYPHS[glyph](painter, solid)
    # Drawn opaque and made pale as a whole, lest strokes that overlap show.
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_DestinationIn)
    painter.fillRect(QRectF(0, 0, SIDE, SIDE), QColor(0, 0, 0, color.alpha()))
    painter.end()
    return picture


def _line(painter: QPainter, *points: tuple[float, float]) -> None:
    painter.drawPolyline(QPolygonF([QPointF(x, y) for x, y in points]))


def _solid(painter: QPainter, color: QColor, *points: tuple[float, float]) -> None:
    painter.setBrush(color)
    painter.drawPolygon(QPolygonF([QPointF(x, y) for x, y in points]))


def _play(painter: QPainter, color: QColor) -> None:
    _solid(painter, color, (7.5, 5), (19, 12), (7.5, 19))


def _pause(painter: QPainter, color: QColor) -> None:
    for x in (6.5, 14.0):
        painter.fillRect(QRectF(x, 4.5, 3.8, 15), color)


def _back(painter: QPainter, color: QColor) -> None:
    _solid(painter, color, (14, 6), (6, 12), (14, 18))
    _line(painter, (18, 6), (18, 18))


def _forward(painter: QPainter, color: QColor) -> None:
    _solid(painter, color, (10, 6), (18, 12), (10, 18))
    _line(painter, (6, 6), (6, 18))


def _home(painter: QPainter, color: QColor) -> None:
    _solid(painter, color, (12.5, 6.5), (6.8, 12), (12.5, 17.5))
    _solid(painter, color, (19.5, 6.5), (13.8, 12), (19.5, 17.5))
    _line(painter, (3.8, 6), (3.8, 18))


def _end(painter: QPainter, color: QColor) -> None:
    _solid(painter, color, (11.5, 6.5), (17.2, 12), (11.5, 17.5))
    _solid(painter, color, (4.5, 6.5), (10.2, 12), (4.5, 17.5))
    _line(painter, (20.2, 6), (20.2, 18))


def _loop(painter: QPainter, color: QColor) -> None:
    path = QPainterPath(QPointF(4, 12))
    path.cubicTo(4, 6.5, 8, 6.5, 17, 6.8)
    painter.drawPath(path)
    path = QPainterPath(QPointF(20, 12))
    path.cubicTo(20, 17.5, 16, 17.5, 7, 17.2)
    painter.drawPath(path)
    _line(painter, (14.2, 3.6), (17.6, 6.8), (14.2, 10))
    _line(painter, (9.8, 14), (6.4, 17.2), (9.8, 20.4))


def _in(painter: QPainter, color: QColor) -> None:
    _line(painter, (12, 4.5), (7, 4.5), (7, 19.5), (12, 19.5))
    _solid(painter, color, (11.5, 9), (16.5, 12), (11.5, 15))


def _out(painter: QPainter, color: QColor) -> None:
    _line(painter, (12, 4.5), (17, 4.5), (17, 19.5), (12, 19.5))
    _solid(painter, color, (12.5, 9), (7.5, 12), (12.5, 15))


def _whole(painter: QPainter, color: QColor) -> None:
    _line(painter, (8, 5), (4, 5), (4, 19), (8, 19))
    _line(painter, (16, 5), (20, 5), (20, 19), (16, 19))
    _line(painter, (9.5, 9.5), (14.5, 14.5))
    _line(painter, (14.5, 9.5), (9.5, 14.5))


def _scissors(painter: QPainter, color: QColor) -> None:
    for y in (6.5, 17.5):
        painter.drawEllipse(QPointF(6, y), 2.7, 2.7)
    _line(painter, (8.3, 8.2), (20, 17))
    _line(painter, (8.3, 15.8), (20, 7))


def _pencil(painter: QPainter, color: QColor) -> None:
    _line(painter, (4.5, 19.5), (5.5, 15), (15.5, 5), (19, 8.5), (9, 18.5), (4.5, 19.5))
    _line(painter, (13, 7.5), (16.5, 11))


def _export(painter: QPainter, color: QColor) -> None:
    _line(painter, (12, 15), (12, 4))
    _line(painter, (7.5, 8), (12, 3.8), (16.5, 8))
    _line(painter, (4.5, 13.5), (4.5, 20), (19.5, 20), (19.5, 13.5))


def _folder(painter: QPainter, color: QColor) -> None:
    _line(painter, (3.5, 18.5), (3.5, 6), (9, 6), (11, 8.5), (20.5, 8.5), (20.5, 18.5), (3.5, 18.5))


def _bin(painter: QPainter, color: QColor) -> None:
    _line(painter, (4, 7), (20, 7))
    _line(painter, (9, 7), (9.6, 4), (14.4, 4), (15, 7))
    _line(painter, (6, 7), (7, 20), (17, 20), (18, 7))
    _line(painter, (10, 11), (10.3, 16))
    _line(painter, (14, 11), (13.7, 16))


def _pin(painter: QPainter, color: QColor) -> None:
    _solid(painter, color, (8.5, 4), (15.5, 4), (14.8, 10), (18, 13.5), (6, 13.5), (9.2, 10))
    _line(painter, (12, 14), (12, 20.5))


def _more(painter: QPainter, color: QColor) -> None:
    painter.setBrush(color)
    for x in (5.5, 12.0, 18.5):
        painter.drawEllipse(QPointF(x, 12), 0.9, 0.9)


def _swap(painter: QPainter, color: QColor) -> None:
    _line(painter, (4, 8.5), (20, 8.5))
    _line(painter, (16.5, 5), (20, 8.5), (16.5, 12))
    _line(painter, (20, 16), (4, 16))
    _line(painter, (7.5, 12.8), (4, 16), (7.5, 19.5))


def _merge(painter: QPainter, color: QColor) -> None:
    _line(painter, (4, 5), (10, 12), (20, 12))
    _line(painter, (4, 19), (10, 12))
    _line(painter, (16, 8), (20, 12), (16, 16))


def _close(painter: QPainter, color: QColor) -> None:
    _line(painter, (7, 7), (17, 17))
    _line(painter, (17, 7), (7, 17))


GLYPHS: dict[str, Drawing] = {
    "play": _play, "pause": _pause, "back": _back, "forward": _forward, "home": _home, "end": _end, "loop": _loop,
    "in": _in, "out": _out, "whole": _whole, "trim": _scissors, "rename": _pencil, "export": _export,
    "folder": _folder, "delete": _bin, "pin": _pin, "more": _more, "swap": _swap, "merge": _merge, "close": _close,
}  # fmt: skip
"""The signs there are."""
