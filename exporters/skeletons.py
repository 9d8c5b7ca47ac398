"""Named skeletons: the 24 SMPL joints, and what other programs call them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .types import Skeleton

# name, parent, Unity's HumanBodyBones name (None: no counterpart), Mixamo's, Unreal's mannequin's and CMU's name
_SMPL: tuple[tuple[str, int, str | None, str, str, str], ...] = (
    ("pelvis", -1, "Hips", "Hips", "pelvis", "Hips"),
    ("left_hip", 0, "LeftUpperLeg", "LeftUpLeg", "thigh_l", "LeftUpLeg"),
    ("right_hip", 0, "RightUpperLeg", "RightUpLeg", "thigh_r", "RightUpLeg"),
    ("spine1", 0, "Spine", "Spine", "spine_01", "LowerBack"),
    ("left_knee", 1, "LeftLowerLeg", "LeftLeg", "calf_l", "LeftLeg"),
    ("right_knee", 2, "RightLowerLeg", "RightLeg", "calf_r", "RightLeg"),
    ("spine2", 3, "Chest", "Spine1", "spine_02", "Spine"),
    ("left_ankle", 4, "LeftFoot", "LeftFoot", "foot_l", "LeftFoot"),
    ("right_ankle", 5, "RightFoot", "RightFoot", "foot_r", "RightFoot"),
    ("spine3", 6, "UpperChest", "Spine2", "spine_03", "Spine1"),
    ("left_foot", 7, "LeftToes", "LeftToeBase", "ball_l", "LeftToeBase"),
    ("right_foot", 8, "RightToes", "RightToeBase", "ball_r", "RightToeBase"),
    ("neck", 9, "Neck", "Neck", "neck_01", "Neck"),
    ("left_collar", 9, "LeftShoulder", "LeftShoulder", "clavicle_l", "LeftShoulder"),
    ("right_collar", 9, "RightShoulder", "RightShoulder", "clavicle_r", "RightShoulder"),
    ("head", 12, "Head", "Head", "head", "Head"),
    ("left_shoulder", 13, "LeftUpperArm", "LeftArm", "upperarm_l", "LeftArm"),
    ("right_shoulder", 14, "RightUpperArm", "RightArm", "upperarm_r", "RightArm"),
    ("left_elbow", 16, "LeftLowerArm", "LeftForeArm", "lowerarm_l", "LeftForeArm"),
    ("right_elbow", 17, "RightLowerArm", "RightForeArm", "lowerarm_r", "RightForeArm"),
    ("left_wrist", 18, "LeftHand", "LeftHand", "hand_l", "LeftHand"),
    ("right_wrist", 19, "RightHand", "RightHand", "hand_r", "RightHand"),
    ("left_hand", 20, None, "LeftHandMiddle1", "middle_01_l", "LeftFingerBase"),
    ("right_hand", 21, None, "RightHandMiddle1", "middle_01_r", "RightFingerBase"),
)

SMPL_JOINT_NAMES = tuple(row[0] for row in _SMPL)
SMPL_PARENTS = np.array([row[1] for row in _SMPL], np.int32)
SMPL_PARENTS.flags.writeable = False
HUMANOID_BONES: dict[str, str] = {row[0]: row[2] for row in _SMPL if row[2] is not None}
"""SMPL joint name -> Unity HumanBodyBones name, 22 bones."""
MIXAMO_NAMES: dict[str, str] = {row[0]: row[3] for row in _SMPL}
"""SMPL joint name -> the name most retargeting presets expect."""
UNREAL_NAMES: dict[str, str] = {row[0]: row[4] for row in _SMPL}
"""SMPL joint name -> bone of Unreal Engine's mannequin, whose spine has three."""
CMU_NAMES: dict[str, str] = {row[0]: row[5] for row in _SMPL}
"""SMPL joint name -> joint of the BVH files of Carnegie Mellon's motion capture database."""


def smpl_name(joint_name: str) -> str:
    """Return the name in SMPL spelling: "L_Hip" and "left_hip" are one joint."""
    name = joint_name.lower().replace(" ", "_")
    for short, long in (("l_", "left_"), ("r_", "right_")):
        if name.startswith(short):
            return long + name[len(short) :]
    return name


def skeleton_from_rest_joints(
    rest_joints_m: NDArray[Any],
    parents: Sequence[int] | NDArray[Any] = SMPL_PARENTS,
    joint_names: Sequence[str] = SMPL_JOINT_NAMES,
    name: str = "smpl",
    floor_y_m: float | None = None,
) -> Skeleton:
    """Build a skeleton from where its joints are in the T-pose.

    Args:
        rest_joints_m: `(J, 3)` metres, y up, facing +z; the origin may be anywhere.
        parents: `(J,)`, -1 for the root.
        joint_names: J names.
        name: name of the skeleton.
        floor_y_m: height of the soles in the frame of `rest_joints_m`; None takes the lowest joint's.
    """
    joints = np.asarray(rest_joints_m, np.float64)
    parents = np.asarray(parents, np.int32)
    offsets = joints - joints[np.maximum(parents, 0)]
    floor = float(joints[:, 1].min()) if floor_y_m is None else floor_y_m
    offsets[0] = (0.0, joints[0, 1] - floor, 0.0)
    return Skeleton(name, tuple(joint_names), parents, offsets.astype(np.float32))


def mirror_indices(skeleton: Skeleton) -> NDArray[np.intp]:
    """Return `(J,)`: for each joint the number of its opposite on the other side, itself for joints of the middle."""
    names = [smpl_name(n) for n in skeleton.joint_names]
    numbers = {n: j for j, n in enumerate(names)}
    return np.array([numbers.get(_opposite(n), j) for j, n in enumerate(names)], np.intp)


def _opposite(name: str) -> str:
    for side, other in (("left", "right"), ("right", "left")):
        if name.startswith(side):
            return other + name[len(side) :]
    return name
