"""From a coarse mesh to a finer one by a fixed matrix of few entries per row."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..types import FloatArray, IntArray


class GatherUpsampling(nn.Module):
    """Gathers and weighs the few coarse vertices each fine one is made of: exact, and every exporter can read it."""

    columns: Tensor
    weights: Tensor

    def __init__(self, columns: IntArray, weights: FloatArray) -> None:
        """`columns` and `weights` are `(V, K)`: fine vertex v is the sum of `weights[v, k]` times `columns[v, k]`."""
        super().__init__()
        self.register_buffer("columns", torch.from_numpy(columns.astype("int64")), persistent=False)
        self.register_buffer("weights", torch.from_numpy(weights.astype("float32"))[..., None], persistent=False)

    def forward(self, vertices: Tensor) -> Tensor:
        """Return the `(B, V, 3)` fine vertices of `(B, C, 3)` coarse ones."""
        parts = [vertices[:, self.columns[:, k]] * self.weights[:, k] for k in range(self.columns.shape[1])]
        return torch.stack(parts).sum(dim=0)
