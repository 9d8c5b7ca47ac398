"""Bilinear sampling of a feature map in two forms: torch's operator, and the gathers that are exported instead."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def sample(features: Tensor, grid: Tensor, align_corners: bool) -> Tensor:
    """Return `(B, C, P, Q)` bilinear samples of `(B, C, H, W)` features, zero outside of the map.

    An exported graph gets the gathers: TensorRT has miscompiled its sampling operator inside this very attention
    (NVIDIA/TensorRT issue 4813), and from opset 20 on falls back to the nearest neighbour.

    Args:
        features: the map.
        grid: `(B, P, Q, 2)` places (x, y), -1..1 over the map.
        align_corners: whether -1 and 1 are the centres of the outermost cells; else they are the map's borders.
    """
    if torch.onnx.is_in_onnx_export():
        return sample_gathered(features, grid, align_corners)
    return functional.grid_sample(features, grid, mode="bilinear", padding_mode="zeros", align_corners=align_corners)


def sample_gathered(features: Tensor, grid: Tensor, align_corners: bool) -> Tensor:
    """Return what `sample` does, by four gathers from the map with a border of zeros."""
    channels, height, width = features.shape[1:]
    padded = functional.pad(features, (1, 1, 1, 1)).flatten(2)
    size = torch.tensor([width, height], device=grid.device)
    # In the padded map, the centre of cell (x, y) of the map lies at (x + 1, y + 1).
    at = (grid + 1) * ((size - 1) / 2) + 1 if align_corners else (grid + 1) * (size / 2) + 0.5
    at = torch.minimum(at.clamp(min=0), (size + 1).to(at.dtype))
    corner = torch.minimum(at.floor(), size.to(at.dtype))
    # Whole numbers are bounded once more: what is no number becomes any index, and a wrong one ends the run.
    share, first = at - corner, torch.minimum(corner.long().clamp(min=0), size)
    total = features.new_zeros(())
    for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
        index = (first[..., 1] + dy) * (width + 2) + first[..., 0] + dx
        weight = (share[..., 0] if dx else 1 - share[..., 0]) * (share[..., 1] if dy else 1 - share[..., 1])
        found = padded.gather(2, index.flatten(1)[:, None].expand(-1, channels, -1))
        # The batch is left open: `unflatten` would write that of the export's example into the graph.
        total = total + found.reshape(-1, channels, *index.shape[1:]) * weight[:, None]
    return total
