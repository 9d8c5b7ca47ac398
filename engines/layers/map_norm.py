"""Feature maps of a frozen encoder, centred and scaled per channel by stored statistics."""

from __future__ import annotations

import torch
from torch import Tensor, nn

QUIET = 1e-3
"""A channel with a smaller spread is dead: scaled up, a rare flicker of it would drown the others."""


class MapNorm(nn.Module):
    """Faster on a CPU than a group norm, and the same for every picture."""

    mean: Tensor
    scale: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(1, channels, 1, 1))
        self.register_buffer("scale", torch.ones(1, channels, 1, 1))

    @torch.no_grad()
    def learn(self, features: Tensor) -> None:
        """Take the statistics of `(B, C, H, W)` features; channels that never speak are shut."""
        spread = features.std((0, 2, 3))
        scale = torch.where(spread < QUIET, 0.0, 1 / spread.clamp_min(QUIET))
        self.mean.copy_(features.mean((0, 2, 3))[None, :, None, None])
        self.scale.copy_(scale[None, :, None, None])

    def forward(self, features: Tensor) -> Tensor:
        """Return the normalised `(B, C, H, W)` features."""
        return (features - self.mean) * self.scale
