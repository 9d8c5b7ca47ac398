"""Where the floor is: known best when a take is over."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from exporters.kinematics import forward_kinematics, rest_joints
from exporters.skeletons import smpl_name
from exporters.types import FloatArray, Skeleton, Take

SOLE_JOINTS = ("left_ankle", "right_ankle", "left_foot", "right_foot")
FOOT_ABOVE_SOLE_M = 0.02
"""Of the lowest joint, where the skeleton's rest pose does not tell."""
LOWEST_PERCENT = 2.0
"""Of the instants may have a foot below the floor: single bad ones must not lift the whole take."""


def lowest_soles_m(skeleton: Skeleton, rotations_wxyz: FloatArray, root_translation: FloatArray) -> FloatArray:
    """Return `(T,)` float32, metres: height of the lower sole at each instant.

    Args:
        skeleton: J joints; without ankles and feet its lowest rest joint counts as the sole.
        rotations_wxyz: `(T, J, 4)` relative to the parent.
        root_translation: `(T, 3)` metres, world frame.
    """
    rest_y_m = rest_joints(skeleton)[:, 1]
    names = [smpl_name(name) for name in skeleton.joint_names]
    feet = [j for j, name in enumerate(names) if name in SOLE_JOINTS] or [int(rest_y_m.argmin())]
    lowest_m = float(rest_y_m[feet].min())
    # A skeleton whose rest pose stands on its joints says nothing of the flesh below them.
    clearance_m = rest_y_m[feet] + (0.0 if lowest_m > FOOT_ABOVE_SOLE_M / 4 else FOOT_ABOVE_SOLE_M - lowest_m)
    heights_m = forward_kinematics(skeleton, rotations_wxyz, root_translation)[:, feet, 1]
    return (heights_m - clearance_m).min(axis=1).astype(np.float32)


def on_floor(take: Take) -> Take:
    """Return `take` moved up or down, by one constant, until it stands on y = 0."""
    if not len(take):
        return take
    soles_m = lowest_soles_m(take.skeleton, take.rotations_wxyz, take.root_translation)
    lift_m = np.array((0.0, -np.percentile(soles_m, LOWEST_PERCENT), 0.0), np.float32)
    return replace(take, root_translation=take.root_translation + lift_m)
