"""The FastMETRO network (Cho, Youwang, Oh, ECCV 2022), keys as in the released checkpoints."""

from __future__ import annotations

from copy import deepcopy
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..backbones.hrnet import HrnetTrunk
from ..backbones.resnet import ResNetTrunk
from ..layers.brief_linear import BriefLinear
from ..layers.landmark_numbers import NUMBERS as LANDMARK_NUMBERS
from ..layers.landmark_start import MeshStart
from ..layers.packed_attention import BLOCKED, linear_of
from ..layers.position import sine_position
from ..layers.upsampling import GatherUpsampling
from .config import FastMetroConfig
from .regressor import BodyParametersRead, ParameterRegressor
from .topology import Topology
from .transformer import Layer, Read, Sizes, Start, Transformer

FEED_FORWARD = 4
"""How much wider the feed-forward layers are than the tokens."""


class MeshRead(NamedTuple):
    """What the network reads off each crop: metres, x right, y down, z away, origin anywhere (centre it yourself)."""

    camera: Tensor
    """`(B, 3)` weak perspective s, tx, ty in crop coordinates -1..1."""
    joints: Tensor
    """`(B, 14, 3)`."""
    coarse: Tensor
    """`(B, 431, 3)` vertices."""
    middle: Tensor
    """`(B, 1723, 3)` vertices."""
    fine: Tensor
    """`(B, 6890, 3)` vertices."""
    parameters: BodyParametersRead | None
    """Where the configuration has the regressor."""


class CellConv(nn.Conv2d):
    """A convolution of one cell as the product of matrices that it is, which is faster for so few cells."""

    brief: BriefLinear | None = None

    def forward(self, features: Tensor) -> Tensor:
        """Return `(B, out, H, W)` of `(B, in, H, W)`."""
        height, width = (int(n) for n in features.shape[2:])
        cells = features.permute(0, 2, 3, 1).reshape(-1, self.in_channels)
        mixed = functional.linear(cells, self.weight.flatten(1), self.bias) if self.brief is None else self.brief(cells)
        return mixed.reshape(-1, height, width, self.out_channels).permute(0, 3, 1, 2)


class FastMetro(nn.Module):
    """Image tokens, one camera token and learned joint and vertex tokens through two transformers."""

    transformer_1: Transformer
    transformer_2: Transformer

    def __init__(self, config: FastMetroConfig, topology: Topology) -> None:
        super().__init__()
        self.config = config
        first, second = config.widths
        if config.trunk:
            self.backbone = ResNetTrunk() if config.trunk == "resnet50" else HrnetTrunk(64)
        self.conv_1x1 = CellConv(config.feature_channels, first, 1)
        self.cam_token_embed = nn.Embedding(1, first)
        self.joint_token_embed = nn.Embedding(config.joints, first)
        self.vertex_token_embed = nn.Embedding(config.vertices, first)
        for n, width in enumerate(config.widths, start=1):
            sizes = Sizes(width, FEED_FORWARD * width, config.heads, config.layers, config.dropout)
            self.add_module(f"transformer_{n}", Transformer(sizes))
            # A landmark's token says where it is in its own numbers: it has no position.
            position = functional.pad(sine_position(*config.feature_size, width), (0, 0, 0, config.landmarks))
            self.register_buffer(f"position_{n}", position, persistent=False)
        for name in ("dim_reduce_enc",) if config.table2 else ("dim_reduce_enc_cam", "dim_reduce_enc_img"):
            self.add_module(name, nn.Linear(first, second))
        self.dim_reduce_dec = nn.Linear(first, second)
        self.xyz_regressor = nn.Linear(second, 3)
        self.cam_predictor = nn.Linear(second, 3)
        self._take_topology(topology)
        if config.landmarks:
            self.landmark_token = nn.Linear(LANDMARK_NUMBERS, first)
            self.landmark_names = nn.Parameter(torch.randn(config.landmarks, first))
        if config.regressor:
            self.smpl_parameter_regressor = ParameterRegressor(config.middle_vertices)

    def _take_topology(self, topology: Topology) -> None:
        config = self.config
        blocked = torch.from_numpy(topology.blocked(config.joints)) * BLOCKED
        self.register_buffer("blocked", blocked, persistent=False)
        for part in Start._fields:
            self.register_buffer(f"settled_{part}", None, persistent=False)
        self.to_fine = GatherUpsampling(topology.to_fine.columns, topology.to_fine.weights)
        if not config.table2:
            self.coarse2intermediate_upsample = nn.Linear(config.vertices, config.middle_vertices)
        elif topology.to_middle is None:
            raise ValueError("topology: no upsampling to the middle level; expected one for the Table-2 layout; add it")
        else:
            self.to_middle = GatherUpsampling(topology.to_middle.columns, topology.to_middle.weights)

    def forward(self, images: Tensor) -> MeshRead:
        """Return the meshes of `(B, 3, 224, 224)` ImageNet-normalised crops."""
        return self.from_features(self.backbone(images))

    def from_features(
        self, features: Tensor, landmarks: Tensor | None = None, start: MeshStart | None = None
    ) -> MeshRead:
        """Return the meshes of `(B, C, H, W)` feature maps.

        Args:
            features: the feature map.
            landmarks: `(B, K, 10)` numbers of an encoder's landmarks, where the configuration has tokens for them.
            start: a mesh and a camera that the network corrects instead of finding them by itself.
        """
        image = self.conv_1x1(features).flatten(2).transpose(1, 2)
        if landmarks is not None:
            image = torch.cat([image, self.landmark_token(landmarks) + self.landmark_names], dim=1)
        read = self._read_tokens(image)
        points, camera = self.xyz_regressor(read.queries), self.cam_predictor(read.camera[:, 0])
        if start is not None:
            points, camera = start.points + points, start.camera + camera
        joints, coarse = points.split([self.config.joints, self.config.vertices], dim=1)
        middle = self._to_middle(coarse)
        parameters = self.smpl_parameter_regressor(middle) if self.config.regressor else None
        return MeshRead(camera, joints, coarse, middle, self.to_fine(middle), parameters)

    @torch.no_grad()
    def settle(self) -> None:
        """Compute once what does not depend on the image: the first self-attention among the queries.

        For inference; call it after the weights are loaded, and again after they change.
        """
        self.settled_queries, self.settled_asked = self.transformer_1.start(self._queries(), self.blocked)

    def brief(self) -> FastMetro:
        """Return the same network for inference, its largest matrix products in bfloat16.

        Norms, softmax, residual sums and heads stay in single precision; what is not rounded is shared. On the
        closed-formula weights of size S the finest vertices move by 0.15 % of the largest (95th percentile).
        """
        shared: dict[int, object] = {id(tensor): tensor for tensor in (*self.parameters(), *self.buffers())}
        network = deepcopy(self, shared)
        for layer in (module for module in network.modules() if isinstance(module, Layer)):
            layer.shorten()
        network.dim_reduce_dec = BriefLinear(network.dim_reduce_dec)
        network.conv_1x1.brief = BriefLinear(linear_of(self.conv_1x1.weight.flatten(1), self.conv_1x1.bias))
        return network

    def _queries(self) -> Tensor:
        return torch.cat([self.joint_token_embed.weight, self.vertex_token_embed.weight])[None]

    def _start(self, batch: int) -> Start:
        """Return the first transformer's start; rows differ in training alone, by dropout."""
        if self.training and self.config.dropout:
            return self.transformer_1.start(self._queries().expand(batch, -1, -1), self.blocked)
        if self.training or self.settled_queries is None:
            return self.transformer_1.start(self._queries(), self.blocked)
        return Start(self.settled_queries, self.settled_asked)

    def _read_tokens(self, image: Tensor) -> Read:
        """Return what both transformers make of the `(B, T, 512)` image tokens."""
        camera = self.cam_token_embed.weight.expand(image.shape[0], -1, -1)
        first = self.transformer_1(camera, image, self._start(image.shape[0]), self.position_1, self.blocked)
        if self.config.table2:
            camera, image = self.dim_reduce_enc(first.camera), self.dim_reduce_enc(first.image)
        else:
            camera, image = self.dim_reduce_enc_cam(first.camera), self.dim_reduce_enc_img(first.image)
        start = self.transformer_2.start(self.dim_reduce_dec(first.queries), self.blocked)
        return self.transformer_2(camera, image, start, self.position_2, self.blocked)

    def _to_middle(self, coarse: Tensor) -> Tensor:
        if self.config.table2:
            return self.to_middle(coarse)
        return self.coarse2intermediate_upsample(coarse.transpose(1, 2)).transpose(1, 2)
