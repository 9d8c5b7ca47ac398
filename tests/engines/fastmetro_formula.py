"""The closed formula of the FastMETRO reference cases: weights, features and a mesh from names alone."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from functools import cache

import numpy as np
import torch
from torch import Tensor

from engines.body.smpl_levels import SparseRows, sparse_rows
from engines.fastmetro.topology import Topology

COARSE, MIDDLE, FINE = 431, 1723, 6890


def random(name: str) -> np.random.RandomState:
    return np.random.RandomState(zlib.crc32(name.encode()))


def features() -> Tensor:
    values = random("features-2x2048x7x7").standard_normal((2, 2048, 7, 7))
    return torch.from_numpy(np.maximum(values, 0).astype(np.float32))


def adjacent() -> np.ndarray:
    found = np.eye(COARSE, dtype=bool)
    ring = np.arange(COARSE)
    pairs = random("synthetic-adjacency-431").randint(0, COARSE, (850, 2))
    for one, other in ((ring, (ring + 1) % COARSE), (pairs[:, 0], pairs[:, 1])):
        found[one, other] = found[other, one] = True
    return found


def to_fine() -> SparseRows:
    made = random("synthetic-upsample-6890x1723")
    columns, weights = made.randint(0, MIDDLE, (FINE, 3)), made.random_sample((FINE, 3))
    weights /= weights.sum(1, keepdims=True)
    return sparse_rows(np.repeat(np.arange(FINE), 3), columns.ravel(), weights.ravel(), (FINE, MIDDLE))


@cache
def topology() -> Topology:
    """The published formula has no coarse-to-middle matrix; ours is for the Table-2 layout, which has no reference."""
    nearest = SparseRows((np.arange(MIDDLE, dtype=np.int32) % COARSE)[:, None], np.ones((MIDDLE, 1), np.float32))
    return Topology(adjacent(), to_fine(), nearest)


def weight(key: str, shape: tuple[int, ...]) -> Tensor:
    if key.endswith("num_batches_tracked"):
        return torch.zeros(shape, dtype=torch.int64)
    values = random(key).standard_normal(shape)
    if key.endswith("running_var"):
        values = 1 + 0.1 * np.abs(values)
    elif key.endswith("running_mean"):
        values = 0.05 * values
    elif len(shape) > 1 and "token_embed" not in key:
        values = values * np.sqrt(2 / (np.prod(shape[1:]) + shape[0]))
    elif key.endswith((".bias", "_bias")):
        values = 0.05 * values
    elif len(shape) == 1:
        values = 1 + 0.1 * values
    return torch.from_numpy(np.asarray(values, np.float32))


def state(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    return {key: weight(key, shape) for key, shape in shapes.items()}
