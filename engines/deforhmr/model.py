"""The default configuration as one network: encoder outputs in, body parameters out."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from ..layers import rotation6d
from ..layers.landmark_numbers import landmark_numbers
from .landmarks import FirstEstimate, joint_rotations
from .network import DEFAULT, Decoder, DecoderConfig, Estimate


class BodyParametersEstimate(NamedTuple):
    """What the default network says of each crop."""

    rotations: Tensor
    """`(B, 24, 3, 3)` parent-relative; the root's is joint axes -> crop camera axes."""
    betas: Tensor
    """`(B, 10)`."""
    camera: Tensor
    """`(B, 3)` weak perspective s, tx, ty in crop coordinates."""
    joints_px: Tensor
    """`(B, 24, 2)` crop pixels."""


class DefaultNetwork(nn.Module):
    """First estimate from the landmarks, corrected once by the deformable decoder."""

    def __init__(self, config: DecoderConfig = DEFAULT) -> None:
        super().__init__()
        self.config = config
        self.first = FirstEstimate()
        self.decoder = Decoder(config)
        for n, level in enumerate(config.levels):
            self.register_buffer(f"level{n}_mean", torch.zeros(1, level.channels, 1, 1))
            self.register_buffer(f"level{n}_scale", torch.ones(1, level.channels, 1, 1))

    def forward(self, landmarks: Tensor, world: Tensor, *maps: Tensor) -> BodyParametersEstimate:
        """Return the bodies of `(B, 39, 5)` landmarks, `(B, 39, 3)` world landmarks and the feature maps."""
        numbers = landmark_numbers(landmarks, world)
        final = self.correct(numbers.features, maps)
        joints_px = final.joints2d * numbers.spread + numbers.center
        return BodyParametersEstimate(joint_rotations(final), final.betas, final.camera, joints_px)

    def correct(self, features: Tensor, maps: tuple[Tensor, ...]) -> Estimate:
        """Return the corrected estimate; gradients stop at the first one (the two are trained in turn)."""
        first = Estimate(*(part.detach() for part in self.first(features)))
        # Gram-Schmidt forgives six numbers of any length, but a correction added to long ones would do nothing.
        first = first._replace(rotations6d=rotation6d.from_matrix(joint_rotations(first)))
        context = [self.normalise(m, n) for n, m in enumerate(maps)]
        return self.decoder(context, first, features)

    def normalise(self, features: Tensor, level: int) -> Tensor:
        """Return the `(B, C, H, W)` map of one level, centred and scaled per channel by stored statistics."""
        return (features - getattr(self, f"level{level}_mean")) * getattr(self, f"level{level}_scale")
