"""A frozen encoder's 39 landmarks as numbers that do not depend on where and how large the person is."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

LANDMARKS, BODY_LANDMARKS, NUMBERS = 39, 33, 10
CROP_PX = 256.0


class LandmarkNumbers(NamedTuple):
    """Landmarks made independent of where and how large the person is in the crop."""

    features: Tensor
    """`(B, 39, 10)`: x, y, z over the spread; visibility, presence; world x, y, z; x, y in -1..1 of the crop."""
    center: Tensor
    """`(B, 1, 2)` crop pixels: mean of the 33 body landmarks."""
    spread: Tensor
    """`(B, 1, 1)` crop pixels: root mean square distance from the centre."""


def landmark_numbers(landmarks: Tensor, world: Tensor) -> LandmarkNumbers:
    """Return the numbers of `(B, 39, 5)` landmarks (x, y, z px; two logits) and `(B, 39, 3)` world metres."""
    xy = landmarks[..., :2]
    center = xy[:, :BODY_LANDMARKS].mean(1, keepdim=True)
    square = (xy[:, :BODY_LANDMARKS] - center).square().sum(-1).mean(1)
    spread = square.sqrt().clamp_min(4.0)[:, None, None]
    features = torch.cat(
        [(xy - center) / spread, landmarks[..., 2:3] / spread, landmarks[..., 3:5].sigmoid(), world * 2,
         xy / (CROP_PX / 2) - 1], -1,
    )  # fmt: skip
    return LandmarkNumbers(features, center, spread)
