"""The retarget command: a take onto a rig, with the bone map guessed, written for editing, and read again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from export_material import captured_take

from exporters import UnknownFormatError, format_bvh, forward_kinematics, read_rig, read_take, write_take
from exporters.presets import PRESETS
from mocap_app import cli
from mocap_app.bone_map_file import read_bone_map, write_bone_map
from mocap_app.errors import ConfigError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a take, and a rig half as large with Unreal's names and a third axis upwards."""
    take = captured_take()
    write_take(take, tmp_path / "take.npz")
    half = replace(take.skeleton, offsets=take.skeleton.offsets * np.float32(0.5))
    rig = replace(take, skeleton=half, observations=None, root_translation=take.root_translation * np.float32(0.5))
    text = format_bvh(rig, names=PRESETS["unreal"].names, up="z")
    (tmp_path / "rig.bvh").write_text(text, encoding="ascii")
    return tmp_path


def retarget(folder: Path, *words: str, rig: str = "rig.bvh") -> int:
    return cli.run(["retarget", str(folder / "take.npz"), "--onto", str(folder / rig), *words])


def test_the_motion_is_written_for_the_rig(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder / "out.bvh"
    assert retarget(folder, "--to", str(out), "--fps", "60") == 0
    told = capsys.readouterr()
    assert told.out.strip() == str(out)
    assert "22 bones of rig.bvh move, 2 keep their rest" in told.err
    text = out.read_text(encoding="ascii")
    hierarchies = [t.partition("MOTION")[0].split() for t in (text, (folder / "rig.bvh").read_text(encoding="ascii"))]
    for ours, theirs in zip(*hierarchies, strict=True):  # the rig's own, but for the last place of its offsets
        assert ours == theirs or float(ours) == pytest.approx(float(theirs), abs=2e-5)
    assert "Frame Time: 0.01666667" in text
    from exporters import read_bvh

    found, take = read_bvh(out, up="z"), read_take(folder / "take.npz")
    joints = [forward_kinematics(t.skeleton, t.rotations_wxyz, t.root_translation) for t in (found, take)]
    elbow = joints[0][::2, found.skeleton.joint_names.index("lowerarm_l")]
    np.testing.assert_allclose(elbow, joints[1][:, 18] / 2, atol=2e-3)
    assert retarget(folder, "--to", str(out)) == 0
    assert (folder / "out_2.bvh").is_file()


def test_the_map_is_written_edited_and_read(folder: Path) -> None:
    map_file = folder / "map.yaml"
    assert retarget(folder, "--write-map", str(map_file)) == 0
    guess = read_bone_map(map_file)
    assert guess == read_rig(folder / "rig.bvh").bone_map
    text = map_file.read_text(encoding="utf-8").replace('"lowerarm_l"', "").replace("left_wrist", "left_elbow")
    (folder / "odd.yaml").write_text(text, encoding="utf-8")
    assert retarget(folder, "--to", str(folder / "a.bvh"), "--map", str(map_file)) == 0
    assert len(read_take(folder / "a.bvh")) == 31


def test_what_the_map_lacks_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [f"{joint}: {json.dumps(bone)}" for joint, bone in read_rig(folder / "rig.bvh").bone_map.items()]
    kept = [line for line in lines if not line.startswith(("right_knee", "head"))]
    (folder / "map.yaml").write_text("\n".join(kept), encoding="utf-8")
    assert retarget(folder, "--to", str(folder / "a.bvh"), "--map", str(folder / "map.yaml")) == cli.USER_ERROR
    told = capsys.readouterr().err
    assert "no bone for head (Head), right_knee (RightLowerLeg)" in told
    assert not (folder / "a.bvh").exists()
    # What lacks is marked where the map is written for editing.
    write_bone_map(folder / "b.yaml", {}, read_rig(folder / "rig.bvh").skeleton)
    assert "right_knee:  # needed" in (folder / "b.yaml").read_text(encoding="utf-8")
    assert read_bone_map(folder / "b.yaml") == {}


@pytest.mark.parametrize("text", ["- a\n", "pelvis: [1]\n", "pelvis: 3\n", "a: b: c\n"])
def test_what_is_no_map_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / "map.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"map\.yaml"):
        read_bone_map(tmp_path / "map.yaml")


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ([], "neither --to nor --write-map"),
        (["--to", "a.xyz"], "expected one of .npz, .bvh"),
        (["--to", "a.npz", "--fps", "30"], "--fps"),
        (["--to", "a.bvh", "--fps", "x"], "--fps"),
        (["--to", "a.bvh", "--map", "absent.yaml"], "absent.yaml"),
        (["--to", "a.bvh", "--trim", "50:"], "found 0.00 to 1.00 s"),
        (["--to", "absent/a.bvh"], "cannot be written"),
    ],
)
def test_wrong_calls_are_one_line(
    folder: Path, words: list[str], part: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    assert retarget(folder, *words) == cli.USER_ERROR
    errors = [line for line in capsys.readouterr().err.splitlines() if "error:" in line]
    assert len(errors) == 1
    assert part in errors[0]


def test_a_rig_of_an_unknown_kind(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "rig.fbx").touch()
    assert retarget(folder, "--to", str(folder / "a.bvh"), rig="rig.fbx") == cli.USER_ERROR
    assert ".bvh, .glb, .gltf or .vrm" in capsys.readouterr().err
    with pytest.raises(UnknownFormatError):
        read_rig(folder / "rig.fbx")
