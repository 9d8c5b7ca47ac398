"""Properties every rotation must have."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from exporters import rotations as r

ORDERS = ["".join(p) for p in itertools.permutations("XYZ")]


def same_rotation(a: np.ndarray, b: np.ndarray, tolerance: float = 1e-12) -> bool:
    return bool((np.minimum(np.abs(a - b).max(-1), np.abs(a + b).max(-1)) < tolerance).all())


@pytest.fixture
def quaternions(rng: np.random.Generator) -> np.ndarray:
    """Random rotations, tiny ones, half turns, and the identity."""
    random = r.normalize(rng.normal(size=(200, 4)))
    axes = r.normalize(np.concatenate([np.zeros((50, 1)), rng.normal(size=(50, 3))], axis=1))
    tiny = r.quaternion_from_rotvec(rng.normal(size=(50, 3)) * 10.0 ** rng.uniform(-12, -3, (50, 1)))
    return np.concatenate([random, axes, tiny, [[1.0, 0, 0, 0]], -random[:5]])


def test_product_is_composition(quaternions, rng):
    other, v = quaternions[::-1], rng.normal(size=(len(quaternions), 3))
    turned = r.rotate(r.multiply(quaternions, other), v)
    np.testing.assert_allclose(turned, r.rotate(quaternions, r.rotate(other, v)), atol=1e-12)
    matrices = r.matrix_from_quaternion(quaternions) @ r.matrix_from_quaternion(other)
    np.testing.assert_allclose(np.einsum("nij,nj->ni", matrices, v), turned, atol=1e-12)


def test_product_is_associative_and_inverse_undoes(quaternions):
    a, b, c = quaternions, quaternions[::-1], np.roll(quaternions, 7, axis=0)
    assert same_rotation(r.multiply(r.multiply(a, b), c), r.multiply(a, r.multiply(b, c)))
    identity = np.tile((1.0, 0, 0, 0), (len(a), 1))
    assert same_rotation(r.multiply(a, r.inverse(a)), identity)


def test_known_turns():
    quarter = r.quaternion_from_rotvec(np.array([0, 0, np.pi / 2]))
    np.testing.assert_allclose(r.rotate(quarter, np.array([1.0, 0, 0])), [0, 1, 0], atol=1e-15)
    np.testing.assert_allclose(r.matrix_from_quaternion(quarter), [[0, -1, 0], [1, 0, 0], [0, 0, 1]], atol=1e-15)
    # Intrinsic Z then X: the x axis is turned by Z first.
    q = r.quaternion_from_euler(np.radians([90.0, 90.0, 0.0]), "ZXY")
    np.testing.assert_allclose(r.rotate(q, np.array([0.0, 1, 0])), [0, 0, 1], atol=1e-15)


def test_round_trip_through_matrices_and_vectors(quaternions):
    assert same_rotation(r.quaternion_from_matrix(r.matrix_from_quaternion(quaternions)), quaternions)
    assert same_rotation(r.quaternion_from_rotvec(r.rotvec_from_quaternion(quaternions)), quaternions)
    assert (np.linalg.norm(r.rotvec_from_quaternion(quaternions), axis=-1) <= np.pi + 1e-12).all()


def test_tiny_rotation_keeps_its_digits():
    v = np.array([3e-10, -2e-10, 1e-10])
    np.testing.assert_allclose(r.rotvec_from_quaternion(r.quaternion_from_rotvec(v)), v, rtol=1e-12)


@pytest.mark.parametrize("order", ORDERS)
def test_euler_round_trip(quaternions, order):
    angles = r.euler_from_quaternion(quaternions, order)
    assert same_rotation(r.quaternion_from_euler(angles, order), quaternions)
    assert (np.abs(angles[:, 1]) <= np.pi / 2 + 1e-12).all()


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("middle", [90.0, -90.0, 89.9999999, -90.00001])
def test_euler_at_the_gimbal(order, middle, rng):
    angles = np.radians(np.stack([rng.uniform(-180, 180, 20), np.full(20, middle), rng.uniform(-180, 180, 20)], 1))
    q = r.quaternion_from_euler(angles, order)
    found = r.euler_from_quaternion(q, order)
    assert same_rotation(r.quaternion_from_euler(found, order), q, 2e-6)
    steady = r.continuous_euler(found, order)
    assert same_rotation(r.quaternion_from_euler(steady, order), q, 2e-6)


@pytest.mark.parametrize("order", ORDERS)
def test_continuous_curves_through_gimbal_and_full_turns(order):
    t = np.linspace(0, 1, 200)
    # 720 degrees outside, the middle angle straight through +90 and beyond.
    wanted = np.radians(np.stack([720 * t, 170 * t, 30 * np.sin(5 * t)], axis=1))
    raw = r.euler_from_quaternion(r.quaternion_from_euler(wanted, order), order)
    assert np.abs(np.diff(raw, axis=0)).max() > np.pi  # else this test shows nothing
    steady = r.continuous_euler(raw, order)
    np.testing.assert_allclose(steady, wanted, atol=1e-9)


@pytest.mark.parametrize("order", ORDERS)
def test_continuous_curves_are_those_found_step_by_step(order, rng):
    """Each joint on its own, at random, with a rest in the gimbal lock: every time, the triple nearest to the last."""
    rotvecs = np.cumsum(rng.normal(scale=0.3, size=(300, 5, 3)), axis=0)
    found = r.euler_from_quaternion(r.quaternion_from_rotvec(rotvecs), order)
    found[100:110, 2], found[200:205, 3] = (1.0, np.pi / 2, 0.0), (-2.0, -np.pi / 2, 0.0)
    steady = r.continuous_euler(found, order)
    q = r.quaternion_from_euler(found, order)
    assert same_rotation(r.quaternion_from_euler(steady, order), q, 1e-7)
    free = np.abs(np.cos(found[..., 1])) > 1e-3
    for t in range(1, len(found)):
        now = steady[t]
        flipped = np.stack([now[:, 0] + np.pi, np.pi - now[:, 1], now[:, 2] + np.pi], axis=-1)
        flipped -= 2 * np.pi * np.round((flipped - steady[t - 1]) / (2 * np.pi))
        chosen, other = (np.abs(a - steady[t - 1]).sum(axis=-1) for a in (now, flipped))
        assert (chosen <= other + 1e-9)[free[t]].all()
        assert (np.abs(now - steady[t - 1]) <= np.pi + 1e-9).all()
    np.testing.assert_allclose(np.diff(steady[100:110, 2, 0]), 0, atol=1e-12)


def test_unknown_order_is_refused():
    with pytest.raises(ValueError, match='found "ZXZ"'):
        r.euler_from_quaternion(np.array([1.0, 0, 0, 0]), "ZXZ")


def test_slerp_ends_middle_and_short_way(quaternions):
    a, b = quaternions, quaternions[::-1]
    n = len(a)
    assert same_rotation(r.slerp(a, b, np.zeros(n)), a)
    assert same_rotation(r.slerp(a, b, np.ones(n)), b, 1e-9)
    step = r.rotvec_from_quaternion(r.multiply(r.inverse(a), b))
    third = r.rotvec_from_quaternion(r.multiply(r.inverse(a), r.slerp(a, b, np.full(n, 1 / 3))))
    short = np.linalg.norm(step, axis=-1) < np.pi - 1e-6
    np.testing.assert_allclose(third[short], step[short] / 3, atol=1e-9)


def test_slerp_of_one_rotation_in_two_signs_stands_still(quaternions):
    assert same_rotation(r.slerp(quaternions, -quaternions, np.full(len(quaternions), 0.5)), quaternions)


def test_signs_become_continuous(quaternions, rng):
    path = r.slerp(quaternions[:1], quaternions[1:2], np.linspace(0, 1, 50))
    flipped = path * rng.choice([-1.0, 1.0], (50, 1))
    steady = r.continuous_signs(flipped)
    assert same_rotation(steady, path)
    assert ((steady[1:] * steady[:-1]).sum(-1) > 0).all()
    assert r.continuous_signs(np.zeros((0, 24, 4))).shape == (0, 24, 4)


def test_precision_of_the_answer_follows_the_input(quaternions):
    single = quaternions.astype(np.float32)
    for function in (r.normalize, r.inverse, r.matrix_from_quaternion, r.rotvec_from_quaternion):
        assert function(single).dtype == np.float32
        assert function(quaternions).dtype == np.float64
    assert same_rotation(r.normalize(single), quaternions, 1e-6)


def test_zero_quaternion_becomes_identity():
    np.testing.assert_array_equal(r.normalize(np.zeros(4)), [1, 0, 0, 0])
