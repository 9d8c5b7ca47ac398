"""The export command: which takes go into which file, what is refused, and that one failure stops nothing else."""

from __future__ import annotations

import errno
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from export_material import SceneFormat, captured_take, record

from exporters import files, forward_kinematics, read_take, write_take
from mocap_app import cli
from mocap_app.export.surfaces import surface_of_take


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> SceneFormat:
    made = SceneFormat()
    monkeypatch.setitem(files.FORMATS, ".scn", made.format)
    return made


def export(*words: object) -> int:
    return cli.run(["export", *map(str, words)])


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_one_take_becomes_files_at_an_exact_rate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (take,) = record(tmp_path)
    assert export(take, "--to", tmp_path / "a.bvh", "--to", tmp_path / "b.npz") == 0
    assert capsys.readouterr().out.split() == [str(tmp_path / "a.bvh"), str(tmp_path / "b.npz")]
    assert export(take, "--to", tmp_path / "c.bvh", "--fps", "29.97") == 0
    assert "Frame Time: 0.03336667" in (tmp_path / "c.bvh").read_text(encoding="ascii")
    kept, again = read_take(take), read_take(tmp_path / "b.npz")
    np.testing.assert_array_equal(kept.rotations_wxyz, again.rotations_wxyz)
    np.testing.assert_array_equal(kept.timestamps_ns, again.timestamps_ns)


@pytest.mark.parametrize(
    ("preset", "line"),
    [("smpl", "JOINT left_hip"), ("unity", "JOINT LeftUpperLeg"), ("mixamo", "JOINT LeftUpLeg"),
     ("cmu", "JOINT LowerBack"), ("unreal", "JOINT thigh_l"), ("blender", "JOINT left_hip")],
)  # fmt: skip
def test_presets_choose_names(tmp_path: Path, preset: str, line: str) -> None:
    (take,) = record(tmp_path)
    assert export(take, "--to", tmp_path / "a.bvh", "--preset", preset) == 0
    text = (tmp_path / "a.bvh").read_text(encoding="ascii")
    assert f"\t{line}\n" in text
    assert text.count("JOINT") == 23
    # The T-pose comes first where the program wants it; sizes are metres where it wants them.
    assert int(re.search(r"Frames: (\d+)", text)[1]) == (32 if preset == "unity" else 31)
    hips_m = float(text.splitlines()[3].split()[2])
    assert (0.7 < hips_m < 1.1) if preset == "blender" else hips_m == 0


def test_a_flag_outweighs_the_preset(tmp_path: Path) -> None:
    (take,) = record(tmp_path)
    assert export(take, "--to", tmp_path / "a.bvh", "--preset", "blender", "--unit", "cm") == 0
    assert 70 < float((tmp_path / "a.bvh").read_text(encoding="ascii").splitlines()[3].split()[2]) < 110


def test_a_folder_becomes_a_file_for_each_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(files.FORMATS, ".other.npz", files.Format("of another program", lambda take, path: None))
    takes = tmp_path / "takes"
    takes.mkdir()
    record(takes, "dance", people=2)
    record(takes, "walk")
    (takes / "x.other.npz").write_bytes(b"of another program")
    assert export(takes, "--to", "bvh", "--output", tmp_path / "out") == 0
    assert names_in(tmp_path / "out") == {"dance_person1.bvh", "dance_person2.bvh", "walk_person1.bvh"}
    assert export(takes, "--to", ".bvh") == 0
    assert {"dance_person1.bvh", "walk_person1.bvh"} <= names_in(takes)


def test_a_format_with_two_points_may_be_named_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = files.Format("of another program", lambda take, path: path.write_text(take.name, encoding="utf-8"))
    monkeypatch.setitem(files.FORMATS, ".other.npz", other)
    (take,) = record(tmp_path)
    for _ in range(2):
        assert export(take, "--to", "other.npz", "--to", tmp_path / "a.other.npz", "--output", tmp_path / "out") == 0
    assert names_in(tmp_path / "out") == {"dance_person1.other.npz", "dance_person1_2.other.npz"}
    assert {"a.other.npz", "a_2.other.npz"} <= names_in(tmp_path)


def test_performers_share_a_scene_and_part_elsewhere(
    tmp_path: Path, scene: SceneFormat, capsys: pytest.CaptureFixture[str]
) -> None:
    takes = record(tmp_path, people=2)
    assert export(*takes, "--to", tmp_path / "both.scn", "--to", tmp_path / "both.bvh") == 0
    assert {"both.scn", "both_person1.bvh", "both_person2.bvh"} <= names_in(tmp_path)
    assert (
        "a .bvh file holds one performer: both.bvh becomes both_person1.bvh, both_person2.bvh"
        in capsys.readouterr().err
    )
    (call,) = scene.calls
    # One time line from 0 on; the surfaces are the performers' own.
    assert [int(take.timestamps_ns[0]) for take in call["takes"]] == [0, 500_000_000]
    assert len(call["meshes"]) == 2
    assert not np.allclose(call["meshes"][0].vertices, call["meshes"][1].vertices)


def test_a_format_alone_makes_a_scene_of_each_recording(tmp_path: Path, scene: SceneFormat) -> None:
    record(tmp_path, "dance", people=2)
    record(tmp_path, "walk")
    assert export(tmp_path, "--to", "scn", "--output", tmp_path / "out") == 0
    assert names_in(tmp_path / "out") == {"dance.scn", "walk_person1.scn"}
    assert [len(call["takes"]) for call in scene.calls] == [2, 1]


def test_recordings_with_clocks_of_their_own_begin_together(tmp_path: Path, scene: SceneFormat) -> None:
    early, late = record(tmp_path, "early") + record(tmp_path, "late")
    take = read_take(late)
    write_take(replace(take, timestamps_ns=take.timestamps_ns + 10**15), late)
    assert export(early, late, "--to", tmp_path / "a.scn") == 0
    assert [int(take.timestamps_ns[0]) for take in scene.calls[0]["takes"]] == [0, 0]
    assert export(early, late, "--to", tmp_path / "a.bvh") == 0
    assert {"a_early_person1.bvh", "a_late_person1.bvh"} <= names_in(tmp_path)


def test_together_files_of_one_recording_are_in_step(tmp_path: Path) -> None:
    takes = record(tmp_path, people=2)
    assert export(*takes, "--to", tmp_path / "a.bvh", "--together") == 0
    first, second = (read_take(tmp_path / f"a_person{n}.bvh") for n in (1, 2))
    assert len(first) == len(second) == 46
    np.testing.assert_allclose(second.root_translation[:16, 0], 0.5, atol=1e-5)  # not there yet: stands still
    np.testing.assert_allclose(second.root_translation[30, 0], 1.0, atol=1e-5)
    np.testing.assert_allclose(first.root_translation[31:, 0], 1.0, atol=1e-5)  # gone: stands still


def test_trim_counts_from_the_recordings_beginning(tmp_path: Path, scene: SceneFormat) -> None:
    takes = record(tmp_path, people=2)
    assert export(*takes, "--to", tmp_path / "a.scn", "--trim", "0.2:0.8") == 0
    spans = [(take.timestamps_ns[0] / 1e9, take.timestamps_ns[-1] / 1e9) for take in scene.calls[0]["takes"]]
    np.testing.assert_allclose(spans, [(0.2, 0.8), (0.5, 0.8)], atol=1e-8)
    assert export(*takes, "--to", tmp_path / "b.scn", "--trim", ":0.4") == 0  # the second has not come yet
    assert len(scene.calls[1]["takes"]) == 1
    assert export(takes[0], "--to", tmp_path / "c.npz", "--trim", "0.5:") == 0
    kept = read_take(tmp_path / "c.npz")
    assert len(kept) == 16
    assert kept.timestamps_ns[0] == read_take(takes[0]).timestamps_ns[15]
    assert kept.observations.frame_index[0] == 15


def test_scale_makes_larger_performers(tmp_path: Path, scene: SceneFormat) -> None:
    (take,) = record(tmp_path)
    assert export(take, "--to", tmp_path / "a.bvh", "--to", tmp_path / "a.scn", "--scale", "2") == 0
    before, after = read_take(take), read_take(tmp_path / "a.bvh")
    order = [after.skeleton.joint_names.index(name) for name in before.skeleton.joint_names]
    own, large = (forward_kinematics(t.skeleton, t.rotations_wxyz, t.root_translation) for t in (before, after))
    np.testing.assert_allclose(large[:, order], own * 2, atol=1e-5)
    mesh = surface_of_take(before)
    np.testing.assert_allclose(scene.calls[0]["meshes"][0].vertices, mesh.vertices * 2, rtol=1e-6)


def test_the_surface_only_where_it_is_known_and_wanted(tmp_path: Path, scene: SceneFormat) -> None:
    (path,) = record(tmp_path)
    assert export(path, "--to", tmp_path / "a.scn", "--no-mesh") == 0
    assert scene.calls[0]["meshes"] is None
    take = captured_take()
    assert surface_of_take(take) is not None
    assert surface_of_take(replace(take, observations=None)) is None
    longer = replace(take.skeleton, offsets=take.skeleton.offsets * np.float32(1.2))
    assert surface_of_take(replace(take, skeleton=longer)) is None
    assert surface_of_take(replace(take, skeleton=replace(take.skeleton, name="another"))) is None


def test_a_writers_own_preset_is_left_to_it(tmp_path: Path, scene: SceneFormat) -> None:
    (take,) = record(tmp_path)
    assert export(take, "--to", tmp_path / "a.scn", "--preset", "unity", "--unit", "m") == 0
    assert export(take, "--to", tmp_path / "b.scn", "--preset", "blender") == 0
    first, second = ({k: v for k, v in c.items() if k not in ("takes", "meshes")} for c in scene.calls)
    assert first == {"preset": "unity", "unit": "m"}
    assert second == {"names": {}, "unit": "m", "t_pose": "none"}


def test_what_is_there_is_never_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (take,) = record(tmp_path)
    (tmp_path / "a.bvh").write_text("mine", encoding="ascii")
    assert export(take, "--to", tmp_path / "a.bvh") == 0
    assert (tmp_path / "a.bvh").read_text(encoding="ascii") == "mine"
    told = capsys.readouterr()
    assert told.out.strip() == str(tmp_path / "a_2.bvh")
    assert "a.bvh is there already: writing a_2.bvh" in told.err
    before = take.read_bytes()
    assert export(take, "--to", take) == 0
    assert take.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--to", "a.xyz"], "expected one of .npz, .bvh"),
        (["--to", "a.npz", "--fps", "30"], "--fps: found '30'"),
        (["--to", "a.bvh", "--fps", "fast"], "--fps: found 'fast'"),
        (["--to", "a.bvh", "--fps", "0"], "--fps: found '0'"),
        (["--to", "a.bvh", "--unit", "feet"], "--unit: found 'feet', expected mm or cm or inch or m"),
        (["--to", "a.bvh", "--t-pose", "take"], "--t-pose: found 'take', expected none or frame"),
        (["--to", "a.bvh", "--to", "b.npz", "--up", "z"], "--up: found 'z', expected nothing, for .npz"),
        (["--to", "a.bvh", "--scale", "0"], "a number above 0"),
        (["--to", "a.bvh", "--trim", "3"], "START:END"),
        (["--to", "a.bvh", "--trim", "3:2"], "START:END"),
        (["--to", "a.bvh", "--trim", ":"], "START:END"),
        (["--to", "a.bvh", "--preset", "maya"], "maya"),
        ([], "--to"),
        (["--to", "a.bvh", "--trim", "50:60"], "a.bvh: take person1: found 0.00 to 1.00 s"),
        (["--to", "absent/a.bvh"], "cannot be written"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    words: list[str], part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (take,) = record(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert export(take, *words) == cli.USER_ERROR
    assert part in " ".join(capsys.readouterr().err.split())
    assert names_in(tmp_path) == {take.name}


@pytest.mark.parametrize(
    ("name", "part"),
    [("absent.npz", "no such file"), (".", "no take"), ("notes.txt", "found no take, expected a file")],
)
def test_what_is_no_take_is_said(tmp_path: Path, name: str, part: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.txt").touch()
    assert export(tmp_path / name, "--to", tmp_path / "a.bvh") == cli.USER_ERROR
    assert part in capsys.readouterr().err


def spoilt(path: Path, kind: str) -> None:
    take = captured_take()
    if kind == "nan":
        places = take.root_translation.copy()
        places[3] = np.nan
        take = replace(take, root_translation=places)
    elif kind == "empty":
        take = replace(
            take, rotations_wxyz=take.rotations_wxyz[:0], root_translation=take.root_translation[:0],
            timestamps_ns=take.timestamps_ns[:0], observations=None,
        )  # fmt: skip
    write_take(take, path)
    if kind == "cut short":
        path.write_bytes(path.read_bytes()[:500])


@pytest.mark.parametrize("kind", ["nan", "empty", "cut short"])
def test_an_error_of_one_take_does_not_stop_the_others(
    tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, third = record(tmp_path, people=3)
    spoilt(second, kind)
    assert export(tmp_path, "--to", "bvh", "--output", tmp_path / "out") == cli.USER_ERROR
    told = capsys.readouterr()
    assert names_in(tmp_path / "out") == {"dance_person1.bvh", "dance_person3.bvh"}
    assert len(told.out.split()) == 2
    errors = [line for line in told.err.splitlines() if "error:" in line]
    assert len(errors) == 1
    assert "1 of 3 files could not be written: " in errors[0]
    assert "dance_person2" in errors[0]
    assert names_in(tmp_path) == {first.name, second.name, third.name, "out"}


def test_a_take_of_one_instant(tmp_path: Path) -> None:
    write_take(captured_take(1), tmp_path / "a.npz")
    assert export(tmp_path / "a.npz", "--to", tmp_path / "a.bvh", "--fps", "24") == 0
    assert len(read_take(tmp_path / "a.bvh")) == 1


def test_a_disk_that_fills_leaves_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (take,) = record(tmp_path)

    def full(number: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    assert export(take, "--to", tmp_path / "a.bvh", "--to", tmp_path / "b.npz") == cli.USER_ERROR
    assert "2 of 2 files" in capsys.readouterr().err
    assert names_in(tmp_path) == {take.name}


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_that_may_not_be_written_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (take,) = record(tmp_path)
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    assert export(take, "--to", "bvh", "--output", locked) == cli.USER_ERROR
    assert "cannot be written" in capsys.readouterr().err


def test_a_file_in_the_place_of_the_output_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (take,) = record(tmp_path)
    assert export(take, "--to", "bvh", "--output", take) == cli.USER_ERROR
    assert "expected a writable folder" in capsys.readouterr().err
