"""Takes whose every number is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from exporters import Observations, Skeleton, Take, skeleton_from_rest_joints
from exporters.rotations import multiply, quaternion_from_rotvec

REST_JOINTS = np.array(
    [
        (0.0, 0.95, 0.0), (0.08, 0.87, 0.0), (-0.08, 0.87, 0.0), (0.0, 1.06, -0.02), (0.11, 0.48, 0.0),
        (-0.11, 0.48, 0.0), (0.0, 1.19, -0.01), (0.10, 0.08, -0.03), (-0.10, 0.08, -0.03), (0.0, 1.25, 0.01),
        (0.12, 0.02, 0.10), (-0.12, 0.02, 0.10), (0.0, 1.46, -0.02), (0.08, 1.37, -0.01), (-0.08, 1.37, -0.01),
        (0.0, 1.56, 0.03), (0.18, 1.40, -0.02), (-0.18, 1.40, -0.02), (0.44, 1.40, -0.03), (-0.44, 1.40, -0.03),
        (0.69, 1.40, -0.03), (-0.69, 1.40, -0.03), (0.77, 1.39, -0.03), (-0.77, 1.39, -0.03),
    ]
)  # fmt: skip
"""`(24, 3)` metres: a made-up adult in the T-pose, SMPL order."""


@pytest.fixture(scope="session")
def rest_joints_m() -> np.ndarray:
    return REST_JOINTS


@pytest.fixture(scope="session")
def skeleton() -> Skeleton:
    return skeleton_from_rest_joints(REST_JOINTS, floor_y_m=0.0)


def turns(axis: tuple[float, float, float], degrees: np.ndarray) -> np.ndarray:
    """Return `(T, 4)` rotations about one axis."""
    unit = np.array(axis) / np.linalg.norm(axis)
    return quaternion_from_rotvec(np.radians(degrees)[:, None] * unit)


def analytic_rotations(count: int) -> np.ndarray:
    """Return `(T, 24, 4)`: a body that turns by 420 degrees and swings its arms through gimbal-prone places."""
    s = np.linspace(0.0, 1.0, count)
    q = np.tile((1.0, 0.0, 0.0, 0.0), (count, 24, 1))
    q[:, 0] = multiply(turns((0, 1, 0), 420 * s), turns((1, 0, 0.2), 25 * np.sin(5 * s)))
    q[:, 1], q[:, 2] = turns((1, 0, 0), -60 * np.sin(6 * s)), turns((1, 0, 0), 60 * np.sin(6 * s))
    q[:, 4] = turns((1, 0, 0), 70 * np.abs(np.sin(6 * s)))
    q[:, 3] = turns((0.3, 1, 0), 15 * np.sin(4 * s))
    q[:, 12], q[:, 15] = turns((0, 1, 0), 40 * np.sin(7 * s)), turns((1, 0, 0), 20 * np.sin(9 * s))
    q[:, 16] = multiply(turns((0, 0, 1), -160 * s), turns((1, 0, 0), 180 * s))
    q[:, 17] = multiply(turns((0, 0, 1), 120 * s), turns((0, 1, 0), 95 * s))
    q[:, 18], q[:, 19] = turns((0, 1, 0), -110 * s), turns((0, 1, 0.1), 120 * s)
    q[:, 20], q[:, 10] = turns((1, 0, 0), 90 * s), turns((1, 0, 0), -20 * s)
    return q.astype(np.float32)


@pytest.fixture
def make_take(skeleton: Skeleton) -> Callable[..., Take]:
    """Return a builder of analytic takes of any length and rate."""

    def build(count: int = 61, fps: float = 30.0, observed: bool = False) -> Take:
        s = np.linspace(0.0, 1.0, count)
        places = np.stack([0.6 * s, 0.95 + 0.05 * np.sin(6 * s), 1.2 * s], axis=1)
        times = np.round(np.arange(count) * 1e9 / fps).astype(np.int64)
        return Take(
            skeleton,
            analytic_rotations(count),
            places.astype(np.float32),
            times,
            name="analytic",
            metadata={"source_fps": fps, "engine": "none"},
            observations=observations(count) if observed else None,
        )

    return build


def observations(count: int) -> Observations:
    rng = np.random.default_rng(7)

    def numbers(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32)

    return Observations(
        np.arange(5, 5 + count, dtype=np.int64),
        numbers(count, 24, 3),
        numbers(count, 24, 2),
        np.abs(numbers(count, 24)),
        numbers(count, 4),
        numbers(10),
        numbers(3, 3),
    )
