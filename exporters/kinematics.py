"""Forward kinematics: from local rotations to where joints are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .rotations import multiply, normalize, rotate
from .types import FloatArray, Skeleton

Array = NDArray[Any]


def world_rotations(skeleton: Skeleton, rotations_wxyz: Array) -> Array:
    """Return `(..., J, 4)` float64 rotations, joint -> world, from parent-relative ones `(..., J, 4)`."""
    local = normalize(np.asarray(rotations_wxyz, np.float64))
    world = np.empty_like(local)
    for j, parent in enumerate(skeleton.parents):
        world[..., j, :] = local[..., j, :] if parent < 0 else multiply(world[..., parent, :], local[..., j, :])
    return world


def forward_kinematics(skeleton: Skeleton, rotations_wxyz: Array, root_translation: Array) -> FloatArray:
    """Return where the joints are: `(..., J, 3)` float32, metres, world frame.

    Args:
        skeleton: J joints.
        rotations_wxyz: `(..., J, 4)`, parent-relative, the root's relative to the world.
        root_translation: `(..., 3)` metres, where the root joint is.
    """
    return joint_positions(skeleton, world_rotations(skeleton, rotations_wxyz), root_translation)


def joint_positions(skeleton: Skeleton, world_rotations_wxyz: Array, root_translation: Array) -> FloatArray:
    """Return where the joints are, `(..., J, 3)` float32, from rotations known already.

    Args:
        skeleton: J joints.
        world_rotations_wxyz: `(..., J, 4)`, joint -> world, of `world_rotations`.
        root_translation: `(..., 3)` metres, where the root joint is.
    """
    above = np.maximum(skeleton.parents, 0)
    joints = rotate(world_rotations_wxyz[..., above, :], skeleton.offsets.astype(np.float64))
    joints[..., 0, :] = root_translation
    for j, parent in enumerate(skeleton.parents[1:], start=1):
        joints[..., j, :] += joints[..., parent, :]
    return joints.astype(np.float32)


def rest_joints(skeleton: Skeleton) -> FloatArray:
    """Return `(J, 3)` float32, metres: the T-pose, standing on the floor."""
    joints = skeleton.offsets.astype(np.float64)
    for j, parent in enumerate(skeleton.parents):
        if parent >= 0:
            joints[j] += joints[parent]
    return joints.astype(np.float32)
