"""World, retargeting and the solver: known bodies come back, the floor is found and stays calm."""

from __future__ import annotations

import numpy as np
import pytest

from engines.geometry import default_intrinsics, project
from engines.synthetic import SyntheticEngine, SyntheticOptions
from engines.types import BodyModel, FloatArray, MeshResult, Regions
from exporters.kinematics import forward_kinematics, rest_joints, world_rotations
from exporters.rotations import matrix_from_quaternion, quaternion_from_rotvec
from mocap_app.config import MotionConfig, SmoothingConfig
from mocap_app.motion.retarget import SOLE_BELOW_JOINTS_M, local_rotations, rest_joints_of
from mocap_app.motion.solver import MotionSolver, evidence_weights
from mocap_app.motion.world import Floor, world_from_camera
from mocap_app.types import Frame, Tracks

BODY: BodyModel = SyntheticEngine(SyntheticOptions()).body_model
LEVEL = np.diag((1.0, -1.0, -1.0))
CAMERA = default_intrinsics(640, 480)
RAW = MotionConfig(smoothing=SmoothingConfig(enabled=False))


def frame(time_s: float) -> Frame:
    return Frame(np.zeros((480, 640, 3), np.uint8), round(time_s * 30), round(time_s * 1e9))


def tracks(count: int) -> Tracks:
    ids = np.arange(1, count + 1, dtype=np.int64)
    return Tracks(ids, np.zeros((count, 4), np.float32), np.ones(count, np.float32))


def posed(
    locals_: np.ndarray, places: np.ndarray, betas: np.ndarray | None = None, axes: np.ndarray = LEVEL
) -> MeshResult:
    """Pose the doll by plain matrix products: `(N, J, 3, 3)` parent-relative, the root's relative to the world."""
    n, j = locals_.shape[:2]
    betas = np.zeros((n, 10), np.float32) if betas is None else betas.astype(np.float32)
    rotations, joints = np.empty((n, j, 3, 3)), np.zeros((n, j, 3))
    for person in range(n):
        rest = rest_joints_of(BODY, betas[person]).astype(np.float64)
        rotations[person, 0] = axes.T @ locals_[person, 0]
        for joint, parent in enumerate(BODY.parents[1:], start=1):
            rotations[person, joint] = rotations[person, parent] @ locals_[person, joint]
            bone = rest[joint] - rest[parent]
            joints[person, joint] = joints[person, parent] + rotations[person, parent] @ bone
    places = np.asarray(places, np.float32)
    return MeshResult(
        vertices=joints.astype(np.float32),
        joints=joints.astype(np.float32),
        translation=places,
        global_rotations=rotations.astype(np.float32),
        shape=betas,
        joints_px=project((joints + places[:, None]).astype(np.float32), CAMERA),
        confidence=np.ones((n, j), np.float32),
        scores=np.ones(n, np.float32),
        intrinsics=CAMERA,
        next_regions=Regions(np.zeros((n, 2), np.float32), np.ones(n, np.float32), np.zeros(n, np.float32)),
    )


def standing(*places: tuple[float, float, float]) -> MeshResult:
    return posed(np.tile(np.eye(3), (len(places), 24, 1, 1)), np.array(places).reshape(-1, 3))


def random_locals(rng: np.random.Generator, count: int) -> np.ndarray:
    return matrix_from_quaternion(quaternion_from_rotvec(rng.normal(0, 0.8, (count, 24, 3))))


@pytest.mark.parametrize("pitch_deg", [-30.0, 0.0, 17.0, 60.0])
def test_kinematics_of_the_pose_is_the_mesh_in_the_world(rng: np.random.Generator, pitch_deg: float) -> None:
    axes = world_from_camera(pitch_deg)
    betas = rng.normal(0, 1, (5, 10))
    meshes = posed(random_locals(rng, 5), rng.normal((0, 0, 4), 0.5, (5, 3)), betas, axes)
    solver = MotionSolver(BODY, MotionConfig(smoothing=SmoothingConfig(enabled=False), camera_pitch_deg=pitch_deg))
    poses = solver.solve(frame(0), tracks(5), meshes)
    for n, pose in enumerate(poses):
        expected = (meshes.joints[n] + meshes.translation[n]) @ axes.T - (0, solver.floor_y_m, 0)
        skeleton = solver.skeleton(meshes.shape[n])
        found = forward_kinematics(skeleton, pose.rotations_wxyz, pose.root_translation)
        assert np.abs(found - expected).max() < 1e-4
        turns = matrix_from_quaternion(world_rotations(skeleton, pose.rotations_wxyz))
        assert np.abs(turns - axes @ meshes.global_rotations[n]).max() < 1e-5


def test_a_known_pose_comes_back(rng: np.random.Generator) -> None:
    truth = random_locals(rng, 3)
    found = local_rotations(posed(truth, np.ones((3, 3))).global_rotations, BODY.parents, LEVEL)
    assert np.abs(matrix_from_quaternion(found) - truth).max() < 1e-5


def test_who_faces_a_level_camera_faces_z_and_stands_on_the_floor() -> None:
    (pose,) = MotionSolver(BODY, RAW).solve(frame(0), tracks(1), standing((0.5, 0.2, 4.0)))
    np.testing.assert_allclose(pose.rotations_wxyz, np.tile((1, 0, 0, 0), (24, 1)), atol=1e-6)
    np.testing.assert_allclose(pose.root_translation, (0.5, 0.92 + SOLE_BELOW_JOINTS_M, -4.0), atol=1e-5)
    assert (pose.subject, pose.timestamp_ns) == (1, 0)


def test_a_camera_that_looks_down_sees_the_same_world() -> None:
    axes = world_from_camera(30.0)
    assert np.linalg.det(axes) == pytest.approx(1)
    np.testing.assert_allclose(axes @ (0, 0, 1), (0, -0.5, -np.sqrt(0.75)), atol=1e-12)
    np.testing.assert_allclose(axes @ (1, 0, 0), (1, 0, 0), atol=1e-12)
    place = axes.T @ (0.5, -1.0, -4.0)
    meshes = posed(np.tile(np.eye(3), (1, 24, 1, 1)), place[None], axes=axes)
    config = MotionConfig(smoothing=SmoothingConfig(enabled=False), camera_pitch_deg=30.0)
    (pose,) = MotionSolver(BODY, config).solve(frame(0), tracks(1), meshes)
    np.testing.assert_allclose(pose.root_translation, (0.5, 0.92 + SOLE_BELOW_JOINTS_M, -4.0), atol=1e-5)
    np.testing.assert_allclose(pose.rotations_wxyz[0], (1, 0, 0, 0), atol=1e-6)


def test_skeleton_stands_with_its_soles_on_the_floor_in_every_shape() -> None:
    solver = MotionSolver(BODY, MotionConfig())
    for size in (-2.0, 0.0, 2.0):
        skeleton = solver.skeleton(np.array([size] + [0] * 9, np.float32))
        joints = rest_joints(skeleton)
        assert joints[:, 1].min() == pytest.approx(SOLE_BELOW_JOINTS_M, abs=1e-6)
        assert joints[15, 1] == pytest.approx((0.62 + 0.92) * (1 + 0.1 * size) + SOLE_BELOW_JOINTS_M, abs=1e-5)
        assert skeleton.joint_names == BODY.joint_names


def test_nobody_is_legal_and_keeps_the_floor() -> None:
    solver = MotionSolver(BODY, MotionConfig())
    assert solver.solve(frame(0), tracks(0), standing()) == ()
    assert solver.floor_y_m == 0
    solver.solve(frame(0.1), tracks(1), standing((0, 0, 4)))
    floor_y_m = solver.floor_y_m
    for step in range(300):
        solver.solve(frame(0.2 + step), tracks(0), standing())
    assert solver.floor_y_m == floor_y_m == pytest.approx(-0.92 - SOLE_BELOW_JOINTS_M)


def test_independent_pictures_leave_no_trace() -> None:
    solver = MotionSolver(BODY, MotionConfig())
    first = solver.solve(frame(0), tracks(1), standing((0, 0, 4)), smooth=False)
    solver.solve(frame(0.03), tracks(1), standing((1, 1, 6)), smooth=False)
    again = solver.solve(frame(0.06), tracks(1), standing((0, 0, 4)), smooth=False)
    np.testing.assert_array_equal(first[0].root_translation, again[0].root_translation)
    assert solver.floor_y_m == 0


def test_a_body_at_rest_passes_unchanged_in_uneven_steps(rng: np.random.Generator) -> None:
    meshes = posed(random_locals(rng, 2), np.array(((0, 0, 4), (1, 0, 5))))
    raw = MotionSolver(BODY, RAW).solve(frame(0), tracks(2), meshes)
    solver = MotionSolver(BODY, MotionConfig())
    for time_s in (0.0, 0.01, 0.05, 0.06, 0.3):
        for pose, expected in zip(solver.solve(frame(time_s), tracks(2), meshes), raw, strict=True):
            np.testing.assert_allclose(pose.rotations_wxyz, expected.rotations_wxyz, atol=1e-5)
            np.testing.assert_allclose(pose.root_translation[[0, 2]], expected.root_translation[[0, 2]], atol=1e-5)


def test_people_have_filters_of_their_own_and_a_gap_starts_anew() -> None:
    solver = MotionSolver(BODY, MotionConfig())
    solver.solve(frame(0), tracks(1), standing((0, 0, 4)))
    other = Tracks(np.array([2], np.int64), np.zeros((1, 4), np.float32), np.ones(1, np.float32))
    (pose,) = solver.solve(frame(0.03), other, standing((1, 0, 5)))
    assert pose.root_translation[0] == pytest.approx(1, abs=1e-6)
    (pose,) = solver.solve(frame(0.06), tracks(1), standing((0.1, 0, 4)))
    assert pose.root_translation[0] < 0.09
    (pose,) = solver.solve(frame(0.62), tracks(1), standing((3, 0, 4)))
    assert pose.root_translation[0] == pytest.approx(3, abs=1e-6)


def test_time_that_runs_back_starts_anew() -> None:
    solver = MotionSolver(BODY, MotionConfig())
    solver.solve(frame(10), tracks(1), standing((0, 0, 4)))
    (pose,) = solver.solve(frame(0), tracks(1), standing((2, 0, 4)))
    assert pose.root_translation[0] == pytest.approx(2, abs=1e-6)


def noisy_heights(rng: np.random.Generator, count: int) -> np.ndarray:
    return rng.normal(-1.0, 0.03, count)


def test_floor_settles_within_a_second_and_then_moves_by_less_than_a_few_millimetres(rng: np.random.Generator) -> None:
    floor, seen = Floor(), []
    for index, height in enumerate(noisy_heights(rng, 600)):
        seen.append(floor.update([float(height)], [True], round(index * 1e9 / 30)))
    assert abs(seen[35] + 1.04) < 0.02
    steps = np.abs(np.diff(seen[31:]))
    assert steps.max() <= 0.0021
    assert np.ptp(seen[60:]) < 0.02


def test_a_jump_does_not_lift_the_floor_but_a_step_down_lowers_it() -> None:
    floor = Floor()
    for index in range(90):
        floor.update([-1.0], [True], round(index * 1e9 / 30))
    for index in range(90, 105):
        assert floor.update([-0.5], [True], round(index * 1e9 / 30)) == pytest.approx(-1.0)
    for index in range(105, 360):
        floor.update([-1.3], [True], round(index * 1e9 / 30))
    assert floor.y_m == pytest.approx(-1.3, abs=1e-6)


def test_guessed_feet_count_only_until_some_are_seen() -> None:
    floor = Floor()
    for index in range(60):
        floor.update([-2.0 if index < 40 else -2.5], [False], round(index * 1e9 / 30))
    assert -2.05 < (floor.y_m or 0) < -2.0, "guesses settle too"
    for index in range(60, 160):
        floor.update([-1.0, -2.0], [True, False], round(index * 1e9 / 30))
    assert floor.y_m == pytest.approx(-1.0, abs=0.04), "at a metre a second first, slowly in the end"


def test_feet_out_of_the_picture_or_unsure_are_guessed() -> None:
    solver = MotionSolver(BODY, RAW)
    near = standing((0, 0, 4), (0, 0, 1.2), (1, 0, 4))
    near.confidence[2, 10] = 0.2
    soles, credible = solver._soles(frame(0), near, near.translation.astype(np.float64))
    assert credible == [True, False, False]
    np.testing.assert_allclose(soles, -0.92 - SOLE_BELOW_JOINTS_M, atol=1e-5)


def test_a_turn_is_as_sure_as_what_shows_it() -> None:
    weights = evidence_weights(BODY.parents)
    confidence: FloatArray = np.ones(24, np.float32)
    confidence[[4, 20]] = 0.0
    evidence = weights @ confidence
    names = BODY.joint_names
    assert evidence[names.index("left_hip")] == 0
    assert evidence[names.index("left_elbow")] == 0
    assert evidence[names.index("left_knee")] == evidence[names.index("left_hand")] == 1
    assert evidence[names.index("left_wrist")] == 1
