"""Our files and streams in programs that know nothing of our code: Blender, three.js, an OSC receiver in Node.

`scripts/setup_readers FOLDER` installs them; MOCAP_READERS_NODE, MOCAP_READERS_BPY and MOCAP_READERS_USD say where they
are (see conftest.py).
"""

from __future__ import annotations

import json
import socket
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exporters import HUMANOID_BONES, Pose, Take, VmcOptions, forward_kinematics, open_stream, write_take

pytestmark = pytest.mark.readers

TOLERANCE_M = 1e-3


@pytest.fixture(params=[30.0, 30000 / 1001, 24.0])
def bvh(request: pytest.FixtureRequest, make_take: Any, tmp_path: Path) -> tuple[Take, Path]:
    take = make_take(61, request.param)
    write_take(take, tmp_path / "take.bvh")
    return take, tmp_path / "take.bvh"


def report_of(
    command: list[str], environment: dict[str, str] | None = None, folder: Path | None = None
) -> dict[str, Any]:
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, env=environment, cwd=folder, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads([line for line in done.stdout.splitlines() if line.startswith("{")][-1])


def check_bvh(report: dict[str, Any], take: Take) -> None:
    """Compare a reader's joints, rate and count with the take's own; say the largest error."""
    joints = forward_kinematics(take.skeleton, take.rotations_wxyz, take.root_translation)
    names = take.skeleton.joint_names
    assert set(report["joints"]) == set(names)
    assert report["frame_count"] == len(take)
    assert report["fps"] == pytest.approx(take.metadata["source_fps"], abs=0.01)
    assert len(report["frames"]) == len(take)
    read = np.array([[report["frames"][str(t)][name] for name in names] for t in range(len(take))])
    error_m = np.linalg.norm(read - joints, axis=-1).max()
    print(f"{report['reader']}: {len(take)} frames, {report['fps']} fps, largest joint error {error_m * 1000:.4f} mm")
    assert error_m <= TOLERANCE_M
    head, foot = names.index("head"), names.index("left_ankle")
    assert (read[0, head] - read[0, foot])[1] > 1.0, "not upright"
    assert read[0, foot, 1] < 0.3, "feet not down"


def test_bvh_in_blender(bvh, scripts, blender_python):
    take, path = bvh
    check_bvh(report_of([blender_python, str(scripts / "bvh_in_blender.py"), str(path), "--frames", "all"]), take)


def test_bvh_in_three_js(bvh, scripts, node_environment):
    take, path = bvh
    command = ["node", str(scripts / "bvh_three.mjs"), str(path), "--frames", "all"]
    check_bvh(report_of(command, node_environment), take)


@pytest.mark.parametrize("root_motion", ["root", "hips", "both"])
def test_vmc_in_node(make_take, scripts, node_environment, root_motion, tmp_path):
    """A whole take of 300 frames, live: no error, no large packet, every joint where it is."""
    take, rate = make_take(300, 30.0), 150
    port = free_port()
    command = ["node", str(scripts / "vmc_receive.mjs"), str(port), "--seconds", "60", "--frames", "all"]
    command += ["--stop-after", str(len(take))]
    # Into a file: Node cuts what it has not yet written to a pipe when it exits.
    with (tmp_path / "report.json").open("w", encoding="utf-8") as out:
        receiver = subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE, text=True, env=node_environment)
    try:
        assert receiver.stderr is not None
        assert "listening" in receiver.stderr.readline()
        with open_stream(VmcOptions("127.0.0.1", port, root_motion, max_performers=1), take.skeleton) as stream:
            poses = [
                Pose(take.rotations_wxyz[t], take.root_translation[t], int(take.timestamps_ns[t]), 1)
                for t in range(len(take))
            ]
            # One more, for the receiver ends a frame where the next one begins.
            poses.append(replace(poses[-1], timestamp_ns=poses[-1].timestamp_ns + 33_333_333))
            for pose in poses:
                stream.send([pose])
                time.sleep(1 / rate)
            _, error = receiver.communicate(timeout=60)
            assert stream.lost == 0
    finally:
        receiver.kill()
        receiver.communicate()
    report = (tmp_path / "report.json").read_text(encoding="utf-8")
    assert receiver.returncode == 0, error + report[:2000]
    check_vmc(json.loads(report), take)


def check_vmc(report: dict[str, Any], take: Take) -> None:
    joints = forward_kinematics(take.skeleton, take.rotations_wxyz, take.root_translation)
    assert report["problems"] == []
    assert report["missing_required"] == []
    assert report["unknown_bones"] == []
    assert report["packets_over_1500"] == 0
    assert report["frame_count"] >= len(take)
    assert report["fps"] == pytest.approx(30, abs=0.1)
    columns = [take.skeleton.joint_names.index(n) for n in HUMANOID_BONES]
    read = np.array([[report["frames"][str(t)][b] for b in HUMANOID_BONES.values()] for t in range(len(take))])
    error_m = np.linalg.norm(read - joints[:, columns], axis=-1).max()
    print(
        f"{report['reader']}: {report['frame_count']} frames, {report['packets']} packets of at most "
        f"{report['max_packet_bytes']} bytes, largest joint error {error_m * 1000:.4f} mm"
    )
    assert error_m <= TOLERANCE_M


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
