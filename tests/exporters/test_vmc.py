"""VMC: what goes over the wire, judged by its sense."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from exporters import (
    HUMANOID_BONES,
    Pose,
    StreamError,
    Take,
    UnknownFormatError,
    VmcOptions,
    forward_kinematics,
    open_stream,
)
from exporters.osc import Message, encode_bundles
from exporters.rotations import matrix_from_quaternion, quaternion_from_rotvec

BONE_OF = dict(HUMANOID_BONES)


class Receiver:
    """A UDP socket on this machine and the decoded messages it got."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(2)
        self.port = self.socket.getsockname()[1]

    def datagrams(self, count: int) -> list[bytes]:
        return [self.socket.recv(65536) for _ in range(count)]

    def messages(self, count: int) -> list[tuple[str, list]]:
        """Return (address, arguments) of `count` datagrams."""
        from pythonosc.osc_bundle import OscBundle

        return [(m.address, m.params) for d in self.datagrams(count) for m in OscBundle(d)]

    def nothing_more(self) -> bool:
        self.socket.settimeout(0.05)
        try:
            self.socket.recv(65536)
        except TimeoutError:
            return True
        return False


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    it = Receiver()
    yield it
    it.socket.close()


def pose_of(take: Take, t: int, subject: int = 1) -> Pose:
    return Pose(take.rotations_wxyz[t], take.root_translation[t], int(take.timestamps_ns[t]), subject)


def options(receiver: Receiver, **others) -> VmcOptions:
    return VmcOptions("127.0.0.1", receiver.port, max_performers=1, **others)


def rebuild(messages: list[tuple[str, list]], skeleton) -> dict[str, np.ndarray]:
    """Return where a receiver puts each joint, `(3,)` in our space, by the chain of the received transforms."""
    placed = {args[0]: np.array(args[1:]) for address, args in messages if address.endswith("/Pos")}

    def transform(args: np.ndarray) -> np.ndarray:
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = matrix_from_quaternion(args[[6, 3, 4, 5]]), args[:3]
        return matrix

    world = {-1: transform(placed["root"])}
    for j, (name, parent) in enumerate(zip(skeleton.joint_names, skeleton.parents, strict=True)):
        if name in BONE_OF:
            world[j] = world[int(parent)] @ transform(placed[BONE_OF[name]])
    return {skeleton.joint_names[j]: m[:3, 3] * (-1, 1, 1) for j, m in world.items() if j >= 0}


def raised_left_arm(skeleton) -> Pose:
    """A performer at (1, hip height, 2) m who lifts the left arm straight up."""
    q = np.tile(np.float32([1, 0, 0, 0]), (24, 1))
    q[skeleton.joint_names.index("left_shoulder")] = quaternion_from_rotvec(np.array([0, 0, np.pi / 2]))
    return Pose(q, np.float32([1, skeleton.offsets[0, 1], 2]), 10**9, 1)


def test_one_frame_is_two_bundles_with_everything(make_take, receiver):
    take = make_take(5)
    with open_stream(options(receiver), take.skeleton) as stream:
        stream.send([pose_of(take, 3)])
        datagrams = receiver.datagrams(2)
    assert receiver.messages(1)  # the farewell
    assert max(len(d) for d in datagrams) < 1500
    assert all(d.startswith(b"#bundle\0") for d in datagrams)
    text = b"".join(datagrams)
    assert text.count(b"/VMC/Ext/Bone/Pos\0") == 22
    assert text.count(b",sfffffff\0") == 23
    assert text.count(b",iiii\0") == 1


@pytest.mark.parametrize("root_motion", ["root", "hips", "both"])
def test_a_receiver_finds_the_joints_where_they_are(make_take, receiver, root_motion):
    take = make_take(30)
    joints = forward_kinematics(take.skeleton, take.rotations_wxyz, take.root_translation)
    stream = open_stream(options(receiver, root_motion=root_motion), take.skeleton)
    for t in range(30):
        stream.send([pose_of(take, t)])
        for name, place in rebuild(receiver.messages(2), take.skeleton).items():
            assert np.linalg.norm(place - joints[t, take.skeleton.joint_names.index(name)]) < 1e-4
    stream.close()


def test_bytes_equal_those_of_the_library():
    from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
    from pythonosc.osc_message_builder import OscMessageBuilder

    messages = [Message("/VMC/Ext/OK", "iiii", (1, 3, 0, -1)), Message("/a/b", "sff", ("Hüfte", 0.1, -2.5))]
    wanted = OscBundleBuilder(IMMEDIATELY)
    for message in messages:
        builder = OscMessageBuilder(message.address)
        for kind, argument in zip(message.types, message.arguments, strict=True):
            builder.add_arg(argument, kind)
        wanted.add_content(builder.build())
    assert encode_bundles(messages) == [wanted.build().dgram]
    assert [len(b) for b in encode_bundles(messages * 3, 60)] == [len(b) for b in encode_bundles(messages[:1])
                                                                  + encode_bundles(messages[1:])] * 3  # fmt: skip
    with pytest.raises(ValueError, match="for each text first"):
        encode_bundles([Message("/a", "fs", (1.0, "x"))])


def test_where_the_translation_goes(skeleton, receiver):
    pose = raised_left_arm(skeleton)
    for root_motion, root, hips in (
        ("root", (-1, 0, 2), (0, 0.95, 0)),
        ("hips", (0, 0, 0), (-1, 0.95, 2)),
        ("both", (-1, 0, 2), (0, 0.95, 0)),
    ):
        with open_stream(options(receiver, root_motion=root_motion), skeleton) as stream:
            stream.send([pose])
            placed = {a[0]: a[1:4] for address, a in receiver.messages(2) if address.endswith("/Pos")}
        receiver.messages(1)
        np.testing.assert_allclose(placed["root"], root, atol=1e-6)
        np.testing.assert_allclose(placed["Hips"], hips, atol=1e-6)


def test_rest_offsets_are_never_zero(skeleton, receiver):
    with open_stream(options(receiver), skeleton) as stream:
        stream.send([raised_left_arm(skeleton)])
        for address, arguments in receiver.messages(2):
            if address == "/VMC/Ext/Bone/Pos":
                assert np.linalg.norm(arguments[1:4]) > 1e-3
    flat = replace(skeleton, offsets=skeleton.offsets * (np.arange(24) != 7)[:, None].astype(np.float32))
    with pytest.raises(StreamError, match="left_ankle"):
        open_stream(options(receiver), flat)


def sent(skeleton, receiver, pose: Pose, **switches) -> dict[str, np.ndarray]:
    stream = open_stream(options(receiver, **switches), skeleton)
    stream.send([pose])
    found = rebuild(receiver.messages(2), skeleton)
    stream.close()
    receiver.messages(1)
    return found


def test_left_arm_raised_is_the_avatars_left_arm(skeleton, receiver):
    found = sent(skeleton, receiver, raised_left_arm(skeleton))
    assert found["left_wrist"][1] > found["head"][1]
    assert found["right_wrist"][1] < found["head"][1]
    assert found["left_wrist"][0] > 1  # facing +z, the left side is at +x
    assert found["left_foot"][2] > 2


def test_mirror_raises_the_right_arm_and_goes_the_other_way(skeleton, receiver):
    found = sent(skeleton, receiver, raised_left_arm(skeleton), mirror=True)
    assert found["right_wrist"][1] > found["head"][1]
    assert found["left_wrist"][1] < found["head"][1]
    np.testing.assert_allclose(found["pelvis"], (-1, 0.95, 2), atol=1e-5)
    assert found["left_wrist"][0] > found["right_wrist"][0]  # still a body with its left at +x
    assert found["left_foot"][2] > found["left_ankle"][2]  # still facing +z


def test_turn_180_shows_the_back(skeleton, receiver):
    found = sent(skeleton, receiver, raised_left_arm(skeleton), turn_180=True)
    assert found["left_wrist"][1] > found["head"][1]
    np.testing.assert_allclose(found["pelvis"], (-1, 0.95, -2), atol=1e-5)
    assert found["left_foot"][2] < found["left_ankle"][2]
    assert found["left_wrist"][0] < found["right_shoulder"][0]


def test_mirror_is_an_exact_reflection(make_take, receiver):
    take = make_take(10)
    joints = forward_kinematics(take.skeleton, take.rotations_wxyz, take.root_translation)
    for t in (0, 4, 9):
        found = sent(take.skeleton, receiver, pose_of(take, t), mirror=True)
        for side, other in (("left_wrist", "right_wrist"), ("right_knee", "left_knee"), ("head", "head")):
            wanted = joints[t, take.skeleton.joint_names.index(other)] * (-1, 1, 1)
            np.testing.assert_allclose(found[side], wanted, atol=1e-4)


def test_signs_are_continuous(make_take, receiver):
    take = make_take(61)
    stream = open_stream(options(receiver), take.skeleton)
    before: dict[str, np.ndarray] = {}
    for t in range(61):
        pose = pose_of(take, t)
        stream.send([replace(pose, rotations_wxyz=pose.rotations_wxyz * np.float32((-1) ** t))])
        for address, arguments in receiver.messages(2):
            if address == "/VMC/Ext/Bone/Pos":
                q = np.array(arguments[4:])
                assert abs(np.linalg.norm(q) - 1) < 1e-6
                assert q @ before.get(arguments[0], q) > 0
                before[arguments[0]] = q
    stream.close()


def test_ok_tells_whether_somebody_is_tracked(make_take, receiver):
    take = make_take(5)
    stream = open_stream(options(receiver), take.skeleton)
    stream.send([])
    assert receiver.messages(1) == [("/VMC/Ext/OK", [0, 3, 0, 0])]
    stream.send([pose_of(take, 0)])
    assert receiver.messages(2)[0] == ("/VMC/Ext/OK", [1, 3, 0, 1])
    stream.close()
    stream.close()
    stream.send([pose_of(take, 1)])
    assert receiver.messages(1) == [("/VMC/Ext/OK", [0, 3, 0, 0])]
    assert receiver.nothing_more()


def test_the_rate_is_capped_but_coming_and_going_are_told_at_once(make_take, receiver):
    take = make_take(5)
    stream = open_stream(options(receiver, rate_hz=30.0), take.skeleton)
    for _ in range(50):  # within much less than a thirtieth of a second each
        stream.send([pose_of(take, 0)])
    receiver.messages(2)
    sent = 1
    while not receiver.nothing_more():
        sent += 0.5
    assert sent <= 10
    for _ in range(10):
        stream.send([pose_of(take, 0)])
    stream.send([])
    stream.close()
    receiver.socket.settimeout(2)
    heard = []
    while heard[-2:] != [[0, 3, 0, 0]] * 2:  # one as the performer left, one as the stream was closed
        heard += [arguments for address, arguments in receiver.messages(1) if address == "/VMC/Ext/OK"]
    assert receiver.nothing_more()


def test_time_starts_at_zero(make_take, receiver):
    take = make_take(5)
    late = replace(take, timestamps_ns=take.timestamps_ns + 10**15)
    with open_stream(options(receiver), take.skeleton) as stream:
        for t in range(3):
            stream.send([pose_of(late, t)])
            (seconds,) = [a[0] for address, a in receiver.messages(2) if address == "/VMC/Ext/T"]
            assert seconds == pytest.approx(t / 30, abs=1e-6)


def test_numbers_that_are_not_finite_are_not_sent(make_take, receiver):
    take = make_take(5)
    broken = pose_of(take, 0)
    broken.rotations_wxyz[3, 2] = np.nan
    with open_stream(options(receiver), take.skeleton) as stream:
        stream.send([broken])
        assert receiver.messages(1)[0] == ("/VMC/Ext/OK", [0, 3, 0, 0])
        assert stream.unsent == 1


def test_several_performers_keep_their_ports(make_take):
    take = make_take(5)
    first, second = neighbours()
    try:
        stream = open_stream(VmcOptions("127.0.0.1", first.port, max_performers=2), take.skeleton)

        def who(receiver: Receiver, count: int) -> float | None:
            places = [a[1] for address, a in receiver.messages(count) if address == "/VMC/Ext/Root/Pos"]
            return round(places[0]) if places else None

        def at(subject: int) -> Pose:
            return replace(pose_of(take, 0, subject), root_translation=np.float32([-subject, 1, 0]))

        stream.send([at(4), at(7)])
        assert (who(first, 2), who(second, 2)) == (4, 7)
        stream.send([at(7)])  # the first one hidden: nobody moves up
        assert (who(first, 1), who(second, 2)) == (None, 7)
        stream.send([at(7), at(4)])
        assert (who(first, 2), who(second, 2)) == (4, 7)
        stream.send([at(7), at(9), at(11)])  # found again under a new number; the third has no port
        assert (who(first, 2), who(second, 2)) == (9, 7)
        assert stream.unsent == 1
        stream.close()
        assert (who(first, 1), who(second, 1)) == (None, None)
    finally:
        first.socket.close()
        second.socket.close()


def neighbours() -> tuple[Receiver, Receiver]:
    """Return receivers on two ports in a row."""
    for _ in range(50):
        first, second = Receiver(), Receiver()
        second.socket.close()
        second.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            second.socket.bind(("127.0.0.1", first.port + 1))
        except OSError:
            first.socket.close()
            second.socket.close()
            continue
        second.socket.settimeout(2)
        return first, second
    pytest.skip("no two free ports in a row")


def test_an_absent_receiver_and_a_full_buffer_never_raise(make_take, monkeypatch):
    take = make_take(5)
    closed = Receiver()
    closed.socket.close()
    stream = open_stream(VmcOptions("127.0.0.1", closed.port), take.skeleton)
    for t in range(5):
        stream.send([pose_of(take, t)])
    for error in (
        BlockingIOError(11, "full"),
        ConnectionRefusedError(111, "refused"),
        ConnectionResetError(10054, "reset"),
    ):

        class Failing:
            def sendto(self, *_, error=error):
                raise error

            def close(self):
                pass

        real, stream._sender._socket = stream._sender._socket, Failing()
        lost = stream.lost
        stream.send([pose_of(take, 0)])
        assert stream.lost == lost + 2
        stream._sender._socket = real
    stream.close()


def test_the_host_is_looked_up_once(make_take, receiver, monkeypatch):
    take = make_take(3)
    stream = open_stream(replace(options(receiver), host="localhost"), take.skeleton)
    monkeypatch.setattr(socket, "getaddrinfo", None)
    stream.send([pose_of(take, 0)])
    assert receiver.messages(2)
    stream.close()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"host": "no such host.invalid"}, "cannot be looked up"),
        ({"port": 0}, "port: found 0"),
        ({"port": 65535, "max_performers": 2}, "room for one port each"),
        ({"root_motion": "feet"}, "root, hips, both"),
    ],
)
def test_wrong_options_are_named(skeleton, wrong, message):
    with pytest.raises(StreamError, match=message):
        open_stream(replace(VmcOptions(max_performers=1), **wrong), skeleton)


def test_a_skeleton_without_the_bones_is_refused(skeleton):
    other = replace(skeleton, joint_names=tuple(f"j{n}" for n in range(24)))
    with pytest.raises(StreamError, match="found no pelvis"):
        open_stream(VmcOptions(), other)
    with pytest.raises(UnknownFormatError, match="VmcOptions"):
        open_stream(object(), skeleton)


def test_the_library_is_loaded_on_first_use():
    program = "import sys, exporters; sys.exit(any(m.startswith('pythonosc') for m in sys.modules))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
