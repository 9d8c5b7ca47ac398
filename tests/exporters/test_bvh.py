"""BVH out and in: a file written by hand, round trips, and the rules other programs depend on."""

from __future__ import annotations

import errno
import locale
import logging
import os
import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from exporters import MIXAMO_NAMES, Skeleton, Take, TakeFileError, format_bvh, forward_kinematics, parse_bvh, read_bvh
from exporters.bvh import write_bvh
from exporters.resample import grid_times_ns
from exporters.rotations import quaternion_from_euler

GOLDEN = Path(__file__).parent / "golden" / "three_joints.bvh"


def three_joints() -> Take:
    offsets = np.array([[0, 1, 0], [0, 0.3, 0], [0.4, 0, 0]], np.float32)
    skeleton = Skeleton("three", ("hip", "the chest", "hand"), np.array([-1, 0, 1], np.int32), offsets)
    degrees = np.zeros((3, 3, 3))
    degrees[1:, 0, 2], degrees[2, 1, 0] = 90, 30
    rotations = quaternion_from_euler(np.radians(degrees), "ZXY").astype(np.float32)
    places = np.array([[0, 1, 0], [0.1, 1, 0.2], [0.1, 1, 0.2]], np.float32)
    return Take(skeleton, rotations, places, grid_times_ns(5, 3, Fraction(30000, 1001)), metadata={"source_fps": 29.97})


def numbers(text: str) -> np.ndarray:
    """Return the motion's rows, read by a way of its own."""
    return np.array([line.split() for line in text.splitlines()[text.splitlines().index("MOTION") + 3 :]], float)


def joints_of(take: Take) -> np.ndarray:
    return forward_kinematics(take.skeleton, take.rotations_wxyz, take.root_translation)


def test_equals_the_file_written_by_hand():
    text, golden = format_bvh(three_joints()), GOLDEN.read_text(encoding="ascii")
    head, golden_head = text.partition("MOTION")[0], golden.partition("MOTION")[0]
    assert head == golden_head
    assert text.splitlines()[:24] == golden.splitlines()[:24]
    # Rotations are float32 in a take: 90 degrees is off in the fifth decimal.
    np.testing.assert_allclose(numbers(text), numbers(golden), atol=2e-5)


def test_the_hand_written_file_is_understood():
    take = read_bvh(GOLDEN)
    assert take.skeleton.joint_names == ("hip", "the_chest", "hand")
    assert take.metadata["source_fps"] == "30000/1001"
    # Turned by 90 degrees about y, the arm along +x points to -z; the chest's 30 degrees about z raise it.
    np.testing.assert_allclose(joints_of(take)[1, 2], (0.1, 1.3, 0.2 - 0.4), atol=1e-6)
    raised = (0.1, 1.3 + 0.4 * np.sin(np.pi / 6), 0.2 - 0.4 * np.cos(np.pi / 6))
    np.testing.assert_allclose(joints_of(take)[2, 2], raised, atol=1e-6)


@pytest.mark.parametrize("fps", [24, 25, 30, 60, 30000 / 1001, 24000 / 1001])
def test_round_trip_keeps_motion_rate_and_count(make_take, fps):
    take = make_take(61, fps)
    text = format_bvh(take)
    found = parse_bvh(text)
    order = [found.skeleton.joint_names.index(n) for n in take.skeleton.joint_names]
    assert len(found) == 61
    np.testing.assert_allclose(joints_of(found)[:, order], joints_of(take), atol=2e-6)
    assert float(Fraction(found.metadata["source_fps"])) == pytest.approx(fps, abs=1e-12)
    assert np.abs(found.timestamps_ns - take.timestamps_ns).max() <= 1
    frame_time = re.search(r"^Frame Time: (\d\.\d{8})$", text, re.MULTILINE)
    assert float(frame_time[1]) == pytest.approx(1 / fps, abs=6e-9)


def test_curves_do_not_jump_through_full_turns_and_gimbals(make_take):
    rows = numbers(format_bvh(make_take(61)))
    assert rows[:, 5].max() - rows[:, 5].min() > 360
    assert np.abs(np.diff(rows[:, 3:], axis=0)).max() < 30


def test_rules_of_the_format(make_take):
    text = format_bvh(make_take(5))
    lines = [line.strip() for line in text.splitlines()]
    assert lines[1:5] == ["ROOT pelvis", "{", "OFFSET 0.000000 0.000000 0.000000",
                          "CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation"]  # fmt: skip
    assert lines.count("CHANNELS 3 Zrotation Xrotation Yrotation") == 23
    ends = [np.array(lines[n + 2].split()[1:], float) for n, line in enumerate(lines) if line == "End Site"]
    assert len(ends) == 5
    assert min(np.linalg.norm(e) for e in ends) > 1
    assert text.isascii()
    assert text.endswith("\n")
    assert "-0.000000 " not in text
    left_hip = lines[lines.index("JOINT left_hip") + 2].split()[1:]
    np.testing.assert_allclose(np.array(left_hip, float), (8, -8, 0), atol=1e-4)


def test_t_pose_has_zero_rotations(skeleton):
    rest = Take(
        skeleton,
        np.tile(np.float32([1, 0, 0, 0]), (2, 24, 1)),
        np.tile(skeleton.offsets[0], (2, 1)),
        np.array([0, 33333333], np.int64),
    )
    np.testing.assert_array_equal(numbers(format_bvh(rest))[:, 3:], 0)


def test_options_for_particular_programs(make_take):
    take = make_take(5)
    text = format_bvh(take, names=MIXAMO_NAMES, rest_on_floor=True, t_pose="frame")
    assert "ROOT Hips" in text
    assert "JOINT LeftUpLeg" in text
    assert "\n{\n\tOFFSET 0.000000 95.000000 0.000000" in text
    rows = numbers(text)
    assert len(rows) == 6
    np.testing.assert_allclose(rows[0], [0, 95, 0] + [0] * 72, atol=1e-4)
    np.testing.assert_array_equal(rows[1:], numbers(format_bvh(take)))
    with pytest.raises(ValueError, match="one name twice"):
        format_bvh(take, names={"left_hip": "x", "right_hip": "x"})


def test_gaps_are_bridged_returned_and_said(make_take, tmp_path, caplog):
    take = make_take(61)
    keep = np.r_[0:10, 20:61]
    broken = replace(
        take,
        rotations_wxyz=take.rotations_wxyz[keep],
        root_translation=take.root_translation[keep],
        timestamps_ns=take.timestamps_ns[keep],
    )
    with caplog.at_level(logging.INFO):
        gaps = write_bvh(broken, tmp_path / "a.bvh")
    assert [g.frames for g in gaps] == [10]
    assert "bridged 1 gap(s) by interpolation: 0.30-0.67 s" in caplog.text
    assert len(read_bvh(tmp_path / "a.bvh")) == 61


def test_empty_and_broken_takes_are_refused(make_take):
    take = make_take(5)
    nothing = replace(
        take, rotations_wxyz=take.rotations_wxyz[:0], root_translation=take.root_translation[:0],
        timestamps_ns=take.timestamps_ns[:0],
    )  # fmt: skip
    with pytest.raises(TakeFileError, match="no instant"):
        format_bvh(nothing)
    places = take.root_translation.copy()
    places[2, 1] = np.nan
    with pytest.raises(TakeFileError, match="not finite"):
        format_bvh(replace(take, root_translation=places))


def test_decimal_point_whatever_the_locale(make_take):
    before = locale.setlocale(locale.LC_NUMERIC)
    try:
        for name in ("de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "German"):
            try:
                locale.setlocale(locale.LC_NUMERIC, name)
                break
            except locale.Error:
                continue
        assert "," not in format_bvh(make_take(3))
    finally:
        locale.setlocale(locale.LC_NUMERIC, before)


def test_reader_takes_what_others_write():
    text = GOLDEN.read_text(encoding="ascii")
    loose = (
        text.replace("hip\n{", "hip {").replace("\t", "    ").replace("Frame Time: ", "Frame Time:\t")
        .replace("Frames: 3", "Frames:3").replace("40.000000 0.000000 0.000000", "4.0e+1 0 -0.0").replace("\n", " \r\n")
    )  # fmt: skip
    np.testing.assert_allclose(
        joints_of(parse_bvh("\ufeff".encode().decode("utf-8-sig") + loose)), joints_of(read_bvh(GOLDEN))
    )


def test_reader_follows_the_order_of_the_channels():
    text = GOLDEN.read_text(encoding="ascii")
    head, _, motion = text.partition("MOTION")
    # Write the root's channels as Y X Z rotation first, then Z Y X position, with an XYZ chest.
    head = head.replace(
        "Xposition Yposition Zposition Zrotation Xrotation Yrotation",
        "Yrotation Xrotation Zrotation Zposition Yposition Xposition",
    )
    motion = "\nFrames: 1\nFrame Time: .0333\n10 20 30 1 2 3 40 50 60 0 0 0\n"
    take = parse_bvh(head + "MOTION" + motion)
    assert take.metadata["source_fps"] == 30
    np.testing.assert_allclose(take.root_translation[0], (0.03, 0.02, 0.01), atol=1e-7)
    root = quaternion_from_euler(np.radians([10.0, 20, 30]), "YXZ")
    chest = quaternion_from_euler(np.radians([40.0, 50, 60]), "ZXY")
    np.testing.assert_allclose(take.rotations_wxyz[0, :2], [root, chest], atol=1e-6)


def test_a_root_that_only_carries_the_body_is_folded_in():
    text = """HIERARCHY
ROOT armature { OFFSET 0 0 0 CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
JOINT hips { OFFSET 0 90 0 CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
JOINT head { OFFSET 0 60 0 CHANNELS 3 Zrotation Xrotation Yrotation End Site { OFFSET 0 10 0 } } } }
MOTION
Frames: 2
Frame Time: 0.04
0 0 0 0 0 90 0 90 0 0 0 0 0 0 0
0 0 0 0 0 90 0 90 50 90 0 0 0 0 0
"""
    take = parse_bvh(text)
    assert take.skeleton.joint_names == ("hips", "head")
    np.testing.assert_allclose(joints_of(take)[0], [(0, 0.9, 0), (0, 1.5, 0)], atol=1e-6)
    # The carrier's turn takes the step along z to x, and the lean to -x to +z.
    np.testing.assert_allclose(joints_of(take)[1], [(0.5, 0.9, 0), (0.5, 0.9, 0.6)], atol=1e-6)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("30.000000 0.000000\n\t\tCH", "thirty 0\n\t\tCH", r'line 8: found "thirty"'),
        ("HIERARCHY", "HIERARCHIE", "line 1: .*expected HIERARCHY"),
        ("Zrotation Xrotation Yrotation\n\t\tJ", "Zrotation Wrotation Yrotation\n\t\tJ", 'line 9: found "Wrotation"'),
        ("\t}\n}\nMOTION", "\t}\nMOTION", "a closing brace"),
        ("MOTION", "MUSIC", "line 21"),
        ("Frames: 3", "Frames: 4", "line 22: .*4 with 3 lines"),
        ("Frame Time: 0.03336667", "Frame Time: 0", "line 23: .*Frame Time: 0"),
        ("10.000000 100.000000 20.000000 0.000000", "10,0 100 20 0", 'line 25: found "10,0"'),
        ("10.000000 100.000000 20.000000 0.000000", "10.0 100.0 20.0", 'line 25: found "11 values'),
        ("10.000000 100.000000 20.000000 0.000000", "nan 100 20 0", "line 25: .*finite"),
    ],
)
def test_errors_name_the_line(old, new, message):
    text = GOLDEN.read_text(encoding="ascii")
    assert old in text
    with pytest.raises(TakeFileError, match=message):
        parse_bvh(text.replace(old, new))


def test_truncated_and_empty_files(tmp_path):
    text = GOLDEN.read_text(encoding="ascii")
    for length in (0, 5, 60, 300, len(text) - 40, len(text) - 150):
        (tmp_path / "cut.bvh").write_text(text[:length], encoding="ascii")
        with pytest.raises(TakeFileError, match=r"cut\.bvh, line"):
            read_bvh(tmp_path / "cut.bvh")
    with pytest.raises(TakeFileError, match="cannot be read"):
        read_bvh(tmp_path / "absent.bvh")


OTHER_TOOLS = {
    "animateddrawings_cmu1_jumping_jacks": (31, 125, "30"),
    "animateddrawings_fair1_dab": (27, 339, "30"),
    "animateddrawings_fair1_jumping": (27, 654, "120000/1001"),
    "animateddrawings_fair1_wave_hello": (27, 839, "120000/1001"),
    "animateddrawings_fair1_zombie": (27, 779, "30"),
    "animateddrawings_rokoko_jesse_dance": (60, 1007, "100"),
    "deepmotionediting_blender_example": (31, 278, "120"),
    "lafan_names_1frame": (52, 1, "30"),
    "mhr_1frame": (165, 1, "25"),
    "mixamo_names_1frame": (52, 1, "30"),
    "mocapnet_leftkick": (165, 25, "25"),
    "mocapnet_tpose": (165, 61, "25"),
    "mocapnet_waveright": (165, 19, "25"),
    "romp_blender_smpl_dance2": (24, 500, "24"),
    "xia_neutral_16": (31, 150, "120"),
}
"""Joints, frames and frames per second of each file."""


@pytest.mark.parametrize("name", OTHER_TOOLS)
def test_files_of_other_tools(shared, name):
    take = read_bvh(shared / "data" / "bvh" / "other_tools" / f"{name}.bvh")
    assert (len(take.skeleton.joint_names), len(take), str(take.metadata["source_fps"])) == OTHER_TOOLS[name]
    assert np.isfinite(joints_of(take)).all()
    again = parse_bvh(format_bvh(take))
    order = [again.skeleton.joint_names.index(re.sub(r"[^!-~]", "_", n)) for n in take.skeleton.joint_names]
    np.testing.assert_allclose(joints_of(again)[:, order], joints_of(take), atol=2e-5)


def test_every_file_of_other_tools_is_in_the_table(shared):
    assert {path.stem for path in (shared / "data" / "bvh" / "other_tools").glob("*.bvh")} == set(OTHER_TOOLS)


@pytest.mark.parametrize(("unit", "hip_height"), [("cm", "95.000000"), ("m", "0.95000000"), ("inch", "37.401570"),
                                                  ("mm", "950.00000"), (10, "9.5000000")])  # fmt: skip
@pytest.mark.parametrize("up", ["y", "z"])
def test_units_and_axes_come_back(make_take, unit, hip_height, up):
    take = make_take(31)
    text = format_bvh(take, unit=unit, up=up, rest_on_floor=True)
    offset = f"0.{'0' * len(hip_height.partition('.')[2])}"
    wanted = [offset, hip_height, offset] if up == "y" else [offset, offset, hip_height]
    assert text.splitlines()[3].split()[1:] == wanted
    found = parse_bvh(text, unit=unit, up=up)
    order = [found.skeleton.joint_names.index(n) for n in take.skeleton.joint_names]
    np.testing.assert_allclose(joints_of(found)[:, order], joints_of(take), atol=2e-6)


def test_z_up_turns_the_world_and_keeps_the_curves_smooth(make_take):
    take = make_take(31)
    turned = joints_of(parse_bvh(format_bvh(take, up="z")))  # read as if y were up
    upright = joints_of(parse_bvh(format_bvh(take)))
    np.testing.assert_allclose(turned, np.stack([upright[..., 0], -upright[..., 2], upright[..., 1]], -1), atol=2e-6)
    steps = [np.abs(np.diff(numbers(format_bvh(take, up=up))[:, 3:], axis=0)).max() for up in ("y", "z")]
    assert steps[1] == pytest.approx(steps[0], abs=1e-3)


@pytest.mark.parametrize(
    "wrong", [{"unit": "feet"}, {"unit": 0}, {"unit": float("nan")}, {"up": "x"}, {"t_pose": "take"}]
)
def test_unknown_words_are_refused(make_take, wrong):
    with pytest.raises(ValueError, match="expected"):
        format_bvh(make_take(2), **wrong)


def test_joints_with_one_name_get_a_number():
    text = GOLDEN.read_text(encoding="ascii").replace("JOINT the_chest", "JOINT hip").replace("JOINT hand", "JOINT hip")
    assert parse_bvh(text).skeleton.joint_names == ("hip", "hip_2", "hip_3")


def test_a_take_of_one_frame(make_take):
    found = parse_bvh(format_bvh(make_take(1)))
    assert len(found) == 1
    np.testing.assert_allclose(found.root_translation, make_take(1).root_translation, atol=1e-6)


def test_no_file_is_left_where_nothing_can_be_written(make_take, tmp_path):
    with pytest.raises(TakeFileError, match="cannot be written"):
        write_bvh(make_take(3), tmp_path / "absent" / "a.bvh")
    (tmp_path / "a.bvh").mkdir()
    with pytest.raises(TakeFileError, match="cannot be written"):
        write_bvh(make_take(3), tmp_path / "a.bvh")
    assert [p.name for p in tmp_path.iterdir()] == ["a.bvh"]


def test_a_disk_that_fills_half_way_leaves_what_was_there(make_take, tmp_path, monkeypatch):
    (tmp_path / "a.bvh").write_text("an older take", encoding="ascii")

    def full(number: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TakeFileError, match="free space"):
        write_bvh(make_take(3), tmp_path / "a.bvh")
    assert [(p.name, p.read_text(encoding="ascii")) for p in tmp_path.iterdir()] == [("a.bvh", "an older take")]
