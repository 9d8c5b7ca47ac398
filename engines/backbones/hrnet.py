"""HRNet (Wang et al. 2020), the classification network up to its `final_layer`, keys as in its release.

Four branches at strides 4, 8, 16 and 32 that exchange what they see; the branch widths are `width` times 1, 2, 4, 8.
"""

from __future__ import annotations

from functools import reduce
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from .resnet import Bottleneck

STAGES = ((2, 1), (3, 4), (4, 3))
"""Branches and modules of stages 2, 3 and 4."""
BLOCKS = 4
"""Blocks of stage 1, and of each branch in a module."""
STEM_CHANNELS, STAGE1_CHANNELS = 64, 256
HEAD_CHANNELS = (128, 256, 512, 1024)
"""What the head widens the branches to."""
FEATURE_CHANNELS = 2048


def conv_norm(channels: int, wide: int, kernel: int = 3, stride: int = 1, relu: bool = True, bias: bool = False
              ) -> nn.Sequential:  # fmt: skip
    """Return convolution, batch norm and, unless told otherwise, ReLU."""
    convolution = nn.Conv2d(channels, wide, kernel, stride, kernel // 2, bias=bias)
    return nn.Sequential(convolution, nn.BatchNorm2d(wide), *([nn.ReLU()] if relu else []))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions around a short cut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return the same shape."""
        inner = functional.relu(self.bn1(self.conv1(x)))
        return functional.relu(self.bn2(self.conv2(inner)) + x)


class Exchange(nn.Module):
    """One module: every branch by itself, then every branch the sum of all, brought to its size."""

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        branches = range(len(widths))
        self.branches = nn.ModuleList(nn.Sequential(*(BasicBlock(w) for _ in range(BLOCKS))) for w in widths)
        self.fuse_layers = nn.ModuleList(
            nn.ModuleList(bring(widths, source, target) for source in branches) for target in branches
        )

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Return the exchanged maps, finest first, shapes unchanged."""
        maps = [branch(m) for branch, m in zip(self.branches, maps, strict=True)]
        brought = ([layer(m) for layer, m in zip(row, maps, strict=True)] for row in self.fuse_layers)  # type: ignore[call-overload]
        return [functional.relu(reduce(torch.add, row)) for row in brought]


def bring(widths: tuple[int, ...], source: int, target: int) -> nn.Module:
    """Return what brings branch `source` to the size and width of branch `target`."""
    if source == target:
        return nn.Identity()
    if source > target:
        narrowed = conv_norm(widths[source], widths[target], kernel=1, relu=False)
        return nn.Sequential(*narrowed, nn.Upsample(scale_factor=float(2 ** (source - target)), mode="nearest"))
    steps = [conv_norm(widths[source], widths[source], stride=2) for _ in range(target - source - 1)]
    return nn.Sequential(*steps, conv_norm(widths[source], widths[target], stride=2, relu=False))


class HrnetTrunk(nn.Module):
    """The whole trunk; 64 is the width of HRNet-W64."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        widths = tuple(width * 2**n for n in range(4))
        self.conv1 = nn.Conv2d(3, STEM_CHANNELS, 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(STEM_CHANNELS)
        self.conv2 = nn.Conv2d(STEM_CHANNELS, STEM_CHANNELS, 3, 2, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(STEM_CHANNELS)
        self.layer1 = nn.Sequential(*(
            Bottleneck(STAGE1_CHANNELS if i else STEM_CHANNELS, STEM_CHANNELS, STAGE1_CHANNELS) for i in range(BLOCKS)
        ))  # fmt: skip
        self.transition1 = nn.ModuleList([
            conv_norm(STAGE1_CHANNELS, widths[0]), nn.Sequential(conv_norm(STAGE1_CHANNELS, widths[1], stride=2)),
        ])  # fmt: skip
        for stage, (branches, modules) in enumerate(STAGES, start=2):
            self.add_module(f"stage{stage}", nn.Sequential(*(Exchange(widths[:branches]) for _ in range(modules))))
            if stage > 2:
                self.add_module(f"transition{stage - 1}", new_branch(widths, branches))
        self.incre_modules = nn.ModuleList(
            nn.Sequential(Bottleneck(w, head // 4, head)) for w, head in zip(widths, HEAD_CHANNELS, strict=True)
        )
        self.downsamp_modules = nn.ModuleList(
            conv_norm(fine, coarse, stride=2, bias=True) for fine, coarse in pairwise(HEAD_CHANNELS)
        )
        self.final_layer = conv_norm(HEAD_CHANNELS[-1], FEATURE_CHANNELS, kernel=1, bias=True)

    def forward(self, images: Tensor) -> Tensor:
        """Return `(B, 2048, H/32, W/32)` of `(B, 3, H, W)` ImageNet-normalised images."""
        maps = [widen(m) for widen, m in zip(self.incre_modules, self.branches(images), strict=True)]
        x = maps[0]
        for shrink, coarser in zip(self.downsamp_modules, maps[1:], strict=True):
            x = coarser + shrink(x)
        return self.final_layer(x)

    def branches(self, images: Tensor) -> list[Tensor]:
        """Return the four branches' last maps, finest first."""
        x = functional.relu(self.bn1(self.conv1(images)))
        x = self.layer1(functional.relu(self.bn2(self.conv2(x))))
        maps = self.stage2([step(x) for step in self.transition1])
        maps = self.stage3([*maps, self.transition2[-1](maps[-1])])
        return self.stage4([*maps, self.transition3[-1](maps[-1])])


def new_branch(widths: tuple[int, ...], branches: int) -> nn.ModuleList:
    """Return a transition that keeps the branches there are and makes one more from the coarsest."""
    made = nn.Sequential(conv_norm(widths[branches - 2], widths[branches - 1], stride=2))
    return nn.ModuleList([*(nn.Identity() for _ in range(branches - 1)), made])
