"""Takes seen again: poses as recorded, surfaces as exported, cameras where they stood."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from export_material import captured_take, record

from engines.body import load_body
from exporters import Take, write_take
from exporters.errors import TakeFileError
from exporters.files import read_take
from exporters.kinematics import forward_kinematics
from exporters.rotations import matrix_from_quaternion, normalize, slerp
from mocap_app.demo.camera import DemoCamera
from mocap_app.motion.world import world_from_camera
from mocap_app.playback import Playback, camera_of_take, pose_at, takes_of_recording


def swaying(take: Take, rng: np.random.Generator) -> Take:
    """Return a take of the same length in which every joint turns."""
    noise = 0.3 * rng.normal(size=(1, *take.rotations_wxyz.shape[1:]))
    phase = np.linspace(0, 3, len(take))[:, None, None]
    turned = normalize(take.rotations_wxyz + noise * np.sin(phase)).astype(np.float32)
    return replace(take, rotations_wxyz=turned)


def test_joints_equal_forward_kinematics_at_every_instant(rng: np.random.Generator) -> None:
    take = swaying(captured_take(), rng)
    playback = Playback([take])
    expected = forward_kinematics(take.skeleton, take.rotations_wxyz, take.root_translation)
    for instant, time_ns in enumerate(take.timestamps_ns):
        scene = playback.scene_at((time_ns - take.timestamps_ns[0]) / 1e9)
        np.testing.assert_allclose(scene.joints[0], expected[instant], atol=1e-5)


def test_between_instants_rotations_go_the_shorter_way_at_constant_speed(rng: np.random.Generator) -> None:
    take = swaying(captured_take(), rng)
    rotations = slerp(take.rotations_wxyz[4], take.rotations_wxyz[5], np.array(0.25))
    root = 0.75 * take.root_translation[4] + 0.25 * take.root_translation[5]
    scene = Playback([take]).scene_at((4 + 0.25) / 30)
    np.testing.assert_allclose(scene.joints[0], forward_kinematics(take.skeleton, rotations, root), atol=1e-5)


class ExportedBody:
    """The first body of a GLB file, read by the specification alone."""

    def __init__(self, path: Path) -> None:
        content = path.read_bytes()
        (size,) = struct.unpack_from("<I", content, 12)
        self._json: dict[str, Any] = json.loads(content[20 : 20 + size])
        self._binary = content[28 + size :]
        self._keys = self._curves()

    def vertices(self, instant: int) -> np.ndarray:
        """Return `(V, 3)` metres at the animation's key of this number."""
        skin, attributes = self._json["skins"][0], self._json["meshes"][0]["primitives"][0]["attributes"]
        places, bound, weights = (self._array(attributes[key]) for key in ("POSITION", "JOINTS_0", "WEIGHTS_0"))
        inverse = self._array(skin["inverseBindMatrices"]).reshape(-1, 4, 4).transpose(0, 2, 1)
        joints = np.array([self._world(node, instant) for node in skin["joints"]]) @ inverse
        blend = np.einsum("vk,vkij->vij", weights, joints[bound])
        return np.einsum("vij,vj->vi", blend[:, :3], np.c_[places, np.ones(len(places))])

    def _array(self, number: int) -> np.ndarray:
        accessor = self._json["accessors"][number]
        width = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}[accessor["type"]]
        dtype = {5121: "<u1", 5123: "<u2", 5126: "<f4"}[accessor["componentType"]]
        begin = self._json["bufferViews"][accessor["bufferView"]]["byteOffset"]
        return np.frombuffer(self._binary, dtype, accessor["count"] * width, begin).reshape(-1, width)

    def _curves(self) -> dict[tuple[int, str], np.ndarray]:
        animation = self._json["animations"][0]
        return {
            (channel["target"]["node"], channel["target"]["path"]): self._array(
                animation["samplers"][channel["sampler"]]["output"]
            )
            for channel in animation["channels"]
        }

    def _world(self, node: int, instant: int) -> np.ndarray:
        own, local = self._json["nodes"][node], np.eye(4)
        turn, place = self._keys.get((node, "rotation")), self._keys.get((node, "translation"))
        local[:3, 3] = own.get("translation", (0, 0, 0)) if place is None else place[instant]
        if turn is not None:
            local[:3, :3] = matrix_from_quaternion(turn[instant][[3, 0, 1, 2]].astype(float))
        above = [n for n, other in enumerate(self._json["nodes"]) if node in other.get("children", ())]
        return self._world(above[0], instant) @ local if above else local


def test_the_surface_is_that_of_the_exported_file(tmp_path: Path, rng: np.random.Generator) -> None:
    take = swaying(captured_take(), rng)
    path = tmp_path / "dance_person1.npz"
    write_take(take, path)
    command = [sys.executable, "-m", "mocap_app", "export", str(path), "--to", str(tmp_path / "dance.glb")]
    subprocess.run(command, check=True, capture_output=True)
    exported = ExportedBody(tmp_path / "dance.glb")
    playback = Playback.open([path])
    assert playback.has_surfaces
    for instant in (0, 13, 30):
        scene = playback.scene_at(instant / 30)
        np.testing.assert_allclose(scene.vertices[0], exported.vertices(instant), atol=1e-4)
    assert scene.faces.shape == (13776, 3)


def test_people_come_and_go_with_their_own_numbers(tmp_path: Path) -> None:
    playback = Playback.open(record(tmp_path, people=2))
    assert (playback.people, playback.fps, playback.duration_s) == (2, 30.0, pytest.approx(1.5))
    assert playback.scene_at(0.2).track_ids.tolist() == [1]
    assert playback.scene_at(0.7).track_ids.tolist() == [1, 2]
    assert playback.scene_at(1.4).track_ids.tolist() == [2]
    assert playback.scene_at(1.4).vertices.shape == (1, 6890, 3)
    np.testing.assert_array_equal(playback.scene_at(-5).joints, playback.scene_at(0).joints)
    np.testing.assert_array_equal(playback.scene_at(99).joints, playback.scene_at(1.5).joints)


def test_nobody_is_there_in_a_long_gap_and_short_ones_are_bridged() -> None:
    take = captured_take(90)
    keep = np.r_[0:20, 25:40, 70:90]
    gappy = replace(
        take, rotations_wxyz=take.rotations_wxyz[keep], root_translation=take.root_translation[keep],
        timestamps_ns=take.timestamps_ns[keep], observations=None,
    )  # fmt: skip
    playback = Playback([gappy])
    bridged, gap, after = (playback.scene_at(frame / 30) for frame in (22.5, 50, 75))
    assert (len(bridged), len(gap), len(after)) == (1, 0, 1)
    assert gap.joints.shape == (0, 24, 3)
    assert after.trails[0][:, 0].min() >= 70 / 30 - 1e-4, "the way begins after the gap"


def test_the_trail_is_the_way_of_the_last_seconds() -> None:
    playback = Playback([captured_take(300)])
    scene = playback.scene_at(8.0)
    np.testing.assert_allclose(scene.trails[0][[0, -1], 0], (4.0, 8.0), atol=0.04)
    np.testing.assert_array_equal(scene.trails[0][-1], scene.joints[0, 0])
    assert len(Playback([captured_take(3000, fps=1000)]).scene_at(2.9).trails[0]) <= 602


def test_an_unknown_body_shows_bones_alone() -> None:
    take = captured_take()
    stranger = replace(take, skeleton=replace(take.skeleton, name="somebody"))
    for takes in ([stranger], [take, replace(stranger, subject=2)]):
        scene = Playback(takes).scene_at(0.5)
        assert (len(scene.joints), len(scene.vertices), len(scene.faces)) == (len(takes), 0, 0)


@pytest.mark.parametrize("pitch_deg", [0.0, 8.0])
def test_the_camera_stands_where_the_take_was_captured_from(pitch_deg: float) -> None:
    take = captured_take()
    assert camera_of_take(take) is None, "this one does not tell"
    demo = DemoCamera(pitch_deg=pitch_deg)
    joints = forward_kinematics(take.skeleton, take.rotations_wxyz, take.root_translation - (0, 0, 4))
    assert take.observations is not None
    seen = replace(take.observations, joints_camera_m=demo.to_camera(joints), intrinsics=demo.intrinsics)
    told = {"source_size_wh": [1280, 720], "settings": {"motion.camera_pitch_deg": pitch_deg}}
    camera = camera_of_take(
        replace(take, root_translation=joints[:, 0], observations=seen, metadata={**take.metadata, **told})
    )
    assert camera is not None
    assert camera.size_wh == (1280, 720)
    np.testing.assert_allclose(camera.position, (0, demo.height_m, 0), atol=1e-4)
    np.testing.assert_allclose(camera.rotation, world_from_camera(pitch_deg), atol=1e-6)
    np.testing.assert_allclose(camera.to_world(seen.joints_camera_m), joints, atol=1e-4)


def test_takes_that_do_not_belong_together_are_refused() -> None:
    take = captured_take()
    other = replace(take, skeleton=replace(take.skeleton, joint_names=tuple(f"j{n}" for n in range(24))))
    with pytest.raises(TakeFileError, match="another skeleton"):
        Playback([take, other])
    with pytest.raises(TakeFileError, match="empty"):
        Playback([])


def test_everybody_of_a_recording_is_found(tmp_path: Path) -> None:
    paths = record(tmp_path, people=11)
    record(tmp_path, "dance_2", people=1)
    assert takes_of_recording(paths[4]) == tuple(paths)
    assert takes_of_recording(tmp_path / "alone.npz") == (tmp_path / "alone.npz",)


def test_a_pose_outside_the_take_is_none() -> None:
    take = captured_take()
    first, last = int(take.timestamps_ns[0]), int(take.timestamps_ns[-1])
    assert pose_at(take, first - 1) is None
    assert pose_at(take, last + 1) is None
    found = pose_at(take, last)
    assert found is not None
    np.testing.assert_array_equal(found[0], take.rotations_wxyz[-1])


def test_a_person_takes_less_than_eight_milliseconds() -> None:
    playback = Playback([captured_take()])
    playback.scene_at(0)
    times_ms = []
    for step in range(60):
        begun = time.thread_time()
        playback.scene_at(step / 60)
        times_ms.append(1000 * (time.thread_time() - begun))
    assert np.median(times_ms) < 8


def test_neither_torch_nor_qt_is_loaded(tmp_path: Path) -> None:
    (path,) = record(tmp_path)
    assert read_take(path).skeleton.name == load_body().name
    code = (
        "import sys; from mocap_app.playback import Playback; "
        f"scene = Playback.open([{str(path)!r}]).scene_at(0.5); assert scene.vertices.shape == (1, 6890, 3); "
        "assert not {'torch', 'PyQt6', 'moderngl', 'cv2'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).resolve().parents[2])
