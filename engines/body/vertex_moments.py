"""Sums over a body's vertices that a fit needs, made once, so that fitting does not depend on how many there are.

Linear blend skinning moves vertex v to the sum over joints k of w_vk (R_k z_v + t_k), and its rest place z_v is linear
in the shape numbers: z_v = B_v (1, betas). Squared distances to given vertices y_v therefore hold the y_v only in the
sums of w_vj B_v y_v, and everything else in sums of w_vj w_vk B_v B_v, which belong to the body alone.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ..types import IntArray
from .joints import JOINT_COUNT
from .parameters import BodyParameters


class Targets(NamedTuple):
    """What is left of `(N, V, 3)` vertices to be fitted, centred on their mean."""

    with_basis: Tensor
    """`(N, 24 * 9, 1 + S)` sums of w_vj y_v B_v: joint, y's coordinate, B's coordinate; shape numbers last."""
    alone: Tensor
    """`(N, 24, 3)` sums of w_vj y_v."""
    cores: Tensor
    """`(N, 24, 3, 4)` sums of w_vj^3 y_v (z_v, 1), z_v of the mean body: each part without its blended borders."""
    squares: Tensor
    """`(N,)` sums of squares of y."""


class ShapedMoments(NamedTuple):
    """Sums for N given shapes; a place is (z_v, 1), four numbers. P pairs of joints with common vertices."""

    places: Tensor
    """`(N, 24, 24, 4, 4)` sums of w_vj w_vk place place."""
    directions: Tensor
    """`(N, P, 3, 4, S)` sums of w_vj w_vk D_v place, with D_v the shape directions."""


class VertexMoments(nn.Module):
    """The sums of one body, over all its vertices or over those of a coarse level."""

    first: Tensor
    second: Tensor
    basis_pairs: Tensor
    direction_pairs: Tensor
    single_pairs: Tensor
    weight_pairs: Tensor
    members: Tensor
    member_basis: Tensor
    core_sums: Tensor
    core_size: Tensor
    numbers_of_growth: Tensor

    def __init__(self, parameters: BodyParameters, ids: IntArray | None = None) -> None:
        super().__init__()
        chosen = np.arange(parameters.vertex_count) if ids is None else ids
        weights = parameters.skinning_weights[chosen].astype(np.float64)
        template, directions = parameters.template[chosen, :, None], parameters.shape_directions[chosen]
        basis = np.concatenate([template, directions], axis=2).transpose(0, 2, 1).astype(np.float64)  # (V, 1 + S, 3)
        self.vertex_count, self.numbers = len(chosen), basis.shape[1]
        self._keep_pairs(weights, basis.reshape(len(chosen), -1))
        self._keep_members(weights, basis)

    def _keep(self, name: str, values: np.ndarray) -> None:
        kind = np.int64 if np.issubdtype(values.dtype, np.integer) else np.float32
        self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(values, kind)), persistent=False)

    def _keep_pairs(self, weights: np.ndarray, flat: np.ndarray) -> None:
        """Keep what belongs to pairs of joints that share vertices, in both orders."""
        first, second = np.nonzero(weights.T @ weights)
        count, wide = len(first), flat.shape[1]
        both, single, total = np.empty((count, wide, wide)), np.empty((count, wide)), np.empty(count)
        for pair, (j, k) in enumerate(zip(first, second, strict=True)):
            rows = np.flatnonzero(weights[:, j] * weights[:, k])
            shares = weights[rows, j] * weights[rows, k]
            both[pair] = (flat[rows] * shares[:, None]).T @ flat[rows]
            single[pair], total[pair] = shares @ flat[rows], shares.sum()
        blocks = both.reshape(count, self.numbers, 3, self.numbers, 3)
        self._keep("first", first)
        self._keep("second", second)
        # Shape number of the left factor first: contracting it with the shape is one matrix product.
        self._keep("basis_pairs", blocks.transpose(1, 0, 4, 2, 3).reshape(self.numbers, -1))
        # Coordinates first, then the two shape directions: (P * 9, S * S)
        inner = blocks[:, 1:, :, 1:].transpose(0, 2, 4, 1, 3)
        self._keep("direction_pairs", inner.reshape(count * 9, -1))
        self._keep("single_pairs", single.reshape(count, self.numbers, 3))
        self._keep("weight_pairs", total)

    def _keep_members(self, weights: np.ndarray, basis: np.ndarray) -> None:
        """Keep each joint's vertices, padded to the longest list by weights of zero."""
        longest = int((weights > 0).sum(axis=0).max())
        members = np.zeros((JOINT_COUNT, longest), np.int64)
        shares = np.zeros((JOINT_COUNT, longest))
        for joint in range(JOINT_COUNT):
            found = np.flatnonzero(weights[:, joint])
            members[joint, : len(found)] = found
            shares[joint, : len(found)] = weights[found, joint]
        weighted = basis[members].reshape(JOINT_COUNT, longest, -1) * shares[..., None]
        self._keep("members", members)
        cores = np.concatenate([basis[members][:, :, 0], np.ones((*shares.shape, 1))], axis=2) * shares[..., None] ** 3
        self._keep("member_basis", np.concatenate([weighted, shares[..., None], cores], axis=2))
        self._keep("core_sums", cores.sum(axis=1))
        share = shares[..., None, None] ** 3
        arms = basis[members] - (basis[members] * share).sum(axis=1, keepdims=True) / share.sum(axis=1, keepdims=True)
        products = np.einsum("jmc,jmic->i", arms[:, :, 0] * share[..., 0], arms)
        growth = products[1:] / products[0]  # how much larger the parts become by each shape number
        self._keep("core_size", products[:1])
        self._keep("numbers_of_growth", growth / (growth**2).sum())

    def targets(self, vertices: Tensor) -> Targets:
        """Return the sums of `(N, V, 3)` vertices, which lie around the origin."""
        count = len(vertices)
        rows = vertices.transpose(0, 1).reshape(self.vertex_count, count * 3)
        # One product for everybody: people are further rows, so that the body's own sums are read once.
        sums = rows[self.members].transpose(1, 2) @ self.member_basis  # (24, N * 3, 3 * (1 + S) + 5)
        sums = sums.unflatten(1, (count, 3)).transpose(0, 1)  # (N, 24, 3, 3 * (1 + S) + 5)
        with_basis = sums[..., :-5].unflatten(3, (self.numbers, 3)).transpose(3, 4).flatten(1, 3)
        return Targets(with_basis, sums[..., -5], sums[..., -4:], vertices.square().sum((1, 2)))

    def shaped(self, numbers: Tensor) -> ShapedMoments:
        """Return the sums for `(N, 1 + S)` numbers (1, betas)."""
        count, pairs = len(numbers), len(self.first)
        left = (numbers @ self.basis_pairs).reshape(count, pairs, 3, 3, self.numbers)
        middles = (self.single_pairs.transpose(1, 2) @ numbers[:, None, :, None])[..., 0]
        places = left.new_zeros(count, JOINT_COUNT, JOINT_COUNT, 4, 4)
        blocks = left.new_empty(count, pairs, 4, 4)
        blocks[..., :3, :3] = (left @ numbers[:, None, None, :, None])[..., 0].transpose(2, 3)
        blocks[..., :3, 3] = blocks[..., 3, :3] = middles
        blocks[..., 3, 3] = self.weight_pairs
        places[:, self.first, self.second] = blocks
        alone = self.single_pairs[:, 1:].transpose(1, 2)[None, :, :, None].expand(count, -1, -1, -1, -1)
        return ShapedMoments(places, torch.cat([left[..., 1:], alone], dim=3))
