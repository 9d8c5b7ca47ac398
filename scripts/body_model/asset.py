"""Writes the body in its compact form (read back by `engines.body.parameters`)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engines.body.joints import SMPL_PARENTS
from engines.body.parameters import FREE_BODY_NAME
from engines.weights import record_sha256

Array = NDArray[np.float64]
INFLUENCES = 4


def strongest_weights(weights: Array) -> tuple[NDArray[np.uint8], NDArray[np.float16]]:
    """Return the `INFLUENCES` strongest joints of every vertex and their renormalised weights."""
    joints = np.argsort(-weights, axis=1, kind="stable")[:, :INFLUENCES]
    values = np.take_along_axis(weights, joints, axis=1)
    return joints.astype(np.uint8), (values / values.sum(axis=1, keepdims=True)).astype(np.float16)


def write_body(
    path: Path, mean: Array, directions: Array, weights: Array, regressor: Array, faces: NDArray[np.integer]
) -> None:
    """Write `body_free.npz` (half-precision directions, four weights per vertex, sparse regressor) and its sum."""
    joint, vertex = np.nonzero(regressor)
    weight_joints, weight_values = strongest_weights(weights)
    np.savez_compressed(
        path,
        name=np.array(FREE_BODY_NAME),
        template=mean.astype(np.float32),
        shape_directions=directions.astype(np.float16),
        weight_joints=weight_joints,
        weight_values=weight_values,
        regressor_joints=joint.astype(np.uint8),
        regressor_vertices=vertex.astype(np.uint16),
        regressor_values=regressor[joint, vertex].astype(np.float32),
        faces=faces.astype(np.uint16),
        parents=np.array(SMPL_PARENTS, np.int8),
    )
    record_sha256(path)
