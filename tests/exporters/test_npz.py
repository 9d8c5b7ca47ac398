"""The native take: lossless, complete, and honest about damage."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import numpy as np
import pytest

from exporters import Picture, Take, TakeFileError, read_picture, read_take, write_picture, write_take
from exporters.skeletons import SMPL_JOINT_NAMES, SMPL_PARENTS

CONTRACT = {
    "joint_names": ((24,), "U"), "frame_index": ((9,), "int64"), "timestamps_ns": ((9,), "int64"),
    "rotations_wxyz": ((9, 24, 4), "float32"), "root_translation_m": ((9, 3), "float32"), "betas": ((10,), "float32"),
    "joints_camera_m": ((9, 24, 3), "float32"), "joints_px": ((9, 24, 2), "float32"),
    "confidence": ((9, 24), "float32"), "box_xyxy": ((9, 4), "float32"), "intrinsics": ((3, 3), "float32"),
    "metadata": ((), "U"),
}  # fmt: skip


def assert_same(a: Take, b: Take) -> None:
    assert (a.name, a.subject, a.metadata) == (b.name, b.subject, b.metadata)
    assert (a.skeleton.name, a.skeleton.joint_names) == (b.skeleton.name, b.skeleton.joint_names)
    np.testing.assert_array_equal(a.skeleton.parents, b.skeleton.parents)
    np.testing.assert_array_equal(a.skeleton.offsets, b.skeleton.offsets)
    for key in ("rotations_wxyz", "root_translation", "timestamps_ns"):
        np.testing.assert_array_equal(getattr(a, key), getattr(b, key))
    assert (a.observations is None) == (b.observations is None)
    if a.observations is not None and b.observations is not None:
        for key in a.observations.__dataclass_fields__:
            np.testing.assert_array_equal(getattr(a.observations, key), getattr(b.observations, key))


@pytest.mark.parametrize("observed", [True, False])
def test_every_bit_comes_back(make_take, tmp_path, observed):
    take = replace(make_take(9, observed=observed), subject=3, metadata={"source": "séance 1.mp4", "source_fps": 29.97})
    path = tmp_path / "ein Körper.npz"
    write_take(take, path)
    assert_same(read_take(path), take)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_keys_shapes_and_types_of_the_contract(make_take, tmp_path):
    path = tmp_path / "take.npz"
    write_take(make_take(9, observed=True), path)
    with np.load(path, allow_pickle=False) as file:
        for key, (shape, kind) in CONTRACT.items():
            assert file[key].shape == shape, key
            assert file[key].dtype.kind == "U" if kind == "U" else file[key].dtype == kind, key
        assert json.loads(str(file["metadata"]))["engine"] == "none"


def test_empty_take(make_take, tmp_path):
    take = make_take(9, observed=True)
    nothing = slice(0, 0)
    seen = take.observations
    rows = {
        k: getattr(seen, k)[nothing] for k in ("frame_index", "joints_camera_m", "joints_px", "confidence", "box_xyxy")
    }
    empty = replace(
        take,
        rotations_wxyz=take.rotations_wxyz[nothing],
        root_translation=take.root_translation[nothing],
        timestamps_ns=take.timestamps_ns[nothing],
        observations=replace(seen, **rows),
    )
    write_take(empty, tmp_path / "t.npz")
    assert_same(read_take(tmp_path / "t.npz"), empty)


def test_damage_is_named(make_take, tmp_path):
    path = tmp_path / "take.npz"
    write_take(make_take(50, observed=True), path)
    whole = path.read_bytes()
    for content in (b"", b"hello", whole[: len(whole) // 2], whole[:-30], whole[:200] + bytes(200) + whole[400:]):
        path.write_bytes(content)
        with pytest.raises(TakeFileError, match="expected a take"):
            read_take(path)
    with pytest.raises(TakeFileError, match="no such file"):
        read_take(tmp_path / "absent.npz")


def test_missing_keys_wrong_shapes_and_pickles_are_refused(make_take, tmp_path):
    path = tmp_path / "take.npz"
    write_take(make_take(5, observed=True), path)
    with np.load(path) as file:
        arrays = dict(file)
    for change, message in (
        ({"rotations_wxyz": None}, "no rotations_wxyz"),
        ({"joints_px": None}, "no joints_px"),
        ({"rotations_wxyz": arrays["rotations_wxyz"][:3]}, "found shape"),
        ({"timestamps_ns": arrays["timestamps_ns"][::-1].copy()}, "do not rise"),
        ({"metadata": np.array("{broken")}, "expected a take"),
        ({"metadata": np.array({"a": 1}, dtype=object)}, "expected a take"),
    ):
        changed = {k: v for k, v in (arrays | change).items() if v is not None}
        np.savez(path, **changed)
        with pytest.raises(TakeFileError, match=message):
            read_take(path)


def test_a_failed_write_keeps_the_old_file_and_leaves_no_scrap(make_take, tmp_path, monkeypatch):
    path = tmp_path / "take.npz"
    take = make_take(5)
    write_take(take, path)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TakeFileError, match="No space left"):
        write_take(make_take(7), path)
    assert len(read_take(path)) == 5
    assert [p.name for p in tmp_path.iterdir()] == ["take.npz"]


def test_folder_that_is_not_there(make_take, tmp_path):
    with pytest.raises(TakeFileError, match="choose another output folder"):
        write_take(make_take(5), tmp_path / "absent" / "take.npz")


def test_metadata_that_json_cannot_hold(make_take, tmp_path):
    with pytest.raises(TakeFileError, match="JSON cannot hold"):
        write_take(replace(make_take(5), metadata={"a": object()}), tmp_path / "t.npz")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("n", [0, 2])
def test_picture_has_people_as_first_axis(tmp_path, rng, n):
    def numbers(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32)

    picture = Picture(
        SMPL_JOINT_NAMES, SMPL_PARENTS, numbers(n, 24, 3), numbers(n, 24, 4), numbers(n, 3), numbers(n, 24, 3),
        numbers(n, 24, 2), numbers(n, 24), numbers(n, 4), numbers(n, 10), numbers(3, 3), metadata={"source": "a.jpg"},
    )  # fmt: skip
    write_picture(picture, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz", allow_pickle=False) as file:
        shared = {"joint_names", "parents", "intrinsics", "metadata"}
        assert {k for k in file.files if file[k].shape[:1] != (n,)} <= shared
        assert set(CONTRACT) <= set(file.files)
        assert file["betas"].shape == (n, 10)
    found = read_picture(tmp_path / "a.npz")
    assert len(found) == n
    assert found.metadata == {"source": "a.jpg"}
    np.testing.assert_array_equal(found.joints_px, picture.joints_px)
