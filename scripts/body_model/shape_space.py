"""Which people are sampled, their shape directions and the joints' regressor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SHAPE_COUNT = 10
# Children are a fifth of the samples, so that their shape is well known, but weigh little, so that a random
# shape is mostly an adult's.
CHILD_SHARE, CHILD_WEIGHT = 0.2, 0.25
REGRESSOR_CANDIDATE_WEIGHT = 0.02


@dataclass(frozen=True, slots=True)
class ShapeSpace:
    """Mean body and directions of change; `mean + directions @ betas` with betas about N(0, 1)."""

    mean: Array
    """`(V, 3)`."""
    directions: Array
    """`(V, 3, S)`."""
    coefficients: Array
    """`(N, S)` betas of the samples."""


def sample_phenotypes(count: int, rng: np.random.Generator) -> tuple[dict[str, Array], Array]:
    """Return Anny's phenotype values `name -> (count,)` and each sample's weight in the statistics."""
    is_child = np.arange(count) < CHILD_SHARE * count
    age = np.where(is_child, rng.uniform(0.22, 0.5, count), rng.uniform(0.55, 0.95, count))
    phenotypes = {
        "gender": rng.beta(0.6, 0.6, count),
        "age": age,
        "muscle": rng.beta(3, 3, count),
        "weight": rng.beta(2.5, 2.5, count),
        "height": rng.beta(10, 11, count),
        "proportions": rng.beta(3, 3, count),
    }
    return phenotypes, np.where(is_child, CHILD_WEIGHT, 1.0)


def fit_shape_space(samples: Array, weights: Array) -> ShapeSpace:
    """Weighted principal components of `(N, V, 3)` bodies; each positive beta makes the body taller."""
    share = weights / weights.sum()
    mean = np.einsum("n,nvi->vi", share, samples)
    centred = (samples - mean).reshape(len(samples), -1)
    _, values, rows = np.linalg.svd(centred * np.sqrt(share)[:, None], full_matrices=False)
    spread, rows = values[:SHAPE_COUNT], rows[:SHAPE_COUNT]
    directions = rows * spread[:, None]
    heights = np.ptp(directions.reshape(SHAPE_COUNT, -1, 3)[:, :, 1] + mean[:, 1], axis=1) - np.ptp(mean[:, 1])
    sign = np.where(heights < 0, -1.0, 1.0)
    directions = (directions * sign[:, None]).reshape(SHAPE_COUNT, *mean.shape).transpose(1, 2, 0)
    coefficients = centred @ rows.T / spread * sign
    return ShapeSpace(mean, directions, coefficients)


def fit_regressor(samples: Array, joints: Array, skinning_weights: Array) -> Array:
    """Return `(J, V)` non-negative rows summing to 1 that place `(N, J, 3)` joints among `(N, V, 3)` vertices.

    Each joint is fitted on the vertices it moves (non-negative least squares, the sum as one heavy equation).
    """
    from scipy.optimize import nnls

    regressor = np.zeros((joints.shape[1], samples.shape[1]))
    for joint in range(joints.shape[1]):
        near = np.flatnonzero(skinning_weights[:, joint] > REGRESSOR_CANDIDATE_WEIGHT)
        rows = samples[:, near].transpose(0, 2, 1).reshape(-1, len(near))
        heavy = np.full((1, len(near)), 1e3)
        solution, _ = nnls(np.concatenate([rows, heavy]), np.append(joints[:, joint].reshape(-1), 1e3))
        solution[solution < 1e-4] = 0
        regressor[joint, near] = solution / solution.sum()
    return regressor
