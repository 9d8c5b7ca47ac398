"""A first mesh, made from a frozen encoder's landmarks alone: where a network of vertices starts."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from .landmark_numbers import LANDMARKS, NUMBERS

CAMERA_NUMBERS, USUAL_SCALE = 3, 0.8


class MeshStart(NamedTuple):
    """A mesh to be corrected."""

    points: Tensor
    """`(B, P, 3)` metres, crop axes (x right, y down, z away), from the pelvis: 14 joints, then vertices."""
    camera: Tensor
    """`(B, 3)` weak perspective s, tx, ty: -1..1 of the crop = s * (metres + t)."""


class LandmarkStart(nn.Module):
    """A residual perceptron."""

    mean_points: Tensor

    def __init__(self, points: int, width: int = 512, blocks: int = 3) -> None:
        super().__init__()
        self.enter = nn.Linear(LANDMARKS * NUMBERS, width)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.GELU(), nn.Linear(width, width))
            for _ in range(blocks)
        )
        self.leave = nn.Linear(width, points * 3 + CAMERA_NUMBERS)
        nn.init.normal_(self.leave.weight, std=0.01)
        nn.init.zeros_(self.leave.bias)
        self.register_buffer("mean_points", torch.zeros(points, 3))

    def forward(self, features: Tensor) -> MeshStart:
        """Return the meshes of `(B, 39, 10)` landmark numbers (see `landmark_numbers`)."""
        hidden = self.enter(features.flatten(1))
        for block in self.blocks:
            hidden = hidden + block(hidden)
        points, camera = self.leave(hidden).split([self.mean_points.numel(), CAMERA_NUMBERS], -1)
        usual = torch.tensor([USUAL_SCALE, 0.0, 0.0], device=camera.device)
        return MeshStart(self.mean_points + points.unflatten(-1, (-1, 3)), usual + camera)
