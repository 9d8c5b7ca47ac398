"""A body's vertices, and the sums over them that a fit's equations need: in few and large operations.

Linear blend skinning moves vertex v to the sum over joints k of w_vk (R_k z_v + t_k), and its rest place z_v is linear
in the shape numbers: z_v = B_v (1, betas). The products of what any two unknowns move are therefore sums of
w_vj w_vk B_v B_v, which belong to the body alone and are made once; what is left over of given vertices is summed
vertex by vertex, which rounding harms least. Coordinates come before vertices here, so that operations run along them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ..types import IntArray
from .joints import JOINT_COUNT
from .parameters import BodyParameters


class ShapedMoments(NamedTuple):
    """Sums for N given shapes; a place is (z_v, 1), four numbers."""

    places: Tensor
    """`(N, 96, 96)` sums of w_vj w_vk place place: joint j and its place, joint k and its place."""
    basis: Tensor
    """`(N, Q, 3, 4, 1 + S)` sums of w_vj w_vk B_v place of the Q pairs of joints: B's coordinate, place, number."""


class Residual(NamedTuple):
    """What given vertices differ by from a posed body."""

    by_place: Tensor
    """`(N, 96, 3)` sums of w_vj place times the difference."""
    by_shape: Tensor
    """`(N, S)` sums of the difference times what a shape number moves at resting joints."""
    squares: Tensor
    """`(N,)` sums of squares, square metres."""


class VertexMoments(nn.Module):
    """The sums of one body, over all its vertices or over those of a coarse level."""

    shares: Tensor
    shares_by_vertex: Tensor
    basis: Tensor
    directions: Tensor
    first: Tensor
    second: Tensor
    basis_pairs: Tensor
    weight_pairs: Tensor
    direction_pairs: Tensor
    place_index: Tensor
    neighbours: Tensor
    neighbour_pairs: Tensor

    def __init__(self, parameters: BodyParameters, ids: IntArray | None = None) -> None:
        super().__init__()
        chosen = np.arange(parameters.vertex_count) if ids is None else ids
        weights = parameters.skinning_weights[chosen].astype(np.float64)
        template, directions = parameters.template[chosen, :, None], parameters.shape_directions[chosen]
        basis = np.concatenate([template, directions], axis=2).astype(np.float64)  # (V, 3, 1 + S)
        self.vertex_count, self.numbers = len(chosen), basis.shape[2]
        keep(self, "shares", weights.T)
        keep(self, "shares_by_vertex", weights)
        keep(self, "basis", basis.transpose(2, 1, 0).reshape(self.numbers, -1))
        keep(self, "directions", basis[..., 1:].transpose(1, 0, 2).reshape(-1, self.numbers - 1))
        common = weights.T @ weights
        first, second = np.nonzero(np.triu(common))
        keep(self, "first", first)
        keep(self, "second", second)
        self._keep_pairs(weights, basis, first, second)
        self._keep_indices(common > 0, first, second)

    def _keep_pairs(self, weights: np.ndarray, basis: np.ndarray, first: np.ndarray, second: np.ndarray) -> None:
        """Keep the sums of pairs of joints that share vertices, and zeros as one more pair for those that do not."""
        count, numbers = len(first), self.numbers
        ones = np.zeros((len(basis), 1, numbers))
        ones[:, 0, 0] = 1
        places = np.concatenate([basis, ones], axis=1)  # (V, 4, 1 + S)
        sums = np.zeros((count + 1, 3, numbers, 4, numbers))
        total, squares = np.zeros(count + 1), np.zeros((count, 3, 3, numbers - 1, numbers - 1))
        for pair, (j, k) in enumerate(zip(first, second, strict=True)):
            rows = np.flatnonzero(weights[:, j] * weights[:, k])
            share = weights[rows, j] * weights[rows, k]
            flat = (basis[rows].reshape(len(rows), -1) * share[:, None]).T @ places[rows].reshape(len(rows), -1)
            sums[pair], total[pair] = flat.reshape(3, numbers, 4, numbers), share.sum()
            products = sums[pair][:, 1:, :3, 1:].transpose(0, 2, 1, 3)
            # A pair stands for both of its orders, a joint with itself for one.
            squares[pair] = products if j == k else products + products.transpose(1, 0, 2, 3)
        # The place's number first: contracting it with the shape is one matrix product.
        keep(self, "basis_pairs", sums.transpose(4, 0, 1, 3, 2).reshape(numbers, -1))
        keep(self, "weight_pairs", total[None])
        keep(self, "direction_pairs", squares.reshape(count * 9, -1))

    def _keep_indices(self, shared: np.ndarray, first: np.ndarray, second: np.ndarray) -> None:
        """Keep where the pairs stand in the matrix of all joints, and in each joint's padded list of neighbours."""
        count = len(first)
        pair = np.full((JOINT_COUNT, JOINT_COUNT), count)
        pair[first, second] = pair[second, first] = np.arange(count)
        place, other = np.arange(4)[:, None], np.arange(4)[None]
        # B has no row of ones: a place's last column is the last row, which the products do hold.
        held = np.where(other < 3, other * 4 + place, place * 4 + other)
        index = pair[:, None, :, None] * 12 + held[None, :, None]
        index[:, 3, :, 3] = (count + 1) * 12 + pair
        keep(self, "place_index", index.reshape(-1))
        self.longest = int(shared.sum(axis=1).max())
        neighbours = np.argsort(~shared, axis=1, kind="stable")[:, : self.longest]
        keep(self, "neighbours", neighbours.reshape(-1))
        keep(self, "neighbour_pairs", np.take_along_axis(pair, neighbours, axis=1).reshape(-1))

    def shaped(self, numbers: Tensor) -> ShapedMoments:
        """Return the sums for `(N, 1 + S)` numbers (1, betas)."""
        count = len(numbers)
        basis = (numbers @ self.basis_pairs).view(count, 12 * (len(self.first) + 1), self.numbers)
        values = torch.bmm(basis, numbers[..., None])[..., 0]
        values = torch.cat([values, self.weight_pairs.expand(count, -1)], dim=1)
        places = values.index_select(1, self.place_index)
        basis = basis.view(count, len(self.first) + 1, 3, 4, self.numbers)
        return ShapedMoments(places.view(count, 4 * JOINT_COUNT, 4 * JOINT_COUNT), basis)

    def turned_basis(self, turns: Tensor, shaped: ShapedMoments) -> Tensor:
        """Return `(N, 24, 4, 3, 1 + S)` sums of w_vj place times the turned B: joint, place, coordinate, number."""
        count, numbers = len(turns), self.numbers
        around = turns.index_select(1, self.neighbours).view(count * JOINT_COUNT, self.longest, 3, 3)
        around = around.transpose(1, 2).reshape(count * JOINT_COUNT, 3, 3 * self.longest)
        pairs = shaped.basis.index_select(1, self.neighbour_pairs)
        pairs = pairs.view(count * JOINT_COUNT, 3 * self.longest, 4 * numbers)
        return torch.bmm(around, pairs).view(count, JOINT_COUNT, 3, 4, numbers).transpose(2, 3)

    def turned_squares(self, turns: Tensor) -> Tensor:
        """Return `(N, S, S)` sums of products of the turned shape directions."""
        count, shapes = len(turns), self.numbers - 1
        first = turns.index_select(1, self.first).view(count * len(self.first), 3, 3)
        second = turns.index_select(1, self.second).view(count * len(self.second), 3, 3)
        between = torch.bmm(first.transpose(1, 2), second).view(count, 9 * len(self.first))
        return (between @ self.direction_pairs).view(count, shapes, shapes)

    def residual(self, vertices: Tensor, numbers: Tensor, affine: Tensor, offsets: Tensor | None = None) -> Residual:
        """Return what `(N, 3, V)` vertices differ by from bodies of `(N, 24, 3, 4)` affine maps of each joint.

        `offsets`, `(N, 3, V)`, are added to the rest places.
        """
        count = len(vertices)
        rest = (numbers @ self.basis).view(count, 3, self.vertex_count)
        maps = affine.permute(0, 3, 2, 1).reshape(count, 12, JOINT_COUNT) @ self.shares
        maps = maps.view(count, 4, 3, self.vertex_count)
        corrected = rest if offsets is None else rest + offsets
        difference = vertices - (maps[:, :3] * corrected[:, :, None]).sum(1) - maps[:, 3]
        # The places are those of the equations, which know of no offsets.
        products = torch.cat([rest[:, :, None] * difference[:, None], difference[:, None]], dim=1)
        by_place = (products.flatten(1, 2) @ self.shares_by_vertex).view(count, 4, 3, JOINT_COUNT)
        unturned = (maps[:, :3] * difference[:, None]).sum(2)
        by_shape = unturned.flatten(1) @ self.directions
        squares = difference.square().sum((1, 2))
        return Residual(by_place.permute(0, 3, 1, 2).flatten(1, 2), by_shape, squares)


def keep(module: nn.Module, name: str, values: np.ndarray | None) -> None:
    """Register constants that travel with a module and do not belong to its weights."""
    if values is None:
        module.register_buffer(name, None, persistent=False)
        return
    kind = np.int64 if np.issubdtype(values.dtype, np.integer) else np.float32
    module.register_buffer(name, torch.from_numpy(np.ascontiguousarray(values, kind)), persistent=False)
