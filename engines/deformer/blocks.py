"""Parts of the decoder: attention over the mesh, deformable attention to the picture, feed-forward."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from torch import Tensor, nn

from ..layers.attention import join_heads, split_heads
from ..layers.multiscale_deformable import MultiscaleDeformableAttention
from ..layers.sparse_attention import DenseMask, MeshPattern, TileSparse
from .config import SPARSE_FROM_TOKENS, DeformerConfig


def attention_core(config: DeformerConfig, pattern: MeshPattern) -> nn.Module:
    """Return what computes attention over the mesh; one for all layers, for it has no weights."""
    if config.tokens > SPARSE_FROM_TOKENS:
        return TileSparse(pattern)
    return DenseMask(pattern, config.whole_tiles)


class MeshAttention(nn.Module):
    """Self-attention between joints and neighbouring vertices."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.out = (nn.Linear(dim, dim) for _ in range(4))
        for layer in (self.query, self.key, self.value, self.out):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, tokens: Tensor, position: Tensor, core: nn.Module) -> Tensor:
        """Return `(B, T, dim)`; the position counts in queries and keys, not in values."""
        placed = tokens + position
        q, k, v = (
            split_heads(project(t), self.heads)
            for project, t in ((self.query, placed), (self.key, placed), (self.value, tokens))
        )
        return self.out(join_heads(core(q, k, v)))


class Layer(nn.Module):
    """Mesh attention, attention to the picture, feed-forward; each with a residual, normed after (or before)."""

    def __init__(self, config: DeformerConfig) -> None:
        super().__init__()
        self.pre_norm, self.sizes = config.pre_norm, config.level_sizes
        self.mesh = MeshAttention(config.dim, config.heads)
        self.picture = MultiscaleDeformableAttention(config.dim, config.heads, len(self.sizes), config.points)
        self.feed_forward = nn.Sequential(
            nn.Linear(config.dim, config.mlp_dim), nn.ReLU(), nn.Dropout(config.dropout),
            nn.Linear(config.mlp_dim, config.dim),
        )  # fmt: skip
        self.norms = nn.ModuleList(nn.LayerNorm(config.dim) for _ in range(3))
        self.drop = nn.Dropout(config.dropout)

    def forward(self, tokens: Tensor, position: Tensor, reference: Tensor, memory: Tensor, core: nn.Module) -> Tensor:
        """Return the next `(B, T, dim)` tokens.

        Args:
            tokens: `(B, T, dim)`.
            position: `(B, T, dim)`, what the current reconstruction says of each token.
            reference: `(B, T, 2)` (x, y), 0..1 over the crop.
            memory: `(B, S, dim)`.
            core: attention over the mesh.
        """
        tokens = self._add(0, tokens, lambda t: self.mesh(t, position, core))
        tokens = self._add(1, tokens, lambda t: self.picture(t + position, reference, memory, self.sizes))
        return self._add(2, tokens, self.feed_forward)

    def _add(self, index: int, tokens: Tensor, part: Callable[[Tensor], Tensor]) -> Tensor:
        norm = self.norms[index]
        if self.pre_norm:
            return tokens + self.drop(part(norm(tokens)))
        return norm(tokens + self.drop(part(tokens)))


def perceptron(*widths: int) -> nn.Sequential:
    """Return linear layers of the given widths with ReLU between them."""
    layers: list[nn.Module] = []
    for narrow, wide in pairwise(widths):
        layers += [nn.Linear(narrow, wide), nn.ReLU()]
    return nn.Sequential(*layers[:-1])
