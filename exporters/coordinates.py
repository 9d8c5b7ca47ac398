"""Axes, handedness and units: the only place that knows other programs' spaces, and reflections of ours.

Ours is right-handed, y up, metres; a performer who faces +z has the left side at +x.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .rotations import multiply

Array = NDArray[Any]

CM_PER_M = 100.0
MM_PER_M = 1000.0
UNITS_PER_M = {"mm": MM_PER_M, "cm": CM_PER_M, "inch": 1 / 0.0254, "m": 1.0}
"""Units of length of files, by name."""
UP_AXES = ("y", "z")


def units_per_m(unit: str | float) -> float:
    """Return how many of a file's units make a metre.

    Args:
        unit: one of `UNITS_PER_M`, or that number itself.

    Raises:
        ValueError: not a known unit, nor a number above 0.
    """
    number = UNITS_PER_M.get(unit) if isinstance(unit, str) else float(unit)
    if number is None or not 0 < number < math.inf:
        raise ValueError(f"unit: found {unit!r}, expected {', '.join(UNITS_PER_M)} or the file's units in a metre")
    return number


def check_up(up: str) -> None:
    """Raise ValueError unless `up` names an axis that files have upwards."""
    if up not in UP_AXES:
        raise ValueError(f"up: found {up!r}, expected {' or '.join(UP_AXES)}")


def z_up_position(positions: Array) -> Array:
    """Return `(..., 3)` positions in a right-handed space with z up, where a performer who faces +z faces -y."""
    x, y, z = np.moveaxis(np.asarray(positions, np.float64), -1, 0)
    return np.stack([x, 0.0 - z, y], axis=-1)


def z_up_axes_quaternion(quaternions_wxyz: Array) -> Array:
    """Return `(..., 4)` wxyz quaternions of the same rotations where all axes, a joint's own too, have z up."""
    w, x, y, z = np.moveaxis(np.asarray(quaternions_wxyz, np.float64), -1, 0)
    return np.stack([w, x, -z, y], axis=-1)


def position_from_z_up(positions: Array) -> Array:
    """Return `(..., 3)` positions of ours from a space with z up; undoes `z_up_position`."""
    x, y, z = np.moveaxis(np.asarray(positions, np.float64), -1, 0)
    return np.stack([x, z, -y], axis=-1)


def axes_quaternion_from_z_up(quaternions_wxyz: Array) -> Array:
    """Return `(..., 4)` wxyz quaternions of ours from a space with z up; undoes `z_up_axes_quaternion`."""
    w, x, y, z = np.moveaxis(np.asarray(quaternions_wxyz, np.float64), -1, 0)
    return np.stack([w, x, z, -y], axis=-1)


def unity_position(positions_m: Array) -> Array:
    """Return `(..., 3)` positions in Unity's left-handed space: y up, a performer who faces +z has the left at -x."""
    return np.asarray(positions_m, np.float64) * (-1.0, 1.0, 1.0)


def unity_quaternion_xyzw(quaternions_wxyz: Array) -> Array:
    """Return `(..., 4)` quaternions in Unity's left-handed space and in its order x, y, z, w."""
    w, x, y, z = np.moveaxis(np.asarray(quaternions_wxyz, np.float64), -1, 0)
    return np.stack([x, -y, -z, w], axis=-1)


def mirrored_position(positions_m: Array) -> Array:
    """Return `(..., 3)` positions reflected in the plane x = 0."""
    return np.asarray(positions_m, np.float64) * (-1.0, 1.0, 1.0)


def mirrored_quaternion(quaternions_wxyz: Array) -> Array:
    """Return `(..., 4)` wxyz quaternions of the rotations as seen in the plane mirror x = 0 (M R M)."""
    return np.asarray(quaternions_wxyz, np.float64) * (1.0, 1.0, -1.0, -1.0)


HALF_TURN_WXYZ = np.array([0.0, 0.0, 1.0, 0.0])
"""Half a turn about the vertical."""


def turned_position(positions_m: Array) -> Array:
    """Return `(..., 3)` positions turned by half a turn about the vertical through the origin."""
    return np.asarray(positions_m, np.float64) * (-1.0, 1.0, -1.0)


_UPRIGHT_WXYZ = np.array([np.sqrt(0.5), np.sqrt(0.5), 0.0, 0.0])
"""A quarter turn about x, from y up to z up."""


def z_up_quaternion(quaternions_wxyz: Array) -> Array:
    """Return `(..., 4)` rotations of the root, joint -> z-up space, of those to ours."""
    return multiply(_UPRIGHT_WXYZ, np.asarray(quaternions_wxyz, np.float64))
