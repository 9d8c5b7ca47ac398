"""The filters alone: what rests passes, noise is calmed, motion does not lag, what is hidden does not run wild."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from exporters.rotations import inverse, multiply, quaternion_from_rotvec, rotvec_from_quaternion
from mocap_app.config import SmoothingConfig
from mocap_app.motion.filters import HIDDEN_SPEED_RAD_S, PlaceFilter, RotationFilter, smoothing_factor
from mocap_app.motion.flips import LONGEST_HOLD_S, FlipGate

CONFIG = SmoothingConfig()
SURE = np.ones(1)


def turned(*angles: float, axis: tuple[float, float, float] = (0, 0, 1)) -> np.ndarray:
    return quaternion_from_rotvec(np.array(angles)[:, None] * np.array(axis, np.float64))


def angle_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.linalg.norm(rotvec_from_quaternion(multiply(inverse(a), b)), axis=-1)


def test_smoothing_factor_is_the_papers() -> None:
    # alpha = 1 / (1 + tau / T), tau = 1 / (2 pi fc): Casiez et al. 2012, equation 3 and appendix.
    assert smoothing_factor(np.array(1.0), 1 / 120) == pytest.approx(1 / (1 + 120 / (2 * np.pi)))


@pytest.mark.parametrize("steps", [[1 / 30] * 50, [0.001, 0.2, 0.03, 0.4, 0.0, 0.05]])
def test_a_constant_passes_unchanged(steps: list[float]) -> None:
    place, rotation = PlaceFilter(CONFIG), RotationFilter(CONFIG)
    still = turned(2.5)
    for step_s in [0.0, *steps]:
        np.testing.assert_allclose(place(np.array((0.3, -0.2, 4.0)), step_s), (0.3, -0.2, 4.0), atol=1e-12)
        assert angle_between(rotation(still, np.array([0.1]), step_s), still).max() < 1e-12


def test_noise_is_calmed_most_along_the_viewing_ray(rng: np.random.Generator) -> None:
    place = PlaceFilter(CONFIG)
    noisy = np.array((0.0, 0.0, 4.0)) + rng.normal(0, (0.004, 0.004, 0.05), (300, 3))
    calm = np.array([place(p, 1 / 30) for p in noisy])[60:]
    ratio = np.diff(calm, axis=0).std(axis=0) / np.diff(noisy, axis=0).std(axis=0)
    assert (ratio[:2] < 0.35).all()
    assert ratio[2] < 0.2


def test_smoothing_the_depth_does_not_move_the_body_in_the_picture() -> None:
    place = PlaceFilter(CONFIG)
    place(np.array((1.0, 0.5, 4.0)), 0.0)
    x, y, z = place(np.array((1.01, 0.505, 4.04)), 1 / 30)
    assert z < 4.01
    assert (x / z, y / z) == pytest.approx((0.25, 0.125))


def test_rotation_noise_is_calmed_and_a_fast_turn_lags_less_than_at_rest(rng: np.random.Generator) -> None:
    rotation = RotationFilter(CONFIG)
    angles = rng.normal(0, 0.05, 300)
    calm = [rotation(turned(a), SURE, 1 / 30) for a in angles]
    jitter = np.array([angle_between(a, b)[0] for a, b in pairwise(calm[60:])])
    assert jitter.mean() < 0.4 * np.abs(np.diff(angles)).mean()
    fast, lag = RotationFilter(CONFIG), 0.0
    for index in range(60):
        lag = float(angle_between(fast(turned(8 * index / 30), SURE, 1 / 30), turned(8 * index / 30))[0])
    assert lag / 8 < 0.02, "seconds; at rest it is 0.1"


def test_turning_on_and_on_has_no_seam() -> None:
    rotation, before = RotationFilter(CONFIG), None
    for index in range(200):
        now = rotation(turned(index * 0.1), SURE, 1 / 30)
        if before is not None:
            assert angle_between(before, now)[0] < 0.11
            assert float((before * now).sum()) > 0.9  # no change of sign either
        before = now


def test_the_result_depends_on_time_not_on_the_number_of_steps() -> None:
    coarse, fine = RotationFilter(CONFIG), RotationFilter(CONFIG)
    for index in range(31):
        a = coarse(turned(index / 30), SURE, 1 / 30)
    for index in range(121):
        b = fine(turned(index / 120), SURE, 1 / 120)
    assert angle_between(a, b)[0] < 0.03


def test_a_hidden_joint_cannot_run_wild(rng: np.random.Generator) -> None:
    rotation = RotationFilter(CONFIG)
    still = turned(0.0, 0.0)
    confidence = np.array((0.0, 1.0))
    before = rotation(still, confidence, 0.0)
    for _ in range(30):
        wild = quaternion_from_rotvec(rng.normal(0, 1.5, (2, 3)))
        now = rotation(wild, confidence, 1 / 30)
        assert angle_between(before, now)[0] <= HIDDEN_SPEED_RAD_S / 30 + 1e-9
        before = now
    assert angle_between(before, still)[0] < 1.0


def test_a_hidden_joint_comes_round_in_time() -> None:
    rotation = RotationFilter(CONFIG)
    rotation(turned(0.0), np.zeros(1), 0.0)
    for _ in range(150):
        now = rotation(turned(1.0), np.zeros(1), 1 / 30)
    assert angle_between(now, turned(1.0))[0] < 0.1


def test_joints_do_not_disturb_one_another() -> None:
    both, alone = RotationFilter(CONFIG), RotationFilter(CONFIG)
    for index in range(20):
        a = both(turned(0.1 * index, 0.3), np.ones(2), 1 / 30)
        b = alone(turned(0.1 * index), SURE, 1 / 30)
    np.testing.assert_allclose(a[0], b[0], atol=1e-12)
    assert angle_between(a[1:], turned(0.3)).max() < 1e-12


def test_depths_behind_the_camera_stay_finite() -> None:
    place = PlaceFilter(CONFIG)
    for z in (-1.0, 0.0, 1e-9, 4.0):
        assert np.isfinite(place(np.array((0.1, 0.1, z)), 1 / 30)).all()


def test_a_body_seen_back_to_front_for_a_moment_is_held() -> None:
    gate, facing, flipped = FlipGate(), turned(0.1, 0.5), turned(3.1, -0.5)
    for index in range(10):
        seen = flipped if index in (4, 5) else facing
        np.testing.assert_array_equal(gate(seen, 1 / 30), facing)


def test_a_turn_that_lasts_is_believed() -> None:
    gate = FlipGate()
    gate(turned(0.0), 0.0)
    answers = [float(angle_between(gate(turned(3.0), 1 / 30), turned(3.0))[0]) for _ in range(10)]
    late = next(n for n, angle in enumerate(answers) if angle < 1e-9)
    assert 0 < late / 30 <= LONGEST_HOLD_S
    assert max(answers[late:]) < 1e-9


def test_a_fast_spin_passes() -> None:
    gate = FlipGate()
    for index in range(60):
        now = turned(4 * np.pi * index / 30)
        np.testing.assert_array_equal(gate(now, 1 / 30), now)
