"""Takes whose every number is known, and where the independent readers are."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from exporters import Observations, Skeleton, SkinnedMesh, Take, skeleton_from_rest_joints
from exporters.kinematics import forward_kinematics, rest_joints, world_rotations
from exporters.rotations import matrix_from_quaternion, multiply, normalize, quaternion_from_rotvec

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


@pytest.fixture
def random_take(make_take: Callable[..., Take]) -> Take:
    """A take in which every joint turns anywhere from each frame to the next."""
    rng, take = np.random.default_rng(11), make_take(40)
    rotations = normalize(rng.normal(size=take.rotations_wxyz.shape)).astype(np.float32)
    places = rng.uniform(-2, 2, size=(40, 3)).astype(np.float32)
    return replace(take, rotations_wxyz=rotations, root_translation=places, name="random")


@pytest.fixture(scope="session")
def cubes(skeleton: Skeleton) -> SkinnedMesh:
    """A surface of a cube round every joint, each corner bound to two joints and no cube like another."""
    corners = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float32)
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    faces = np.array([t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))], np.int32)
    middle = rest_joints(skeleton)
    sizes = np.linspace(0.02, 0.05, len(middle), dtype=np.float32)[:, None, None]
    joints, weights = np.zeros((len(middle), 8, 4), np.int32), np.zeros((len(middle), 8, 4), np.float32)
    joints[..., 0] = np.arange(len(middle))[:, None]
    joints[..., 1] = np.maximum(skeleton.parents, 0)[:, None]
    weights[..., 0], weights[..., 1] = 0.7, 0.3
    joints[0, :, 1], weights[0, :, :2] = 3, (0.7, 0.3)
    return SkinnedMesh(
        (middle[:, None] + sizes * corners).reshape(-1, 3),
        np.concatenate([faces + 8 * n for n in range(len(middle))]).astype(np.int32),
        joints.reshape(-1, 4),
        weights.reshape(-1, 4),
        name="cubes",
    )


def skinned(take: Take, mesh: SkinnedMesh) -> np.ndarray:
    """Return `(T, V, 3)` metres: where linear blend skinning takes the surface."""
    world = matrix_from_quaternion(world_rotations(take.skeleton, take.rotations_wxyz))
    joints = forward_kinematics(take.skeleton, take.rotations_wxyz, take.root_translation).astype(np.float64)
    local = mesh.vertices[:, None] - rest_joints(take.skeleton)[mesh.joints]
    moved = np.einsum("tvkij,vkj->tvki", world[:, mesh.joints], local) + joints[:, mesh.joints]
    return np.einsum("vk,tvki->tvi", mesh.weights, moved)


@pytest.fixture(scope="module")
def scripts(shared: Path) -> Path:
    folder = shared / "readers"
    if not folder.is_dir():
        pytest.skip("the readers' scripts beside the checkout (../shared/readers) are absent")
    return folder


@pytest.fixture(scope="module")
def node_environment() -> dict[str, str]:
    folder = os.environ.get("MOCAP_READERS_NODE")
    if not folder or not shutil.which("node"):
        pytest.skip("MOCAP_READERS_NODE is not set or node is absent; run scripts/setup_readers")
    modules = Path(folder).resolve() / "node_modules"
    places = {"THREE_DIR": modules / "three", "OSC_MIN_DIR": modules / "osc-min", "MODULES": modules}
    return os.environ | {name: str(place) for name, place in places.items()}


@pytest.fixture(scope="module")
def blender_python() -> str:
    path = os.environ.get("MOCAP_READERS_BPY")
    if not path or not Path(path).exists():
        pytest.skip("MOCAP_READERS_BPY is not set; run scripts/setup_readers")
    return path


@pytest.fixture(scope="module")
def usd_python() -> str:
    """A Python with usd-core, ezc3d and c3d."""
    path = os.environ.get("MOCAP_READERS_USD")
    if not path or not Path(path).exists():
        pytest.skip("MOCAP_READERS_USD is not set; run scripts/setup_readers")
    return path


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
