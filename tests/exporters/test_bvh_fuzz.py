"""The BVH reader against files nobody wrote by hand: any hierarchy is read as it is meant, any damage is said."""

from __future__ import annotations

import re
import string
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporters import Take, TakeFileError, format_bvh, forward_kinematics, parse_bvh

GOLDEN = (Path(__file__).parent / "golden" / "three_joints.bvh").read_text(encoding="ascii")
QUICK = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])

angles = st.floats(-720, 720).map(lambda x: round(x, 4))
places = st.floats(-500, 500).map(lambda x: round(x, 4))
name_parts = st.text(string.ascii_letters + string.digits + "_:.-", min_size=1, max_size=8)
joint_names = st.lists(name_parts, min_size=1, max_size=2).map(" ".join)
orders = st.permutations("XYZ").map("".join)
line_ends = st.sampled_from(["\n", "\r\n", "\r"])
margins = st.sampled_from(["\t", "  ", ""])


@st.composite
def hierarchies(draw: st.DrawFn) -> list[dict]:
    """Return joints, each with name, parent, offset, rotation order and whether it has position channels."""
    count = draw(st.integers(1, 7))
    names = draw(st.lists(joint_names, min_size=count, max_size=count, unique_by=str))
    return [
        {
            "name": names[n], "parent": draw(st.integers(0, n - 1)) if n else -1,
            "offset": draw(st.tuples(places, places, places)), "order": draw(orders),
            "moves": n == 0 or draw(st.booleans()),
        }
        for n in range(count)
    ]  # fmt: skip


def write(joints: list[dict], rows: list[list[float]], end: str, margin: str, frame_time: str) -> tuple[str, list[int]]:
    """Return the text, and the numbers of the joints in its order."""
    lines, order = ["HIERARCHY"], []

    def put(number: int, depth: int) -> None:
        joint, tabs = joints[number], margin * depth
        order.append(number)
        channels = (["Xposition", "Yposition", "Zposition"] if joint["moves"] else []) + [
            f"{axis}rotation" for axis in joint["order"]
        ]
        lines.extend([f"{tabs}{'JOINT' if number else 'ROOT'} {joint['name']}", tabs + "{"])
        lines.append(f"{tabs}OFFSET " + " ".join(map(str, joint["offset"])))
        lines.append(f"{tabs}CHANNELS {len(channels)} {' '.join(channels)}")
        below = [n for n, other in enumerate(joints) if other["parent"] == number]
        for child in below:
            put(child, depth + 1)
        if not below:
            lines.extend([tabs + "End Site", tabs + "{", tabs + "OFFSET 0 1 0", tabs + "}"])
        lines.append(tabs + "}")

    put(0, 0)
    lines += ["MOTION", f"Frames: {len(rows)}", f"Frame Time: {frame_time}"]
    lines += [" ".join(map(str, row)) for row in rows]
    return end.join(lines) + end, order


def turn(axis: str, degrees: float) -> np.ndarray:
    a, b = {"X": (1, 2), "Y": (2, 0), "Z": (0, 1)}[axis]
    m = np.eye(3)
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    m[a, a], m[a, b], m[b, a], m[b, b] = c, -s, s, c
    return m


def places_of(joints: list[dict], order: list[int], row: list[float]) -> dict[str, np.ndarray]:
    """Return where the joints are, centimetres, by matrices and recursion: a way of its own."""
    values, world = iter(row), {}
    for number in order:
        joint = joints[number]
        place = np.array([next(values) for _ in range(3)] if joint["moves"] else joint["offset"])
        place = place if number == 0 else np.array(joint["offset"])
        local = np.eye(3)
        for axis in joint["order"]:
            local = local @ turn(axis, next(values))
        if number == 0:
            world[number] = (local, place)
        else:
            above, where = world[joint["parent"]]
            world[number] = (above @ local, where + above @ place)
    return {joints[n]["name"]: world[n][1] for n in order}


def joints_of(take: Take) -> np.ndarray:
    return forward_kinematics(take.skeleton, take.rotations_wxyz, take.root_translation)


@QUICK
@given(hierarchies(), st.data(), line_ends, margins)
def test_any_hierarchy_is_read_as_it_is_meant(joints, data, end, margin):
    # Joints below the root stand still: what moves there is left out, or makes the root a carrier.
    _, order = write(joints, [], end, margin, "0.04")
    rows = []
    for _ in range(data.draw(st.integers(1, 3))):
        row: list[float] = []
        for n in order:
            if joints[n]["moves"]:
                row += [data.draw(places) for _ in range(3)] if n == 0 else joints[n]["offset"]
            row += [data.draw(angles) for _ in range(3)]
        rows.append(row)
    text, _ = write(joints, rows, end, margin, "0.04")
    take = parse_bvh(text)
    assert take.skeleton.joint_names == tuple(joints[n]["name"] for n in order)
    assert take.metadata["source_fps"] == 25
    found = joints_of(take)
    for t, row in enumerate(rows):
        wanted = places_of(joints, order, row)
        for j, name in enumerate(take.skeleton.joint_names):
            np.testing.assert_allclose(found[t, j] * 100, wanted[name], atol=5e-3)


DAMAGE = (
    "}", "{", " nan ", " 1e999 ", " 1e-999999999 ", "-", " ² ", "MOTION\n", "JOINT", "\0", "1_0",
    "CHANNELS 999999999999999999999999 ", "OFFSET 1e300 0 0\n", "Frames: 99999999999999999999",
)  # fmt: skip


def read_or_complaint(text: str) -> Take | str:
    try:
        return parse_bvh(text)
    except TakeFileError as error:
        return str(error)


@QUICK
@given(st.data())
def test_any_damage_is_said_or_harmless(data):
    text = GOLDEN
    for _ in range(data.draw(st.integers(1, 4))):
        words = [match.span() for match in re.finditer(r"\S+", text)] or [(0, 0)]
        at, end = data.draw(st.sampled_from(words))  # a word is damaged, or any stretch
        length = end - at
        if data.draw(st.booleans()):
            at, length = data.draw(st.integers(0, len(text))), data.draw(st.integers(0, 30))
        new = data.draw(st.one_of(st.text(max_size=6), st.sampled_from(DAMAGE)))
        text = text[:at] + new + text[at + length :]
    found = read_or_complaint(text)
    if isinstance(found, str):
        assert "line" in found
        assert "expected" in found
    else:
        assert np.isfinite(joints_of(found)).all()
        assert len(found) == 0 or len(parse_bvh(format_bvh(found))) == len(found)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        *(("Frames: 3", f"Frames: {n}") for n in ("²", "-3", "3.0", "1e3", "9" * 5000, "٣", "nan")),
        *(("Frame Time: 0.03336667", f"Frame Time: {n}")
          for n in ("1e-999999999", "1e999999999", "nan", "inf", "-0.03", "1/30", "0", "0.00001", "9999999", "0,033")),
        *(("CHANNELS 6", f"CHANNELS {n}") for n in ("-1", "7", "²", "1e3", "9" * 5000, "5")),
        ("Zrotation Xrotation Yrotation", "Zrotation Xrotation Zrotation"),
        *(("30.000000", n) for n in ("1e300", "inf", "-inf", "1e400")),
    ],
)  # fmt: skip
def test_numbers_beyond_measure_are_said_at_once(old, new):
    assert old in GOLDEN
    found = read_or_complaint(GOLDEN.replace(old, new, 1))
    assert isinstance(found, str), "it was read"
    assert "line" in found
    assert "expected" in found


@QUICK
@given(st.text(max_size=200))
def test_any_text_is_no_crash(text):
    found = read_or_complaint(text)
    assert isinstance(found, str)
    assert "line" in found
