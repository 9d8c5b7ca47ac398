"""The default configuration as one network: encoder outputs in, mesh out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..layers.landmark_numbers import landmark_numbers
from ..layers.landmark_start import LandmarkStart, MeshStart
from ..layers.map_norm import MapNorm
from .config import DEFAULT, FastMetroConfig
from .network import FastMetro, MeshRead
from .topology import Topology


class DefaultNetwork(nn.Module):
    """A first mesh from the landmarks, corrected by FastMETRO's transformers reading the encoder's coarsest map."""

    def __init__(self, topology: Topology, config: FastMetroConfig = DEFAULT) -> None:
        super().__init__()
        self.config = config
        self.first = LandmarkStart(config.joints + config.vertices)
        self.norm = MapNorm(config.feature_channels)
        self.network = FastMetro(config, topology)
        if topology.to_middle is not None:
            self._start_from(torch.from_numpy(topology.to_middle.dense(config.vertices)))

    @torch.no_grad()
    def _start_from(self, upsampling: Tensor) -> None:
        """Start as the first mesh, upsampled as the mesh itself is."""
        self.network.coarse2intermediate_upsample.weight.copy_(upsampling)
        nn.init.zeros_(self.network.coarse2intermediate_upsample.bias)
        for head in (self.network.xyz_regressor, self.network.cam_predictor):
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)

    def forward(self, landmarks: Tensor, world: Tensor, map8: Tensor) -> tuple[Tensor, Tensor]:
        """Return cameras `(B, 3)` and `(B, 1723, 3)` vertices of landmarks, world landmarks and feature maps."""
        features = landmark_numbers(landmarks, world).features
        read = self.correct(features, self.first(features), map8)
        return read.camera, read.middle

    def correct(self, features: Tensor, start: MeshStart, map8: Tensor) -> MeshRead:
        """Return the corrected mesh; gradients stop at the first one (the two are trained in turn)."""
        start = MeshStart(*(part.detach() for part in start))
        return self.network.from_features(self.norm(map8), features, start)
