"""VRChat's trackers: where they are and how they turn, judged in Unity's space."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from exporters import Pose, StreamError, VrchatOptions, VrchatStream, forward_kinematics, open_stream
from exporters.kinematics import world_rotations
from exporters.rotations import matrix_from_quaternion, quaternion_from_rotvec
from exporters.vrchat import TRACKER_JOINTS, VrchatEncoder, height_m, unity_euler_deg


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as it:
        it.bind(("127.0.0.1", 0))
        it.settimeout(2)
        yield it


def messages(datagram: bytes) -> dict[str, np.ndarray]:
    from pythonosc.osc_bundle import OscBundle

    return {m.address.removeprefix("/tracking/trackers/"): np.array(m.params) for m in OscBundle(datagram)}


def standing(skeleton, turn=(0.0, 0.0, 0.0), joint: str = "pelvis") -> Pose:
    q = np.tile(np.float32([1, 0, 0, 0]), (24, 1))
    q[skeleton.joint_names.index(joint)] = quaternion_from_rotvec(np.array(turn))
    return Pose(q, np.float32([1, skeleton.offsets[0, 1], 2]), 0, 1)


def unity_matrix(angles_deg: np.ndarray) -> np.ndarray:
    """Return Ry Rx Rz of Unity's Euler angles, with left-handed turns, `(..., 3, 3)`.

    In coordinates a left-handed turn by an angle about an axis is written like a right-handed one.
    """
    x, y, z = np.radians(np.moveaxis(angles_deg, -1, 0))
    axes = np.eye(3)

    def turn(angle: np.ndarray, axis: np.ndarray) -> np.ndarray:
        return matrix_from_quaternion(quaternion_from_rotvec(angle[..., None] * axis))

    return turn(y, axes[1]) @ turn(x, axes[0]) @ turn(z, axes[2])


def test_one_packet_holds_every_tracker(skeleton, receiver):
    options = VrchatOptions("127.0.0.1", receiver.getsockname()[1], tuple(TRACKER_JOINTS))
    with open_stream(options, skeleton) as stream:
        stream.send([standing(skeleton)])
        datagram = receiver.recv(65536)
    told = messages(datagram)
    assert len(datagram) < 1500
    names = [*map(str, range(1, 9)), "head"]
    assert set(told) == {f"{n}/{what}" for n in names for what in ("position", "rotation")}
    assert datagram.count(b",fff\0") == 18


def test_positions_are_the_joints_in_unitys_space(make_take):
    take = make_take(20)
    encoder = VrchatEncoder(take.skeleton, VrchatOptions(trackers=("left_foot", "head", "hip")))
    joints = forward_kinematics(take.skeleton, take.rotations_wxyz[11], take.root_translation[11])
    told = messages(*encoder.encode(Pose(take.rotations_wxyz[11], take.root_translation[11], 0, 1)))
    for number, joint in (("1", "left_ankle"), ("2", "pelvis"), ("head", "head")):
        wanted = joints[take.skeleton.joint_names.index(joint)] * (-1, 1, 1)
        np.testing.assert_allclose(told[f"{number}/position"], wanted, atol=1e-5)


def test_angles_by_their_sense(skeleton):
    encoder = VrchatEncoder(skeleton, VrchatOptions(trackers=("hip",)))

    def rotation(turn: tuple[float, float, float]) -> np.ndarray:
        return messages(*encoder.encode(standing(skeleton, turn)))["1/rotation"]

    np.testing.assert_allclose(rotation((0, 0, 0)), 0, atol=1e-4)
    # Turning to one's left is a negative turn about Unity's y; bowing forward is a positive one about its x.
    np.testing.assert_allclose(rotation((0, np.radians(30), 0)), (0, -30, 0), atol=1e-3)
    np.testing.assert_allclose(rotation((np.radians(30), 0, 0)), (30, 0, 0), atol=1e-3)
    # Leaning to one's right, which is Unity's +x, is a negative turn about z.
    np.testing.assert_allclose(rotation((0, 0, np.radians(20))), (0, 0, -20), atol=1e-3)


def test_angles_rebuild_every_rotation(make_take):
    take = make_take(40)
    world = world_rotations(take.skeleton, take.rotations_wxyz)
    mirror = np.diag((-1.0, 1.0, 1.0))
    wanted = mirror @ matrix_from_quaternion(world) @ mirror
    np.testing.assert_allclose(unity_matrix(unity_euler_deg(world)), wanted, atol=1e-5)


def test_the_motion_is_scaled_to_the_players_height(skeleton):
    assert 1.6 < height_m(skeleton) < 1.8
    pose = standing(skeleton)
    plain = messages(*VrchatEncoder(skeleton, VrchatOptions()).encode(pose))
    tall = messages(*VrchatEncoder(skeleton, VrchatOptions(height_m=2 * height_m(skeleton))).encode(pose))
    for name in plain:
        factor = 2 if name.endswith("position") else 1
        np.testing.assert_allclose(tall[name], factor * plain[name], atol=1e-5)


def test_one_player_who_is_followed_by_the_next(skeleton, receiver):
    stream = VrchatStream(VrchatOptions("127.0.0.1", receiver.getsockname()[1], ("hip",), rate_hz=None), skeleton)

    def at(subject: int) -> Pose:
        return replace(standing(skeleton), root_translation=np.float32([-subject, 1, 0]), subject=subject)

    for present, player in (([4, 7], 4), ([7, 4], 4), ([7], 7), ([4, 7], 7)):
        stream.send([at(subject) for subject in present])
        assert messages(receiver.recv(65536))["1/position"][0] == pytest.approx(player)
    assert stream.unsent == 3
    broken = at(7)
    broken.rotations_wxyz[0, 0] = np.nan
    stream.send([broken])
    stream.send([])
    stream.close()
    stream.close()
    stream.send([at(7)])
    receiver.settimeout(0.05)
    with pytest.raises(TimeoutError):
        receiver.recv(65536)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"trackers": ("hip", "tail")}, "found tail, expected some of hip"),
        ({"trackers": ()}, "found none"),
        ({"trackers": ("hip", "hip")}, "each once"),
        ({"host": "no such host.invalid"}, "cannot be looked up"),
        ({"port": 0}, "port: found 0"),
    ],
)
def test_wrong_options_are_named(skeleton, wrong, message):
    with pytest.raises(StreamError, match=message):
        open_stream(replace(VrchatOptions(), **wrong), skeleton)


def test_a_skeleton_without_the_joints_is_refused(skeleton):
    other = replace(skeleton, joint_names=tuple(f"j{n}" for n in range(24)))
    with pytest.raises(StreamError, match="found no pelvis"):
        open_stream(VrchatOptions(), other)
