"""The first estimate, made from the frozen encoder's landmarks alone."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..layers import rotation6d
from ..layers.landmark_numbers import LANDMARKS, NUMBERS
from .network import CAMERA_NUMBERS, POSE_TOKENS, SHAPE_NUMBERS, Estimate, mean_estimate


class FirstEstimate(nn.Module):
    """A residual perceptron from the landmarks to a whole body: where the error feedback starts."""

    def __init__(self, width: int = 768, blocks: int = 3) -> None:
        super().__init__()
        self.enter = nn.Linear(LANDMARKS * NUMBERS, width)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.GELU(), nn.Linear(width, width))
            for _ in range(blocks)
        )
        self.leave = nn.Linear(width, POSE_TOKENS * 8 + SHAPE_NUMBERS + CAMERA_NUMBERS)
        nn.init.normal_(self.leave.weight, std=0.01)
        nn.init.zeros_(self.leave.bias)
        mean = mean_estimate(1)
        self.register_buffer("mean_rotations6d", mean.rotations6d[0].clone())
        self.register_buffer("mean_joints2d", torch.zeros(POSE_TOKENS, 2))

    def forward(self, features: Tensor) -> Estimate:
        """Return the estimate of `(B, 39, 10)` features; joints2d in (pixels - centre) / spread."""
        hidden = self.enter(features.flatten(1))
        for block in self.blocks:
            hidden = hidden + block(hidden)
        rotations, joints, betas, camera = self.leave(hidden).split(
            [POSE_TOKENS * 6, POSE_TOKENS * 2, SHAPE_NUMBERS, CAMERA_NUMBERS], -1
        )
        return Estimate(
            self.mean_rotations6d + rotations.unflatten(-1, (POSE_TOKENS, 6)),
            betas,
            camera + torch.tensor([0.8, 0.0, 0.0], device=camera.device),
            self.mean_joints2d + joints.unflatten(-1, (POSE_TOKENS, 2)),
        )


def joint_rotations(estimate: Estimate) -> Tensor:
    """Return `(B, 24, 3, 3)` parent-relative rotations."""
    return rotation6d.to_matrix(estimate.rotations6d)
