"""The surface of a performer, for file formats that hold one."""

from __future__ import annotations

import numpy as np

from engines.body import BodyParameters
from engines.body.parameters import rest_joints
from engines.types import FloatArray
from exporters.types import Skeleton, SkinnedMesh

BOUND_TO = 4
"""Joints that one vertex may hang on: what game engines take."""


def surface_of(body: BodyParameters, skeleton: Skeleton, betas: FloatArray) -> SkinnedMesh:
    """Return the skinned surface of a performer of `(S,)` shape numbers, in the rest pose of `skeleton`.

    `skeleton` must be that performer's own (see `retarget.skeleton_of`): the surface is bound to its joints.
    """
    shape = np.zeros(body.shape_count, np.float32)
    shape[: len(betas)] = betas[: body.shape_count]
    vertices = body.template + body.shape_directions @ shape
    root = rest_joints(body, shape[None])[0, 0]
    order = np.argsort(-body.skinning_weights, axis=1, kind="stable")[:, :BOUND_TO]
    weights = np.take_along_axis(body.skinning_weights, order, axis=1)
    weights = weights / weights.sum(axis=1, keepdims=True)
    return SkinnedMesh(
        (vertices - root + skeleton.offsets[0]).astype(np.float32), body.faces, order.astype(np.int32),
        weights.astype(np.float32), name=f"{body.name}_body",
    )  # fmt: skip
