"""The person detector's network: a single-shot detector on the trunk of the pose encoder."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import Residual, Separable, Trunk, depthwise, enlarge
from .plans import DETECTION_PYRAMID, DETECTION_TRUNK

INPUT_SIZE_PX = 224
BOX_VALUES = 12
"""Centre, size and four key points, two values each."""


def unfold_depth(features: Tensor) -> Tensor:
    """Return `(N, C / 4, 2H, 2W)` from `(N, C, H, W)`, the four neighbours being the outer part of C.

    torch's pixel shuffle expects them as the inner part.
    """
    n, c, h, w = features.shape
    inner = features.reshape(n, 4, c // 4, h, w).transpose(1, 2).reshape(n, c, h, w)
    return F.pixel_shuffle(inner, 2)


class Predictor(nn.Module):
    """A separable convolution of stride 2 without activation: one kind of value for every anchor of a level."""

    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        self.depthwise = depthwise(width, stride=2)
        self.pointwise = nn.Conv2d(width, out, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Return `(N, H / 2, W / 2, out)`."""
        return self.pointwise(self.depthwise(features)).permute(0, 2, 3, 1)


class FinerLevel(nn.Module):
    """One step of the pyramid: the coarser features enlarged and added to the trunk's, then refined."""

    def __init__(self, coarse: int, trunk: int, width: int) -> None:
        super().__init__()
        self.lateral = Separable(trunk, width, inner=False)
        self.narrow = nn.Conv2d(coarse, width, 1)
        self.refine = nn.Sequential(Residual(width, inner=False), Residual(width, inner=False))

    def forward(self, coarse: Tensor, trunk: Tensor) -> Tensor:
        """Return `(N, width, 2H, 2W)`."""
        return self.refine(self.lateral(trunk) + F.relu6(self.narrow(enlarge(coarse))))


class PersonDetection(nn.Module):
    """Pictures to raw boxes and scores, one per anchor of `anchors.person_anchors`."""

    def __init__(self) -> None:
        super().__init__()
        fine, middle = DETECTION_PYRAMID
        widths, top = DETECTION_TRUNK.widths, DETECTION_TRUNK.top
        self.trunk = Trunk(DETECTION_TRUNK)
        self.to_middle = FinerLevel(top, widths[2], middle)
        self.to_fine = FinerLevel(middle, widths[1], fine)
        # Fine, middle, coarse; two anchors per cell, six at the coarse level.
        shapes = ((fine // 4, 2), (middle // 4, 2), (top // 4, 6))
        self.scores = nn.ModuleList([Predictor(width, count) for width, count in shapes])
        self.boxes = nn.ModuleList([Predictor(width, count * BOX_VALUES) for width, count in shapes])

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Return boxes `(N, 2254, 12)` in pixels about their anchors and score logits `(N, 2254, 1)`.

        Args:
            pictures: `(N, 3, 224, 224)` float RGB, -1 to 1.
        """
        levels, top = self.trunk(pictures)
        middle = self.to_middle(top, levels[2])
        fine = self.to_fine(middle, levels[1])
        features = [unfold_depth(level) for level in (fine, middle, top)]
        count = pictures.shape[0]
        boxes = [head(f).reshape(count, -1, BOX_VALUES) for head, f in zip(self.boxes, features, strict=True)]
        scores = [head(f).reshape(count, -1, 1) for head, f in zip(self.scores, features, strict=True)]
        return torch.cat(boxes, dim=1), torch.cat(scores, dim=1)
