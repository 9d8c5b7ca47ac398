"""Performers on one time line."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from exporters import MIXAMO_NAMES, TakeFileError, write_take
from exporters.files import FORMATS
from exporters.scene import build_scene
from exporters.surfaces import bindings, vertex_normals

WITHOUT_EXTRAS = [suffix for suffix in FORMATS if suffix not in (".npz", ".usdc", ".usdz", ".c3d")]


def test_performers_begin_where_their_times_say(make_take):
    first = make_take(31)
    late = replace(make_take(11), timestamps_ns=first.timestamps_ns[:11] + 500_000_000)
    scene = build_scene([first, late])
    assert [p.frames[[0, -1]].tolist() for p in scene.performers] == [[0, 30], [15, 25]]
    assert [p.name for p in scene.performers] == ["analytic", "analytic_2"]
    assert scene.last_frame == 30


def test_the_highest_rate_holds_for_all(make_take):
    scene = build_scene([make_take(31, 30), make_take(61, 60000 / 1001)])
    assert scene.rate == Fraction(60000, 1001)
    assert all(len(p.frames) in (60, 61) for p in scene.performers)


def test_t_pose_first(make_take):
    first = make_take(5)
    late = replace(first, timestamps_ns=first.timestamps_ns + 100_000_000)
    scene = build_scene([first, late], t_pose_first=True)
    assert scene.performers[0].frames.tolist() == [0, 1, 2, 3, 4, 5]
    assert scene.performers[1].frames.tolist() == [0, 1, 4, 5, 6, 7, 8]
    for performer in scene.performers:
        assert (performer.rotations_wxyz[0, :, 0] == 1).all()
        assert performer.root_translation[0] == pytest.approx([0, 0.95, 0])
    waiting = scene.performers[1]
    assert np.abs((waiting.rotations_wxyz[1] * waiting.rotations_wxyz[2]).sum(-1)) == pytest.approx(1)


def test_signs_are_continuous(make_take):
    take = make_take(61)
    flips = np.where(np.arange(61) % 2, -1, 1)[:, None, None].astype(np.float32)
    quaternions = build_scene(replace(take, rotations_wxyz=take.rotations_wxyz * flips)).performers[0].rotations_wxyz
    assert ((quaternions[1:] * quaternions[:-1]).sum(-1) > 0).all()


def test_names_must_differ(make_take):
    assert build_scene(make_take(2), names=MIXAMO_NAMES).performers[0].joint_names[0] == "Hips"
    with pytest.raises(ValueError, match="one name twice"):
        build_scene(make_take(2), names={"left_hip": "pelvis"})


def test_meshes_must_fit(make_take, cubes):
    with pytest.raises(ValueError, match="found 1 for 2 takes"):
        build_scene([make_take(2), make_take(2)], meshes=cubes)
    with pytest.raises(ValueError, match="joints: found numbers from 0 to 24, expected 0 to 23"):
        build_scene(make_take(2), meshes=replace(cubes, joints=cubes.joints + (cubes.joints == 23)))
    with pytest.raises(ValueError, match="without weight"):
        build_scene(make_take(2), meshes=replace(cubes, weights=cubes.weights * 0))
    assert build_scene([make_take(2), make_take(2)], meshes=[cubes, None]).performers[1].mesh is None


def test_no_take():
    with pytest.raises(TakeFileError, match="expected at least one"):
        build_scene([])


@pytest.mark.parametrize("suffix", WITHOUT_EXTRAS)
def test_what_cannot_be_written_is_refused_and_leaves_nothing(make_take, tmp_path, suffix):
    take = make_take(3)
    empty = replace(
        take,
        rotations_wxyz=take.rotations_wxyz[:0],
        root_translation=take.root_translation[:0],
        timestamps_ns=take.timestamps_ns[:0],
    )
    broken = replace(take, root_translation=np.full_like(take.root_translation, np.nan))
    for bad, message in ((empty, "found no instant"), (broken, "not finite")):
        with pytest.raises(TakeFileError, match=message):
            write_take(bad, tmp_path / f"take{suffix}")
    with pytest.raises(TakeFileError, match="cannot be written"):
        write_take(take, tmp_path / "absent" / f"take{suffix}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", WITHOUT_EXTRAS)
def test_the_same_take_gives_the_same_bytes(make_take, tmp_path, suffix):
    for name in "ab":
        (tmp_path / name).mkdir()
        write_take(make_take(9), tmp_path / name / f"take{suffix}")
    assert (tmp_path / "a" / f"take{suffix}").read_bytes() == (tmp_path / "b" / f"take{suffix}").read_bytes()


@pytest.mark.parametrize("suffix", WITHOUT_EXTRAS)
def test_a_take_of_one_instant(make_take, tmp_path, suffix):
    write_take(make_take(1), tmp_path / f"take{suffix}")
    assert (tmp_path / f"take{suffix}").stat().st_size > 0


def test_normals_point_outward(cubes, skeleton):
    normals = vertex_normals(cubes)
    assert np.linalg.norm(normals, axis=1) == pytest.approx(np.ones(len(normals)), abs=1e-6)
    middles = cubes.vertices.reshape(-1, 8, 3).mean(axis=1).repeat(8, axis=0)
    assert ((cubes.vertices - middles) * normals).sum(-1).min() > 0
    lone = replace(cubes, faces=cubes.faces[:12])
    assert vertex_normals(lone)[-1].tolist() == [0, 1, 0]


def test_bindings_sum_to_one_and_name_no_joint_without_weight(cubes):
    joints, weights = bindings(replace(cubes, weights=cubes.weights * 3, joints=cubes.joints + (cubes.weights == 0)))
    assert weights.astype(np.float64).sum(1) == pytest.approx(np.ones(len(weights)), abs=2e-7)
    assert (joints[weights == 0] == 0).all()
