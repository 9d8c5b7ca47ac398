"""Joint names and parents of the SMPL layout (Loper et al., SIGGRAPH Asia 2015), in its own order."""

from __future__ import annotations

SMPL_JOINT_NAMES: tuple[str, ...] = (
    "pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle",
    "right_ankle", "spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar", "head",
    "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
    "left_hand", "right_hand",
)  # fmt: skip
"""24 names; "left" is the person's own left, +x in the template."""

SMPL_PARENTS: tuple[int, ...] = (
    -1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21,
)  # fmt: skip
"""Parent of each joint, -1 for the root; a parent always comes before its children."""

JOINT_COUNT = len(SMPL_JOINT_NAMES)

LSP_JOINT_NAMES = (
    "right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle", "right_wrist", "right_elbow",
    "right_shoulder", "left_shoulder", "left_elbow", "left_wrist", "neck", "head",
)  # fmt: skip
"""The 14 joints, in the order of LSP, that the engines of vertices have a query for (METRO, FastMETRO, DeFormer)."""

LSP_JOINTS = tuple(SMPL_JOINT_NAMES.index(name) for name in LSP_JOINT_NAMES)
"""Their places among the 24."""
