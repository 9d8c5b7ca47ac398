"""Brings every shape sample from Anny's rest (A-pose, bent elbows) into SMPL's T-pose by its own skinning."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engines.body.joints import SMPL_JOINT_NAMES, SMPL_PARENTS

from .anny_source import SourceBody

# Raising the collar bone with the arm keeps the shoulder's slope natural when the arm goes up.
COLLAR_RAISE_DEG = 10.0

Array = NDArray[np.float64]
ID = {name: i for i, name in enumerate(SMPL_JOINT_NAMES)}


def to_tpose(source: SourceBody) -> tuple[Array, Array]:
    """Return `(N, V, 3)` vertices and `(N, 24, 3)` joints in T-pose, each sample's pelvis at the origin."""
    turns = _joint_turns(source)
    joints = _chain(source.joints, turns)
    joints = joints - joints[:, :1]
    posed = np.zeros_like(source.samples)
    for joint in range(len(SMPL_JOINT_NAMES)):
        users = np.flatnonzero(source.weights[:, joint])
        local = source.samples[:, users] - source.joints[:, joint, None]
        moved = np.einsum("nij,nvj->nvi", turns[:, joint], local) + joints[:, joint, None]
        posed[:, users] += moved * source.weights[users, joint, None]
    return posed, joints


def _chain(rest: Array, turns: Array) -> Array:
    joints = rest.copy()
    for child, parent in enumerate(SMPL_PARENTS):
        if parent >= 0:
            offset = rest[:, child] - rest[:, parent]
            joints[:, child] = joints[:, parent] + np.einsum("nij,nj->ni", turns[:, parent], offset)
    return joints


def _joint_turns(source: SourceBody) -> Array:
    """Return `(N, 24, 3, 3)` rotations in body axes, rest -> T-pose."""
    count = len(source.joints)
    turns = np.tile(np.eye(3), (count, len(SMPL_JOINT_NAMES), 1, 1))
    for side, outwards in (("left", 1.0), ("right", -1.0)):
        _turn_arm(turns, source, side, outwards)
        _turn_leg(turns, source, side)
    return turns


def _turn_arm(turns: Array, source: SourceBody, side: str, outwards: float) -> None:
    """Arm along +-x, elbow bending forwards, palm down."""
    shoulder, elbow, wrist, hand = (source.joints[:, ID[f"{side}_{j}"]] for j in ("shoulder", "elbow", "wrist", "hand"))
    angle = np.deg2rad(COLLAR_RAISE_DEG) * outwards
    turns[:, ID[f"{side}_collar"]] = [
        [np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]
    ]  # fmt: skip
    upper, fore = elbow - shoulder, wrist - elbow
    target = _frame(np.array([outwards, 0.0, 0.0]), np.array([0.0, 0.0, 1.0]))
    turns[:, ID[f"{side}_shoulder"]] = target @ _frame(upper, fore).swapaxes(-1, -2)
    turns[:, ID[f"{side}_elbow"]] = target @ _frame(fore, _forwards(upper, fore)).swapaxes(-1, -2)
    across = source.knuckles[f"{side}_index"] - source.knuckles[f"{side}_pinky"]
    turns[:, ID[f"{side}_wrist"]] = target @ _frame(hand - wrist, across).swapaxes(-1, -2)
    turns[:, ID[f"{side}_hand"]] = turns[:, ID[f"{side}_wrist"]]


def _forwards(upper: Array, fore: Array) -> Array:
    """Return the direction the forearm moves to when the elbow bends."""
    return np.cross(np.cross(upper, fore), fore)


def _turn_leg(turns: Array, source: SourceBody, side: str) -> None:
    """Thigh and shin straight down, foot turned to +z with its pitch kept."""
    hip, knee, ankle, foot = (source.joints[:, ID[f"{side}_{j}"]] for j in ("hip", "knee", "ankle", "foot"))
    down = np.array([0.0, -1.0, 0.0])
    turns[:, ID[f"{side}_hip"]] = _shortest_turn(knee - hip, down)
    turns[:, ID[f"{side}_knee"]] = _shortest_turn(ankle - knee, down)
    heading = (foot - ankle) * (1.0, 0.0, 1.0)
    turns[:, ID[f"{side}_ankle"]] = _shortest_turn(heading, np.array([0.0, 0.0, 1.0]))
    turns[:, ID[f"{side}_foot"]] = turns[:, ID[f"{side}_ankle"]]


def _unit(vectors: Array) -> Array:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def _frame(along: Array, towards: Array) -> Array:
    """Return rotations whose first column is `along` and whose second is `towards` made orthogonal to it."""
    first = _unit(along)
    second = _unit(towards - (towards * first).sum(-1, keepdims=True) * first)
    return np.stack([first, second, np.cross(first, second)], axis=-1)


def _shortest_turn(source: Array, target: Array) -> Array:
    """Return the smallest rotations taking `(N, 3)` directions to a unit `target` (Rodrigues' formula)."""
    source = _unit(source)
    axis = np.cross(source, target)
    cosine = source @ target
    skew = np.zeros((len(source), 3, 3))
    skew[:, [2, 0, 1], [1, 2, 0]] = axis
    skew -= skew.swapaxes(-1, -2)
    return np.eye(3) + skew + skew @ skew / (1 + cosine)[:, None, None]
