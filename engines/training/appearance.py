"""Clothes, lights, backgrounds, occluders and the faults of real cameras."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..rendering import Light, Surface
from ..types import FloatArray, Image

SKIN_JOINTS, HAND_JOINTS, FOOT_JOINTS = (12, 15), (20, 21, 22, 23), (7, 8, 10, 11)
_SHIRT, _SLEEVES, _TROUSERS, _SHINS = (3, 6, 9, 13, 14, 16, 17), (18, 19), (0, 1, 2), (4, 5)


class Wardrobe:
    """Dresses one body template in random colours and thicknesses."""

    def __init__(self, template: FloatArray, skinning_weights: FloatArray, rest_joints: FloatArray) -> None:
        """Prepare for a `(V, 3)` template in T-pose with `(V, 24)` weights and `(24, 3)` joints."""
        self._template = template
        self._weights = skinning_weights
        self._joint = skinning_weights.argmax(1)
        self._hair, self._eyes, self._mouth = _face(template, self._joint, rest_joints)

    def dress(self, rng: np.random.Generator) -> tuple[Surface, FloatArray]:
        """Return the surface and `(V,)` metres by which cloth lies off the skin."""
        colors, cloth = self._colors(rng)
        thickness = rng.choice([0.0, 0.004, 0.01, 0.02], p=[0.3, 0.3, 0.25, 0.15])
        surface = Surface(
            colors, self._template, pattern=int(rng.choice([0, 1, 2, 3], p=[0.45, 0.15, 0.1, 0.3])),
            frequency=float(np.exp(rng.uniform(np.log(4), np.log(40)))), strength=float(rng.uniform(0, 0.35)),
            seed=float(rng.uniform(0, 50)), gloss=float(rng.uniform(0, 0.25)),
        )  # fmt: skip
        return surface, (cloth * thickness * rng.uniform(0.5, 1.5)).astype(np.float32)

    def _colors(self, rng: np.random.Generator) -> tuple[NDArray[np.uint8], FloatArray]:
        skin = _skin_tone(rng)
        palette = np.broadcast_to(skin, (24, 3)).copy()
        cloth = np.zeros(24, np.float32)
        shirt, trousers, shoes = rng.uniform(10, 245, (3, 3))
        if rng.random() < 0.08:  # an overall, a swim suit, a morph suit
            trousers = shirt
        for joints, color, worn in (
            (_SHIRT, shirt, 0.95), (_SLEEVES, shirt, 0.5), (_TROUSERS, trousers, 0.97),
            (_SHINS, trousers, 0.65), (FOOT_JOINTS, shoes, 0.85), (HAND_JOINTS, shirt, 0.04),
        ):  # fmt: skip
            if rng.random() < worn:
                palette[list(joints)], cloth[list(joints)] = color, 1.0
        soft = rng.random() < 0.5
        colors = self._weights @ palette if soft else palette[self._joint]
        colors[self._hair] = rng.uniform(5, 200) * np.array([1, 0.85, 0.7]) if rng.random() < 0.9 else skin
        colors[self._eyes], colors[self._mouth] = (25, 20, 20), skin * (0.8, 0.5, 0.5)
        return np.clip(colors, 0, 255).astype(np.uint8), cloth[self._joint]


def _skin_tone(rng: np.random.Generator) -> np.ndarray:
    return np.array([232, 190, 165]) * rng.uniform(0.45, 1.1) * rng.normal(1, 0.03, 3)


def _face(template: FloatArray, joint: np.ndarray, rest: FloatArray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return vertex masks of hair, eyes and mouth, found by proportions of the head."""
    head = joint == 15
    low, high = template[head].min(0), template[head].max(0)
    place = (template - low) / (high - low)  # 0..1 inside the head's box
    x, y, z = place[:, 0], place[:, 1], place[:, 2]
    hair = head & ((y > 0.8) | ((z < 0.5) & (y > 0.35)))
    eyes = head & (z > 0.75) & (np.abs(y - 0.54) < 0.035) & (np.abs(np.abs(x - 0.5) - 0.2) < 0.09)
    mouth = head & (z > 0.8) & (np.abs(y - 0.22) < 0.03) & (np.abs(x - 0.5) < 0.15)
    return hair, eyes, mouth


def random_light(rng: np.random.Generator) -> Light:
    """Return a key light from anywhere in front or above, a weaker fill and some ambience."""
    key = np.append(rng.normal(0, 0.7, 1), [rng.normal(-0.6, 0.5), rng.normal(-0.6, 0.5)])
    warmth = rng.normal(0, 0.06)
    tint = np.array([1 + warmth, 1, 1 - warmth])
    strength, ambient = rng.uniform(0.3, 0.95), rng.uniform(0.3, 0.75)
    return Light(tuple(key), tuple(tint * strength), tuple(rng.normal(0, 1, 3)),
                 tuple(rng.uniform(0, 0.35) * tint[::-1]), (ambient, ambient, ambient))  # fmt: skip


def random_background(size: int, rng: np.random.Generator) -> Image:
    """Return `(size, size, 3)` uint8: noise of several scales, gradients, planes and clutter."""
    import cv2

    picture = np.zeros((size, size, 3), np.float32)
    for cells in rng.choice([2, 3, 5, 9, 20, 50], size=rng.integers(1, 4), replace=False):
        noise = rng.uniform(0, 255, (cells, cells, 3)).astype(np.float32)
        noise += (noise.mean(-1, keepdims=True) - noise) * rng.uniform(0.3, 1.0)  # real rooms are pale
        strength = rng.uniform(0.1, 0.6) if cells < 10 else rng.uniform(0.02, 0.25)
        picture += cv2.resize(noise, (size, size), interpolation=cv2.INTER_LINEAR) * strength
    picture += rng.uniform(-20, 120) + rng.normal(0, 15, 3)
    if rng.random() < 0.6:  # a floor
        row = int(size * rng.uniform(0.4, 0.95))
        picture[row:] = picture[row:] * rng.uniform(0.2, 0.8) + rng.uniform(0, 140, 3)
    picture = np.clip(picture, 0, 255).astype(np.uint8)
    for _ in range(rng.integers(0, 9)):
        _draw_clutter(picture, rng)
    return picture


def _draw_clutter(picture: Image, rng: np.random.Generator) -> None:
    import cv2

    size = len(picture)
    color = tuple(float(c) for c in rng.uniform(0, 255, 3))
    kind = rng.integers(3)
    if kind == 0:
        corners = rng.uniform(0, size, 2) + rng.normal(0, size * 0.2, (rng.integers(3, 6), 2))
        cv2.fillPoly(picture, [corners.astype(np.int32)], color)
    elif kind == 1:
        a, b = rng.integers(-20, size + 20, (2, 2))
        cv2.line(picture, tuple(map(int, a)), tuple(map(int, b)), color, int(rng.integers(1, 14)))
    else:
        center = tuple(map(int, rng.integers(0, size, 2)))
        axes = tuple(map(int, rng.integers(3, size // 4, 2)))
        cv2.ellipse(picture, center, axes, rng.uniform(0, 180), 0, 360, color, -1)


def add_occluder(picture: Image, rng: np.random.Generator) -> None:
    """Draw one thing in front of the person, in place."""
    import cv2

    size = len(picture)
    center = rng.uniform(0.1, 0.9, 2) * size
    extent = rng.uniform(0.06, 0.3, 2) * size
    box = cv2.boxPoints((tuple(center), tuple(extent), float(rng.uniform(0, 180))))
    mask = np.zeros((size, size), np.uint8)
    cv2.fillPoly(mask, [box.astype(np.int32)], 255)
    picture[mask > 0] = random_background(size, rng)[mask > 0]


def cut_at_border(picture: Image, rng: np.random.Generator) -> None:
    """Blacken what would lie outside the photograph on one side, in place."""
    depth = int(len(picture) * rng.uniform(0.03, 0.4))
    side = rng.integers(4)
    view = picture if side % 2 == 0 else picture.swapaxes(0, 1)
    if side < 2:
        view[:depth] = 0
    else:
        view[-depth:] = 0


def photograph(picture: Image, rng: np.random.Generator) -> Image:
    """Return the picture as a real camera might give it: blur, low resolution, noise, tone, JPEG."""
    import cv2

    size = len(picture)
    if rng.random() < 0.5:
        small = int(size * np.exp(rng.uniform(np.log(0.25), 0)))
        picture = cv2.resize(cv2.resize(picture, (small, small), interpolation=cv2.INTER_AREA), (size, size))
    picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.45, 1.4))
    tone = rng.normal(1, 0.05, 3) * np.exp(rng.normal(0, 0.2))
    values = (np.arange(256)[:, None] / 255) ** np.exp(rng.normal(0, 0.25)) * 255 * tone + rng.normal(0, 10)
    picture = cv2.LUT(picture, np.clip(values, 0, 255).astype(np.uint8)[None])
    if rng.random() < 0.6:
        noise = np.empty((size, size, 3), np.int16)
        cv2.randn(noise, (0, 0, 0), (float(rng.uniform(1, 10)),) * 3)
        picture = np.clip(picture + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.6:
        code = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 95))])[1]
        picture = cv2.imdecode(code, cv2.IMREAD_COLOR)
    return picture
