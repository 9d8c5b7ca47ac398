"""What brings a rig's rest pose into a performer's T-pose, bone by bone."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray

from .rotations import multiply, quaternion_from_matrix, rotate

Array = NDArray[np.float64]
Places = Mapping[str, tuple[Array, Array]]
"""For each SMPL joint where it is at rest, `(3,)` metres each: the performer's, and the rig's."""

_CHAINS = (
    ("pelvis", "spine1", "spine2", "spine3", "neck", "head"),
    *(tuple(f"{side}_{part}" for part in parts) for side in ("left", "right") for parts in
      (("hip", "knee", "ankle", "foot"), ("collar", "shoulder", "elbow", "wrist", "hand"))),
)  # fmt: skip
_HANGS_ON = {"hip": "pelvis", "collar": "spine3"}
BUILD_DEG = 40.0
"""Trunk and soles that differ by less are taken for another build, not for another pose."""
_AXES_DEG = 20.0
"""A rig whose facing differs by less from the axes is meant to face along them."""
_APART_M = 1e-4
_IDENTITY = np.array([1.0, 0.0, 0.0, 0.0])
_UP = np.array([0.0, 1.0, 0.0])


def rest_corrections(places: Places) -> dict[str, Array]:
    """Return for each joint the turn `(4,)` in the world that brings the rig's rest into the performer's T-pose."""
    found = {"pelvis": _facing(places)}
    for chain in _CHAINS:
        present = [joint for joint in chain if joint in places]
        above = found[_HANGS_ON.get(chain[0].partition("_")[2], "pelvis")]
        for joint, following in zip(present, [*present[1:], None], strict=True):
            if joint != "pelvis":
                found[joint] = _correction(joint, following, places, above, found)
            above = found[joint]
    return found


def _correction(joint: str, following: str | None, places: Places, above: Array, found: dict[str, Array]) -> Array:
    if following is None:
        # A head looks where the trunk faces, whichever way its neck leans.
        built_alike = joint == "head" and _degrees_between(found["spine3"], above) < BUILD_DEG
        return found["spine3"] if built_alike else above
    ours, theirs = (places[following][n] - places[joint][n] for n in (0, 1))
    part = joint.rpartition("_")[2]
    if part == "ankle" and angle_deg(rotate(found["pelvis"], theirs), ours) < BUILD_DEG:
        level = np.array([1.0, 0.0, 1.0])  # soles lie on the floor in both: only their heading may differ
        return multiply(_swing(rotate(found["pelvis"], theirs) * level, ours * level), found["pelvis"])
    as_built = joint.startswith("spine") or part == "collar"
    if as_built and angle_deg(rotate(above, theirs), ours) < BUILD_DEG:
        return above
    return multiply(_swing(rotate(above, theirs), ours), above)


def _facing(places: Places) -> Array:
    """Return the turn that makes the rig stand and face as the source does."""
    ours, theirs = (_frame(places["left_hip"][n] - places["right_hip"][n], _upwards(places, n)) for n in (0, 1))
    turn = ours @ theirs.T
    along_axes = max(_AXIS_TURNS, key=lambda axes: float(np.trace(axes.T @ turn)))
    left_over = quaternion_from_matrix(turn @ along_axes.T)
    axes = quaternion_from_matrix(along_axes)
    if _degrees_between(left_over, _IDENTITY) < _AXES_DEG:
        return axes
    # Where the trunk's joints sit tilts the frame a little; a rig that stands is turned about the vertical alone.
    upright = multiply(_swing(rotate(left_over, _UP), _UP), left_over)
    return multiply(upright if angle_deg(rotate(left_over, _UP), _UP) < _AXES_DEG else left_over, axes)


def _upwards(places: Places, which: int) -> Array:
    """Return the way from the pelvis to the next joint of the trunk that does not sit in it."""
    ways = [places[joint][which] - places["pelvis"][which] for joint in _CHAINS[0][1:] if joint in places]
    return next((way for way in ways if np.linalg.norm(way) > _APART_M), ways[-1])


def _frame(left: Array, up: Array) -> Array:
    """Return `(3, 3)` with the columns left, up, forward; where hips and spine run along one line, the axes."""
    x = left / max(float(np.linalg.norm(left)), 1e-9)
    y = up - (up @ x) * x
    if np.linalg.norm(y) <= 0.1 * np.linalg.norm(up) or not np.any(left):
        return np.eye(3)
    y = y / np.linalg.norm(y)
    return np.stack([x, y, np.cross(x, y)], axis=1)


def _axis_turns() -> list[Array]:
    turns = []
    for order, signs in product(permutations(range(3)), product((1.0, -1.0), repeat=3)):
        matrix = np.eye(3)[list(order)] * np.array(signs)[:, None]
        if np.linalg.det(matrix) > 0:
            turns.append(matrix)
    return turns


_AXIS_TURNS = _axis_turns()
"""The 24 turns that map axes onto axes."""


def _swing(start: Array, end: Array) -> Array:
    """Return the smallest turn `(4,)` from one direction to another."""
    a, b = start / max(float(np.linalg.norm(start)), 1e-9), end / max(float(np.linalg.norm(end)), 1e-9)
    if not (np.any(a) and np.any(b)):
        return _IDENTITY
    if a @ b < -0.999999:  # opposite: half a turn about whatever is square to it
        axis = np.cross(a, np.eye(3)[int(np.argmin(np.abs(a)))])
        return np.concatenate([[0.0], axis / np.linalg.norm(axis)])
    q = np.concatenate([[1.0 + a @ b], np.cross(a, b)])
    return q / np.linalg.norm(q)


def angle_deg(a: Array, b: Array) -> float:
    """Return degrees between two directions `(3,)`; 0 where one has no length."""
    length = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(np.degrees(np.arccos(np.clip(a @ b / length, -1, 1)))) if length > 0 else 0.0


def _degrees_between(a: Array, b: Array) -> float:
    return float(np.degrees(2 * np.arccos(np.clip(abs(a @ b), 0, 1))))
