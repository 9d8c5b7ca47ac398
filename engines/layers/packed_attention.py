"""Multi-head attention in the key layout of torch's own: query, key and value matrices in one."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from .attention import join_heads, split_heads
from .brief_linear import BriefLinear

BLOCKED = -1e4
"""Added to the score of a blocked pair: its weight becomes exactly 0, also in half precision."""


class PackedAttention(nn.Module):
    """Attention from queries to keys and values, `in_proj_weight` and `in_proj_bias` holding q, k, v in this order."""

    def __init__(self, width: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.heads = heads
        self.dropout = dropout
        self.brief: nn.ModuleList | None = None
        """The three projections in bfloat16, once shortened."""
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)
        nn.init.xavier_uniform_(self.in_proj_weight)
        nn.init.zeros_(self.out_proj.bias)

    def forward(self, queries: Tensor, keys: Tensor, values: Tensor, blocked: Tensor | None = None) -> Tensor:
        """Return `(B, Q, width)` of `(B, Q, width)` queries and `(B, K, width)` keys and values.

        Args:
            queries: what asks.
            keys: what is compared with the queries.
            values: what is mixed.
            blocked: `(Q, K)`, added to every head's scores: 0, or BLOCKED where a query must not look.
        """
        return self.answer(self.ask(queries), keys, values, blocked)

    def ask(self, queries: Tensor) -> Tensor:
        """Return the projected `(B, heads, Q, d)` of `(B, Q, width)` queries."""
        return self._project(queries, 0)

    def answer(self, asked: Tensor, keys: Tensor, values: Tensor, blocked: Tensor | None = None) -> Tensor:
        """Return what `forward` does, for queries that were projected before (a batch of 1 serves every row)."""
        mix = self._mix if torch.onnx.is_in_onnx_export() else self._mix_fused
        return self.out_proj(join_heads(mix(asked, self._project(keys, 1), self._project(values, 2), blocked)))

    def _mix(self, asked: Tensor, keys: Tensor, values: Tensor, blocked: Tensor | None) -> Tensor:
        scores = (asked * asked.shape[-1] ** -0.5) @ keys.transpose(-1, -2)
        return torch.softmax(scores if blocked is None else scores + blocked, dim=-1) @ values

    def _mix_fused(self, asked: Tensor, keys: Tensor, values: Tensor, blocked: Tensor | None) -> Tensor:
        """Return the same, in training with dropout: a third less time, but hard on exporters."""
        asked = asked.expand(len(keys), -1, -1, -1)
        mask = None if blocked is None else blocked.to(asked.dtype)
        return functional.scaled_dot_product_attention(
            asked, keys, values, mask, self.dropout if self.training else 0.0
        )

    def _project(self, tokens: Tensor, part: int) -> Tensor:
        if self.brief is not None:
            return split_heads(self.brief[part](tokens), self.heads)
        weight, bias = self.in_proj_weight.chunk(3)[part], self.in_proj_bias.chunk(3)[part]
        return split_heads(functional.linear(tokens, weight, bias), self.heads)

    @torch.no_grad()
    def shorten(self) -> None:
        """Round all weights to bfloat16; see `brief_linear`. For inference."""
        parts = zip(self.in_proj_weight.chunk(3), self.in_proj_bias.chunk(3), strict=True)
        self.brief = nn.ModuleList(BriefLinear(linear_of(weight, bias)) for weight, bias in parts)
        self.out_proj = BriefLinear(self.out_proj)  # type: ignore[assignment]


def linear_of(weight: Tensor, bias: Tensor | None) -> nn.Linear:
    """Return a layer of `(out, in)` weights and `(out,)` bias, which are shared."""
    linear = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None, device="meta")
    linear.weight = nn.Parameter(weight.detach(), requires_grad=False)
    if bias is not None:
        linear.bias = nn.Parameter(bias.detach(), requires_grad=False)
    return linear
