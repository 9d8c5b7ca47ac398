"""Plain multi-head attention, written out so that every exporter can read it."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def split_heads(tokens: Tensor, heads: int) -> Tensor:
    """Return `(B, heads, T, d)` from `(B, T, heads * d)`."""
    # Whole numbers, and the batch left open: a graph then has one step here, not eight that find out the shape.
    length, width = (int(n) for n in tokens.shape[1:])
    return tokens.reshape(-1, length, heads, width // heads).transpose(1, 2)


def join_heads(tokens: Tensor) -> Tensor:
    """Return `(B, T, heads * d)` from `(B, heads, T, d)`."""
    heads, length, width = (int(n) for n in tokens.shape[1:])
    return tokens.transpose(1, 2).reshape(-1, length, heads * width)


def attend(queries: Tensor, keys: Tensor, values: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return softmax(q k^T / sqrt(d) + bias) v for `(B, heads, T, d)` tensors."""
    scores = queries @ keys.transpose(-1, -2) * queries.shape[-1] ** -0.5
    if bias is not None:
        scores = scores + bias
    return torch.softmax(scores, dim=-1) @ values


class SelfAttention(nn.Module):
    """Pre-norm self-attention without its residual, as in the HMR2.0 decoder (no bias in q, k, v)."""

    def __init__(self, dim: int, heads: int, head_dim: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(dim)
        self.qkv = nn.Linear(dim, 3 * heads * head_dim, bias=False)
        self.out = nn.Linear(heads * head_dim, dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return `(B, T, dim)` to be added to `(B, T, dim)` tokens."""
        q, k, v = (split_heads(t, self.heads) for t in self.qkv(self.norm(tokens)).chunk(3, dim=-1))
        return self.out(join_heads(attend(q, k, v)))


class FeedForward(nn.Module):
    """Pre-norm two-layer network with GELU, without its residual."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.first = nn.Linear(dim, hidden)
        self.second = nn.Linear(hidden, dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return `(B, T, dim)` to be added to `(B, T, dim)` tokens."""
        return self.second(nn.functional.gelu(self.first(self.norm(tokens))))
