"""The paper's configuration as one network: a crop in, body parameters out."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from ..backbones.vit import VitTrunk
from ..layers import rotation6d
from .network import PAPER, POSE_TOKENS, SHAPE_NUMBERS, Decoder, Estimate, Level, mean_estimate


class PaperEstimate(NamedTuple):
    """What the network says of each crop: `BodyParametersEstimate` without the joints in the picture.

    The paper's decoder gives no joints; who has the body projects them with the camera.
    """

    rotations: Tensor
    """`(B, 24, 3, 3)` parent-relative; the root's is joint axes -> crop camera axes."""
    betas: Tensor
    """`(B, 10)`."""
    camera: Tensor
    """`(B, 3)` weak perspective s, tx, ty in -1..1 of the square as high as the crop, around its centre; y down."""


class PaperNetwork(nn.Module):
    """Frozen trunk, then the decoder, which corrects the mean body once."""

    def __init__(self, trunk: VitTrunk | None = None, decoder: Decoder | None = None) -> None:
        """Without arguments, untrained in the paper's sizes: 671 million parameters.

        Raises:
            ValueError: The decoder does not read what the trunk writes.
        """
        super().__init__()
        self.trunk = (trunk or VitTrunk()).requires_grad_(False)
        self.decoder = decoder or Decoder(PAPER)
        written = (Level(self.trunk.config.dim, *self.trunk.config.grid),)
        if self.decoder.config.levels != written:
            raise ValueError(f"the decoder's levels: found {self.decoder.config.levels}, expected {written}")
        mean = mean_estimate(1)
        self.register_buffer("mean_rotations6d", mean.rotations6d[0].clone())
        self.register_buffer("mean_betas", mean.betas[0].clone())
        self.register_buffer("mean_camera", mean.camera[0].clone())

    def train(self, mode: bool = True) -> PaperNetwork:
        """Switch the decoder; the trunk stays as it is."""
        super().train(mode)
        self.trunk.eval()
        return self

    def forward(self, images: Tensor) -> PaperEstimate:
        """Return the bodies in `(B, 3, 256, 192)` ImageNet-normalised RGB crops."""
        final = self.decoder([self.trunk(images)], self.start(images.shape[0]))
        return PaperEstimate(rotation6d.to_matrix(final.rotations6d), final.betas, final.camera)

    def start(self, batch: int) -> Estimate:
        """Return the mean body, which the decoder corrects."""
        return Estimate(
            self.mean_rotations6d.expand(batch, POSE_TOKENS, 6),
            self.mean_betas.expand(batch, SHAPE_NUMBERS),
            self.mean_camera.expand(batch, 3),
            torch.zeros(batch, POSE_TOKENS, 2, device=self.mean_camera.device),
        )
