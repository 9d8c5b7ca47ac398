"""The DeforHMR decoder (Heo et al., 3DV 2025), one code for the paper's and the default configuration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ..layers import rotation6d
from ..layers.attention import FeedForward, SelfAttention, attend, join_heads, split_heads
from ..layers.deformable import DeformableContext

POSE_TOKENS, SHAPE_NUMBERS, CAMERA_NUMBERS = 24, 10, 3
QUERIES = POSE_TOKENS + 1


@dataclass(frozen=True, slots=True)
class Level:
    """One feature map of the context."""

    channels: int
    height: int
    width: int


@dataclass(frozen=True, slots=True)
class DecoderConfig:
    """Sizes of a decoder."""

    levels: tuple[Level, ...]
    dim: int
    depth: int
    heads: int
    head_dim: int
    mlp_dim: int
    groups: int = 4
    kernel: int = 3
    offset_scale: float = 2.0
    project_to: int = 0
    """Width the levels are projected to; 0 takes the context as it is (one level only)."""
    landmark_tokens: int = 0
    """Landmarks that join the keys as tokens of `landmark_numbers` features each."""
    landmark_numbers: int = 0
    feedback: bool = False
    """Whether the queries see the estimate that they correct."""


PAPER = DecoderConfig((Level(1280, 16, 12),), dim=1024, depth=6, heads=8, head_dim=64, mlp_dim=1024)
DEFAULT = DecoderConfig(
    (Level(48, 16, 16), Level(288, 8, 8)), dim=128, depth=2, heads=4, head_dim=32, mlp_dim=512,
    project_to=128, landmark_tokens=39, landmark_numbers=10, feedback=True,
)  # fmt: skip


class Estimate(NamedTuple):
    """What the decoder corrects and returns; one row per person."""

    rotations6d: Tensor
    """`(B, 24, 6)` parent-relative rotations; the root's is joint axes -> crop camera axes."""
    betas: Tensor
    """`(B, 10)`."""
    camera: Tensor
    """`(B, 3)` weak perspective s, tx, ty in crop coordinates -1..1, y down."""
    joints2d: Tensor
    """`(B, 24, 2)` joints in the picture plane, in the units of the initial estimate (default configuration:
    landmark-normalised coordinates; not corrected in the paper's configuration)."""


class CrossAttention(nn.Module):
    """Deformable cross-attention: keys and values from the sampled context, bias per head and query."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        inner = config.heads * config.head_dim
        width = config.project_to or config.levels[0].channels
        self.heads = config.heads
        self.norm = nn.LayerNorm(config.dim)
        self.q = nn.Linear(config.dim, inner, bias=False)
        self.kv = nn.Linear(width, 2 * inner, bias=False)
        self.out = nn.Linear(inner, config.dim)
        self.levels = nn.ModuleList(
            DeformableContext(width, (level.height, level.width), QUERIES, config.heads, config.groups,
                              config.kernel, config.offset_scale)
            for level in config.levels
        )  # fmt: skip
        if config.landmark_tokens:
            self.landmark_bias = nn.Parameter(torch.zeros(config.heads, QUERIES, config.landmark_tokens))

    def forward(self, tokens: Tensor, context: list[Tensor], landmarks: Tensor | None) -> Tensor:
        """Return `(B, 25, dim)` to be added to the tokens."""
        sampled, biases = zip(*(level(c) for level, c in zip(self.levels, context, strict=True)), strict=True)
        keys, bias = torch.cat(sampled, 1), torch.cat(biases, -1)
        if landmarks is not None:
            extra = self.landmark_bias.expand(tokens.shape[0], -1, -1, -1)
            keys, bias = torch.cat([keys, landmarks], 1), torch.cat([bias, extra], -1)
        q = split_heads(self.q(self.norm(tokens)), self.heads)
        k, v = (split_heads(t, self.heads) for t in self.kv(keys).chunk(2, dim=-1))
        return self.out(join_heads(attend(q, k, v, bias)))


class Layer(nn.Module):
    """Self-attention, deformable cross-attention, feed-forward; each with a residual, pre-norm."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.self_attention = SelfAttention(config.dim, config.heads, config.head_dim)
        self.cross_attention = CrossAttention(config)
        self.feed_forward = FeedForward(config.dim, config.mlp_dim)

    def forward(self, tokens: Tensor, context: list[Tensor], landmarks: Tensor | None) -> Tensor:
        """Return the next `(B, 25, dim)` tokens."""
        tokens = tokens + self.self_attention(tokens)
        tokens = tokens + self.cross_attention(tokens, context, landmarks)
        return tokens + self.feed_forward(tokens)


class ReadOut(nn.Module):
    """Corrections from the tokens; `joints2d` only where the estimate is fed back."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.pose = nn.Linear(config.dim, 6)
        self.shape = nn.Linear(config.dim, SHAPE_NUMBERS)
        self.camera = nn.Linear(config.dim, CAMERA_NUMBERS)
        self.joints2d = nn.Linear(config.dim, 2) if config.feedback else None
        for head in filter(None, (self.pose, self.shape, self.camera, self.joints2d)):
            nn.init.normal_(head.weight, std=0.01)
            nn.init.zeros_(head.bias)

    def forward(self, tokens: Tensor, start: Estimate) -> Estimate:
        """Return the corrected estimate (one round of iterative error feedback)."""
        joints, shape = tokens[:, :POSE_TOKENS], tokens[:, POSE_TOKENS]
        return Estimate(
            start.rotations6d + self.pose(joints),
            start.betas + self.shape(shape),
            start.camera + self.camera(shape),
            start.joints2d if self.joints2d is None else start.joints2d + self.joints2d(joints),
        )


class Decoder(nn.Module):
    """25 learned queries looking at the context."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.config = config
        self.tokens = nn.Parameter(torch.randn(QUERIES, config.dim) * 0.5)
        if config.project_to:
            self.projections = nn.ModuleList(nn.Conv2d(v.channels, config.project_to, 1) for v in config.levels)
        if config.landmark_tokens:
            self.landmarks = nn.Linear(config.landmark_numbers, config.project_to)
            self.landmark_names = nn.Parameter(torch.randn(config.landmark_tokens, config.project_to) * 0.5)
        if config.feedback:
            self.joint_feedback = nn.Linear(8, config.dim)
            self.shape_feedback = nn.Linear(SHAPE_NUMBERS + CAMERA_NUMBERS, config.dim)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.depth))
        self.read_out = ReadOut(config)

    def forward(self, context: list[Tensor], start: Estimate, landmarks: Tensor | None = None) -> Estimate:
        """Return the corrected estimate.

        Args:
            context: one `(B, C, H, W)` map per level.
            start: the estimate to correct, e.g. the mean pose.
            landmarks: `(B, K, landmark_numbers)`, where the configuration has landmark tokens.
        """
        if self.config.project_to:
            context = [project(c) for project, c in zip(self.projections, context, strict=True)]
        keys = None if landmarks is None else self.landmarks(landmarks) + self.landmark_names
        tokens = self._start_tokens(start)
        for layer in self.layers:
            tokens = layer(tokens, context, keys)
        return self.read_out(tokens, start)

    def _start_tokens(self, start: Estimate) -> Tensor:
        tokens = self.tokens.expand(start.betas.shape[0], -1, -1)
        if not self.config.feedback:
            return tokens
        joints = self.joint_feedback(torch.cat([start.rotations6d, start.joints2d], -1))
        shape = self.shape_feedback(torch.cat([start.betas, start.camera], -1))
        return tokens + torch.cat([joints, shape[:, None]], 1)


def mean_estimate(batch: int, rotations6d: Tensor | None = None) -> Estimate:
    """Return the mean body to start from: `(24, 6)` mean rotations, or the T-pose facing the camera."""
    if rotations6d is None:
        matrices = torch.eye(3).repeat(POSE_TOKENS, 1, 1)
        matrices[0] = torch.diag(torch.tensor([1.0, -1.0, -1.0]))
        rotations6d = rotation6d.from_matrix(matrices)
    camera = torch.tensor([0.9, 0.0, 0.0])
    return Estimate(
        rotations6d.expand(batch, -1, -1), torch.zeros(batch, SHAPE_NUMBERS), camera.expand(batch, -1),
        torch.zeros(batch, POSE_TOKENS, 2),
    )  # fmt: skip
