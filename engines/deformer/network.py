"""The DeFormer network (Yoshiyasu, CVPR 2023): the loop that aligns a mesh with the picture."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..body.smpl_levels import SparseRows
from ..layers.upsampling import GatherUpsampling
from .blocks import Layer, attention_core, perceptron
from .config import JOINTS, DeformerConfig
from .levels import ImageMaps, Memory
from .tokens import HIPS, TokenMesh

_SOFTPLUS_OF_ONE = 0.5413248546  # softplus of this is 1: a metre per half crop height, about right for a person


class MeshRead(NamedTuple):
    """What the network reads off each crop. Metres: x right, y down, z away, from midway between the hips."""

    states: list[Tensor]
    """After each step, `(B, 14 + C, 3)` joints and vertices in half crop heights from the crop's middle."""
    scale: Tensor
    """`(B,)` metres per half crop height at the body."""
    camera: Tensor
    """`(B, 3)` weak perspective s, tx, ty: half crop heights = s * (metres + t)."""
    joints: Tensor
    """`(B, 14, 3)` metres."""
    meshes: list[Tensor]
    """`(B, 431, 3)`, `(B, 1723, 3)`, `(B, 6890, 3)` metres, from the tokens' level on."""


class LearnedUpsampling(nn.Linear):
    """A dense upsampling of 431 to 1,723 vertices, learned from the mesh's own on."""

    def __init__(self, rows: SparseRows, coarse: int) -> None:
        super().__init__(coarse, len(rows.columns))
        with torch.no_grad():
            self.weight.copy_(torch.from_numpy(rows.dense(coarse)))
            self.bias.zero_()

    def forward(self, vertices: Tensor) -> Tensor:
        """Return the `(B, fine, 3)` vertices of `(B, coarse, 3)` ones."""
        return super().forward(vertices.transpose(1, 2)).transpose(1, 2)


class Deformer(nn.Module):
    """Decoder alone, or with its trunk where the configuration names one."""

    template: Tensor

    def __init__(self, config: DeformerConfig, mesh: TokenMesh) -> None:
        super().__init__()
        self.config = config
        dim = config.dim
        self.trunk = ImageMaps(config.trunk) if config.trunk else None
        self.memory = Memory(config)
        self.register_buffer("template", torch.from_numpy(mesh.template), persistent=False)
        self.tokens = nn.Parameter(torch.randn(config.tokens, dim))
        self.embed = perceptron(3, dim, dim, dim)
        self.core = attention_core(config, mesh.pattern)
        self.steps = nn.ModuleList(
            nn.ModuleList(Layer(config) for _ in range(config.layers_per_step)) for _ in range(config.steps)
        )
        self.first = None if config.corrects_start else nn.Linear(dim, 3)
        corrections = config.steps if config.corrects_start else config.steps - 1
        self.corrections = nn.ModuleList(perceptron(dim, dim, dim, 3) for _ in range(corrections))
        self.scale = perceptron(dim, dim, 1)
        self.to_middle = LearnedUpsampling(mesh.to_middle, config.vertices) if mesh.to_middle else None
        self.to_fine = GatherUpsampling(mesh.to_fine.columns, mesh.to_fine.weights) if mesh.to_fine else None
        self._initialise()

    def _initialise(self) -> None:
        """Corrections start at zero, so that a new network repeats its first estimate; the scale starts at 1."""
        for correction in self.corrections:
            nn.init.zeros_(correction[-1].weight)
            nn.init.zeros_(correction[-1].bias)
        nn.init.zeros_(self.scale[-1].weight)
        nn.init.constant_(self.scale[-1].bias, _SOFTPLUS_OF_ONE)

    def forward(self, images: Tensor, start: Tensor | None = None) -> MeshRead:
        """Return the bodies in `(B, 3, H, W)` ImageNet-normalised images."""
        if self.trunk is None:
            raise ValueError("trunk: found none, expected one of a configuration that names it; use from_maps")
        return self.from_maps(self.trunk(images), start)

    def from_maps(self, maps: list[Tensor], start: Tensor | None = None, metres: Tensor | float = 1.0) -> MeshRead:
        """Return the bodies.

        Args:
            maps: `(B, C, H, W)`, channels, strides and sizes as the configuration says.
            start: `(B, 14 + C, 3)` where to look first, in half crop heights; None for the T-pose template.
            metres: `(B, 1)` what half a crop height is taken for at the body; the network scales it.
        """
        memory, whole = self.memory(maps)
        batch = memory.shape[0]  # not len(), which an export would take for a constant
        state = self.template.expand(batch, -1, -1) if start is None else start
        tokens = self.tokens + self.embed(state)
        states: list[Tensor] = []
        for index, layers in enumerate(self.steps):
            assert isinstance(layers, nn.ModuleList)
            state = state.detach()  # as in Deformable DETR: a step is not blamed for where it was told to look
            position, reference = self.embed(state), self.reference(state)
            for layer in layers:
                tokens = layer(tokens, position, reference, memory, self.core)
            state = self._next(index, state, tokens, whole)
            states.append(state)
        return self._read(states, tokens, metres)

    def reference(self, state: Tensor) -> Tensor:
        """Return `(B, T, 2)` places in 0..1 over the crop of a `(B, T, 3)` state."""
        width = self.config.half_width
        return torch.stack([(state[..., 0] / width + 1) / 2, (state[..., 1] + 1) / 2], dim=-1)

    def _next(self, index: int, state: Tensor, tokens: Tensor, whole: Tensor) -> Tensor:
        if self.first is not None:
            if index == 0:
                return self.first(tokens + whole[:, None])
            index -= 1
        return state + self.corrections[index](self.embed(state) + tokens)

    def _read(self, states: list[Tensor], tokens: Tensor, metres: Tensor | float) -> MeshRead:
        scale = metres * functional.softplus(self.scale(tokens.mean(dim=1)))  # (B, 1)
        joints = states[-1][:, :JOINTS]
        root = joints[:, list(HIPS)].mean(dim=1, keepdim=True)
        # Up first, then centre: SMPL's published upsampling does not keep an offset.
        meshes = [states[-1][:, JOINTS:]]
        for up in filter(None, (self.to_middle, self.to_fine)):
            meshes.append(up(meshes[-1]))
        camera = torch.cat([1 / scale, scale * root[:, 0, :2]], dim=1)
        metric = [(points - root) * scale[..., None] for points in (joints, *meshes)]
        return MeshRead(states, scale[:, 0], camera, metric[0], metric[1:])
