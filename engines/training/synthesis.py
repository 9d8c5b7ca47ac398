"""Synthetic crops with known bodies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..body.parameters import BodyParameters
from ..body.skinning import BodyLayer
from ..geometry import project
from ..rendering import MeshRenderer
from ..types import FloatArray, Image
from .appearance import Wardrobe, add_occluder, cut_at_border, photograph, random_background, random_light
from .cameras import CROP_PX, View, sample_view
from .poses import PoseLibrary


@dataclass(frozen=True, slots=True)
class Crops:
    """N synthetic crops and the truth about them; camera axes are the crop's."""

    images: Image
    """`(N, 256, 256, 3)` uint8 RGB."""
    rotations: FloatArray
    """`(N, 24, 3, 3)` parent-relative, the root's joint -> camera."""
    betas: FloatArray
    """`(N, S)`."""
    joints: FloatArray
    """`(N, 24, 3)` metres, camera axes, camera frame."""
    joints_px: FloatArray
    """`(N, 24, 2)` crop pixels."""
    focal_px: FloatArray
    """`(N,)` crop pixels."""


class CropMaker:
    """Draws crops; belongs to the thread that made it (it holds an OpenGL context)."""

    def __init__(self, body: BodyParameters, poses: PoseLibrary, seed: int) -> None:
        """Prepare; the same seed gives the same crops."""
        self._layer = BodyLayer(body)
        self._poses = poses
        self._rng = np.random.default_rng(seed)
        self._renderer = MeshRenderer(body.faces, (CROP_PX, CROP_PX), samples=0)
        rest_joints = body.joint_regressor @ body.template
        self._wardrobe = Wardrobe(body.template, body.skinning_weights, rest_joints)
        self._subset = np.arange(0, len(body.template), 11)
        self._last_drawing: NDArray[np.uint8] | None = None
        self._shape_count = body.shape_directions.shape[-1]

    def make(self, count: int) -> Crops:
        """Return `count` new crops."""
        import torch

        rotations = self._poses.sample(count, self._rng)
        betas = self._rng.normal(0, 1, (count, self._shape_count)).astype(np.float32)
        with torch.inference_mode():
            vertices, joints = (t.numpy() for t in self._layer(torch.from_numpy(rotations), torch.from_numpy(betas)))
        rows = [self._one(vertices[n], joints[n]) for n in range(count)]
        views = [view for _, view in rows]
        turned = np.stack([v.rotation for v in views])
        rotations = rotations.copy()
        rotations[:, 0] = turned @ rotations[:, 0]
        seen = np.einsum("nij,nkj->nki", turned, joints) + np.stack([v.translation for v in views])[:, None]
        pixels = np.stack([project(p, v.intrinsics) for p, v in zip(seen, views, strict=True)])
        return Crops(
            np.stack([image for image, _ in rows]), rotations, betas, seen.astype(np.float32), pixels,
            np.array([v.focal_px for v in views], np.float32),
        )  # fmt: skip

    def _one(self, vertices: FloatArray, joints: FloatArray) -> tuple[Image, View]:
        view = sample_view(vertices[self._subset], joints, self._rng)
        surface, thickness = self._wardrobe.dress(self._rng)
        normals = self._renderer.normals(vertices)
        seen = (vertices + normals * thickness[:, None]) @ view.rotation.T + view.translation
        normals = (normals @ view.rotation.T).astype(np.float32)
        drawing = self._renderer.draw(
            seen[None].astype(np.float32), view.intrinsics, [surface], random_light(self._rng), normals[None]
        )
        return self._compose(drawing), view

    def _compose(self, drawing: NDArray[np.uint8]) -> Image:
        rng = self._rng
        picture = random_background(CROP_PX, rng)
        if self._last_drawing is not None and rng.random() < 0.15:
            _paste_bystander(picture, self._last_drawing, rng)
        self._last_drawing = drawing
        covered = drawing[..., 3] > 0
        picture[covered] = drawing[..., :3][covered]
        if rng.random() < 0.22:
            add_occluder(picture, rng)
        picture = photograph(picture, rng)
        if rng.random() < 0.15:
            cut_at_border(picture, rng)
        return picture


def _paste_bystander(picture: Image, drawing: NDArray[np.uint8], rng: np.random.Generator) -> None:
    """Put another body behind and beside, in place."""
    import cv2

    scale = rng.uniform(0.5, 1.2)
    shift = rng.choice([-1, 1]) * rng.uniform(0.35, 0.7) * CROP_PX
    matrix = np.array([[scale, 0, shift + (1 - scale) * CROP_PX / 2],
                       [0, scale, rng.uniform(-0.1, 0.2) * CROP_PX + (1 - scale) * CROP_PX / 2]])  # fmt: skip
    other = cv2.warpAffine(drawing, matrix, (CROP_PX, CROP_PX), flags=cv2.INTER_NEAREST)
    covered = other[..., 3] > 0
    picture[covered] = other[..., :3][covered]
