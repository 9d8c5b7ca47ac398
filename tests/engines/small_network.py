"""A network of sixteen weights, for tests of what runs networks."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from engines.runtime.network import Network, doubled


class Small(nn.Module):
    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4, bias=False)
        with torch.no_grad():
            self.layer.weight.copy_(torch.sin(torch.arange(16.0) + seed).reshape(4, 4))
        self.eval()

    def forward(self, points: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        return self.layer(points).sum(dim=1), points * weights


def small_network(module: nn.Module | None = None, key: str = "small") -> Network:
    inputs = [torch.ones(2, 4), torch.ones(2, 1)]
    return Network(module or Small(), inputs, ("points", "weights"), ("sums", "scaled"), key, doubled(inputs))
