"""Body parameters from a mesh of 1,723 vertices (the "SMPL parameter regressor" of the release)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

JOINTS, SHAPE_NUMBERS, HIDDEN = 24, 10, 1024


class Dense(nn.Module):
    """Linear, batch norm, ReLU."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.fc_block = nn.Sequential(nn.Linear(inputs, HIDDEN), nn.BatchNorm1d(HIDDEN), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        """Return `(B, 1024)`."""
        return self.fc_block(x)


class Residual(nn.Module):
    """Linear, batch norm, ReLU, linear, batch norm around a short cut."""

    def __init__(self) -> None:
        super().__init__()
        self.fc_block = nn.Sequential(
            nn.Linear(HIDDEN, HIDDEN), nn.BatchNorm1d(HIDDEN), nn.ReLU(),
            nn.Linear(HIDDEN, HIDDEN), nn.BatchNorm1d(HIDDEN),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """Return `(B, 1024)`."""
        return functional.relu(self.fc_block(x) + x)


class BodyParametersRead(NamedTuple):
    """What the regressor returns."""

    matrices: Tensor
    """`(B, 24, 3, 3)` nearly rotations, parent-relative; see `nearest_rotations`."""
    betas: Tensor
    """`(B, 10)`."""


class ParameterRegressor(nn.Module):
    """A perceptron over the flattened mesh; gradients stop at its door."""

    def __init__(self, vertices: int) -> None:
        super().__init__()
        last = nn.Linear(HIDDEN, JOINTS * 9 + SHAPE_NUMBERS)
        self.regressor = nn.Sequential(Dense(vertices * 3), Residual(), Residual(), last)

    def forward(self, vertices: Tensor) -> BodyParametersRead:
        """Return the parameters of `(B, V, 3)` vertices in metres, as the network gives them (not centred)."""
        numbers = self.regressor(vertices.detach().flatten(1))
        matrices, betas = numbers.split([JOINTS * 9, SHAPE_NUMBERS], dim=1)
        return BodyParametersRead(matrices.reshape(-1, JOINTS, 3, 3), betas)


def nearest_rotations(matrices: Tensor) -> Tensor:
    """Return rotations made of `(..., 3, 3)` matrices, as the release makes them.

    U V^T times its determinant as a scalar, which is not the nearest rotation where the determinant is -1; kept so
    that published weights give their published result. Kept out of the network: no ONNX operator does an SVD.
    """
    u, _, vt = torch.linalg.svd(matrices)
    turned = u @ vt
    return turned * torch.linalg.det(turned)[..., None, None]
