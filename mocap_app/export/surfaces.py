"""The surface that a recorded performer has."""

from __future__ import annotations

from functools import cache

import numpy as np

from engines.body import BodyParameters
from engines.body.parameters import load_body, rest_joints
from exporters import kinematics
from exporters.types import SkinnedMesh, Take

from ..motion.surface import surface_of

FITS_M = 0.01
"""A skeleton whose joints are farther from the body's is not that body's own."""


def surface_of_take(take: Take) -> SkinnedMesh | None:
    """Return the surface of a take that was captured with the free body; None for any other."""
    body = _free_body()
    if take.observations is None or not _is_of_body(take, body):
        return None
    return surface_of(body, take.skeleton, take.observations.betas)


@cache
def _free_body() -> BodyParameters:
    return load_body()


def _is_of_body(take: Take, body: BodyParameters) -> bool:
    skeleton = take.skeleton
    if take.observations is None or (skeleton.name, skeleton.joint_names) != (body.name, body.joint_names):
        return False
    betas = np.zeros((1, body.shape_count), np.float32)
    given = take.observations.betas[: body.shape_count]
    betas[0, : len(given)] = given
    joints, own = rest_joints(body, betas)[0], kinematics.rest_joints(skeleton)
    return bool(np.abs((joints - joints[0]) - (own - own[0])).max() < FITS_M)
