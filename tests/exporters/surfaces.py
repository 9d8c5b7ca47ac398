"""A made-up skinned surface, and where its vertices go."""

from __future__ import annotations

import numpy as np

from exporters import Skeleton, SkinnedMesh, Take, forward_kinematics, rest_joints
from exporters.kinematics import world_rotations
from exporters.rotations import rotate

HALF_SIDE_M = 0.035
CORNERS = np.array([(x, y, z) for z in (-1, 1) for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))], float)
SIDES = np.array([(0, 3, 2, 1), (4, 5, 6, 7), (0, 1, 5, 4), (2, 3, 7, 6), (1, 2, 6, 5), (0, 4, 7, 3)])
TRIANGLES = np.concatenate([SIDES[:, [0, 1, 2]], SIDES[:, [0, 2, 3]]])


def boxes(skeleton: Skeleton) -> SkinnedMesh:
    """Return a box around every joint; its lower half moves by one quarter with the parent."""
    places, count = rest_joints(skeleton).astype(float), len(skeleton.joint_names)
    vertices = (places[:, None] + HALF_SIDE_M * CORNERS).reshape(-1, 3).astype(np.float32)
    faces = (TRIANGLES + 8 * np.arange(count)[:, None, None]).reshape(-1, 3).astype(np.int32)
    joints, weights = np.zeros((count, 8, 4), np.int32), np.zeros((count, 8, 4), np.float32)
    joints[..., 0], weights[..., 0] = np.arange(count)[:, None], 1.0
    shared = (CORNERS[:, 1] < 0) & (skeleton.parents[:, None] >= 0)
    joints[..., 1] = np.where(shared, skeleton.parents[:, None], 0)
    weights[..., 0], weights[..., 1] = np.where(shared, 0.75, 1.0), np.where(shared, 0.25, 0.0)
    return SkinnedMesh(vertices, faces, joints.reshape(-1, 4), weights.reshape(-1, 4), name="boxes")


def skinned(mesh: SkinnedMesh, take: Take) -> np.ndarray:
    """Return `(T, V, 3)`: the vertices by linear blend skinning, metres."""
    places = forward_kinematics(take.skeleton, take.rotations_wxyz, take.root_translation).astype(float)
    turns, rest = world_rotations(take.skeleton, take.rotations_wxyz), rest_joints(take.skeleton).astype(float)
    moved = np.zeros((len(take), len(mesh.vertices), 3))
    for k in range(mesh.joints.shape[1]):
        joints = mesh.joints[:, k]
        with_joint = places[:, joints] + rotate(turns[:, joints], mesh.vertices - rest[joints])
        moved += mesh.weights[:, k, None] * with_joint
    return moved
