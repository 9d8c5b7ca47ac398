"""What the monitor says of traffic: ours has no problems, and every wrong thing is named."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from exporters import HUMANOID_BONES, Pose, Take, VmcOptions
from exporters.osc import Message, encode_bundles
from exporters.osc_traffic import OscTraffic
from exporters.vmc_encoder import VmcEncoder


def report_of(packets: list[bytes], rate_hz: float = 30.0) -> dict[str, Any]:
    traffic = OscTraffic()
    for n, packet in enumerate(packets):
        traffic.add(packet, n / rate_hz)
    return traffic.report()


def bone(name: str, *numbers: float) -> Message:
    return Message("/VMC/Ext/Bone/Pos", "s" + "f" * len(numbers), (name, *numbers))


def test_a_take_of_ours_has_no_problems(make_take):
    take: Take = make_take(31)
    encoder = VmcEncoder(take.skeleton, VmcOptions())
    traffic = OscTraffic()
    for t in range(31):
        for packet in encoder.encode(Pose(take.rotations_wxyz[t], take.root_translation[t], t * 33_333_333, 1)):
            traffic.add(packet, t / 30)
    told = traffic.report()
    assert told["problems"] == {}
    assert (told["packets"], told["messages"]) == (62, 31 * 25)
    assert told["largest_packet_bytes"] < 1500
    assert set(told["bones"]) == set(HUMANOID_BONES.values())
    assert told["addresses"]["/VMC/Ext/OK"] == {"count": 31, "rate_hz": 30.0, "last": [1, 3, 0, 1]}
    assert told["bones"]["Head"]["rate_hz"] == 30.0
    assert traffic.rate_hz("/VMC/Ext/T") == pytest.approx(30)
    assert traffic.rate_hz("/elsewhere") is None


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        (bone("Hips", 0, 1, 0, 0, 0, 0, 0), "Hips: quaternion of zeros"),
        (bone("Hips", 0, 1, 0, 0, 0, 0, 1.2), "Hips: quaternion not of length 1"),
        (bone("Hips", 0, float("nan"), 0, 0, 0, 0, 1), "Hips: numbers that are not finite"),
        (bone("Tail", 0, 1, 0, 0, 0, 0, 1), "Tail: no bone of Unity's humanoid"),
        (bone("Hips", 0, 1, 0), "/VMC/Ext/Bone/Pos: no text and seven floats"),
        (Message("/VMC/Ext/Root/Pos", "siiiffff", ("root", 1, 1, 1, 0, 0, 0, 1)), "Root/Pos: no text and seven floats"),
        (bone("Hips", 0, 1, 0, 0, 0, 0, 1), "missing: LeftUpperLeg, RightUpperLeg, Spine, "),
    ],
)
def test_what_is_wrong_is_named(message, problem):
    told = report_of(encode_bundles([message]))
    assert any(problem in found for found in told["problems"]), told["problems"]


def test_packets_that_are_too_large_or_no_osc_are_named():
    large = encode_bundles([Message("/a", "f" * 400, (0.5,) * 400)], 4000)
    told = report_of([*large, b"hello", b"#bundle\0" + bytes(8) + struct.pack(">i", 99) + b"/a\0\0", b""])
    assert told["problems"]["packet of more than 1500 bytes"] == 1
    assert sum(count for problem, count in told["problems"].items() if "no OSC" in problem) >= 2


def test_bones_without_positions_are_named():
    bones = [bone(name, 0, 0, 0, 0, 0, 0, 1) for name in HUMANOID_BONES.values()]
    assert [p for p in report_of(encode_bundles(bones))["problems"] if "position 0" in p]
