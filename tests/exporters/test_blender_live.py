"""The Blender add-on inside Blender: driven by our stream it ends in the take's last pose."""

from __future__ import annotations

import json
import os
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exporters import HUMANOID_BONES, Pose, Take, VmcOptions, forward_kinematics, open_stream

pytestmark = pytest.mark.readers

HERE = Path(__file__).parent
ADDON = HERE.parents[1] / "exporters" / "blender_addon" / "mocap_app_live.py"
TOLERANCE_M = 1e-3


@pytest.fixture(scope="module")
def blender_python() -> str:
    path = os.environ.get("MOCAP_READERS_BPY")
    if not path or not Path(path).exists():
        pytest.skip("MOCAP_READERS_BPY is not set; run scripts/setup_readers")
    return path


def follow(blender_python: str, take: Take, scheme: str, *flags: str, **options: Any) -> dict[str, Any]:
    """Stream `take` into the add-on and return what it tells."""
    command = [blender_python, str(HERE / "blender_live.py"), str(ADDON), scheme, str(len(take)), *flags]
    blender = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert blender.stdout is not None
        words = blender.stdout.readline().split()
        assert words[:1] == ["listening"], blender.communicate(timeout=60)
        with open_stream(VmcOptions("127.0.0.1", int(words[1]), max_performers=1, **options), take.skeleton) as stream:
            poses = [
                Pose(take.rotations_wxyz[t], take.root_translation[t], int(take.timestamps_ns[t]), 1)
                for t in range(len(take))
            ]
            for pose in [*poses, poses[-1]]:
                stream.send([pose])
                time.sleep(1 / 60)
        out, error = blender.communicate(timeout=60)
    finally:
        blender.kill()
        blender.communicate()
    assert blender.returncode == 0, error
    return json.loads(out.splitlines()[-1])


def largest_error_m(told: dict[str, Any], take: Take, scale: float = 1.0) -> float:
    """Return how far a joint is from the take's last pose, in metres of the performer."""
    joints = forward_kinematics(take.skeleton, take.rotations_wxyz[-1], take.root_translation[-1])
    bones = [b for b in HUMANOID_BONES.values() if b in told["heads"]]
    wanted = joints[[take.skeleton.joint_names.index(n) for n, b in HUMANOID_BONES.items() if b in bones]]
    x, y, z = np.array([told["heads"][b] for b in bones]).T / scale
    error_m = float(np.linalg.norm(np.stack([x, z, -y], axis=1) - wanted, axis=1).max())
    print(f"{len(bones)} bones, {told['frames']} frames, largest joint error {error_m * 1000:.4f} mm")
    return error_m


@pytest.mark.parametrize("root_motion", ["root", "hips", "both"])
def test_a_new_armature_ends_in_the_takes_last_pose(make_take, blender_python, root_motion):
    take = make_take(61)
    told = follow(blender_python, take, "new", root_motion=root_motion)
    assert len(told["heads"]) == 22
    assert told["rejected"] == 0
    assert told["tracked"] is False, "the goodbye was not understood"
    assert largest_error_m(told, take) <= TOLERANCE_M


@pytest.mark.parametrize("scheme", ["mixamo", "smpl"])
def test_a_character_of_twice_the_size_with_axes_of_its_own(make_take, blender_python, scheme):
    take = make_take(61)
    told = follow(blender_python, take, scheme)
    assert len(told["map"]) == 22
    assert told["scale"] == pytest.approx(2, abs=1e-4)
    assert largest_error_m(told, take, 2.0) <= TOLERANCE_M


def test_a_character_without_some_bones_points_its_limbs_the_same_way(make_take, blender_python):
    take = make_take(61)
    told = follow(blender_python, take, "short")
    assert len(told["map"]) == 18
    assert told["map"]["RightHand"] == "Bone.042"
    joints = forward_kinematics(take.skeleton, take.rotations_wxyz[-1], take.root_translation[-1])
    for a, b in (("left_shoulder", "left_elbow"), ("right_elbow", "right_wrist"), ("left_hip", "left_knee")):
        wanted = joints[take.skeleton.joint_names.index(b)] - joints[take.skeleton.joint_names.index(a)]
        x, y, z = np.subtract(told["heads"][HUMANOID_BONES[b]], told["heads"][HUMANOID_BONES[a]]) / 2
        np.testing.assert_allclose((x, z, -y), wanted, atol=TOLERANCE_M)


def test_recording_sets_keyframes_at_the_senders_time(make_take, blender_python):
    take = make_take(31)
    late = replace(take, timestamps_ns=take.timestamps_ns + 10**12)
    told = follow(blender_python, late, "new", "--record")
    assert told["keys"][0] in (11, 12)
    assert told["keys"][-1] == told["keys"][0] + len(told["keys"]) - 1, "frames were left out"
    assert len(told["keys"]) >= 29
