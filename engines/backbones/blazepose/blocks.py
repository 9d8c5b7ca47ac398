"""The few blocks both networks are made of. Every activation is ReLU6; no block has a normalisation of its own,
for the published weights have theirs folded in."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from .plans import Block, TrunkPlan


def depthwise(width: int, kernel: int = 3, stride: int = 1, padding: int | None = None) -> nn.Conv2d:
    """Return a depthwise convolution, padded evenly unless `padding` says otherwise."""
    padding = kernel // 2 if padding is None else padding
    return nn.Conv2d(width, width, kernel, stride, padding, groups=width)


def enlarge(features: Tensor) -> Tensor:
    """Return `(N, C, 2H, 2W)`: bilinear, with the corners of the picture (not of the pixels) aligned."""
    return F.interpolate(features, scale_factor=2.0, mode="bilinear", align_corners=False)


class Separable(nn.Module):
    """A depthwise 3x3 and a pointwise convolution, each with or without its ReLU6."""

    def __init__(self, width: int, out: int, inner: bool = True, outer: bool = True) -> None:
        super().__init__()
        self.inner, self.outer = inner, outer
        self.depthwise = depthwise(width)
        self.pointwise = nn.Conv2d(width, out, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Return `(N, out, H, W)`."""
        features = self.depthwise(features)
        features = self.pointwise(F.relu6(features) if self.inner else features)
        return F.relu6(features) if self.outer else features


class InvertedResidual(nn.Module):
    """The block of MobileNetV2 (Sandler et al. 2018): widen, depthwise, narrow, add where shapes agree."""

    def __init__(self, width: int, block: Block) -> None:
        super().__init__()
        self.adds = block.stride == 1 and width == block.out
        self.expand = nn.Conv2d(width, block.hidden, 1)
        self.depthwise = depthwise(block.hidden, block.kernel, block.stride)
        self.project = nn.Conv2d(block.hidden, block.out, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Return `(N, out, H / stride, W / stride)`."""
        result = self.project(F.relu6(self.depthwise(F.relu6(self.expand(features)))))
        return features + result if self.adds else result


class Residual(nn.Module):
    """A separable convolution added to its input, then ReLU6."""

    def __init__(self, width: int, inner: bool = True) -> None:
        super().__init__()
        self.body = Separable(width, width, inner=inner, outer=False)

    def forward(self, features: Tensor) -> Tensor:
        """Return the shape it is given."""
        return F.relu6(features + self.body(features))


class Halving(nn.Module):
    """A separable convolution with stride 2, added to the max-pooled input, then ReLU6."""

    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        self.extra = out - width
        self.depthwise = depthwise(width, stride=2, padding=0)
        self.pointwise = nn.Conv2d(width, out, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Return `(N, out, H / 2, W / 2)`."""
        # TensorFlow's SAME padding of an even side with stride 2: one row and column, at the far side only.
        result = self.pointwise(F.relu6(self.depthwise(F.pad(features, (0, 1, 0, 1)))))
        pooled = F.max_pool2d(features, 2)
        if self.extra:
            pooled = F.pad(pooled, (0, 0, 0, 0, 0, self.extra))
        return F.relu6(pooled + result)


class Trunk(nn.Module):
    """Picture to features at strides 4, 8, 16 and 32, and the widened last of them."""

    STEM = 24

    def __init__(self, plan: TrunkPlan) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, self.STEM, 3, stride=2, padding=1)
        self.entry = Separable(self.STEM, plan.entry, outer=False)
        self.stages = nn.ModuleList()
        width = plan.entry
        for blocks in plan.stages:
            inputs = [width, *(block.out for block in blocks)]
            self.stages.append(nn.Sequential(*[InvertedResidual(w, b) for w, b in zip(inputs, blocks, strict=False)]))
            width = inputs[-1]
        self.top_expand = nn.Conv2d(width, plan.top, 1)
        self.top_depthwise = depthwise(plan.top)

    def forward(self, pictures: Tensor) -> tuple[list[Tensor], Tensor]:
        """Return the four stages' features and the top `(N, top, H / 32, W / 32)` of `(N, 3, H, W)` pictures."""
        features = self.entry(F.relu6(self.stem(pictures)))
        levels = []
        for stage in self.stages:
            features = stage(features)
            levels.append(features)
        return levels, F.relu6(self.top_depthwise(F.relu6(self.top_expand(features))))
