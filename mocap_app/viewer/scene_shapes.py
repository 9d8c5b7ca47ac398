"""Shapes that the 3-D view is made of: bones, joints, lines and shadows, as rows of numbers for the graphics card."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engines.types import FloatArray, IntArray

from .scene import Scene, SourceCamera

FRUSTUM_DEPTH_M = 0.42
BONE_PART = 0.085
"""Thickness of a bone, as a part of its length."""
THINNEST_M, THICKEST_M = 0.010, 0.024
JOINT_PART = 0.62
"""Size of a joint's ball, as a part of the thickest bone."""
SHADOW_RADIUS_M = 0.19
SHADOW_SPREAD = 0.30
"""Metres of radius per metre of height."""
SHADOW_DARKNESS = 0.30
SHADOW_HALVED_M = 0.45
"""Height at which a part of the body throws half its shadow."""
FAINTEST = 0.045
"""A fainter shadow is left out: it is the large ones that take time."""

FLAT = 0.25
"""A vertex whose neighbours rise no more than this (sine) over its tangent plane lies open."""
FOLD_DARKNESS = 0.75
_WAIST = 0.16
"""Where a bone is widest, as a part of its length, as animation programs draw them."""


def octahedron() -> FloatArray:
    """Return `(24, 6)` float32: corner and flat normal of the 8 triangles of a bone of length and radius 1, along y."""
    tips = np.array([(0, 0, 0), (0, 1, 0)], float)
    waist = np.array([(1, _WAIST, 0), (0, _WAIST, 1), (-1, _WAIST, 0), (0, _WAIST, -1)])
    triangles = []
    for k in range(4):
        a, b = waist[k], waist[(k + 1) % 4]
        triangles += [(tips[0], a, b), (tips[1], b, a)]
    corners = np.array(triangles)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return np.concatenate([corners, np.repeat(normals[:, None], 3, axis=1)], axis=2).reshape(-1, 6).astype(np.float32)


def ball(rings: int = 6, sectors: int = 10) -> FloatArray:
    """Return `(K, 6)` float32: corner and normal of the triangles of a sphere of radius 1."""
    polar = np.linspace(0, np.pi, rings + 1)[:, None]
    around = np.linspace(0, 2 * np.pi, sectors + 1)[None]
    grid = np.stack(
        [np.sin(polar) * np.cos(around), np.cos(polar) * np.ones_like(around), np.sin(polar) * np.sin(around)], axis=-1
    )
    a, b, c, d = grid[:-1, :-1], grid[:-1, 1:], grid[1:, 1:], grid[1:, :-1]
    corners = np.stack([a, b, c, a, c, d], axis=2).reshape(-1, 3)
    return np.concatenate([corners, corners], axis=1).astype(np.float32)


def bone_rows(scene: Scene, colors: FloatArray) -> FloatArray:
    """Return `(B, 10)` float32 per bone: start, end, radius, colour; `(N, 3)` colours 0 to 1 are the people's."""
    children = np.flatnonzero(scene.parents >= 0)
    start, end = scene.joints[:, scene.parents[children]], scene.joints[:, children]
    radius = np.clip(np.linalg.norm(end - start, axis=2, keepdims=True) * BONE_PART, THINNEST_M, THICKEST_M)
    return _rows(start, end, radius, np.broadcast_to(colors[:, None], end.shape))


def joint_rows(scene: Scene, colors: FloatArray) -> FloatArray:
    """Return `(N J, 10)` float32 per joint, as `bone_rows`, of no length."""
    radius = np.full((*scene.joints.shape[:2], 1), JOINT_PART * THICKEST_M)
    return _rows(scene.joints, scene.joints, radius, np.broadcast_to(colors[:, None], scene.joints.shape))


def shadow_rows(scene: Scene) -> FloatArray:
    """Return `(B, 4)` float32 per joint near the floor: x, z, radius in metres, darkness."""
    height = np.maximum(scene.joints[..., 1:2], 0.0)
    radius = SHADOW_RADIUS_M + SHADOW_SPREAD * height
    darkness = SHADOW_DARKNESS / (1 + (height / SHADOW_HALVED_M) ** 2)
    rows = _rows(scene.joints[..., (0, 2)], radius, darkness)
    return rows[rows[:, 3] > FAINTEST]


def frustum_rows(camera: SourceCamera, color: Sequence[float]) -> FloatArray:
    """Return `(11, 14)` float32 per line: start, end, colours of both. A triangle over the picture shows its top."""
    corners = camera.corners(FRUSTUM_DEPTH_M)
    left, right = corners[0], corners[1]
    up = (corners[0] - corners[3]) / max(float(np.linalg.norm(corners[0] - corners[3])), 1e-9)
    tip = (left + right) / 2 + up * 0.35 * np.linalg.norm(right - left)
    base = left + 0.25 * (right - left) + 0.04 * up, left + 0.75 * (right - left) + 0.04 * up
    pairs = [(camera.position, corner) for corner in corners]
    pairs += [(corners[k], corners[(k + 1) % 4]) for k in range(4)]
    pairs += [(base[0], tip), (tip, base[1]), (base[1], base[0])]
    lines = np.array(pairs, np.float32)
    return np.concatenate([lines.reshape(-1, 6), np.tile(np.array(color, np.float32), (len(lines), 2))], axis=1)


def trail_rows(trails: Sequence[FloatArray], colors: FloatArray) -> FloatArray:
    """Return `(L, 14)` float32 per line, as `frustum_rows`; the older, the fainter."""
    parts = [np.zeros((0, 14), np.float32)]
    for trail, color in zip(trails, colors, strict=True):
        strength = np.linspace(0, 1, len(trail))[:, None] ** 1.5
        shades = np.concatenate([np.broadcast_to(color, trail.shape), 0.9 * strength], axis=1)
        parts.append(np.concatenate([trail[:-1], trail[1:], shades[:-1], shades[1:]], axis=1).astype(np.float32))
    return np.concatenate(parts)


def openness(vertices: FloatArray, normals: FloatArray, faces: IntArray) -> FloatArray:
    """Return `(V,)` float32, 0 to 1: how much light reaches each vertex, less where its neighbours stand before it.

    Folds of a body (lips, eyelids, between fingers) are folds in every pose: this is computed once.

    Args:
        vertices: `(V, 3)` metres.
        normals: `(V, 3)` unit vectors.
        faces: `(F, 3)`.
    """
    here, there = faces.reshape(-1), np.roll(faces, -1, axis=1).reshape(-1)
    ways = vertices[there] - vertices[here]
    ways /= np.maximum(np.linalg.norm(ways, axis=1, keepdims=True), 1e-9)
    rise = np.zeros(len(vertices))
    np.maximum.at(rise, here, (normals[here] * ways).sum(axis=1))
    rise = np.clip((rise - FLAT) / (1 - FLAT), 0, 1)
    return (1 - FOLD_DARKNESS * rise).astype(np.float32)


def _rows(*parts: np.ndarray) -> FloatArray:
    whole = np.concatenate(parts, axis=-1)
    return whole.reshape(-1, whole.shape[-1]).astype(np.float32)
