"""Small pictures of recordings: a kept one, or everybody's skeleton in the middle of the take, drawn here."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PyQt6.QtCore import QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QImage, QLinearGradient, QPainter, QPainterPath, QPen, QPixmap

from ..library import Glance, Recording, glance
from ..sinks.colors import COLORS

SIZE = QSize(112, 72)
"""Points."""
SCALE = 2
"""Pixels per point, for sharp screens."""
MOST_KEPT = 500
VIEW_YAW_RAD = 0.42
"""The performers are seen a little from the side, which shows depth of arms and legs."""


class Thumbnails:
    """Pictures by recording, made when asked for and kept in memory until the files change."""

    def __init__(self) -> None:
        self._made: dict[object, QPixmap] = {}

    def of(self, recording: Recording) -> QPixmap | None:
        """Return the picture if it was made already; never waits."""
        return self._made.get(_key(recording))

    def make(self, recording: Recording) -> QPixmap:
        """Make the picture, in some milliseconds, and keep it."""
        if len(self._made) >= MOST_KEPT:
            self._made.pop(next(iter(self._made)))
        self._made[_key(recording)] = made = _kept(recording) or draw(glance(recording))
        return made


def _key(recording: Recording) -> object:
    people = tuple((person.path, person.frames, person.spans_ns) for person in recording.people)
    return recording.folder, recording.name, recording.thumbnail, people


def _kept(recording: Recording) -> QPixmap | None:
    if recording.thumbnail is None:
        return None
    image = QImage(str(recording.thumbnail))
    if image.isNull():
        return None
    mode, smooth = Qt.AspectRatioMode.KeepAspectRatioByExpanding, Qt.TransformationMode.SmoothTransformation
    image = image.scaled(SIZE * SCALE, mode, smooth)
    left, top = (image.width() - SIZE.width() * SCALE) // 2, (image.height() - SIZE.height() * SCALE) // 2
    picture = QPixmap.fromImage(image.copy(left, top, SIZE.width() * SCALE, SIZE.height() * SCALE))
    picture.setDevicePixelRatio(SCALE)
    return picture


def draw(people: Sequence[Glance]) -> QPixmap:
    """Return a picture of the people, as large as they fit; an empty stage where there is nobody."""
    picture = QPixmap(SIZE * SCALE)
    picture.setDevicePixelRatio(SCALE)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    _draw_stage(painter)
    if people:
        for person, points in zip(people, _on_stage(people), strict=True):
            _draw_person(painter, person, points)
    painter.end()
    return picture


def _draw_stage(painter: QPainter) -> None:
    ground = QLinearGradient(0, 0, 0, SIZE.height())
    for place, color in ((0, "#3a4353"), (0.72, "#262c37"), (0.73, "#1d222b"), (1, "#161a21")):
        ground.setColorAt(place, QColor(color))
    painter.fillRect(QRectF(0, 0, SIZE.width(), SIZE.height()), ground)


def _on_stage(people: Sequence[Glance]) -> list[np.ndarray]:
    """Return for each person `(J, 2)` points; all to one scale, the lowest on the floor's line."""
    turn = np.array(((np.cos(VIEW_YAW_RAD), 0, -np.sin(VIEW_YAW_RAD)), (0, 1, 0)))
    flat = [person.joints_m.astype(np.float64) @ turn.T for person in people]
    joints = np.concatenate(flat)
    low, high = joints.min(axis=0), joints.max(axis=0)
    room = np.array((SIZE.width() - 20, SIZE.height() - 20), float)
    scale = float((room / np.maximum(high - low, (0.5, 1.2))).min())
    middle = (low[0] + high[0]) / 2
    floor = SIZE.height() - 9.0
    return [
        np.stack([SIZE.width() / 2 + (p[:, 0] - middle) * scale, floor - (p[:, 1] - low[1]) * scale], axis=1)
        for p in flat
    ]


def _draw_person(painter: QPainter, person: Glance, points: np.ndarray) -> None:
    color = QColor(*COLORS[(person.number - 1) % len(COLORS)])
    tall = float(np.ptp(points[:, 1])) or 1.0
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(0, 0, 0, 90))
    foot = QPointF(float(points[:, 0].mean()), float(points[:, 1].max()) + 1)
    painter.drawEllipse(foot, max(0.2 * tall, 5), max(0.035 * tall, 1.6))
    bones = QPainterPath()
    for joint, parent in enumerate(person.parents):
        if parent >= 0:
            bones.moveTo(QPointF(*points[parent]))
            bones.lineTo(QPointF(*points[joint]))
    join, cap = Qt.PenJoinStyle.RoundJoin, Qt.PenCapStyle.RoundCap
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(10, 12, 16, 150), max(0.075 * tall, 3.6), Qt.PenStyle.SolidLine, cap, join))
    painter.drawPath(bones)
    painter.setPen(QPen(color, max(0.05 * tall, 2.2), Qt.PenStyle.SolidLine, cap, join))
    painter.drawPath(bones)
    if person.head >= 0:
        joint, neck = points[person.head], points[person.parents[person.head]]
        middle = joint + 0.35 * (joint - neck)  # the joint is where the skull sits on the neck
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        painter.drawEllipse(QPointF(float(middle[0]), float(middle[1])), 0.068 * tall, 0.078 * tall)
