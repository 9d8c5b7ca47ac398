"""Icons drawn here, so that they follow the theme, are sharp at any size and belong to nobody else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap, QPolygonF

from .theme import Theme

SIDE = 24
"""Units of the drawings below, whatever size the icon is asked for."""
SIZES_PX = (16, 20, 24, 32, 48)


def icon(name: str, color: str) -> QIcon:
    """Return the icon `name`, a key of DRAWINGS, in `color` (#rrggbb)."""
    made = QIcon()
    for size_px in SIZES_PX:
        picture = QPixmap(size_px, size_px)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.scale(size_px / SIDE, size_px / SIDE)
        pen = QPen(QColor(color), 1.9, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        DRAWINGS[name](painter, QColor(color))
        painter.end()
        made.addPixmap(picture)
    return made


def write_sheet_icons(folder: Path, theme: Theme) -> None:
    """Write into `folder` the few pictures that a style sheet can take from files alone."""
    folder.mkdir(parents=True, exist_ok=True)
    colors = {"check": theme.on_accent, "dot": theme.on_accent, "down": theme.muted, "up": theme.muted}
    for name, color in colors.items():
        icon(name, color).pixmap(48, 48).save(str(folder / f"{name}.png"))
    icon("check", theme.text).pixmap(48, 48).save(str(folder / "menu_check.png"))


def _lines(painter: QPainter, *points: tuple[float, float]) -> None:
    painter.drawPolyline(QPolygonF([QPointF(x, y) for x, y in points]))


def _filled(painter: QPainter, color: QColor, *points: tuple[float, float]) -> None:
    painter.setBrush(color)
    painter.drawPolygon(QPolygonF([QPointF(x, y) for x, y in points]))


def _camera(painter: QPainter, color: QColor) -> None:
    painter.drawRoundedRect(QRectF(3, 7, 12, 10), 2.5, 2.5)
    _filled(painter, color, (17.5, 10.5), (21, 8.3), (21, 15.7), (17.5, 13.5))


def _film(painter: QPainter, color: QColor) -> None:
    painter.drawRoundedRect(QRectF(3.5, 5, 17, 14), 2.5, 2.5)
    _filled(painter, color, (10, 9.3), (14.6, 12), (10, 14.7))


def _refresh(painter: QPainter, color: QColor) -> None:
    painter.drawArc(QRectF(5, 5, 14, 14), 50 * 16, 280 * 16)
    _filled(painter, color, (16.2, 3.4), (17.0, 8.2), (12.6, 6.6))


def _mirror(painter: QPainter, color: QColor) -> None:
    _lines(painter, (12, 4), (12, 20))
    _lines(painter, (9, 7), (9, 17), (3.5, 17), (9, 7))
    _filled(painter, color, (15, 7), (15, 17), (20.5, 17))


def _rotate(painter: QPainter, color: QColor) -> None:
    painter.drawRoundedRect(QRectF(4, 11, 10, 9), 2, 2)
    painter.drawArc(QRectF(8, 4, 12, 12), -10 * 16, 110 * 16)
    _filled(painter, color, (17.4, 9.6), (22.4, 9.6), (19.9, 13))


def _skeleton(painter: QPainter, color: QColor) -> None:
    painter.drawEllipse(QPointF(12, 5), 2.2, 2.2)
    _lines(painter, (12, 7.4), (12, 13.5))
    _lines(painter, (6, 12), (8.5, 9), (15.5, 9), (18, 12))
    _lines(painter, (8.5, 20.5), (12, 13.5), (15.5, 20.5))


def _mesh(painter: QPainter, color: QColor) -> None:
    painter.drawPolygon(QPolygonF([QPointF(x, y) for x, y in ((12, 3), (20, 8), (20, 16), (12, 21), (4, 16), (4, 8))]))
    _lines(painter, (4, 8), (12, 12), (20, 8))
    _lines(painter, (12, 12), (12, 21))


def _sun(painter: QPainter, color: QColor) -> None:
    painter.setBrush(color)
    painter.drawEllipse(QPointF(12, 12), 3.6, 3.6)
    for _ in range(8):
        painter.translate(12, 12)
        painter.rotate(45)
        painter.translate(-12, -12)
        _lines(painter, (12, 3), (12, 5))


def _moon(painter: QPainter, color: QColor) -> None:
    path = QPainterPath()
    path.addEllipse(QPointF(11.5, 12.5), 7.8, 7.8)
    bite = QPainterPath()
    bite.addEllipse(QPointF(15.5, 9.5), 7, 7)
    painter.fillPath(path.subtracted(bite), color)


def _folder(painter: QPainter, color: QColor) -> None:
    _lines(painter, (3, 18.5), (3, 6), (9, 6), (11, 8.5), (21, 8.5), (21, 18.5), (3, 18.5))


def _play(painter: QPainter, color: QColor) -> None:
    _filled(painter, color, (8, 5.5), (18.5, 12), (8, 18.5))


def _close(painter: QPainter, color: QColor) -> None:
    _lines(painter, (7, 7), (17, 17))
    _lines(painter, (17, 7), (7, 17))


def _alert(painter: QPainter, color: QColor) -> None:
    painter.drawPolygon(QPolygonF([QPointF(12, 4), QPointF(21, 19.5), QPointF(3, 19.5)]))
    _lines(painter, (12, 10), (12, 14))
    painter.drawPoint(QPointF(12, 16.8))


def _note(painter: QPainter, color: QColor) -> None:
    painter.drawEllipse(QPointF(12, 12), 8.5, 8.5)
    _lines(painter, (12, 11.5), (12, 16))
    painter.drawPoint(QPointF(12, 8))


def _done(painter: QPainter, color: QColor) -> None:
    painter.drawEllipse(QPointF(12, 12), 8.5, 8.5)
    _lines(painter, (8, 12.2), (11, 15), (16, 9.4))


def _help(painter: QPainter, color: QColor) -> None:
    painter.drawEllipse(QPointF(12, 12), 8.5, 8.5)
    painter.drawArc(QRectF(9, 7.3, 6, 5.6), -60 * 16, 240 * 16)
    _lines(painter, (12, 12.8), (12, 13.8))
    painter.drawPoint(QPointF(12, 16.6))


def _person(painter: QPainter, color: QColor) -> None:
    painter.setBrush(color)
    painter.drawEllipse(QPointF(12, 7.5), 3.2, 3.2)
    path = QPainterPath(QPointF(5.5, 20))
    path.cubicTo(5.5, 11, 18.5, 11, 18.5, 20)
    painter.drawPath(path)


def _check(painter: QPainter, color: QColor) -> None:
    painter.setPen(QPen(color, 3.2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
    _lines(painter, (5.5, 12.5), (10, 17), (18.5, 7.5))


def _down(painter: QPainter, color: QColor) -> None:
    painter.setPen(QPen(color, 3, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
    _lines(painter, (5, 9), (12, 16), (19, 9))


def _up(painter: QPainter, color: QColor) -> None:
    painter.setPen(QPen(color, 3, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
    _lines(painter, (5, 16), (12, 9), (19, 16))


def _dot(painter: QPainter, color: QColor) -> None:
    painter.setBrush(color)
    painter.drawEllipse(QPointF(12, 12), 4.5, 4.5)


DRAWINGS: dict[str, Callable[[QPainter, QColor], None]] = {
    "camera": _camera, "film": _film, "refresh": _refresh, "mirror": _mirror, "rotate": _rotate,
    "skeleton": _skeleton, "mesh": _mesh, "sun": _sun, "moon": _moon, "folder": _folder, "play": _play,
    "close": _close, "error": _alert, "warning": _alert, "note": _note, "done": _done, "help": _help,
    "person": _person, "check": _check, "down": _down, "up": _up, "dot": _dot,
}  # fmt: skip
"""The icons there are."""
