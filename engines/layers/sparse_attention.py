"""Self-attention between neighbours on a mesh: the pattern, and three ways to compute it.

Tokens are a few global ones (joints), which see and are seen by all, then the mesh's vertices, which see those within
a number of edges. The pattern is widened to whole tiles of 16 x 16 tokens, as block-sparse attention on a GPU does.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..types import IntArray
from .attention import attend

TILE = 16
GROUP_BLOCKS = 16
"""Rows of tiles computed together: more are faster on a GPU, fewer need less memory."""
_BLOCKED = -1e4  # not minus infinity, which half precision turns into NaN where it meets zero


def edges_of(faces: IntArray) -> IntArray:
    """Return the `(E, 2)` edges of `(F, 3)` triangles, some of them twice."""
    return faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)


def neighbours(edges: IntArray, count: int, rings: int) -> tuple[IntArray, IntArray]:
    """Return the vertex pairs `(P,)`, `(P,)` at most `rings` edges apart, each vertex with itself included.

    Args:
        edges: `(E, 2)`, in any direction, repeated or not.
        count: vertices of the mesh.
        rings: 0 for each vertex alone.
    """
    edges = np.unique(np.concatenate([edges, edges[:, ::-1]]).astype(np.int64), axis=0)
    starts = np.searchsorted(edges[:, 0], np.arange(count + 1))
    pairs = np.arange(count, dtype=np.int64) * (count + 1)  # row * count + column
    for _ in range(rings):
        row, column = np.divmod(pairs, count)
        degree = starts[column + 1] - starts[column]
        slot = np.arange(degree.sum()) - np.repeat(degree.cumsum() - degree, degree)
        beyond = edges[np.repeat(starts[column], degree) + slot, 1]
        pairs = np.unique(np.concatenate([pairs, np.repeat(row, degree) * count + beyond]))
    row, column = np.divmod(pairs, count)
    return row.astype(np.int32), column.astype(np.int32)


@dataclass(frozen=True, slots=True)
class MeshPattern:
    """Which token sees which."""

    tokens: int
    global_tokens: int
    rows: IntArray
    """`(P,)` vertex tokens that look, counted with the global tokens before them."""
    columns: IntArray
    """`(P,)` the vertex tokens that they see."""

    @property
    def padded(self) -> int:
        """Tokens rounded up to whole tiles."""
        return -(-self.tokens // TILE) * TILE

    def elements(self) -> NDArray[np.bool_]:
        """Return the `(tokens, tokens)` pattern itself."""
        open_pairs = np.zeros((self.tokens, self.tokens), bool)
        open_pairs[: self.global_tokens] = open_pairs[:, : self.global_tokens] = True
        open_pairs[self.rows, self.columns] = True
        return open_pairs

    def tiles(self) -> NDArray[np.bool_]:
        """Return the `(T, T)` tiles that hold at least one open pair."""
        count, last_global = self.padded // TILE, -(-self.global_tokens // TILE)
        live = np.zeros((count, count), bool)
        live[:last_global] = live[:, :last_global] = True
        live[self.rows // TILE, self.columns // TILE] = True
        return live

    def mask(self, whole_tiles: bool) -> NDArray[np.bool_]:
        """Return the `(tokens, tokens)` open pairs, element by element or widened to whole tiles."""
        if not whole_tiles:
            return self.elements()
        wide = np.repeat(np.repeat(self.tiles(), TILE, axis=0), TILE, axis=1)
        return wide[: self.tokens, : self.tokens]


def mesh_pattern(edges: IntArray, vertices: int, global_tokens: int, rings: int) -> MeshPattern:
    """Return the pattern of `global_tokens` joints before the vertices of a mesh with `(E, 2)` edges."""
    rows, columns = neighbours(edges, vertices, rings)
    return MeshPattern(global_tokens + vertices, global_tokens, rows + global_tokens, columns + global_tokens)


class DenseMask(torch.nn.Module):
    """Attention over all pairs with a constant bias: simplest and fastest at 445 tokens."""

    bias: Tensor

    def __init__(self, pattern: MeshPattern, whole_tiles: bool = True) -> None:
        super().__init__()
        bias = np.where(pattern.mask(whole_tiles), np.float32(0), np.float32(_BLOCKED))
        self.register_buffer("bias", torch.from_numpy(bias), persistent=False)

    def forward(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Return `(B, heads, T, d)` of `(B, heads, T, d)` queries, keys and values."""
        if self.training:  # the same by one fused operation: a third less time to train, but hard on exporters
            bias = self.bias.to(queries.dtype)
            return torch.nn.functional.scaled_dot_product_attention(queries, keys, values, bias)
        return attend(queries, keys, values, self.bias)


class TileSparse(torch.nn.Module):
    """Attention over live tiles alone: a fixed gather of them for every row of tiles.

    Rows of tiles are sorted by how many live tiles they have and computed in groups of `GROUP_BLOCKS`, each group
    padded to its longest row. Only the rows of global tokens are long.
    """

    order: Tensor

    def __init__(self, pattern: MeshPattern, group_blocks: int = GROUP_BLOCKS) -> None:
        super().__init__()
        self.tokens, self.padded = pattern.tokens, pattern.padded
        live = pattern.tiles()
        counts = live.sum(axis=1)
        order = np.argsort(counts, kind="stable")
        short = int((counts < len(live)).sum())  # full rows would stretch the last group: each is one of its own
        self.groups = list(pairwise(sorted({*range(0, short, group_blocks), *range(short, len(order) + 1)})))
        self.register_buffer("order", torch.from_numpy(order), persistent=False)
        for index, (start, end) in enumerate(self.groups):
            tiles, bias = _group(live, order[start:end], self.tokens)
            self.register_buffer(f"tiles{index}", torch.from_numpy(tiles), persistent=False)
            self.register_buffer(f"bias{index}", torch.from_numpy(bias), persistent=False)
        self.register_buffer("back", torch.from_numpy(np.argsort(order)), persistent=False)

    def forward(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Return `(B, heads, T, d)` of `(B, heads, T, d)` queries, keys and values."""
        q, k, v = (self._tiled(t) for t in (queries, keys, values))
        outputs = [self._attend_group(i, q[:, :, self.order[a:b]], k, v) for i, (a, b) in enumerate(self.groups)]
        return torch.cat(outputs, dim=2)[:, :, self.back].flatten(2, 3)[:, :, : self.tokens]

    def _tiled(self, tokens: Tensor) -> Tensor:
        """Return `(B, heads, tiles, 16, d)`, zeros behind the last token."""
        padded = torch.nn.functional.pad(tokens, (0, 0, 0, self.padded - self.tokens))
        # Not `unflatten`: an export would write the example's batch into the graph.
        return padded.reshape(-1, tokens.shape[1], self.padded // TILE, TILE, tokens.shape[3])

    def _attend_group(self, index: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        tiles = getattr(self, f"tiles{index}")  # (rows, K)
        near_keys, near_values = (t[:, :, tiles].flatten(3, 4) for t in (keys, values))
        return attend(queries, near_keys, near_values, getattr(self, f"bias{index}"))


def _group(live: NDArray[np.bool_], rows: np.ndarray, tokens: int) -> tuple[np.ndarray, np.ndarray]:
    """Return `(rows, K)` tiles to gather and the `(rows, 1, K * 16)` bias that shuts what is padding."""
    longest = int(live[rows].sum(axis=1).max())
    tiles = np.zeros((len(rows), longest), np.int64)
    bias = np.full((len(rows), 1, longest * TILE), _BLOCKED, np.float32)
    for slot, row in enumerate(rows):
        found = np.flatnonzero(live[row])
        tiles[slot, : len(found)] = found
        seen = (found[:, None] * TILE + np.arange(TILE)).reshape(-1) < tokens
        bias[slot, 0, : len(seen)][seen] = 0
    return tiles, bias
