"""Query-agnostic deformable sampling of a feature map (DAT, Xia et al., CVPR 2022, as DeforHMR uses it)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .sampling import sample


def reference_grid(height: int, width: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return `(H, W, 2)` positions (y, x): the exact grid from -1 to 1.

    With align_corners sampling, zero offsets give back the map itself. (DAT's code starts at the cell centre
    and runs past 1.)
    """
    rows = torch.linspace(-1, 1, height, dtype=dtype)
    columns = torch.linspace(-1, 1, width, dtype=dtype)
    return torch.stack(torch.meshgrid(rows, columns, indexing="ij"), dim=-1)


def sample_map(features: Tensor, positions: Tensor) -> Tensor:
    """Return `(B, C, P, Q)` bilinear samples of `(B, C, H, W)` features at `(B, P, Q, 2)` (y, x) in -1..1.

    Corners are aligned; outside the map is zero.
    """
    return sample(features, positions.flip(-1), align_corners=True)


class ChannelNorm(nn.Module):
    """LayerNorm over the channels of `(B, C, H, W)`."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)

    def forward(self, features: Tensor) -> Tensor:
        """Return the normalised `(B, C, H, W)` features."""
        return self.norm(features.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class OffsetNetwork(nn.Module):
    """Offsets made from the context alone, the same for every query; one set per channel group."""

    def __init__(self, channels: int, size_hw: tuple[int, int], groups: int, kernel: int, scale: float) -> None:
        """`channels` of the whole context; each of `groups` shares the weights (groups folded into the batch)."""
        super().__init__()
        if channels % groups:
            raise ValueError(f"channels: found {channels}, expected a multiple of groups = {groups}")
        width = channels // groups
        self.groups, self.scale = groups, scale
        self.layers = nn.Sequential(
            nn.Conv2d(width, width, kernel, padding=kernel // 2, groups=width),
            ChannelNorm(width),
            nn.GELU(),
            nn.Conv2d(width, 2, 1, bias=False),
        )
        height, columns = size_hw
        self.register_buffer("grid", reference_grid(height, columns), persistent=False)
        self.register_buffer("cell", torch.tensor([1 / (height - 1), 1 / (columns - 1)]), persistent=False)

    def forward(self, context: Tensor) -> Tensor:
        """Return `(B, groups, H, W, 2)` sampling positions (y, x) of `(B, C, H, W)` context.

        The offset is scale * tanh(raw) * (1/(H-1), 1/(W-1)), as in DAT's first release; one cell is twice that.
        """
        channels, height, width = (int(n) for n in context.shape[1:])
        folded = context.reshape(-1, channels // self.groups, height, width)
        raw = self.layers(folded).permute(0, 2, 3, 1)
        positions = self.grid + self.scale * torch.tanh(raw) * self.cell
        return positions.reshape(-1, self.groups, height, width, 2)


class DeformableContext(nn.Module):
    """One context level: its offset network and its bias grids, one per head and per query."""

    def __init__(
        self, channels: int, size_hw: tuple[int, int], queries: int, heads: int, groups: int, kernel: int, scale: float
    ) -> None:
        super().__init__()
        self.queries, self.heads, self.groups = queries, heads, groups
        self.offsets = OffsetNetwork(channels, size_hw, groups, kernel, scale)
        self.bias = nn.Parameter(torch.empty(heads, queries, *size_hw))
        nn.init.trunc_normal_(self.bias, std=0.01)

    def forward(self, context: Tensor) -> tuple[Tensor, Tensor]:
        """Return `(B, H*W, C)` sampled context and `(B, heads, queries, H*W)` attention bias."""
        channels, height, width = (int(n) for n in context.shape[1:])
        positions = self.offsets(context).reshape(-1, height, width, 2)
        folded = context.reshape(-1, channels // self.groups, height, width)
        grids = self.bias.reshape(1, self.groups, self.heads // self.groups * self.queries, height, width)
        per_group = self.heads // self.groups * self.queries
        grids = grids.expand(context.shape[0], -1, -1, -1, -1).reshape(-1, per_group, height, width)
        both = sample_map(torch.cat([folded, grids], 1), positions)
        sampled, bias = both.split([channels // self.groups, per_group], 1)
        sampled = sampled.reshape(-1, channels, height * width)
        bias = bias.reshape(-1, self.heads, self.queries, height * width)
        return sampled.transpose(1, 2), bias
