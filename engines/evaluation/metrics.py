"""Errors of joints against labels."""

from __future__ import annotations

import numpy as np

from ..types import FloatArray


def align_similarity(points: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return `(P, D)` points moved by the rotation, scale and shift that bring them closest to `(P, D)` target.

    Least squares in closed form (Umeyama, PAMI 1991, equations 39 to 43); never a reflection.
    """
    points, target = points.astype(np.float64), target.astype(np.float64)
    centred, centred_target = points - points.mean(0), target - target.mean(0)
    u, singular, vt = np.linalg.svd(centred_target.T @ centred)
    signs = np.ones(len(singular))
    signs[-1] = np.sign(np.linalg.det(u) * np.linalg.det(vt))
    rotation = (u * signs) @ vt
    scale = (singular * signs).sum() / max((centred**2).sum(), 1e-12)
    return scale * centred @ rotation.T + target.mean(0)


def mean_distance(points: np.ndarray, target: np.ndarray) -> float:
    """Return the mean distance between `(P, D)` points and their targets, in their unit."""
    return float(np.linalg.norm(points - target, axis=-1).mean())


def pa_mpjpe(points: np.ndarray, target: np.ndarray) -> float:
    """Return the mean distance after the best similarity transform (Procrustes-aligned MPJPE)."""
    return mean_distance(align_similarity(points, target), target)


def mpjpe(points: np.ndarray, target: np.ndarray, root: tuple[int, ...]) -> float:
    """Return the mean distance after the mean of the `root` rows of both was put at the origin."""
    rows = list(root)
    return mean_distance(points - points[rows].mean(0), target - target[rows].mean(0))


def within(points_px: FloatArray, target_px: FloatArray, limit_px: float) -> np.ndarray:
    """Return `(P,)` bool: which points lie within `limit_px` of their targets (the counts of PCK)."""
    return np.linalg.norm(points_px - target_px, axis=-1) <= limit_px
