"""What the network must know of the body: its T-pose, who sees whom, and how a coarse mesh becomes a finer one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..body import BodyParameters
from ..body.joints import LSP_JOINTS
from ..body.parameters import rest_joints
from ..body.smpl_levels import COUNTS, SmplLevels, SparseRows
from ..body.topology import BodyLevels
from ..layers.sparse_attention import MeshPattern, edges_of, mesh_pattern
from ..types import FloatArray, IntArray
from .config import JOINTS

HIPS = (2, 3)
"""The root of the joint queries is midway between these."""
TEMPLATE_SPAN = 1.6
"""Half heights of the crop that the template's longest side takes: the crop's margin around a person is 1.25."""


@dataclass(frozen=True, slots=True)
class TokenMesh:
    """The tokens of a network: 14 joints, then C vertices."""

    template: FloatArray
    """`(14 + C, 3)` T-pose in half crop heights: x right, y down, z away; it faces the camera, mid-crop."""
    pattern: MeshPattern
    to_middle: SparseRows | None
    """431 to 1,723 vertices: what the learned upsampling starts from; None where there are more tokens."""
    to_fine: SparseRows | None
    """1,723 to 6,890 vertices; None where the tokens are all vertices."""


def token_mesh(
    body: BodyParameters, levels: BodyLevels, vertices: int, rings: int, smpl: SmplLevels | None = None
) -> TokenMesh:
    """Return the tokens of a body.

    Args:
        body: template, joints and faces.
        levels: its coarse levels.
        vertices: 431, 1,723 or 6,890.
        rings: edges that a vertex sees.
        smpl: SMPL's published upsampling instead of the computed one (`body` must then be SMPL).
    """
    level = COUNTS.index(vertices)
    ids = np.arange(body.vertex_count) if level == 0 else levels.vertex_ids(level - 1)
    faces = body.faces if level == 0 else levels.coarse[level - 1].faces
    if smpl is not None:
        computed = smpl.upsampling
    else:
        computed = tuple(SparseRows(step.corners, step.shares) for step in levels.coarse)
    return TokenMesh(
        _template(body, ids),
        mesh_pattern(edges_of(faces), vertices, JOINTS, rings),
        computed[1] if level == 2 else None,
        computed[0] if level >= 1 else None,
    )


def _template(body: BodyParameters, ids: IntArray) -> FloatArray:
    """Turn the T-pose towards the camera and fit it into the crop."""
    joints = rest_joints(body)[list(LSP_JOINTS)]
    low, high = body.template.min(axis=0), body.template.max(axis=0)
    middle, longest = (low + high) / 2, float((high - low).max())
    points = np.concatenate([joints, body.template[ids]]) - middle
    return (points * np.array([1, -1, -1]) * (TEMPLATE_SPAN / longest)).astype(np.float32)
