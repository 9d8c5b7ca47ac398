"""A real video through the whole application: the take's contract, and what independent programs make of its files."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engines.body.parameters import load_body, rest_joints
from engines.weights import assets_folder, sha256_of
from exporters import HUMANOID_BONES, forward_kinematics, read_take
from exporters.skeletons import skeleton_from_rest_joints
from exporters.types import Skeleton, Take
from mocap_app.motion.retarget import SOLE_BELOW_JOINTS_M
from mocap_app.motion.world import world_from_camera

pytestmark = pytest.mark.slow

VIDEO, FPS, FRAMES, SIZE_WH = "tfjs_squats.mp4", 5.0, 65, (720, 1280)
RECEIVED = 60
TOLERANCE_M = 1e-3


@dataclass(frozen=True, slots=True)
class Recording:
    """The outputs of one run of the command."""

    native: Path
    take: Take
    received: dict[str, Any] | None
    """Report of the VMC receiver that listened meanwhile; None without Node."""

    @property
    def joints_m(self) -> np.ndarray:
        """`(T, J, 3)` metres, world frame, by our own forward kinematics."""
        return forward_kinematics(self.take.skeleton, self.take.rotations_wxyz, self.take.root_translation)

    def joint(self, name: str) -> np.ndarray:
        """`(T, 3)` metres, world frame."""
        return self.joints_m[:, self.take.skeleton.joint_names.index(name)]


def node_environment() -> dict[str, str] | None:
    folder = os.environ.get("MOCAP_READERS_NODE")
    if not folder or not shutil.which("node"):
        return None
    modules = Path(folder) / "node_modules"
    return os.environ | {"THREE_DIR": str(modules / "three"), "OSC_MIN_DIR": str(modules / "osc-min")}


@pytest.fixture(scope="module")
def recording(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """The video recorded by the command, while a receiver that is not ours listens to the live motion."""
    folder = tmp_path_factory.mktemp("takes")
    command = [sys.executable, "-m", "mocap_app", "--video", str(shared / "data" / "videos" / VIDEO), "--headless"]
    command += ["--detector", "blazepose", "--output", str(folder), "--quiet"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command += ["--osc", f"127.0.0.1:{port}", "--max-people", "1"]
    environment = node_environment()
    report = folder / "received.json"
    receiver = start_receiver(shared / "readers" / "vmc_receive.mjs", port, report, environment)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
        assert done.returncode == 0, done.stderr
        if receiver is not None:
            _, error = receiver.communicate(timeout=150)
            assert receiver.returncode == 0, error + report.read_text(encoding="utf-8")[:2000]
    finally:
        if receiver is not None:
            receiver.kill()
            receiver.communicate()
    native = folder / "tfjs_squats_person1.npz"
    received = json.loads(report.read_text(encoding="utf-8")) if receiver is not None else None
    return Recording(native, read_take(native), received)


def start_receiver(
    script: Path, port: int, report: Path, environment: dict[str, str] | None
) -> subprocess.Popen[str] | None:
    if environment is None or not script.is_file():
        return None
    # A frame ends with the one after it, and live motion may lose some.
    command = ["node", str(script), str(port), "--seconds", "120", "--frames", "all", "--stop-after", str(RECEIVED)]
    # Into a file: Node cuts what it has not yet written to a pipe when it exits.
    with report.open("w", encoding="utf-8") as out:
        receiver = subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE, text=True, env=environment)
    assert receiver.stderr is not None
    assert "listening" in receiver.stderr.readline()
    return receiver


def test_the_native_take_keeps_its_contract(recording: Recording) -> None:
    with np.load(recording.native) as file:
        arrays = {key: file[key] for key in file.files}
    t = FRAMES
    shapes = {
        "frame_index": ((t,), np.int64), "timestamps_ns": ((t,), np.int64),
        "rotations_wxyz": ((t, 24, 4), np.float32), "root_translation_m": ((t, 3), np.float32),
        "betas": ((10,), np.float32), "joints_camera_m": ((t, 24, 3), np.float32),
        "joints_px": ((t, 24, 2), np.float32), "confidence": ((t, 24), np.float32),
        "box_xyxy": ((t, 4), np.float32), "intrinsics": ((3, 3), np.float32),
    }  # fmt: skip
    assert {key: (arrays[key].shape, arrays[key].dtype) for key in shapes} == shapes
    assert all(np.isfinite(arrays[key]).all() for key in shapes)
    assert arrays["joint_names"].tolist()[:4] == ["pelvis", "left_hip", "right_hip", "spine1"]
    assert len(arrays["joint_names"]) == 24
    assert arrays["frame_index"].tolist() == list(range(t))
    assert np.abs(arrays["timestamps_ns"] - arrays["frame_index"] * 1e9 / FPS).max() < 1e6
    assert np.abs(np.linalg.norm(arrays["rotations_wxyz"], axis=-1) - 1).max() < 1e-6
    assert arrays["confidence"].min() >= 0
    assert arrays["confidence"].max() <= 1
    assert arrays["intrinsics"][:2, 2].tolist() == [size / 2 for size in SIZE_WH]
    metadata = json.loads(str(arrays["metadata"]))
    assert {"versions", "engine", "weights_sha256", "source", "source_fps"} <= metadata.keys()
    weights = "deforhmr_default.safetensors"
    assert metadata["weights_sha256"][weights] == sha256_of(assets_folder() / weights)
    assert (metadata["source"], metadata["source_fps"]) == ("tfjs_squats", FPS)


def test_the_pose_is_the_measured_one_in_the_world(recording: Recording) -> None:
    """Rotations, places and shape give the joints that were measured, but for the filter and the floor."""
    take = recording.take
    measured = take.observations
    assert measured is not None
    axes = world_from_camera(0.0)
    seen = measured.joints_camera_m @ axes.T.astype(np.float32)
    off = recording.joints_m - seen
    floor_m = float(np.median(off[:, 0, 1]))
    assert floor_m > 0, "the camera stands above the floor"
    assert np.linalg.norm(off - (0, floor_m, 0), axis=-1).mean() < 0.06
    in_picture = measured.joints_camera_m @ measured.intrinsics.T
    apart_px = np.linalg.norm(in_picture[..., :2] / in_picture[..., 2:] - measured.joints_px, axis=-1)
    height_px = (measured.box_xyxy[:, 3] - measured.box_xyxy[:, 1]).mean()
    assert apart_px.mean() < 0.03 * height_px


def test_the_performer_stands_upright_on_the_floor(recording: Recording) -> None:
    assert ((recording.joint("head") - recording.joint("pelvis"))[:, 1] > 0.3).all()
    feet = np.stack([recording.joint(f"{side}_foot") for side in ("left", "right")], axis=1)
    assert 0 <= np.percentile(feet[..., 1].min(axis=1), 5) < 0.06
    squat = recording.joint("pelvis")[:, 1]
    assert 0.25 < np.ptp(squat) < 0.7, "hips go down and up"
    assert recording.joint("left_shoulder")[0, 0] > recording.joint("right_shoulder")[0, 0], "who faces us faces +z"


def report_of(command: list[str], environment: dict[str, str] | None = None) -> dict[str, Any]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads([line for line in done.stdout.splitlines() if line.startswith("{")][-1])


def check_bvh(report: dict[str, Any], recording: Recording) -> None:
    names = recording.take.skeleton.joint_names
    assert (report["frame_count"], report["fps"]) == (FRAMES, pytest.approx(FPS))
    read = np.array([[report["frames"][str(t)][name] for name in names] for t in range(FRAMES)])
    error_m = np.linalg.norm(read - recording.joints_m, axis=-1).max()
    print(f"{report['reader']}: largest joint error {error_m * 1000:.4f} mm")
    assert error_m <= TOLERANCE_M


@pytest.mark.readers
def test_its_bvh_in_blender(recording: Recording, shared: Path) -> None:
    python = os.environ.get("MOCAP_READERS_BPY")
    if not python or not Path(python).exists():
        pytest.skip("MOCAP_READERS_BPY is not set; run scripts/setup_readers")
    script = str(shared / "readers" / "bvh_in_blender.py")
    check_bvh(report_of([python, script, str(recording.native.with_suffix(".bvh")), "--frames", "all"]), recording)


@pytest.mark.readers
def test_its_bvh_in_three_js(recording: Recording, shared: Path) -> None:
    environment = node_environment()
    if environment is None:
        pytest.skip("MOCAP_READERS_NODE is not set or node is absent; run scripts/setup_readers")
    command = ["node", str(shared / "readers" / "bvh_three.mjs"), str(recording.native.with_suffix(".bvh"))]
    check_bvh(report_of([*command, "--frames", "all"], environment), recording)


@pytest.mark.readers
def test_its_live_motion_is_the_recorded_one(recording: Recording) -> None:
    """Live motion shows the mean shape on the floor as it was known then; all else is as recorded."""
    report = recording.received
    if report is None:
        pytest.skip("MOCAP_READERS_NODE is not set or node is absent; run scripts/setup_readers")
    assert report["problems"] == []
    assert report["missing_required"] == []
    assert report["unknown_bones"] == []
    assert report["packets_over_1500"] == 0
    assert report["ok"] == 1
    assert set(report["joints"]) == set(HUMANOID_BONES.values())
    skeleton, take = mean_skeleton(), recording.take
    joints = forward_kinematics(skeleton, take.rotations_wxyz, take.root_translation)
    joints = joints[:, [skeleton.joint_names.index(name) for name in HUMANOID_BONES]]
    bones = HUMANOID_BONES.values()
    live = np.array([[report["frames"][str(t)][bone] for bone in bones] for t in range(RECEIVED)])
    # Which instants arrived: the hips are along the floor where they were recorded, to the micrometre.
    apart_m = np.linalg.norm(live[:, None, 0, ::2] - joints[None, :, 0, ::2], axis=-1)
    same = apart_m.argmin(axis=1)
    assert (np.diff(same) > 0).all()
    off = live - joints[same]
    assert np.abs(off[:, 0, 1]).max() < 0.15, "the floor"
    off[..., 1] -= off[:, :1, 1]
    error_m = np.linalg.norm(off, axis=-1).max()
    print(f"{report['reader']}: {len(live)} frames, largest joint error {error_m * 1000:.4f} mm")
    assert error_m <= TOLERANCE_M


def mean_skeleton() -> Skeleton:
    body = load_body()
    joints_m = rest_joints(body)
    floor_y_m = float(joints_m[:, 1].min()) - SOLE_BELOW_JOINTS_M
    return skeleton_from_rest_joints(joints_m, body.parents, body.joint_names, floor_y_m=floor_y_m)
