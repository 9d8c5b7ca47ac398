"""A recovered body becomes a skeleton's pose: the one place where the two vocabularies meet."""

from __future__ import annotations

import numpy as np

from engines.types import BodyModel, FloatArray
from exporters.rotations import quaternion_from_matrix
from exporters.skeletons import skeleton_from_rest_joints
from exporters.types import Skeleton

SOLE_BELOW_JOINTS_M = 0.025
"""Of the lowest rest joint, the ball of the foot; 23 to 32 mm over the shapes of the free body."""


def skeleton_of(body_model: BodyModel, betas: FloatArray) -> Skeleton:
    """Return the bones of a performer of `(S,)` shape numbers, soles on the floor in rest pose."""
    joints = rest_joints_of(body_model, betas)
    floor_y_m = float(joints[:, 1].min()) - SOLE_BELOW_JOINTS_M
    return skeleton_from_rest_joints(
        joints, body_model.parents, body_model.joint_names, name=body_model.name, floor_y_m=floor_y_m
    )


def rest_joints_of(body_model: BodyModel, betas: FloatArray) -> FloatArray:
    """Return `(J, 3)` float32 joints of the T-pose of `(S,)` shape numbers, metres, y up."""
    directions = body_model.rest_joint_directions
    betas = betas[: directions.shape[2]]
    return body_model.rest_joints + directions[..., : len(betas)] @ betas.astype(np.float32)


def local_rotations(global_rotations: FloatArray, parents: np.ndarray, world_from_camera: np.ndarray) -> np.ndarray:
    """Return `(N, J, 4)` float64 unit quaternions, parent-relative, the root's relative to the world.

    Args:
        global_rotations: `(N, J, 3, 3)`, joint axes -> camera axes.
        parents: `(J,)`, -1 for the root.
        world_from_camera: `(3, 3)`.
    """
    matrices = global_rotations.astype(np.float64)
    above = matrices[:, np.maximum(parents, 0)]
    above[:, parents < 0] = np.asarray(world_from_camera, np.float64).T
    return quaternion_from_matrix(np.swapaxes(above, -1, -2) @ matrices)
