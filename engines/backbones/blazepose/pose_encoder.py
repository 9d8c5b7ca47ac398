"""The pose encoder: one person's crop to landmarks and feature maps."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn

from .blocks import Halving, Residual, Separable, Trunk, enlarge
from .plans import PosePlan

LANDMARK_COUNT = 39
"""33 body landmarks and 6 auxiliary ones (33 and 34: centre and radius of the next crop)."""
INPUT_SIZE_PX = 256

Map16 = Literal["pyramid", "trunk"]
Map8 = Literal["landmark", "trunk"]


class EncoderOutput(NamedTuple):
    """What the encoder says of N crops."""

    landmarks: Tensor
    """`(N, 39, 5)`: x, y, z in crop pixels, visibility and presence as logits."""
    world: Tensor
    """`(N, 39, 3)` metres about the middle of the hips; y down, z away from the camera."""
    presence: Tensor
    """`(N,)`, 0 to 1: is there a person in the crop."""
    map16: Tensor
    """`(N, C, 16, 16)` features of stride 16."""
    map8: Tensor
    """`(N, C, 8, 8)` features of stride 32."""


class Pyramid(nn.Module):
    """Feature pyramid (Lin et al. 2017) over the trunk's stages."""

    def __init__(self, widths: tuple[int, ...], top: int, width: int) -> None:
        super().__init__()
        self.top = Separable(top, width)
        self.laterals = nn.ModuleList([Separable(w, width) for w in widths])

    def forward(self, levels: list[Tensor], top: Tensor, finest: int) -> Tensor:
        """Return the level `finest` (index into `levels`), fused with all coarser ones."""
        fused = self.top(top)
        for index in range(len(self.laterals) - 1, finest - 1, -1):
            fused = enlarge(fused) + self.laterals[index](levels[index])
        return fused


class Context(nn.Module):
    """From the finest pyramid level back down to stride 32, with the trunk's features added (heavy only)."""

    def __init__(self, plan: PosePlan) -> None:
        super().__init__()
        inputs = [plan.pyramid, *(width for width, _ in plan.context)]
        self.steps = nn.ModuleList(
            nn.Sequential(Halving(narrow, width), *[Residual(width) for _ in range(repeats)])
            for narrow, (width, repeats) in zip(inputs, plan.context, strict=False)
        )
        self.laterals = nn.ModuleList(
            Separable(trunk, width) for trunk, (width, _) in zip(plan.trunk.widths[1:], plan.context[:-1], strict=False)
        )

    def forward(self, fine: Tensor, levels: list[Tensor]) -> Tensor:
        """Return `(N, branch, 8, 8)` from the pyramid's stride 4 and the trunk's stages."""
        features = fine
        for index, lateral in enumerate(self.laterals):
            features = self.steps[index](features) + lateral(levels[index + 1])
        return self.steps[-1](features)


class PoseEncoder(nn.Module):
    """BlazePose without its mask: the branch that paints the person costs most of the time and is not used here.

    Args:
        plan: The variant's table.
        map16: Which features of stride 16 to return: the pyramid's level or the trunk's stage.
        map8: Which features of stride 32 to return: the landmark branch's or the trunk's stage.
    """

    def __init__(self, plan: PosePlan, map16: Map16 = "pyramid", map8: Map8 = "landmark") -> None:
        super().__init__()
        if map16 not in get_args(Map16) or map8 not in get_args(Map8):
            raise ValueError(f"found map16={map16!r}, map8={map8!r}; expected {get_args(Map16)}, {get_args(Map8)}")
        self.plan, self.map16, self.map8 = plan, map16, map8
        self.trunk = Trunk(plan.trunk)
        self.pyramid = Pyramid(plan.trunk.widths[:3], plan.trunk.top, plan.pyramid)
        self.heatmap = nn.Conv2d(plan.pyramid, LANDMARK_COUNT, 1)
        self.context = Context(plan) if plan.context else None
        self.branch = Separable(plan.trunk.top, plan.branch)
        self.reduce = nn.Sequential(
            *(module for repeats in plan.repeats for module in self._halved(plan.branch, repeats))
        )
        self.landmarks = nn.Conv2d(plan.branch, LANDMARK_COUNT * 5, 2)
        self.world = nn.Conv2d(plan.branch, LANDMARK_COUNT * 3, 2)
        self.presence = nn.Conv2d(plan.branch, 1, 2)

    @staticmethod
    def _halved(width: int, repeats: int) -> list[nn.Module]:
        return [Halving(width, width), *[Residual(width) for _ in range(repeats)]]

    @property
    def map16_channels(self) -> int:
        """Channels of `EncoderOutput.map16`."""
        return self.plan.pyramid if self.map16 == "pyramid" else self.plan.trunk.widths[2]

    @property
    def map8_channels(self) -> int:
        """Channels of `EncoderOutput.map8`."""
        return self.plan.branch if self.map8 == "landmark" else self.plan.trunk.widths[3]

    def forward(self, crops: Tensor) -> EncoderOutput:
        """Encode `(N, 3, 256, 256)` float RGB crops, 0 to 1."""
        levels, top = self.trunk(crops)
        branch = self.branch(top)
        if self.context is not None:
            branch = branch + self.context(self.pyramid(levels, top, finest=0), levels)
        map16 = self.pyramid(levels, top, finest=2) if self.map16 == "pyramid" else levels[2]
        map8 = branch if self.map8 == "landmark" else levels[3]
        last = self.reduce(branch)
        return EncoderOutput(
            self.landmarks(last).reshape(-1, LANDMARK_COUNT, 5),
            self.world(last).reshape(-1, LANDMARK_COUNT, 3),
            torch.sigmoid(self.presence(last)).reshape(-1),
            map16,
            map8,
        )

    def heatmaps(self, crops: Tensor) -> Tensor:
        """Return `(N, 39, 64, 64)` heat map logits of the landmarks; a run of its own."""
        levels, top = self.trunk(crops)
        return self.heatmap(self.pyramid(levels, top, finest=0))
