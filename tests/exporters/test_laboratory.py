"""What laboratories read: AMASS, TRC, C3D."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import numpy as np
import pytest

from exporters import (
    MissingExtraError,
    TakeFileError,
    forward_kinematics,
    read_take,
    write_amass,
    write_take,
    write_trc,
)
from exporters.rotations import matrix_from_quaternion, quaternion_from_rotvec

UPRIGHT = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], np.float64)
"""From y up to z up: (x, y, z) -> (x, -z, y)."""


@pytest.mark.parametrize(("up", "turn"), [("z", UPRIGHT), ("y", np.eye(3))])
def test_amass_poses_the_body_alike(make_take, tmp_path, up, turn):
    """Axis-angle, 52 joints, SMPL's order: forward kinematics on the file alone gives our joints, z up."""
    take = make_take(61, observed=True)
    write_amass(take, tmp_path / "a.amass.npz", up=up, pelvis_offset_m=(0.0, -0.2, 0.0))
    with np.load(tmp_path / "a.amass.npz") as file:
        assert file["poses"].shape == (61, 156)
        assert file["trans"].shape == (61, 3)
        assert file["betas"].tolist() == [0] * 16
        assert file["free_body_betas"].tolist() == take.observations.betas.tolist()
        assert str(file["gender"]) == "neutral"
        assert float(file["mocap_framerate"]) == float(file["mocap_frame_rate"]) == 30
        assert str(file["up_axis"]) == up
        assert "not to SMPL" in json.loads(str(file["metadata"]))["note"]
        assert (file["poses"][:, 66:] == 0).all()
        local = matrix_from_quaternion(quaternion_from_rotvec(file["poses"][:, :66].reshape(61, 22, 3)))
        pelvis = file["trans"] + (0.0, -0.2, 0.0)
    parents, offsets = take.skeleton.parents, take.skeleton.offsets
    world, places = [local[:, 0]], [pelvis]
    for j in range(1, 22):
        places.append(places[parents[j]] + world[parents[j]] @ offsets[j])
        world.append(world[parents[j]] @ local[:, j])
    expected = forward_kinematics(take.skeleton, take.rotations_wxyz, take.root_translation)[:, :22] @ turn.T
    assert np.abs(np.stack(places, axis=1) - expected).max() < 1e-5


def test_amass_has_a_suffix_of_its_own(make_take, tmp_path):
    write_take(make_take(3), tmp_path / "a.AMASS.npz")
    with np.load(tmp_path / "a.AMASS.npz") as file:
        assert "poses" in file
    write_take(make_take(3), tmp_path / "a.b.npz")
    assert len(read_take(tmp_path / "a.b.npz")) == 3
    with pytest.raises(TakeFileError, match="expected a take"):
        read_take(tmp_path / "a.AMASS.npz")
    with pytest.raises(ValueError, match='expected "z"'):
        write_amass(make_take(3), tmp_path / "b.npz", up="x")


def test_trc_holds_the_joint_centres(make_take, tmp_path):
    take = make_take(61, 30000 / 1001)
    write_trc(take, tmp_path / "a.trc", names={"pelvis": "mid hip"})
    lines = (tmp_path / "a.trc").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "PathFileType\t4\t(X/Y/Z)\ta.trc"
    head = dict(zip(lines[1].split("\t"), lines[2].split("\t"), strict=True))
    assert (head["NumFrames"], head["NumMarkers"], head["Units"]) == ("61", "24", "mm")
    assert float(head["DataRate"]) == pytest.approx(29.97003, abs=1e-5)
    names = [name for name in lines[3].split("\t")[2:] if name]
    assert names == ["mid_hip", *take.skeleton.joint_names[1:]]
    assert lines[3].split("\t")[2::3] == names
    assert lines[4].split("\t")[2:5] == ["X1", "Y1", "Z1"]
    rows = np.array([[float(x) for x in line.split("\t")] for line in lines[6:]])
    assert rows[:, 0].tolist() == list(range(1, 62))
    assert rows[:, 1] == pytest.approx(np.arange(61) * 1001 / 30000, abs=1e-6)
    expected = forward_kinematics(take.skeleton, take.rotations_wxyz, take.root_translation)
    assert np.abs(rows[:, 2:].reshape(61, 24, 3) - expected * 1000).max() < 1e-3


@pytest.mark.parametrize(
    ("suffix", "library", "extra"), [(".c3d", "ezc3d", "c3d"), (".usdc", "pxr", "usd"), (".usdz", "pxr", "usd")]
)
def test_a_missing_extra_names_its_pip_line(make_take, tmp_path, monkeypatch, suffix, library, extra):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError, match=rf'pip install "mocap-app\[{extra}\]"'):
        write_take(make_take(3), tmp_path / f"a{suffix}")


def test_amass_wants_the_joints_of_smpl(make_take, tmp_path):
    take = make_take(3)
    bird = replace(take.skeleton, joint_names=tuple(f"bone{n}" for n in range(24)))
    with pytest.raises(TakeFileError, match="found no pelvis, left_hip"):
        write_amass(replace(take, skeleton=bird), tmp_path / "a.amass.npz")
