"""The plain vision transformer of ViTPose (Xu et al., NeurIPS 2022) and HMR2.0, keys as in their releases.

One map at stride 16; the sizes by default are those of ViT-H. The published code is the source of the padding, of the
position table and of the norm's epsilon (github.com/ViTAE-Transformer/ViTPose, github.com/shubham-goel/4D-Humans).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..layers.attention import attend, join_heads, split_heads

EPSILON = 1e-6


@dataclass(frozen=True, slots=True)
class VitConfig:
    """Sizes of a trunk."""

    height_px: int = 256
    width_px: int = 192
    patch_px: int = 16
    padding_px: int = 2
    """Black around the picture, on every side; the patches begin in it."""
    dim: int = 1280
    depth: int = 32
    heads: int = 16
    mlp_dim: int = 5120

    def __post_init__(self) -> None:
        if self.dim % self.heads:
            raise ValueError(f"dim: found {self.dim}, expected a multiple of heads = {self.heads}")

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of patches."""
        rows, columns = ((size + 2 * self.padding_px) // self.patch_px for size in (self.height_px, self.width_px))
        return rows, columns


VIT_H = VitConfig()


class PatchEmbedding(nn.Module):
    """One token for each patch, row by row."""

    def __init__(self, config: VitConfig) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, config.dim, config.patch_px, config.patch_px, config.padding_px)

    def forward(self, images: Tensor) -> Tensor:
        """Return `(B, patches, dim)` of `(B, 3, H, W)` images."""
        return self.proj(images).flatten(2).transpose(1, 2)


class Attention(nn.Module):
    """Self-attention with biases, queries, keys and values from one matrix."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return `(B, T, dim)` of `(B, T, dim)` tokens."""
        q, k, v = (split_heads(t, self.heads) for t in self.qkv(tokens).chunk(3, dim=-1))
        return self.proj(join_heads(attend(q, k, v)))


class Mlp(nn.Module):
    """Two layers with GELU (the exact one)."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return `(B, T, dim)` of `(B, T, dim)` tokens."""
        return self.fc2(functional.gelu(self.fc1(tokens)))


class Block(nn.Module):
    """Attention and perceptron, each with a residual, pre-norm."""

    def __init__(self, config: VitConfig) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(config.dim, EPSILON)
        self.attn = Attention(config.dim, config.heads)
        self.norm2 = nn.LayerNorm(config.dim, EPSILON)
        self.mlp = Mlp(config.dim, config.mlp_dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the next `(B, T, dim)` tokens."""
        tokens = tokens + self.attn(self.norm1(tokens))
        return tokens + self.mlp(self.norm2(tokens))


class VitTrunk(nn.Module):
    """The whole trunk. There is no class token, but its entry of the position table is added to every patch."""

    def __init__(self, config: VitConfig = VIT_H) -> None:
        super().__init__()
        self.config = config
        rows, columns = config.grid
        self.patch_embed = PatchEmbedding(config)
        self.pos_embed = nn.Parameter(torch.empty(1, 1 + rows * columns, config.dim))
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.depth))
        self.last_norm = nn.LayerNorm(config.dim, EPSILON)
        nn.init.trunc_normal_(self.pos_embed, std=0.02)

    def forward(self, images: Tensor) -> Tensor:
        """Return `(B, dim, rows, columns)` of `(B, 3, height_px, width_px)` ImageNet-normalised RGB images."""
        tokens = self.patch_embed(images) + self.pos_embed[:, 1:] + self.pos_embed[:, :1]
        for block in self.blocks:
            tokens = block(tokens)
        # Not `unflatten`: the exporter by tracing would fix the batch with it.
        return self.last_norm(tokens).transpose(1, 2).reshape(-1, self.config.dim, *self.config.grid)
