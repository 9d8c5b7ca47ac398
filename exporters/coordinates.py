"""Axes, handedness and units: the only place that knows other programs' spaces, and reflections of ours.

Ours is right-handed, y up, metres; a performer who faces +z has the left side at +x.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .rotations import multiply

Array = NDArray[Any]

CM_PER_M = 100.0
MM_PER_M = 1000.0


def bvh_cm_from_world(positions_m: Array) -> Array:
    """Return `(..., 3)` positions in centimetres; BVH is used with our own axes (y up, facing +z)."""
    return np.asarray(positions_m, np.float64) * CM_PER_M


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


def z_up_position(positions_m: Array) -> Array:
    """Return `(..., 3)` positions in the right-handed space of laboratories: z up, a performer faces -y, left at +x."""
    x, y, z = np.moveaxis(np.asarray(positions_m, np.float64), -1, 0)
    return np.stack([x, 0.0 - z, y], axis=-1)


def z_up_quaternion(quaternions_wxyz: Array) -> Array:
    """Return `(..., 4)` rotations of the root, joint -> z-up space, of those to ours."""
    return multiply(_UPRIGHT_WXYZ, np.asarray(quaternions_wxyz, np.float64))
