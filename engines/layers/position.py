"""Position encodings."""

from __future__ import annotations

import torch
from torch import Tensor


def sine_position(height: int, width: int, channels: int, temperature: float = 10000.0) -> Tensor:
    """Return the `(height * width, channels)` float32 sine encoding of a grid, row by row.

    As in DETR (Carion et al. 2020), normalised: rows and columns run from 1 to their last one, divided by it and
    multiplied by 2 pi. The first half of the channels tells the row, the second the column; sines at even places,
    cosines at odd ones. A constant, so that no exported graph computes it.
    """
    half = channels // 2
    exponents = 2 * torch.div(torch.arange(half, device="cpu"), 2, rounding_mode="floor") / half
    waves = temperature**exponents

    def encode(count: int) -> Tensor:
        steps = torch.arange(1, count + 1, dtype=torch.float32, device="cpu")
        angles = (steps / (count + 1e-6) * (2 * torch.pi))[:, None] / waves
        return torch.stack([angles[:, 0::2].sin(), angles[:, 1::2].cos()], dim=2).flatten(1)

    rows, columns = encode(height), encode(width)
    grid = (rows[:, None].expand(-1, width, -1), columns[None].expand(height, -1, -1))
    return torch.cat(grid, dim=2).reshape(height * width, channels)
