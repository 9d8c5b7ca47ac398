"""The default configuration as one network: encoder outputs in, mesh out."""

from __future__ import annotations

from torch import Tensor, nn

from ..layers.landmark_numbers import landmark_numbers
from ..layers.landmark_start import LandmarkStart, MeshStart
from ..layers.map_norm import MapNorm
from .config import DEFAULT, DeformerConfig
from .network import Deformer, MeshRead
from .tokens import TokenMesh

SMALLEST_SCALE = 0.1
"""A start's camera scale below this (a body ten crops high) is taken as this."""


class DefaultNetwork(nn.Module):
    """A first mesh from the landmarks, aligned with the picture by DeFormer's loop over the encoder's two maps."""

    def __init__(self, mesh: TokenMesh, config: DeformerConfig = DEFAULT) -> None:
        super().__init__()
        self.config = config
        self.first = LandmarkStart(config.tokens)
        self.norms = nn.ModuleList(MapNorm(channels) for channels in config.channels)
        self.network = Deformer(config, mesh)

    def forward(self, landmarks: Tensor, world: Tensor, map16: Tensor, map8: Tensor) -> tuple[Tensor, Tensor]:
        """Return cameras `(B, 3)` and `(B, 1723, 3)` vertices of landmarks, world landmarks and feature maps."""
        features = landmark_numbers(landmarks, world).features
        read = self.correct(self.first(features), [map16, map8])
        return read.camera, read.meshes[1]

    def correct(self, start: MeshStart, maps: list[Tensor]) -> MeshRead:
        """Return the aligned mesh; gradients stop at the first one (the two are trained in turn)."""
        points, camera = (part.detach() for part in start)
        scale = camera[:, :1].clamp_min(SMALLEST_SCALE)
        shift = nn.functional.pad(camera[:, 1:], (0, 1))
        state = scale[:, None] * (points + shift[:, None])
        normed = [norm(features) for norm, features in zip(self.norms, maps, strict=True)]
        return self.network.from_maps(normed, state, 1 / scale)
