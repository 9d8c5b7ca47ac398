"""Which part of the body a vertex belongs to, and the vertices at its extremes."""

from __future__ import annotations

import numpy as np

from ..types import FloatArray, IntArray
from .joints import SMPL_JOINT_NAMES
from .parameters import BodyParameters


def dominant_joints(parameters: BodyParameters) -> IntArray:
    """Return `(V,)` the joint that moves each vertex most."""
    return parameters.skinning_weights.argmax(axis=1).astype(np.int32)


def extreme_vertices(parameters: BodyParameters) -> dict[str, int]:
    """Return the vertices at nose, eyes, ears, finger tips, toes and heels under smplx's names for them.

    Found on the T-pose template: the vertex of a region farthest along a direction. The eyes are the vertices
    nearest to points set off from the tip of the nose in proportion to the head's height, a ring finger is the
    vertex farthest out half-way between middle and little finger.
    """
    found = {name: _farthest(parameters, region, along) for name, (region, along) in _extremes().items()}
    template, nose = parameters.template, parameters.template[found["nose"]]
    head = template[dominant_joints(parameters) == SMPL_JOINT_NAMES.index("head")]
    height = float(np.ptp(head[:, 1]))
    for name, outwards in (("leye", 1.0), ("reye", -1.0)):
        eye = nose + np.array([0.14 * outwards, 0.15, -0.11], np.float32) * height
        found[name] = int(np.linalg.norm(template - eye, axis=1).argmin())
    for side in ("l", "r"):
        found[f"{side}ring"] = _farthest_between(template, found[f"{side}middle"], found[f"{side}pinky"])
    return found


def _farthest_between(template: FloatArray, first: int, second: int) -> int:
    """Return the vertex farthest from the body's middle whose depth lies half-way between two vertices'."""
    depth = template[:, 2] - template[[first, second], 2].mean()
    is_between = np.abs(depth) < 0.2 * abs(template[first, 2] - template[second, 2])
    outwards = template[:, 0] * np.sign(template[first, 0])
    return int(np.where(is_between, outwards, -np.inf).argmax())


def _farthest(parameters: BodyParameters, region: str, along: tuple[float, float, float]) -> int:
    """Return the vertex of a joint's region farthest along a direction."""
    ids = np.flatnonzero(dominant_joints(parameters) == SMPL_JOINT_NAMES.index(region))
    direction: FloatArray = np.array(along, np.float32)
    return int(ids[(parameters.template[ids] @ direction).argmax()])


def _extremes() -> dict[str, tuple[str, tuple[float, float, float]]]:
    """Return name -> (region, direction) in the T-pose: palms down, thumbs and toes forwards."""
    rules: dict[str, tuple[str, tuple[float, float, float]]] = {"nose": ("head", (0, 0, 1))}
    for side, sign in (("left", 1.0), ("right", -1.0)):
        small, large = side[0], side[0].upper()
        rules |= {
            f"{small}ear": ("head", (sign, 0, 0)),
            f"{small}thumb": (f"{side}_wrist", (0, 0, 1)),
            f"{small}index": (f"{side}_hand", (sign, 0, 0.9)),
            f"{small}middle": (f"{side}_hand", (sign, 0, 0.15)),
            f"{small}pinky": (f"{side}_hand", (sign, 0, -1.2)),
            f"{large}BigToe": (f"{side}_foot", (-0.5 * sign, 0, 1)),
            f"{large}SmallToe": (f"{side}_foot", (sign, 0, 0.5)),
            f"{large}Heel": (f"{side}_ankle", (0, 0, -1)),
        }
    return rules
