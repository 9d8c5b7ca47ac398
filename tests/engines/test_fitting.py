"""The fit of a pose to where its joints are seen."""

from __future__ import annotations

import numpy as np
import pytest

from engines.body import load_body
from engines.body.fitting import Evidence, fit_pose, joints_of
from engines.body.joints import SMPL_PARENTS
from engines.body.parameters import rest_joints
from engines.training.poses import from_rotation_vectors

PEOPLE = 4


@pytest.fixture(scope="module")
def bones() -> np.ndarray:
    rest = rest_joints(load_body())
    offsets = rest - rest[np.maximum(np.array(SMPL_PARENTS), 0)]
    return np.repeat(offsets[None], PEOPLE, 0).astype(np.float32)


@pytest.fixture
def rotations(rng: np.random.Generator) -> np.ndarray:
    poses = from_rotation_vectors(rng.normal(0, 0.25, (PEOPLE, 24, 3)).astype(np.float32))
    poses[:, 0] = poses[:, 0] @ np.diag([1.0, -1.0, -1.0]).astype(np.float32)
    return poses


def seen(joints: np.ndarray, place: np.ndarray, weight: float, place_weight: float = 0.0) -> Evidence:
    points = joints + place[:, None]
    weights = np.full(joints.shape[:2], weight)
    return Evidence(points[..., :2] / points[..., 2:], weights, joints, np.full(joints.shape[:2], place_weight))


def reprojection(joints: np.ndarray, place: np.ndarray, evidence: Evidence) -> float:
    points = joints + place[:, None]
    return float(np.abs(points[..., :2] / points[..., 2:] - evidence.rays).max())


def test_joints_of_follow_the_skinning(rotations, bones) -> None:  # type: ignore[no-untyped-def]
    torch = pytest.importorskip("torch")
    from engines.body.skinning import BodyLayer

    _, joints = BodyLayer(load_body())(torch.from_numpy(rotations), torch.zeros(PEOPLE, 10))
    found = joints_of(rotations, bones)
    np.testing.assert_allclose(found, (joints - joints[:, :1]).numpy(), atol=1e-5)


def test_a_pose_that_fits_stays_as_it_is(rotations, bones) -> None:  # type: ignore[no-untyped-def]
    place = np.array([[0, 0, 4.0]] * PEOPLE, np.float32)
    evidence = seen(joints_of(rotations, bones), place, 500.0)
    fitted, moved = fit_pose(rotations, bones, place, evidence)
    np.testing.assert_allclose(fitted, rotations, atol=1e-5)
    np.testing.assert_allclose(moved, place, atol=1e-4)


def test_a_disturbed_pose_comes_back_to_the_picture_and_nearer_to_the_truth(rng, rotations, bones) -> None:  # type: ignore[no-untyped-def]
    place = np.array([[0.2, -0.1, 4.0]] * PEOPLE, np.float32)
    truth = joints_of(rotations, bones)
    evidence = seen(truth, place, 800.0)
    noise = np.zeros((PEOPLE, 24, 3), np.float32)
    noise[:, [1, 2, 4, 5, 16, 17, 18, 19], 2] = rng.normal(0, 0.2, (PEOPLE, 8))
    disturbed = rotations @ from_rotation_vectors(noise)
    start = joints_of(disturbed, bones)
    fitted, moved = fit_pose(disturbed, bones, place, evidence)
    end = joints_of(fitted, bones)
    assert reprojection(end, moved, evidence) < 0.25 * reprojection(start, place, evidence)
    assert np.linalg.norm(end - truth, axis=-1).mean() < 0.6 * np.linalg.norm(start - truth, axis=-1).mean()


def test_results_are_rotations_and_unseen_joints_are_left_alone(rng, rotations, bones) -> None:  # type: ignore[no-untyped-def]
    place = np.array([[0, 0, 3.0]] * PEOPLE, np.float32)
    elsewhere = rng.normal(0, 0.4, (PEOPLE, 24, 3))
    evidence = seen(elsewhere, place, 0.0)
    fitted, moved = fit_pose(rotations, bones, place, evidence)
    np.testing.assert_allclose(fitted, rotations, atol=1e-5)
    np.testing.assert_allclose(moved, place, atol=1e-6)
    wild = seen(elsewhere, place, 500.0)
    turned, _ = fit_pose(rotations, bones, place, wild)
    identity = np.broadcast_to(np.eye(3), turned.shape)
    np.testing.assert_allclose(turned @ np.swapaxes(turned, -1, -2), identity, atol=1e-5)
