"""Two-bone inverse kinematics: a hip and an ankle are given, the knee follows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from exporters.rotations import quaternion_from_matrix

Array = NDArray[Any]
STRAIGHTEST = 0.9995
"""A leg is never stretched further than this part of its length, or the knee would snap."""
HINGE = np.array([1.0, 0.0, 0.0])
"""The knee's axis in rest pose."""


def solve_leg(hips: Array, ankles: Array, forward: Array, thigh: Array, shin: Array) -> tuple[Array, Array]:
    """Return `(T, 4)` world rotations of thigh and shin.

    Args:
        hips: `(T, 3)` metres, where the hip joint is.
        ankles: `(T, 3)` metres, where the ankle joint shall be; brought nearer where the leg is too short.
        forward: `(T, 3)` where the knee points.
        thigh: `(3,)` metres, hip to knee in rest pose.
        shin: `(3,)` metres, knee to ankle in rest pose.
    """
    upper, lower = np.linalg.norm(thigh), np.linalg.norm(shin)
    line = ankles - hips
    distance = np.clip(np.linalg.norm(line, axis=1), abs(upper - lower) + 1e-3, STRAIGHTEST * (upper + lower))
    along = _unit(line)
    hinge = _unit(np.cross(forward, along))
    front = np.cross(along, hinge)
    cosine = (upper**2 + distance**2 - lower**2) / (2 * upper * distance)
    sine = np.sqrt(np.maximum(0.0, 1.0 - cosine**2))
    thigh_way = along * cosine[:, None] + front * sine[:, None]
    shin_way = _unit(along * distance[:, None] - thigh_way * upper)
    return _carry(thigh, thigh_way, hinge), _carry(shin, shin_way, hinge)


def _carry(bone: Array, ways: Array, hinges: Array) -> Array:
    """Return `(T, 4)` rotations that bring the rest bone to `ways` and the rest hinge to `hinges`."""
    rest = _frame(_unit(bone[None]), HINGE[None])[0]
    frames = _frame(ways, hinges)
    return quaternion_from_matrix(frames @ rest.T)


def _frame(ways: Array, hinges: Array) -> Array:
    """Return `(T, 3, 3)` right-handed frames: columns along the bone, across, and the hinge made square to it."""
    across = _unit(np.cross(hinges, ways))
    return np.stack([ways, across, np.cross(ways, across)], axis=-1)


def _unit(vectors: Array) -> Array:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
