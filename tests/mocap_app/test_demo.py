"""The demo's clip, its pictures, its truth and the errors measured against it."""

from __future__ import annotations

import io
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from engines.errors import UnknownEngineError
from engines.geometry import project
from exporters import SMPL_JOINT_NAMES, Observations, Take, forward_kinematics, read_take
from exporters.rotations import inverse, multiply, quaternion_from_rotvec, rotvec_from_quaternion
from mocap_app.demo import render_clip, run_demo
from mocap_app.demo.actor import Actor
from mocap_app.demo.camera import DemoCamera
from mocap_app.demo.choreography import FPS, LENGTH_S, PHASES, STOOL_HEIGHT_M, all_steps, phase_at
from mocap_app.demo.clip import make_clip
from mocap_app.demo.curves import ease, number_curve, rotation_curve
from mocap_app.demo.legs import solve_leg
from mocap_app.demo.measure import compare, report, share_out
from mocap_app.demo.postures import arm, mirrored
from mocap_app.demo.room import draw_room
from mocap_app.demo.scene import draw_frames, make_scene
from mocap_app.demo.truth import Truth, measure_truth, read_truth, write_truth
from mocap_app.errors import ConfigError

JOINT = {name: j for j, name in enumerate(SMPL_JOINT_NAMES)}


@pytest.fixture(scope="module")
def actor() -> Actor:
    return Actor()


@pytest.fixture(scope="module")
def clip(actor: Actor) -> Take:
    return make_clip(actor.performer)


@pytest.fixture(scope="module")
def truth(actor: Actor, clip: Take) -> Truth:
    return measure_truth(clip, actor.betas, DemoCamera())


def some_of(take: Take, frames: np.ndarray) -> Take:
    return replace(
        take,
        rotations_wxyz=take.rotations_wxyz[frames],
        root_translation=take.root_translation[frames],
        timestamps_ns=take.timestamps_ns[frames],
    )


def captured(truth: Truth, take: Take) -> Take:
    """The truth itself, as if a perfect engine had captured it."""
    count = len(truth)
    observations = Observations(
        frame_index=np.arange(count),
        joints_camera_m=truth.joints_camera_m,
        joints_px=truth.joints_px,
        confidence=np.ones((count, 24), np.float32),
        box_xyxy=np.zeros((count, 4), np.float32),
        betas=truth.betas,
        intrinsics=truth.intrinsics,
    )
    return replace(take, observations=observations)


def test_clip_has_unit_rotations_of_24_joints_at_30_per_second(clip: Take) -> None:
    assert len(clip) == round(LENGTH_S * FPS)
    assert clip.skeleton.joint_names == SMPL_JOINT_NAMES
    np.testing.assert_allclose(np.linalg.norm(clip.rotations_wxyz, axis=-1), 1.0, atol=1e-5)
    np.testing.assert_allclose(np.diff(clip.timestamps_ns), 1e9 / FPS, atol=1)


def test_no_joint_jumps(clip: Take) -> None:
    q = clip.rotations_wxyz.astype(float)
    step = np.degrees(np.linalg.norm(rotvec_from_quaternion(multiply(inverse(q[:-1]), q[1:])), axis=-1))
    assert step.max() < 30.0, f"{SMPL_JOINT_NAMES[step.max(0).argmax()]} turns {step.max():.1f} degrees in a frame"
    assert np.linalg.norm(np.diff(clip.root_translation, axis=0), axis=1).max() < 0.08


def test_performer_turns_once_round_and_faces_the_camera(truth: Truth) -> None:
    hips = truth.joints_world_m[:, JOINT["left_hip"]] - truth.joints_world_m[:, JOINT["right_hip"]]
    heading = np.unwrap(np.arctan2(-hips[:, 2], hips[:, 0]))
    turn = next(p for p in PHASES if p.name == "turn")
    start, end = round(turn.start_s * FPS), round(turn.end_s * FPS)
    assert np.degrees(heading[end] - heading[start]) == pytest.approx(360, abs=5)
    assert np.degrees(heading[-1] % (2 * np.pi)) == pytest.approx(0, abs=5) or np.degrees(
        heading[-1] % (2 * np.pi)
    ) == pytest.approx(360, abs=5)


def test_skin_stands_on_the_floor(actor: Actor, clip: Take) -> None:
    frames = np.arange(0, len(clip), 5)
    lowest = np.array([skin[:, 1].min() for skin in actor.skins(some_of(clip, frames))])
    jumps = np.array([phase_at(f / FPS).name == "jump" for f in frames])
    assert lowest.min() > -0.01
    assert lowest[~jumps].max() < 0.005
    assert lowest[jumps].max() > 0.04, "nobody jumps"


def test_planted_feet_do_not_slide(truth: Truth) -> None:
    seconds = truth.timestamps_ns / 1e9
    for foot, joint in enumerate(("left_foot", "right_foot")):
        steps = all_steps(foot)
        ball = truth.joints_world_m[:, JOINT[joint]]
        for before, after in pairwise(steps):
            planted = (seconds > before.land_s + 0.1) & (seconds < after.lift_s)
            if planted.sum() > 1:
                assert np.ptp(ball[planted], axis=0).max() < 0.02, f"{joint} slides after {before.land_s:.2f} s"


def test_seated_body_rests_on_the_stool(actor: Actor, clip: Take) -> None:
    skin = next(actor.skins(some_of(clip, np.array([round(19.0 * FPS)]))))
    seat = np.isin(actor.body.skinning_weights.argmax(1), (0, 1, 2))
    assert skin[seat][:, 1].min() == pytest.approx(STOOL_HEIGHT_M, abs=0.02)


def test_pieces_of_the_clip_are_the_clip(actor: Actor, clip: Take) -> None:
    short = make_clip(actor.performer, 2.0)
    assert len(short) == 60
    np.testing.assert_array_equal(short.rotations_wxyz, clip.rotations_wxyz[:60])
    with pytest.raises(ValueError, match="duration_s"):
        make_clip(actor.performer, 0.0)


def test_skin_and_skeleton_agree(actor: Actor, clip: Take) -> None:
    frames = np.array([0, 200, 400, 500])
    take = some_of(clip, frames)
    joints = forward_kinematics(take.skeleton, take.rotations_wxyz, take.root_translation)
    for skin, true in zip(actor.skins(take), joints, strict=True):
        wrist = actor.body.skinning_weights[:, JOINT["left_wrist"]] > 0.3
        assert np.linalg.norm(skin[wrist] - true[JOINT["left_wrist"]], axis=1).min() < 0.05


def test_leg_reaches_the_ankle_it_was_given(rng: np.random.Generator) -> None:
    thigh, shin = np.array([0.01, -0.42, 0.0]), np.array([0.0, -0.44, -0.01])
    hips = np.zeros((20, 3))
    ankles = np.stack([rng.normal(0, 0.1, 20), rng.uniform(-0.75, -0.4, 20), rng.normal(0, 0.1, 20)], -1)
    forward = np.tile([0.0, 0.0, 1.0], (20, 1))
    upper, lower = solve_leg(hips, ankles, forward, thigh, shin)
    knees = np.stack([_rotate(q, thigh) for q in upper])
    np.testing.assert_allclose(knees + np.stack([_rotate(q, shin) for q in lower]), ankles, atol=1e-6)
    assert (knees[:, 2] > ankles[:, 2] / 2 - 0.02).all(), "a knee bends backwards"


def _rotate(quaternion: np.ndarray, vector: np.ndarray) -> np.ndarray:
    from exporters.rotations import rotate

    return rotate(quaternion, vector)


def test_vocabulary_means_what_it_says(actor: Actor) -> None:
    rest = np.zeros((24, 4), np.float32)
    rest[:, 0] = 1

    def wrist(side: str, **angles: float) -> np.ndarray:
        rotations = rest.copy()
        for name, rotation in arm(side, **angles).items():
            rotations[JOINT[name]] = rotation
        joints = forward_kinematics(actor.performer.skeleton, rotations, np.zeros(3))
        return joints[JOINT[f"{side}_wrist"]] - joints[JOINT[f"{side}_shoulder"]]

    assert wrist("left", raised=0, elbow=0)[1] < -0.45
    assert wrist("left", raised=90, elbow=0)[0] > 0.45
    assert wrist("right", raised=90, elbow=0)[0] < -0.45
    assert wrist("left", raised=180, elbow=0)[1] > 0.45
    assert wrist("left", raised=0, forward=90, elbow=0)[2] > 0.45
    level, up = wrist("right", raised=90, elbow=90), wrist("right", raised=90, elbow=90, twist=90)
    assert level[2] > 0.2 > abs(level[1])
    assert up[1] > 0.2 > abs(up[2])
    twice = mirrored(mirrored(arm("left", raised=40, across=20)))
    np.testing.assert_allclose(twice["left_shoulder"], arm("left", raised=40, across=20)["left_shoulder"])


def test_curves_rest_at_their_keys() -> None:
    times = np.linspace(-1, 3, 401)
    values = number_curve([(0.0, 1.0), (1.0, 5.0), (2.0, 3.0)], times)
    assert values[0] == 1.0
    assert values[-1] == 3.0
    assert np.interp(1.0, times, values) == pytest.approx(5.0)
    assert ease(np.array([0.0, 0.5, 1.0])).tolist() == [0.0, 0.5, 1.0]
    quarter = quaternion_from_rotvec(np.array([0, np.pi / 2, 0]))
    turning = rotation_curve([(0.0, np.array([1.0, 0, 0, 0])), (1.0, quarter)], np.array([0.5]))
    np.testing.assert_allclose(rotvec_from_quaternion(turning)[0], (0, np.pi / 4, 0), atol=1e-9)


def test_camera_looks_down_at_the_performer() -> None:
    camera = DemoCamera()
    np.testing.assert_allclose(camera.axes @ camera.axes.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(camera.axes) == pytest.approx(1)
    centre = camera.to_camera(np.array([0.0, camera.height_m - 4 * np.tan(np.radians(camera.pitch_deg)), -4.0]))
    np.testing.assert_allclose(centre[:2], 0, atol=1e-6)
    assert camera.to_camera(np.array([1.0, 0.0, -4.0]))[0] > 0
    level = replace(camera, pitch_deg=0.0)
    np.testing.assert_allclose(level.axes, np.diag([1.0, -1.0, -1.0]), atol=1e-12)


def test_performer_stays_in_the_picture(truth: Truth) -> None:
    later = truth.timestamps_ns > 1e9
    inside = (truth.joints_px[later] > 0) & (truth.joints_px[later] < (1280, 720))
    assert inside.all()
    assert truth.visible().mean() > 0.97


def test_drawn_silhouette_covers_the_joints() -> None:
    scene = make_scene(duration_s=4.0)
    scene = replace(scene, takes=(some_of(scene.takes[0], np.array([20, 60, 118])),))
    empty = draw_room(scene.camera).astype(int)
    limbs = [
        JOINT[f"{s}_{n}"] for s in ("left", "right") for n in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
    ]
    pictures = list(draw_frames(scene))
    assert len(pictures) == 3
    for picture, joints in zip(pictures, scene.truths[0].joints_px, strict=True):
        assert picture.shape == (720, 1280, 3)
        changed = (np.abs(picture - empty).max(-1) > 12).astype(np.uint8)
        changed = cv2.dilate(changed, np.ones((5, 5), np.uint8))
        x, y = np.floor(joints[limbs]).astype(int).T
        assert changed[y, x].all(), np.array(SMPL_JOINT_NAMES)[limbs][changed[y, x] == 0]
        assert changed.mean() < 0.15, "more than one person and a shadow was drawn"


def test_truth_round_trip(truth: Truth, tmp_path: Path) -> None:
    write_truth(truth, tmp_path / "truth.npz")
    again = read_truth(tmp_path / "truth.npz")
    for name in Truth.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(again, name), getattr(truth, name))
    np.testing.assert_allclose(project(truth.joints_camera_m, truth.intrinsics), truth.joints_px, atol=1e-2)
    # The root's own rotation, seen by the camera, is the world's turned by the camera's axes.
    up = truth.rotations_camera[150, 0] @ (0.0, 1.0, 0.0)
    assert up[1] < -0.95


def test_perfect_capture_has_no_error(truth: Truth, clip: Take) -> None:
    errors = compare(truth, [captured(truth, clip)])
    assert errors.found.all()
    for name in ("mpjpe_mm", "pa_mpjpe_mm", "root_mm", "angle_deg", "picture_px"):
        assert getattr(errors, name).max() < 0.1, name


def test_known_errors_are_measured(truth: Truth, clip: Take) -> None:
    take = captured(truth, clip)
    shifted = replace(take, root_translation=take.root_translation + np.array([0.3, 0, 0.4], np.float32))
    errors = compare(truth, [shifted])
    np.testing.assert_allclose(errors.root_mm, 500, atol=0.1)
    assert errors.mpjpe_mm.max() < 0.1
    turned = take.rotations_wxyz.copy()
    turned[:, 0] = multiply(quaternion_from_rotvec(np.array([0, np.radians(24.0), 0], np.float32)), turned[:, 0])
    errors = compare(truth, [replace(take, rotations_wxyz=turned)])
    np.testing.assert_allclose(errors.angle_deg, 1.0, atol=0.01)
    assert errors.mpjpe_mm.min() > 30
    assert errors.pa_mpjpe_mm.max() < 0.1


def test_broken_takes_count_as_one_and_gaps_as_not_found(truth: Truth, clip: Take) -> None:
    whole = captured(truth, clip)
    assert whole.observations is not None

    def part(frames: np.ndarray, shift_m: float = 0.0) -> Take:
        seen = whole.observations
        kept = {
            n: getattr(seen, n)[frames]
            for n in ("frame_index", "joints_camera_m", "joints_px", "confidence", "box_xyxy")
        }
        take = replace(some_of(replace(whole, observations=None), frames), observations=replace(seen, **kept))
        return replace(take, root_translation=take.root_translation + np.float32(shift_m))

    errors = compare(truth, [part(np.arange(0, 100)), part(np.arange(50, 300), 2.0), part(np.arange(120, 612))])
    assert errors.found[:100].all()
    assert errors.root_mm[50:100].max() < 0.1
    assert errors.root_mm[105] > 1000, "the only one seen there is far away"
    lines = list(report(compare(truth, [part(np.arange(0, 100))])))
    assert lines[-3].split()[:3] == ["all", str(int(truth.visible().sum())), str(int(truth.visible()[:100].sum()))]
    assert any(line.startswith("wave") and line.split()[2] == "0" for line in lines)


def test_takes_go_to_the_performer_they_are_of() -> None:
    scene = make_scene(2, duration_s=1.0)
    truths = scene.truths
    first, second = (captured(truth, take) for truth, take in zip(truths, scene.takes, strict=True))
    shares = share_out(truths, [second, first, second])
    assert [len(share) for share in shares] == [1, 2]
    assert shares[0][0] is first
    assert share_out(truths, [second])[0] == [], "somebody missed is not found in a neighbour"


def test_several_performers_stand_apart(tmp_path: Path) -> None:
    scene = render_clip(tmp_path / "three.mp4", people=3, size=(640, 360), duration_s=0.1)
    hips = np.stack([t.joints_world_m[0, 0] for t in scene.truths])
    gaps = np.linalg.norm(hips[:, None] - hips[None], axis=-1) + 9 * np.eye(3)
    assert gaps.min() > 0.6
    video = cv2.VideoCapture(str(tmp_path / "three.mp4"))
    assert int(video.get(cv2.CAP_PROP_FRAME_COUNT)) == 3
    assert video.get(cv2.CAP_PROP_FPS) == pytest.approx(30)
    video.release()
    with pytest.raises(ValueError, match="people"):
        make_scene(9)


def test_demo_runs_the_whole_way(tmp_path: Path) -> None:
    out = io.StringIO()
    assert run_demo(tmp_path, 0.3, engine="synthetic", detector="synthetic", out=out) == 0
    assert "walk" in out.getvalue()
    assert "MPJPE" in out.getvalue()
    for name in ("demo.mp4", "demo_overlay.mp4", "demo_truth.npz", "demo_person1.npz", "demo_person1.bvh"):
        assert (tmp_path / name).stat().st_size > 0, name
    take = read_take(tmp_path / "demo_person1.npz")
    assert len(take) == 9
    assert len(read_truth(tmp_path / "demo_truth.npz")) == 9


@pytest.mark.parametrize(("duration_s", "people"), [(0.0, 1), (-1.0, 1), (None, 0), (None, 9)])
def test_impossible_clips_are_refused(tmp_path: Path, duration_s: float | None, people: int) -> None:
    with pytest.raises(ConfigError, match="expected"):
        run_demo(tmp_path / "absent", duration_s, people)


@pytest.mark.parametrize("names", [{"engine": "absent"}, {"detector": "absent"}])
def test_unknown_parts_are_refused_before_anything_is_rendered(tmp_path: Path, names: dict[str, str]) -> None:
    with pytest.raises(UnknownEngineError, match="absent"):
        run_demo(tmp_path / "out", 0.3, **names)
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "absent").exists()
