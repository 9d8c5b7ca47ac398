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


def _below() -> np.ndarray:
    """Return `(24, 24)`: does joint i hang below joint j (not itself)?"""
    below = np.zeros((24, 24))
    for joint in range(1, 24):
        above = SMPL_PARENTS[joint]
        while above >= 0:
            below[joint, above] = 1.0
            above = SMPL_PARENTS[above]
    return below


_MOVES = _below()[:, _TURNING]


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
    local = rotations.astype(np.float64)
    place = translation.astype(np.float64)
    turned = np.zeros((len(local), len(_TURNING), 3))
    for _ in range(steps):
        world, joints = _pose(local, bones.astype(np.float64))
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
    for joint in range(1, 24):
        parent = SMPL_PARENTS[joint]
        world[:, joint] = world[:, parent] @ local[:, joint]
        joints[:, joint] = joints[:, parent] + np.einsum("nij,nj->ni", world[:, parent], bones[:, joint])
    return world, joints


def _solve(joints: np.ndarray, place: np.ndarray, turned: np.ndarray, evidence: Evidence) -> np.ndarray:
    """Return `(N, K * 3 + 3)`: the next turns and the next step of the root."""
    count, turning = len(joints), len(_TURNING)
    arms = (joints[:, :, None] - joints[:, None, _TURNING]) * _MOVES[..., None]  # (N, 24, K, 3)
    jacobian = np.zeros((count, 24, 3, turning * 3 + 3))
    x, y, z = np.moveaxis(arms, -1, 0)
    blocks = jacobian[..., :-3].reshape(count, 24, 3, turning, 3)  # d joint = turn x arm
    blocks[:, :, 0, :, 1], blocks[:, :, 0, :, 2] = z, -y
    blocks[:, :, 1, :, 0], blocks[:, :, 1, :, 2] = -z, x
    blocks[:, :, 2, :, 0], blocks[:, :, 2, :, 1] = y, -x
    seen = joints + place[:, None]
    depth = np.maximum(seen[..., 2:], 0.1)
    flat = seen[..., :2] / depth
    with_root = jacobian.copy()
    with_root[..., -3:] = np.eye(3)
    rows = (with_root[:, :, :2] - flat[..., None] * with_root[:, :, 2:]) / depth[..., None]
    weight = evidence.ray_weights[..., None]
    rows, missing = rows * weight[..., None], (evidence.rays - flat) * weight
    other = evidence.place_weights[..., None]
    jacobian, apart = jacobian * other[..., None], (evidence.places - joints) * other
    size = turning * 3 + 3
    a = np.concatenate([rows.reshape(count, -1, size), jacobian.reshape(count, -1, size)], 1)
    b = np.concatenate([missing.reshape(count, -1), apart.reshape(count, -1)], 1)
    hold = np.append(np.repeat(1 / _SIGMA**2, 3), [1e-4] * 3)
    normal = np.swapaxes(a, 1, 2) @ a + np.diag(hold)
    right = (np.swapaxes(a, 1, 2) @ b[..., None])[..., 0]
    right[:, :-3] -= hold[:-3] * turned.reshape(count, -1)
    return np.linalg.solve(normal, right[..., None])[..., 0]


def _turn(local: np.ndarray, world: np.ndarray, turns: np.ndarray) -> None:
    """Apply `(N, K, 3)` turns about the camera's axes to the parent-relative rotations, in place."""
    for k, joint in enumerate(_TURNING):
        turn = _rotation(turns[:, k])
        if joint == 0:
            local[:, 0] = turn @ local[:, 0]
            continue
        above = world[:, SMPL_PARENTS[joint]]
        local[:, joint] = np.swapaxes(above, 1, 2) @ turn @ above @ local[:, joint]


def _rotation(vectors: np.ndarray) -> np.ndarray:
    """Return `(N, 3, 3)` rotations of `(N, 3)` rotation vectors (Rodrigues)."""
    angle = np.linalg.norm(vectors, axis=-1)[:, None, None]
    x, y, z = (vectors / np.maximum(angle[:, 0], 1e-12)).T
    zero = np.zeros_like(x)
    k = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(-1, 3, 3)
    return np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * (k @ k)
