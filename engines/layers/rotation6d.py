"""Rotations as six numbers (Zhou et al., CVPR 2019): the first two columns of the matrix, one after the other.

This is the layout of 4D-Humans (view as 2 x 3). The SPIN family interleaves the columns (view as 3 x 2);
convert there with `from_interleaved` once, at the door.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def to_matrix(numbers: Tensor) -> Tensor:
    """Return `(..., 3, 3)` rotations of `(..., 6)` numbers by Gram-Schmidt."""
    first = functional.normalize(numbers[..., :3], dim=-1, eps=1e-6)
    second = numbers[..., 3:]
    second = functional.normalize(second - (first * second).sum(-1, keepdim=True) * first, dim=-1, eps=1e-6)
    return torch.stack([first, second, torch.linalg.cross(first, second, dim=-1)], dim=-1)


def from_matrix(matrices: Tensor) -> Tensor:
    """Return `(..., 6)` numbers of `(..., 3, 3)` rotations."""
    return torch.cat([matrices[..., 0], matrices[..., 1]], dim=-1)


def from_interleaved(numbers: Tensor) -> Tensor:
    """Return `(..., 6)` numbers in our layout from the SPIN family's interleaved one."""
    return numbers.unflatten(-1, (3, 2)).transpose(-1, -2).flatten(-2)
