"""USD as text, as far as it can be judged without the library."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from conftest import skinned

from exporters import write_usda
from exporters.usda import identifier


def text_of(path) -> str:
    return path.read_text(encoding="ascii")


def test_the_stage_says_axis_unit_and_rate(make_take, tmp_path):
    write_usda(make_take(61, 30000 / 1001), tmp_path / "a.usda")
    head = text_of(tmp_path / "a.usda").split(")\n\n")[0]
    for line in ('defaultPrim = "Scene"', 'upAxis = "Y"', "metersPerUnit = 1", "startTimeCode = 0", "endTimeCode = 60"):
        assert line in head
    assert re.search(r"timeCodesPerSecond = 29\.97002997", head)


def test_joints_stand_behind_their_parents(make_take, tmp_path):
    write_usda(make_take(2), tmp_path / "a.usda", names={"left_knee": "left knee"})
    joints = re.findall(r'"([^"]+)"', re.search(r"joints = \[(.*)\]", text_of(tmp_path / "a.usda")).group(1))
    assert joints[:5] == ["pelvis", "pelvis/left_hip", "pelvis/right_hip", "pelvis/spine1", "pelvis/left_hip/left_knee"]


def test_every_frame_has_its_rotations(make_take, tmp_path):
    take = make_take(61)
    write_usda(take, tmp_path / "a.usda")
    samples = re.search(r"rotations.timeSamples = \{\n(.*?)\n +\}", text_of(tmp_path / "a.usda"), re.DOTALL).group(1)
    rows = [re.findall(r"-?\d[\d.e-]*", line) for line in samples.splitlines()]
    assert [int(row[0]) for row in rows] == list(range(61))
    read = np.array([[float(x) for x in row[1:]] for row in rows]).reshape(61, 24, 4)
    assert np.abs(np.abs((read * take.rotations_wxyz).sum(-1)) - 1).max() < 1e-6
    assert ((read[1:] * read[:-1]).sum(-1) > 0).all()


def test_the_extent_holds_the_whole_motion(random_take, cubes, tmp_path):
    write_usda(random_take, tmp_path / "a.usda", meshes=cubes)
    numbers = re.search(r"float3\[\] extent = \[(.*)\]", text_of(tmp_path / "a.usda")).group(1)
    low, high = np.array(re.findall(r"-?\d[\d.e-]*", numbers), np.float64).reshape(2, 3)
    surface = skinned(random_take, cubes)
    assert (surface >= low).all()
    assert (surface <= high).all()


def test_names_become_identifiers(make_take, tmp_path):
    assert identifier("2. Tänzer") == "_2__T_nzer"
    take = make_take(2)
    write_usda([replace(take, name="a b"), replace(take, name="a-b")], tmp_path / "a.usda")
    assert re.findall(r'def SkelRoot "(\w+)"', text_of(tmp_path / "a.usda")) == ["a_b", "a_b_2"]
    with pytest.raises(ValueError, match="one identifier twice"):
        write_usda(take, tmp_path / "b.usda", names={"left_hip": "hip 1", "right_hip": "hip-1"})
