"""From a crop to the memory that the queries sample: four maps of a trunk and one vector, all of one width."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..backbones.hrnet import HrnetTrunk
from ..backbones.resnet import ResNetTrunk
from .config import DeformerConfig

GROUPS = 32


class ImageMaps(nn.Module):
    """A trunk that gives its maps at strides 4, 8, 16 and 32."""

    def __init__(self, trunk: str) -> None:
        super().__init__()
        if trunk == "resnet50":
            self.trunk: nn.Module = ResNetTrunk()
            return
        self.trunk = HrnetTrunk(48)
        for name in ("incre_modules", "downsamp_modules", "final_layer"):
            delattr(self.trunk, name)  # the classification head, which no map here goes through

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return the maps, finest first, of `(B, 3, H, W)` ImageNet-normalised images."""
        return self.trunk.maps(images) if isinstance(self.trunk, ResNetTrunk) else self.trunk.branches(images)


class Memory(nn.Module):
    """Brings the maps to one width and lays their cells one after the other; the last cell is the whole picture."""

    def __init__(self, config: DeformerConfig) -> None:
        super().__init__()
        self.projections = nn.ModuleList(
            nn.Sequential(nn.Conv2d(c, config.dim, 1), nn.GroupNorm(GROUPS, config.dim)) for c in config.channels
        )
        self.whole = nn.Linear(config.channels[-1], config.dim)
        self.names = nn.Parameter(torch.randn(len(config.channels) + 1, config.dim))

    def forward(self, maps: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Return `(B, S, dim)` cells and the `(B, dim)` vector of the whole picture."""
        projected = [project(m).flatten(2).transpose(1, 2) for project, m in zip(self.projections, maps, strict=True)]
        whole = self.whole(maps[-1].mean(dim=(2, 3)))
        levels = [*projected, whole[:, None]]
        return torch.cat([cells + name for cells, name in zip(levels, self.names, strict=True)], dim=1), whole
