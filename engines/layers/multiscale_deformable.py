"""Multi-scale deformable attention (Zhu et al., Deformable DETR, ICLR 2021, equation 3)."""

from __future__ import annotations

from collections.abc import Sequence
from math import pi

import torch
from torch import Tensor, nn

from .sampling import sample

Size = tuple[int, int]
"""Height and width of a feature level."""


def sample_level(features: Tensor, places: Tensor) -> Tensor:
    """Return `(B, C, Q, P)` bilinear samples of `(B, C, H, W)` features at `(B, Q, P, 2)` (x, y) in 0..1.

    0 and 1 are the outer borders of the map (corners not aligned), outside is zero: near a border a sample falls off
    linearly, on a 1 x 1 level from 1 in the middle to 1/2 at the middle of a side.
    """
    return sample(features, 2 * places - 1, align_corners=False)


def attend_levels(values: Tensor, sizes: Sequence[Size], places: Tensor, weights: Tensor) -> Tensor:
    """Return `(B, Q, heads * d)` weighted sums of samples from every level.

    Args:
        values: `(B, S, heads, d)`, the cells of all levels one after the other, row by row.
        sizes: height and width of each level; their areas sum to S.
        places: `(B, Q, heads, L, P, 2)` (x, y), 0..1 over the level.
        weights: `(B, Q, heads, L, P)`, summing to 1 over levels and points together.
    """
    heads, width = values.shape[2:]
    queries = places.shape[1]
    # Heads are folded into the batch, so that a level is one four-dimensional call.
    maps = values.permute(0, 2, 3, 1).flatten(0, 1).split([h * w for h, w in sizes], dim=-1)
    spots = places.transpose(1, 2).flatten(0, 1)
    shares = weights.transpose(1, 2).flatten(0, 1)
    total = values.new_zeros(())
    for level, (size, cells) in enumerate(zip(sizes, maps, strict=True)):
        samples = sample_level(cells.reshape(-1, width, *size), spots[:, :, level])
        total = total + (samples * shares[:, None, :, level]).sum(-1)
    return total.reshape(-1, heads * width, queries).transpose(1, 2)


class MultiscaleDeformableAttention(nn.Module):
    """Every query samples a few places of every level around its own reference point."""

    def __init__(self, dim: int, heads: int, levels: int, points: int) -> None:
        super().__init__()
        if dim % heads:
            raise ValueError(f"dim: found {dim}, expected a multiple of heads = {heads}; change one of them")
        self.heads, self.levels, self.points = heads, levels, points
        self.value = nn.Linear(dim, dim)
        self.offsets = nn.Linear(dim, heads * levels * points * 2)
        self.weights = nn.Linear(dim, heads * levels * points)
        self.out = nn.Linear(dim, dim)
        self._initialise()

    def _initialise(self) -> None:
        """Start as a star: head m looks along its own direction, point p one cell farther than p - 1."""
        for layer in (self.value, self.out):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
        for layer in (self.offsets, self.weights):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        angles = torch.arange(self.heads, dtype=torch.float32) * (2 * pi / self.heads)
        directions = torch.stack([angles.cos(), angles.sin()], -1)
        directions = directions / directions.abs().amax(-1, keepdim=True)
        steps = torch.arange(1, self.points + 1, dtype=torch.float32)
        star = directions[:, None, None] * steps[:, None]  # (heads, 1, P, 2)
        with torch.no_grad():
            self.offsets.bias.copy_(star.expand(-1, self.levels, -1, -1).flatten())

    def forward(self, queries: Tensor, reference: Tensor, memory: Tensor, sizes: Sequence[Size]) -> Tensor:
        """Return `(B, Q, dim)`.

        Args:
            queries: `(B, Q, dim)`, position added by the caller.
            reference: `(B, Q, 2)` (x, y), 0..1 over the picture.
            memory: `(B, S, dim)` cells of all levels.
            sizes: height and width of each level.
        """
        shape = (-1, queries.shape[1], self.heads, self.levels, self.points)
        cells = torch.tensor([[w, h] for h, w in sizes], dtype=queries.dtype, device=queries.device)
        offsets = self.offsets(queries).reshape(*shape, 2) / cells[:, None]
        weights = torch.softmax(self.weights(queries).reshape(*shape[:3], self.levels * self.points), dim=-1)
        weights = weights.reshape(shape)
        values = self.value(memory).reshape(-1, memory.shape[1], self.heads, self.value.out_features // self.heads)
        places = reference[:, :, None, None, None] + offsets
        return self.out(attend_levels(values, sizes, places, weights))
