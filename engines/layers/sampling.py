"""Bilinear sampling of a feature map in two forms: torch's operator, and the gather that is exported instead."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def sample(features: Tensor, grid: Tensor, align_corners: bool) -> Tensor:
    """Return `(B, C, P, Q)` bilinear samples of `(B, C, H, W)` features, zero outside of the map.

    An exported graph gets the gather: TensorRT has miscompiled its sampling operator inside this very attention
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
    """Return what `sample` does, by a gather from the map with a border of zeros."""
    channels, height, width = (int(n) for n in features.shape[1:])
    rows, columns = (int(n) for n in grid.shape[1:3])
    cells = functional.pad(features, (1, 1, 1, 1)).permute(0, 2, 3, 1).reshape(-1, channels)
    size = torch.tensor([width, height], device=grid.device)
    # In the padded map, the centre of cell (x, y) of the map lies at (x + 1, y + 1).
    at = (grid + 1) * ((size - 1) / 2) + 1 if align_corners else (grid + 1) * (size / 2) + 0.5
    at = torch.minimum(at.clamp(min=0), (size + 1).to(at.dtype))
    corner = torch.minimum(at.floor(), size.to(at.dtype))
    # Whole numbers are bounded once more: what is no number becomes any index, and a wrong one ends the run.
    share, first = at - corner, torch.minimum(corner.long().clamp(min=0), size)
    # The four corners of every place in one gather: a graph of few large steps runs faster than one of many small.
    steps = ((0, 0), (1, 0), (0, 1), (1, 1))
    index = torch.stack([(first[..., 1] + dy) * (width + 2) + first[..., 0] + dx for dx, dy in steps], 1)
    picture = torch.arange(features.shape[0], device=grid.device) * ((height + 2) * (width + 2))
    x, y = (torch.stack([1 - share[..., axis], share[..., axis]], 1) for axis in (0, 1))
    weight = torch.cat([x * y[:, :1], x * y[:, 1:]], 1)[..., None]
    found = cells.index_select(0, (index + picture[:, None, None, None]).flatten())
    # The batch is left open: `unflatten` would write that of the export's example into the graph.
    mixed = (found.reshape(-1, 4, rows, columns, channels) * weight).sum(1)
    return mixed.permute(0, 3, 1, 2)
