"""A pose nudged so that its joints lie where they are seen (NumPy, batched)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..types import FloatArray
from .joints import SMPL_PARENTS

# Joints that may turn, and how far (standard deviation, degrees) they are believed to be off.
_TURNS = {0: 8.0, 1: 12.0, 2: 12.0, 3: 4.0, 4: 12.0, 5: 12.0, 9: 4.0, 13: 4.0, 14: 4.0, 16: 15.0, 17: 15.0,
          18: 15.0, 19: 15.0}  # fmt: skip
_TURNING = np.array(sorted(_TURNS))
_SIGMA = np.radians([_TURNS[j] for j in _TURNING])
_HOLD = np.append(np.repeat(1 / _SIGMA**2, 3), [1e-4] * 3)
_PARENTS = np.array(SMPL_PARENTS)
# (turn x arm)[i] = sum over m, c of arm[m] * _CROSS[m, i, c] * turn[c]
_CROSS = np.array(
    [[[0, 0, 0], [0, 0, 1], [0, -1, 0]], [[0, 0, -1], [0, 0, 0], [1, 0, 0]], [[0, 1, 0], [-1, 0, 0], [0, 0, 0]]], float
)


def _below() -> np.ndarray:
    """Return `(24, 24)`: does joint i hang below joint j (not itself)?"""
    below = np.zeros((24, 24))
    for joint in range(1, 24):
        above = SMPL_PARENTS[joint]
        while above >= 0:
            below[joint, above] = 1.0
            above = SMPL_PARENTS[above]
    return below


def _levels() -> list[tuple[np.ndarray, np.ndarray]]:
    """Return joints and their parents, one pair per depth below the root: a whole depth is posed at once."""
    depths = _below().sum(axis=1).astype(int)
    levels = [np.flatnonzero(depths == depth) for depth in range(1, depths.max() + 1)]
    return [(level, _PARENTS[level]) for level in levels]


_MOVES = _below()[:, _TURNING]
_LEVELS = _levels()


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where joints of N people are seen."""

    rays: FloatArray
    """`(N, 24, 2)` x/z and y/z in the camera frame."""
    ray_weights: FloatArray
    """`(N, 24)` one over the standard deviation of the rays; 0 where a joint is not seen."""
    places: FloatArray
    """`(N, 24, 3)` metres, camera axes, relative to the root: a second opinion on the joints."""
    place_weights: FloatArray
    """`(N, 24)` one over the standard deviation, 1/metres."""


def fit_pose(
    rotations: FloatArray, bones: FloatArray, translation: FloatArray, evidence: Evidence, steps: int = 3
) -> tuple[FloatArray, FloatArray]:
    """Return `(N, 24, 3, 3)` parent-relative rotations and `(N, 3)` root positions nearer to the evidence.

    Gauss-Newton on small turns of the joints about the camera's axes, held to the given pose by the `_SIGMA` of each
    joint: the turn of least effort that explains the picture. What the picture does not say (depth) stays.

    Args:
        rotations: `(N, 24, 3, 3)` parent-relative, the root's joint -> camera.
        bones: `(N, 24, 3)` rest offsets from the parent, metres.
        translation: `(N, 3)` metres, camera frame.
        evidence: where the joints are seen.
        steps: Gauss-Newton steps.
    """
    local, offsets = _orthogonal(rotations.astype(np.float64)), bones.astype(np.float64)
    place = translation.astype(np.float64)
    turned = np.zeros((len(local), len(_TURNING), 3))
    for _ in range(steps):
        world, joints = _pose(local, offsets)
        change = _solve(joints, place, turned, evidence)
        turns = change[:, :-3].reshape(len(local), -1, 3)
        turned += turns
        place = place + change[:, -3:]
        place[:, 2] = np.maximum(place[:, 2], 0.3)
        _turn(local, world, turns)
    return local.astype(np.float32), place.astype(np.float32)


def joints_of(rotations: FloatArray, bones: FloatArray) -> FloatArray:
    """Return `(N, 24, 3)` joints relative to the root, of parent-relative rotations and rest offsets."""
    return _pose(rotations.astype(np.float64), bones.astype(np.float64))[1].astype(np.float32)


def _pose(local: np.ndarray, bones: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return global rotations and joints relative to the root."""
    world, joints = local.copy(), np.zeros(bones.shape)
    for level, parents in _LEVELS:
        above = world[:, parents]
        world[:, level] = above @ local[:, level]
        joints[:, level] = joints[:, parents] + (above @ bones[:, level, :, None])[..., 0]
    return world, joints


def _solve(joints: np.ndarray, place: np.ndarray, turned: np.ndarray, evidence: Evidence) -> np.ndarray:
    """Return `(N, K * 3 + 3)`: the next turns and the next step of the root."""
    used = np.flatnonzero((evidence.ray_weights != 0).any(axis=0) | (evidence.place_weights != 0).any(axis=0))
    slopes = _slopes(joints, used)
    seen = joints[:, used] + place[:, None]
    depth = np.maximum(seen[..., 2:], 0.1)
    flat = seen[..., :2] / depth
    weight, other = evidence.ray_weights[:, used, None], evidence.place_weights[:, used, None]
    # d(x / z) = (dx - x / z dz) / z, and so for y
    flattening = np.concatenate([np.broadcast_to(np.eye(2), (*flat.shape, 2)), -flat[..., None]], axis=-1)
    flattening *= (weight / depth)[..., None]
    count, size, seen_rows = len(joints), len(_HOLD), 2 * len(used)
    a, b = np.zeros((count, 5 * len(used), size)), np.empty((count, 5 * len(used)))
    a[:, :seen_rows, :-3] = (flattening @ slopes).reshape(count, seen_rows, size - 3)
    a[:, :seen_rows, -3:] = flattening.reshape(count, seen_rows, 3)
    b[:, :seen_rows] = ((evidence.rays[:, used] - flat) * weight).reshape(count, seen_rows)
    a[:, seen_rows:, :-3] = (slopes * other[..., None]).reshape(count, 3 * len(used), size - 3)
    b[:, seen_rows:] = ((evidence.places[:, used] - joints[:, used]) * other).reshape(count, 3 * len(used))
    right = (b[:, None] @ a)[:, 0]
    right[:, :-3] -= _HOLD[:-3] * turned.reshape(count, -1)
    return np.linalg.solve(np.swapaxes(a, 1, 2) @ a + np.diag(_HOLD), right[..., None])[..., 0]


def _slopes(joints: np.ndarray, used: np.ndarray) -> np.ndarray:
    """Return `(N, U, 3, K * 3)`: how the U joints `used` move, relative to the root, as the K others turn."""
    arms = (joints[:, used, None] - joints[:, None, _TURNING]) * _MOVES[used][..., None]
    slopes = (arms @ _CROSS.reshape(3, 9)).reshape(*arms.shape, 3)  # (N, U, K, 3, 3)
    return slopes.swapaxes(2, 3).reshape(*arms.shape[:2], 3, len(_HOLD) - 3)


def _turn(local: np.ndarray, world: np.ndarray, turns: np.ndarray) -> None:
    """Apply `(N, K, 3)` turns about the camera's axes to the parent-relative rotations, in place."""
    above = world[:, _PARENTS[_TURNING]]
    above[:, _TURNING == 0] = np.eye(3)
    local[:, _TURNING] = np.swapaxes(above, -1, -2) @ _rotations(turns) @ above @ local[:, _TURNING]


def _orthogonal(matrices: np.ndarray) -> np.ndarray:
    """Return rotations to double precision of those to single precision (one Newton step to the polar factor).

    Turning a joint by its parent's axes doubles their error: without this, hands would be off by 2^8 of it.
    """
    return matrices @ (1.5 * np.eye(3) - 0.5 * np.swapaxes(matrices, -1, -2) @ matrices)


def _rotations(vectors: np.ndarray) -> np.ndarray:
    """Return `(..., 3, 3)` rotations of `(..., 3)` rotation vectors (Rodrigues)."""
    angle = np.linalg.norm(vectors, axis=-1)[..., None, None]
    axis = vectors / np.maximum(angle[..., 0], 1e-12)
    k = (axis @ _CROSS.reshape(3, 9)).reshape(*axis.shape, 3).swapaxes(-1, -2)
    return np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * (k @ k)
