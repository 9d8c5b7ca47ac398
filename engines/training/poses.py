"""Body poses to train on: captured ones, mixed, mirrored, disturbed and tipped over."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..types import FloatArray

UPPER_BODY = (3, 6, 9, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23)
_LEFT = (1, 4, 7, 10, 13, 16, 18, 20, 22)
_RIGHT = (2, 5, 8, 11, 14, 17, 19, 21, 23)
# Standard deviation of the noise added to each joint, degrees: little in the spine and feet, much in the arms.
_NOISE_DEG = np.array([3, 5, 5, 4, 5, 5, 4, 7, 7, 3, 5, 5, 6, 5, 5, 9, 9, 9, 9, 9, 14, 14, 6, 6], np.float32)
_MIRROR = np.array([[1, -1, -1], [-1, 1, 1], [-1, 1, 1]], np.float32)  # R -> M R M with M = diag(-1, 1, 1)


@dataclass(frozen=True, slots=True)
class PoseLibrary:
    """Captured poses, parent-relative; the root's rotation is kept without its turn about the vertical."""

    rotations: FloatArray
    """`(T, 24, 3, 3)` float32."""

    def sample(self, count: int, rng: np.random.Generator) -> FloatArray:
        """Return `(count, 24, 3, 3)` parent-relative rotations; the root's turn about y is uniform."""
        poses = self.rotations[rng.integers(len(self.rotations), size=count)].copy()
        poses = _mix_halves(poses, self.rotations, rng)
        poses = _throw_arms(poses, rng)
        flipped = rng.random(count) < 0.5
        poses[flipped] = mirror(poses[flipped])
        noise = rng.normal(size=(count, 24, 3)).astype(np.float32) * np.radians(_NOISE_DEG)[:, None]
        poses = poses @ from_rotation_vectors(noise * rng.choice([0.4, 1.0], size=(count, 1, 1)))
        poses[:, 0] = _turn_and_tip(poses[:, 0], rng)
        return poses.astype(np.float32)


def library_from_global(rotations: FloatArray) -> PoseLibrary:
    """Return the library of `(T, 24, 3, 3)` global rotations (y up)."""
    from ..body.joints import SMPL_PARENTS

    local = rotations.astype(np.float32).copy()
    for joint in range(1, 24):
        local[:, joint] = np.swapaxes(rotations[:, SMPL_PARENTS[joint]], -1, -2) @ rotations[:, joint]
    heading = np.arctan2(rotations[:, 0, 0, 2], rotations[:, 0, 2, 2])
    vectors = np.zeros((len(local), 3), np.float32)
    vectors[:, 1] = -heading
    local[:, 0] = from_rotation_vectors(vectors) @ local[:, 0]
    return PoseLibrary(local)


def thin_out(rotations: FloatArray, step_deg: float = 8.0) -> np.ndarray:
    """Return the indices of frames of `(T, 24, 3, 3)` that differ from the last kept one.

    A frame is kept when its joints' mean turn since then is `step_deg` or one joint's is five times that.
    """
    kept = [0]
    for t in range(1, len(rotations)):
        trace = np.einsum("jab,jab->j", rotations[kept[-1]], rotations[t])
        turn = np.degrees(np.arccos(np.clip((trace - 1) / 2, -1, 1)))
        if turn.mean() > step_deg or turn.max() > 5 * step_deg:
            kept.append(t)
    return np.array(kept)


def mirror(poses: FloatArray) -> FloatArray:
    """Return `(N, 24, 3, 3)` poses reflected left to right."""
    order = np.arange(24)
    order[list(_LEFT)], order[list(_RIGHT)] = _RIGHT, _LEFT
    return poses[:, order] * _MIRROR


def from_rotation_vectors(vectors: FloatArray) -> FloatArray:
    """Return `(..., 3, 3)` rotations of `(..., 3)` rotation vectors, radians (Rodrigues)."""
    angle = np.linalg.norm(vectors, axis=-1, keepdims=True)
    x, y, z = np.moveaxis(vectors / np.maximum(angle, 1e-9), -1, 0)
    zero = np.zeros_like(x)
    k = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(*x.shape, 3, 3)
    angle = angle[..., None]
    return (np.eye(3, dtype=np.float32) + np.sin(angle) * k + (1 - np.cos(angle)) * (k @ k)).astype(np.float32)


def _mix_halves(poses: FloatArray, library: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Give a third of the poses the upper body of another."""
    mixed = np.nonzero(rng.random(len(poses)) < 0.33)[0]
    other = library[rng.integers(len(library), size=len(mixed))]
    poses[np.ix_(mixed, UPPER_BODY)] = other[:, UPPER_BODY]
    return poses


def _throw_arms(poses: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Give every tenth pose arms anywhere: capture holds few raised, crossed and folded arms."""
    for side, sign in ((0, 1.0), (1, -1.0)):
        chosen = np.nonzero(rng.random(len(poses)) < 0.12)[0]
        n = len(chosen)
        lift = np.radians(rng.uniform(-85, 85, n)) * sign
        swing = np.radians(rng.uniform(-100, 40, n)) * sign
        twist = np.radians(rng.uniform(-80, 80, n))
        zero = np.zeros(n)
        upper = (
            from_rotation_vectors(np.stack([zero, swing, zero], -1))
            @ from_rotation_vectors(np.stack([zero, zero, lift], -1))
            @ from_rotation_vectors(np.stack([twist, zero, zero], -1))
        )
        bend = -np.radians(np.abs(rng.normal(30, 55, n)).clip(0, 145)) * sign
        poses[chosen, 16 + side] = upper
        poses[chosen, 18 + side] = from_rotation_vectors(np.stack([zero, bend, zero], -1))
    return poses


def _turn_and_tip(roots: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Turn every root about the vertical; lay down or tip over an eighth of the bodies."""
    n = len(roots)
    tip = np.where(rng.random(n) < 0.13, rng.uniform(20, 180, n), np.abs(rng.normal(0, 6, n)))
    axis = rng.uniform(0, 2 * np.pi, n)
    vectors = np.stack([np.cos(axis), np.zeros(n), np.sin(axis)], -1) * np.radians(tip)[:, None]
    turns = np.zeros((n, 3))
    turns[:, 1] = rng.uniform(0, 2 * np.pi, n)
    return from_rotation_vectors(vectors) @ from_rotation_vectors(turns) @ roots
