"""The table of formats as other programs read them: its words, and that it finds what is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "scripts"))

from check_exports_parts import main as command  # noqa: E402
from check_exports_parts.cases import ROWS, Case  # noqa: E402
from check_exports_parts.expected import Finding, compare, expect  # noqa: E402
from check_exports_parts.material import analytic_performer  # noqa: E402
from check_exports_parts.table import BEGIN, END, Cell, as_markdown, replaced  # noqa: E402


def report_of(case: Case, shift_m: float = 0.0) -> dict:
    """What a reader that reads rightly would say, moved by `shift_m`."""
    expected = expect(analytic_performer(), case.rate)
    names = list(case.joints.values())
    frames = {
        str(t): {name: (row[j] + shift_m).tolist() for j, name in enumerate(names)}
        for t, row in enumerate(expected.joints_m)
    }
    return {"joints": names, "frame_count": len(frames), "fps": case.fps, "frames": frames}


def test_a_right_report_is_right_and_a_wrong_one_is_not() -> None:
    case = Case(".bvh")
    expected = expect(analytic_performer(), case.rate)
    assert compare(report_of(case), case, expected).joint_mm == pytest.approx(0, abs=1e-3)
    moved = compare(report_of(case, shift_m=0.002), case, expected)
    assert moved.joint_mm == pytest.approx(2 * 3**0.5, rel=1e-3)
    assert moved.is_bad
    slow = report_of(case) | {"fps": 29.97}
    assert compare(slow, case, expected).wrong == ("29.97 fps for 30",)
    short = report_of(case) | {"frame_count": 120}
    assert compare(short, case, expected).is_bad
    nameless = report_of(case)
    nameless["joints"] = nameless["joints"][1:]
    assert "no joint" in compare(nameless, case, expected).wrong[0]


def test_what_is_no_number_and_a_surface_that_is_not_there_are_bad() -> None:
    case = Case(".glb")
    expected = expect(analytic_performer(), case.rate)
    assert compare(report_of(case), case, expected).wrong == ("no surface",)
    assert compare(report_of(case), Case(".bvh"), expected).wrong == ()
    assert compare(report_of(case, shift_m=float("nan")), Case(".bvh"), expected).is_bad
    assert str(Cell((Finding(0.1), Finding(float("nan"))))) == "**nan ✓**"


@pytest.mark.parametrize(
    "error", [RuntimeError("no bones"), KeyError("frames"), TypeError("None"), subprocess.TimeoutExpired("node", 600)]
)
def test_a_reader_that_fails_is_a_finding_and_stops_no_other(tmp_path: Path, error: Exception) -> None:
    def read(*_: object) -> dict:
        raise error

    check = command.Check(command.Places(tmp_path, None, None, None), tmp_path)
    broken = command.Reader("broken", "none", lambda _: True, read)
    found = check._ask(broken, Case(".bvh"), tmp_path / "a.bvh", analytic_performer())
    assert found.wrong == ("not read",)


def test_readers_that_are_absent_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NODE", "BPY", "USD"):
        monkeypatch.delenv(f"MOCAP_READERS_{name}", raising=False)
    absent = command.Check(command.Places.found(tmp_path), tmp_path).absent
    assert absent["Blender"] == "_blender_common.py is not in the folder of --readers"
    (tmp_path / "_blender_common.py").touch()
    absent = command.Check(command.Places.found(tmp_path), tmp_path).absent
    assert absent["Blender"] == "MOCAP_READERS_BPY is not set; run scripts/setup_readers"


def test_the_known_take_turns_round_and_passes_the_poles() -> None:
    take = analytic_performer().take
    joints = take.skeleton.joint_names
    norms = np.linalg.norm(take.rotations_wxyz, axis=-1)
    np.testing.assert_allclose(norms, 1, atol=1e-5)
    pelvis = take.rotations_wxyz[:, 0].astype(float)
    steps = 2 * np.arccos(np.clip(np.abs((pelvis[1:] * pelvis[:-1]).sum(-1)), 0, 1))
    assert np.degrees(steps.sum()) > 360
    assert {"left_shoulder", "right_elbow"} <= set(joints)


@pytest.mark.parametrize(("cell", "text"), [
    (Cell(), "n/a"),
    (Cell((Finding(0.0002, 0.0123),)), "<0.001 / 0.012 ✓"),
    (Cell((Finding(0.5), Finding(0.7))), "0.700 ✓"),
    (Cell((Finding(2.5),)), "**2.5 ✓**"),
    (Cell((Finding(0.1, wrong=("29 fps for 30",)),)), "**0.100 29 fps for 30**"),
    (Cell((Finding(),), ("29.97",)), "✓ (not 29.97)"),
])  # fmt: skip
def test_words_of_a_cell(cell: Cell, text: str) -> None:
    assert str(cell) == text


def test_table_takes_the_place_of_the_old_one() -> None:
    table = as_markdown(["one", "two"], {"BVH": [Cell((Finding(0.1),)), None]})
    assert table.splitlines()[-1] == "| BVH | 0.100 ✓ | - |"
    assert replaced(f"a\n{BEGIN}\nold\n{END}\nb", table) == f"a\n{BEGIN}\n{table}\n{END}\nb"
    with pytest.raises(ValueError, match="expected both"):
        replaced("no marks", table)


def test_unknown_formats_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["--formats", "doc"])
    assert "found doc, expected some of bvh" in capsys.readouterr().err


def test_a_part_of_the_table_is_not_written_over_the_whole(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["--formats", "glb", "--write", "README.md"])
    assert "leave --formats out" in capsys.readouterr().err


@pytest.mark.readers
def test_a_file_that_is_two_millimetres_off_is_found(
    shared: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if not os.environ.get("MOCAP_READERS_NODE"):
        pytest.skip("MOCAP_READERS_NODE is not set; run scripts/setup_readers")
    monkeypatch.setattr(command, "ROWS", {row: ROWS[row] for row in ("BVH, as it is", "GLB")})
    arguments = ["--readers", str(shared / "readers"), "--formats", "bvh,glb"]
    assert command.main(arguments) == 0
    whole = capsys.readouterr().out
    assert "| BVH, as it is |" in whole
    assert "| GLB |" in whole
    written = command.write

    def write_elsewhere(performer, path, case):  # type: ignore[no-untyped-def]
        moved = performer.take.root_translation + np.float32([0.002, 0, 0])
        written(replace(performer, take=replace(performer.take, root_translation=moved)), path, case)

    monkeypatch.setattr(command, "write", write_elsewhere)
    assert command.main(arguments) == 1
    told = capsys.readouterr().err
    for row in ("BVH, as it is", "GLB"):
        assert f"{row} in three.js is not as it must be" in told
