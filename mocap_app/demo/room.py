"""The room the clip plays in: wall, planked floor, a stool, and soft shadows of who stands there."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.rendering import MeshRenderer, Surface
from engines.rendering.renderer import blend_over
from engines.types import FloatArray, Image, IntArray

from .camera import DemoCamera
from .choreography import STOOL_HEIGHT_M, STOOL_XZ

Array = NDArray[Any]
WALL_BEHIND_STOOL_M = 2.83
PLANK_M = 0.16
WALL_RGB = np.array([196.0, 192.0, 182.0])
SKIRTING_RGB = np.array([226.0, 224.0, 218.0])
WOOD_RGB = np.array([150.0, 116.0, 84.0])
STOOL_RGB = (122, 86, 58)
SUN = np.array([0.28, 0.0, -0.22])
"""Metres a shadow moves sideways per metre of height: the lamp hangs to the left, in front."""
SHADOW_SHRINK = 4
"""Shadows are soft, so they are drawn small."""


def draw_room(camera: DemoCamera, stools_xz: list[tuple[float, float]] | None = None) -> Image:
    """Return `(H, W, 3)` uint8 RGB of the empty room with its stools; None is the choreography's one."""
    width, height = camera.size_wh
    stools = [STOOL_XZ] if stools_xz is None else stools_xz
    wall_z_m = min((z for _, z in stools), default=STOOL_XZ[1]) - WALL_BEHIND_STOOL_M
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    pixels = np.stack([x, y, np.ones_like(x)], -1)
    rays = pixels @ np.linalg.inv(camera.intrinsics.astype(float)).T @ camera.axes  # to world axes
    to_wall = wall_z_m / rays[..., 2]
    at_wall_y = camera.height_m + to_wall * rays[..., 1]
    to_floor = camera.height_m / np.maximum(-rays[..., 1], 1e-6)
    picture = np.where(
        (at_wall_y > 0)[..., None],
        _wall(to_wall * rays[..., 0], at_wall_y),
        _floor(to_floor * rays[..., 0], to_floor * rays[..., 2]),
    )
    picture *= _vignette(width, height)[..., None]
    picture += np.random.default_rng(3).normal(0, 1.2, picture.shape[:2])[..., None]
    room = np.clip(picture, 0, 255).astype(np.uint8)
    return _put_stools(room, camera, stools) if stools else room


def _wall(x_m: Array, y_m: Array) -> Array:
    """Return the wall's colours: lighter towards the lamp, a skirting board, a picture frame, a window's light."""
    light = 1.0 - 0.05 * np.clip(x_m + 2.0, -3, 7) + 0.02 * np.clip(y_m, 0, 4)
    color = WALL_RGB * light[..., None]
    board = y_m < 0.11
    color[board] = (SKIRTING_RGB * light[..., None])[board]
    color[(y_m > 0.11) & (y_m < 0.125)] *= 0.8
    for left, right, low, high, rgb in (
        (1.9, 2.75, 1.35, 1.95, (88, 112, 120)),
        (-3.1, -2.5, 1.25, 2.05, (150, 108, 82)),
    ):
        frame = (x_m > left - 0.05) & (x_m < right + 0.05) & (y_m > low - 0.05) & (y_m < high + 0.05)
        inside = (x_m > left) & (x_m < right) & (y_m > low) & (y_m < high)
        color[frame] = (70, 60, 54)
        hill = low + 0.2 + 0.08 * np.sin(7 * x_m)
        color[inside] = rgb
        color[inside & (y_m < hill)] = tuple(0.7 * c for c in rgb)
    return color


def _floor(x_m: Array, z_m: Array) -> Array:
    """Return the floor's colours: planks that run towards the camera, each with its own shade."""
    plank = np.floor(x_m / PLANK_M)
    along = z_m / 1.6 + (plank * 0.37) % 1.0
    piece = np.floor(along)
    shade = 0.92 + 0.16 * ((np.sin(plank * 12.9898 + piece * 78.233) * 43758.5453) % 1.0)
    distance = np.maximum(-z_m, 0.5)
    seam = 0.012 + 0.0012 * distance
    gaps = np.minimum(np.abs((x_m / PLANK_M) % 1.0 - 0.5), 0.5) > 0.5 - seam / PLANK_M / 2
    ends = np.abs(along % 1.0 - 0.5) > 0.5 - 0.006
    shade = np.where(gaps | ends, shade * 0.80, shade)
    light = 0.74 + 0.5 / (1.0 + 0.12 * ((x_m + 0.8) ** 2 + (z_m + 4.0) ** 2))
    return WOOD_RGB * (shade * light)[..., None]


def _vignette(width: int, height: int) -> Array:
    x, y = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    return 1.0 - 0.12 * np.clip(x**2 + y**2 - 0.3, 0, 2)


def _put_stools(room: Image, camera: DemoCamera, stools_xz: list[tuple[float, float]]) -> Image:
    vertices, faces = stool_mesh()
    stools = np.stack([vertices + np.array([x, 0.0, z], np.float32) for x, z in stools_xz])
    for stool in stools:
        room = cast_shadow(room, camera, _spread(stool, faces), 0.5)
    colors = np.broadcast_to(np.array(STOOL_RGB, np.uint8), vertices.shape)
    with MeshRenderer(faces, camera.size_wh) as renderer:
        surfaces = [Surface(colors, vertices.astype(np.float32), gloss=0.15)] * len(stools)
        return blend_over(room, renderer.draw(camera.to_camera(stools), camera.intrinsics, surfaces))


def stool_mesh() -> tuple[FloatArray, IntArray]:
    """Return `(V, 3)` metres and `(F, 3)`: a square seat on four legs, standing on the floor at the origin."""
    boxes = [((0.0, STOOL_HEIGHT_M - 0.025, 0.0), (0.36, 0.05, 0.34))]
    boxes += [
        ((x, (STOOL_HEIGHT_M - 0.05) / 2, z), (0.04, STOOL_HEIGHT_M - 0.05, 0.04))
        for x in (-0.15, 0.15)
        for z in (-0.14, 0.14)
    ]
    boxes += [((0.0, 0.15, z), (0.28, 0.03, 0.02)) for z in (-0.14, 0.14)]
    vertices: list[Array] = []
    faces: list[list[int]] = []
    for center, size in boxes:
        for axis in range(3):
            for sign in (-1.0, 1.0):
                faces += [[len(vertices) + k for k in triangle] for triangle in ((0, 1, 2), (0, 2, 3))]
                vertices += _side(np.array(center), np.array(size) / 2, axis, sign)
    return np.array(vertices, np.float32), np.array(faces, np.int32)


def _side(center: Array, half: Array, axis: int, sign: float) -> list[Array]:
    """Return four corners of one side of a box, its own so that its edges stay sharp."""
    u, v = [a for a in range(3) if a != axis]
    corners = []
    for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        corner = center.copy()
        corner[axis] += sign * half[axis]
        corner[u] += a * half[u]
        corner[v] += b * half[v]
        corners.append(corner)
    return corners


def _spread(vertices: Array, faces: IntArray) -> Array:
    """Return points all over the faces of a coarse mesh."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    weights = [(i / 12, j / 12) for i in range(13) for j in range(13 - i)]
    return np.concatenate([a + u * (b - a) + v * (c - a) for u, v in weights])


def cast_shadow(picture: Image, camera: DemoCamera, points: Array, strength: float = 0.55) -> Image:
    """Return the picture with the soft shadow of `(P, 3)` world points on the floor.

    The lower a point, the darker and sharper its shadow: feet touch the floor visibly.
    """
    feet = points[points[:, 1] < 0.12]
    mask = 0.75 * _shadow_mask(camera, points, 2.6, 0.0) + _shadow_mask(camera, feet, 1.2, 0.5)
    used = np.flatnonzero(mask.max(axis=1) > 0.004)
    if not len(used):
        return picture
    rows = slice(used[0] * SHADOW_SHRINK, (used[-1] + 1) * SHADOW_SHRINK)
    width = picture.shape[1]
    part = mask[used[0] : used[-1] + 1]
    part = cv2.resize(part, (width, len(range(*rows.indices(picture.shape[0])))), interpolation=cv2.INTER_LINEAR)
    shaded = picture.copy()
    shaded[rows] = picture[rows] * (1.0 - strength * np.minimum(part, 1.0))[..., None]
    return shaded


def _shadow_mask(camera: DemoCamera, points: Array, blur_px: float, straight: float) -> Array:
    """Return `(h, w)` float32 0 to 1, small: where the points' shadow falls."""
    width, height = (s // SHADOW_SHRINK for s in camera.size_wh)
    mask = np.zeros((height, width), np.float32)
    ground = points + SUN * points[:, 1:2] * (1.0 - straight)
    ground[:, 1] = 0.0
    x, y = np.floor(camera.to_pixels(ground) / SHADOW_SHRINK).astype(int).T
    seen = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    mask[y[seen], x[seen]] = 1.0
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    return cv2.GaussianBlur(mask, (0, 0), blur_px)
