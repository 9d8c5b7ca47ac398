"""The Unity receiver, compiled and run by Mono against a small stand-in for UnityEngine."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exporters import HUMANOID_BONES, Pose, Skeleton, Take, VmcOptions, forward_kinematics, open_stream, rest_joints
from exporters.coordinates import unity_position
from exporters.rotations import quaternion_from_rotvec
from exporters.vmc_encoder import VmcEncoder

pytestmark = pytest.mark.readers

HERE = Path(__file__).parent / "unity"
RECEIVER = HERE.parents[2] / "exporters" / "unity" / "MocapAppReceiver.cs"
TOLERANCE_M = 1e-3


@pytest.fixture(scope="module")
def check(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command that runs the receiver."""
    if not (shutil.which("mcs") and shutil.which("mono")):
        pytest.skip("Mono's compiler is not installed; install the packages mono-mcs and mono-runtime")
    program = tmp_path_factory.mktemp("unity") / "Check.exe"
    # No newer C# than Unity 2019 understands, and warnings are errors.
    command = ["mcs", "-langversion:7.2", "-warnaserror", f"-out:{program}", str(RECEIVER)]
    command += [str(HERE / "UnityEngine.cs"), str(HERE / "Check.cs")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return ["mono", str(program)]


def run(check: list[str], *arguments: str) -> list[Any]:
    done = subprocess.run([*check, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def record(packets: list[bytes], path: Path) -> str:
    path.write_bytes(b"".join(struct.pack("<i", len(p)) + p for p in packets))
    return str(path)


def packets_of(take: Take, **options: Any) -> list[bytes]:
    encoder = VmcEncoder(take.skeleton, VmcOptions(**options))
    poses = [
        Pose(take.rotations_wxyz[t], take.root_translation[t], int(take.timestamps_ns[t]), 1) for t in range(len(take))
    ]
    # The last one twice: the first frame is known to be whole only when the second begins.
    return [packet for pose in [*poses, poses[-1]] for packet in encoder.encode(pose)]


def character(skeleton: Skeleton, path: Path, scale: float = 1.0, without: tuple[str, ...] = ()) -> str:
    """Write a character `scale` times as large, whose bones have axes of their own."""
    rng = np.random.default_rng(5)
    places = unity_position(rest_joints(skeleton) * scale)
    lines = []
    for j, name in enumerate(skeleton.joint_names):
        bone = HUMANOID_BONES.get(name)
        if bone is None or bone in without:
            continue
        parent = int(skeleton.parents[j])
        while parent >= 0 and HUMANOID_BONES[skeleton.joint_names[parent]] in without:
            parent = int(skeleton.parents[parent])
        above = HUMANOID_BONES[skeleton.joint_names[parent]] if parent >= 0 else "-"
        axes = np.roll(quaternion_from_rotvec(rng.normal(size=3)), -1)
        lines.append(f"{bone} {above} " + " ".join(f"{n:.7f}" for n in (*places[j], *axes)))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def largest_error_m(told: dict[str, Any], take: Take, scale: float = 1.0) -> float:
    joints = forward_kinematics(take.skeleton, take.rotations_wxyz[-1], take.root_translation[-1])
    wanted = joints[[take.skeleton.joint_names.index(n) for n in HUMANOID_BONES]]
    got = unity_position(np.array([told["joints"][b] for b in HUMANOID_BONES.values()])) / scale
    error_m = float(np.linalg.norm(got - wanted, axis=1).max())
    print(f"{told['frames']} frames, largest joint error {error_m * 1000:.4f} mm")
    return error_m


def test_every_message_of_ours_is_decoded(make_take, check, tmp_path):
    from pythonosc.osc_bundle import OscBundle

    packets = packets_of(make_take(20))
    told = run(check, "decode", record(packets, tmp_path / "packets"))
    ours = [message for packet in packets for message in OscBundle(packet)]
    assert len(told) == len(ours) == 21 * 25
    for (address, text, numbers), message in zip(told, ours, strict=True):
        assert address == message.address
        assert text == next((p for p in message.params if isinstance(p, str)), None)
        np.testing.assert_allclose(numbers, [p for p in message.params if not isinstance(p, str)], atol=1e-7)


def test_damaged_packets_are_left_out(make_take, check, tmp_path, rng):
    whole = packets_of(make_take(2))[0]
    cut = [whole[:n] for n in range(0, len(whole), 3)]
    spoilt = []
    for _ in range(300):
        packet = bytearray(whole)
        for at in rng.integers(0, len(whole), 5):
            packet[at] = rng.integers(0, 256)
        spoilt.append(bytes(packet))
    nested = b"#bundle\0" + bytes(8) + struct.pack(">i", len(whole)) + whole
    deep = whole
    for _ in range(40):
        deep = b"#bundle\0" + bytes(8) + struct.pack(">i", len(deep)) + deep
    assert run(check, "decode", record([b"", *cut, *spoilt, deep], tmp_path / "bad")) is not None
    good = run(check, "decode", record([nested], tmp_path / "nested"))
    assert good == run(check, "decode", record([whole], tmp_path / "whole"))


@pytest.mark.parametrize("root_motion", ["root", "hips", "both"])
def test_a_character_of_other_size_with_axes_of_its_own_takes_the_pose(make_take, check, tmp_path, root_motion):
    take = make_take(61)
    packets = record(packets_of(take, root_motion=root_motion), tmp_path / "packets")
    (told,) = run(check, "pose", packets, character(take.skeleton, tmp_path / "character", 0.8))
    assert told["tracked"] is True
    assert largest_error_m(told, take, 0.8) <= TOLERANCE_M


def test_a_character_without_some_bones_points_its_limbs_the_same_way(make_take, check, tmp_path):
    take = make_take(61)
    packets = record(packets_of(take), tmp_path / "packets")
    lacking = character(take.skeleton, tmp_path / "c", without=("UpperChest", "Neck", "LeftShoulder", "RightToes"))
    (told,) = run(check, "pose", packets, lacking)
    joints = forward_kinematics(take.skeleton, take.rotations_wxyz[-1], take.root_translation[-1])
    for a, b in (("left_shoulder", "left_elbow"), ("right_elbow", "right_wrist"), ("left_hip", "left_knee")):
        wanted = joints[take.skeleton.joint_names.index(b)] - joints[take.skeleton.joint_names.index(a)]
        got = unity_position(np.subtract(told["joints"][HUMANOID_BONES[b]], told["joints"][HUMANOID_BONES[a]]))
        np.testing.assert_allclose(got, wanted, atol=TOLERANCE_M)


def test_over_the_network_to_the_goodbye(make_take, check, tmp_path):
    """The port is had once, the thread ends, and the last pose is held."""
    take = make_take(61)
    command = [*check, "listen", character(take.skeleton, tmp_path / "character"), str(len(take))]
    unity = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert unity.stdout is not None
        port = unity.stdout.readline().strip()
        assert port.isdigit(), unity.communicate(timeout=60)
        with open_stream(VmcOptions("127.0.0.1", int(port), max_performers=1), take.skeleton) as stream:
            for t in [*range(len(take)), len(take) - 1]:
                stream.send([Pose(take.rotations_wxyz[t], take.root_translation[t], int(take.timestamps_ns[t]), 1)])
                time.sleep(1 / 60)
        out, error = unity.communicate(timeout=60)
    finally:
        unity.kill()
        unity.communicate()
    assert unity.returncode == 0, error
    assert "cannot be had" in error, "the second receiver did not say why it has no port"
    told = json.loads(out.splitlines()[-1])
    assert told["tracked"] is False
    assert largest_error_m(told, take) <= TOLERANCE_M
