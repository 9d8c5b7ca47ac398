"""Vertices back to the pose and shape they were made of."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from test_body import random_betas, random_rotations, with_pose_directions

from engines.body import BodyParameters, load_body
from engines.body.skinning import BodyLayer
from engines.body.topology import load_levels
from engines.body.vertex_fit import FittedBodies, VertexFit


@pytest.fixture(scope="module")
def body() -> BodyParameters:
    return load_body()


@pytest.fixture(scope="module")
def level_ids(body: BodyParameters) -> np.ndarray:
    return load_levels(body).vertex_ids(0)


@pytest.fixture(scope="module")
def level_fit(body: BodyParameters, level_ids: np.ndarray) -> VertexFit:
    return VertexFit(body, level_ids)


class Bodies:
    """Random bodies somewhere in space, and how far a fit is from them."""

    def __init__(self, body: BodyParameters, rng: np.random.Generator, count: int) -> None:
        self.layer = BodyLayer(body)
        self.rotations, self.betas = random_rotations(rng, count), random_betas(rng, count)
        self.place = torch.from_numpy(rng.normal(0, 3, (count, 1, 3)).astype(np.float32))
        self.vertices = self.pose(self.rotations, self.betas) + self.place

    def pose(self, rotations: torch.Tensor, betas: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return self.layer(rotations, betas)[0]

    def distance_mm(self, fit: FittedBodies) -> torch.Tensor:
        found = self.pose(fit.rotations, fit.betas) + fit.translation[:, None]
        return 1000 * (found - self.vertices).norm(dim=-1).mean(dim=1)

    def turn_deg(self, fit: FittedBodies) -> torch.Tensor:
        between = fit.rotations.transpose(-1, -2).double() @ self.rotations.double()
        skew = between - between.transpose(-1, -2)
        sine = torch.stack([skew[..., 2, 1], skew[..., 0, 2], skew[..., 1, 0]], -1).norm(dim=-1) / 2
        cosine = (between.diagonal(dim1=-2, dim2=-1).sum(-1) - 1) / 2
        return torch.rad2deg(torch.atan2(sine, cosine))


def test_round_trip_from_the_coarse_level(
    body: BodyParameters, level_ids: np.ndarray, level_fit: VertexFit, rng: np.random.Generator
) -> None:
    bodies = Bodies(body, rng, 200)
    fit = level_fit(bodies.vertices[:, level_ids])
    assert bodies.distance_mm(fit).max() < 0.5  # 2 mm are asked for
    assert bodies.turn_deg(fit).max() < 0.5  # 1 degree is asked for
    assert (fit.betas - bodies.betas).abs().max() < 0.2
    assert fit.error_m.max() < 0.001


def test_round_trip_from_all_vertices(body: BodyParameters, rng: np.random.Generator) -> None:
    bodies = Bodies(body, rng, 6)
    fit = VertexFit(body)(bodies.vertices)
    assert bodies.distance_mm(fit).max() < 0.5
    assert bodies.turn_deg(fit).max() < 0.5


def test_round_trip_with_pose_correctives(
    body: BodyParameters, level_ids: np.ndarray, rng: np.random.Generator
) -> None:
    corrected = with_pose_directions(body, rng)
    bodies = Bodies(corrected, rng, 4)
    fit = VertexFit(corrected, level_ids)(bodies.vertices[:, level_ids])
    assert bodies.distance_mm(fit).max() < 2
    assert bodies.turn_deg(fit).max() < 1


def test_rotations_are_rotations_also_for_what_is_no_body(level_fit: VertexFit, rng: np.random.Generator) -> None:
    vertices = torch.from_numpy(rng.normal(0, 0.5, (3, 1723, 3)).astype(np.float32))
    fit = level_fit(vertices)
    assert all(torch.isfinite(part).all() for part in fit)
    identity = fit.rotations @ fit.rotations.transpose(-1, -2)
    torch.testing.assert_close(identity, torch.eye(3).expand_as(identity), atol=1e-4, rtol=0)
    assert (torch.linalg.det(fit.rotations) > 0).all()
    assert fit.error_m.min() > 0.1


@pytest.mark.parametrize(("noise_m", "most_mm", "most_deg"), [(0.01, 4, 3), (0.03, 10, 8)])
def test_noise_moves_the_body_by_little(
    noise_m: float, most_mm: float, most_deg: float,
    body: BodyParameters, level_ids: np.ndarray, level_fit: VertexFit, rng: np.random.Generator,
) -> None:  # fmt: skip
    bodies = Bodies(body, rng, 24)
    noise = torch.from_numpy(rng.normal(0, noise_m, (24, 1723, 3)).astype(np.float32))
    given = bodies.vertices[:, level_ids] + noise
    fit = level_fit(given)
    assert bodies.distance_mm(fit).max() < most_mm
    limbs = [0, 1, 2, 4, 5, 16, 17, 18, 19]
    assert bodies.turn_deg(fit)[:, limbs].mean() < most_deg
    assert fit.error_m.mean().item() == pytest.approx(noise_m * 3**0.5, rel=0.05)
    further = level_fit(given, steps=6)  # the steps that are taken by default are enough
    assert (bodies.distance_mm(fit) - bodies.distance_mm(further)).abs().max() < 0.2 * most_mm


def test_each_body_is_fitted_by_itself(
    body: BodyParameters, level_ids: np.ndarray, level_fit: VertexFit, rng: np.random.Generator
) -> None:
    bodies = Bodies(body, rng, 3)
    given = bodies.vertices[:, level_ids]
    together, alone = level_fit(given), level_fit(given[1:2])
    torch.testing.assert_close(together.rotations[1:2], alone.rotations, atol=2e-3, rtol=0)
    assert level_fit(given[:0]).rotations.shape == (0, 24, 3, 3)
