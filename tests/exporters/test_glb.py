"""GLB and VRMA, read back from the bytes by the specification alone."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import skinned

from exporters import MIXAMO_NAMES, TakeFileError, forward_kinematics, write_glb, write_vrma
from exporters.rotations import matrix_from_quaternion
from exporters.vrma import VRM_BONES

TYPES = {"SCALAR": (), "VEC3": (3,), "VEC4": (4,), "MAT4": (4, 4)}
COMPONENTS = {5121: "<u1", 5123: "<u2", 5125: "<u4", 5126: "<f4"}


class Glb:
    """A GLB file taken apart, every accessor an array."""

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        magic, version, total, size, kind = struct.unpack_from("<4sIII4s", data)
        assert (magic, version, total, kind) == (b"glTF", 2, len(data), b"JSON")
        assert size % 4 == 0
        self.json: dict[str, Any] = json.loads(data[20 : 20 + size])
        length, kind = struct.unpack_from("<I4s", data, 20 + size)
        assert kind == b"BIN\0"
        binary = data[28 + size : 28 + size + length]
        assert self.json["buffers"] == [{"byteLength": length}]
        self.arrays = [self._array(a, binary) for a in self.json["accessors"]]

    def _array(self, accessor: dict[str, Any], binary: bytes) -> np.ndarray:
        view, shape = self.json["bufferViews"][accessor["bufferView"]], TYPES[accessor["type"]]
        dtype, count = COMPONENTS[accessor["componentType"]], accessor["count"]
        assert view["byteOffset"] % 4 == 0
        array = np.frombuffer(binary, dtype, count * int(np.prod(shape)), view["byteOffset"]).reshape(count, *shape)
        assert array.nbytes == view["byteLength"]
        if "min" in accessor:
            assert accessor["min"] == np.atleast_2d(array.reshape(count, -1)).min(0).tolist()
        return array

    def curve(self, node: int, path: str) -> tuple[np.ndarray, np.ndarray] | None:
        animation = self.json["animations"][0]
        for channel in animation["channels"]:
            if channel["target"] == {"node": node, "path": path}:
                sampler = animation["samplers"][channel["sampler"]]
                return self.arrays[sampler["input"]], self.arrays[sampler["output"]]
        return None

    def world(self, node: int, count: int) -> np.ndarray:
        """Return `(T, 4, 4)`: a node's transform at each key."""
        local = np.tile(np.eye(4), (count, 1, 1))
        moved, turned = self.curve(node, "translation"), self.curve(node, "rotation")
        local[:, :3, 3] = moved[1] if moved else self.json["nodes"][node].get("translation", (0, 0, 0))
        if turned:
            local[:, :3, :3] = matrix_from_quaternion(turned[1][:, [3, 0, 1, 2]].astype(np.float64))
        above = [n for n, other in enumerate(self.json["nodes"]) if node in other.get("children", ())]
        return self.world(above[0], count) @ local if above else local


@pytest.fixture(params=["analytic", "random"])
def take(request, make_take, random_take):
    return make_take(61) if request.param == "analytic" else random_take


def test_joints_and_surface_are_where_they_were(take, cubes, tmp_path):
    write_glb(take, tmp_path / "a.glb", meshes=cubes)
    file, count = Glb(tmp_path / "a.glb"), len(take)
    names = [node["name"] for node in file.json["nodes"]]
    skin = file.json["skins"][0]
    assert tuple(names[n] for n in skin["joints"]) == take.skeleton.joint_names
    world = np.stack([file.world(n, count) for n in skin["joints"]], axis=1)
    joints = forward_kinematics(take.skeleton, take.rotations_wxyz, take.root_translation)
    assert np.abs(world[..., :3, 3] - joints).max() < 1e-5
    attributes = file.json["meshes"][0]["primitives"][0]["attributes"]
    places, bound, weights = (file.arrays[attributes[key]] for key in ("POSITION", "JOINTS_0", "WEIGHTS_0"))
    inverse = file.arrays[skin["inverseBindMatrices"]].transpose(0, 2, 1)
    blend = np.einsum("vk,tvkij->tvij", weights, (world @ inverse)[:, bound])
    surface = np.einsum("tvij,vj->tvi", blend[..., :3, :], np.c_[places, np.ones(len(places))])
    assert np.abs(surface - skinned(take, cubes)).max() < 1e-5


def test_times_are_the_frames_of_the_exact_rate(make_take, tmp_path):
    write_glb(make_take(61, 30000 / 1001), tmp_path / "a.glb")
    file = Glb(tmp_path / "a.glb")
    times, _ = file.curve(1, "translation")
    assert times == pytest.approx(np.arange(61) * 1001 / 30000, abs=1e-6)
    assert file.json["animations"][0]["extras"]["fps"] == pytest.approx(29.97003, abs=1e-5)
    write_glb(make_take(61, 30), tmp_path / "b.glb", fps=60)
    assert len(Glb(tmp_path / "b.glb").curve(1, "translation")[0]) == 121


def test_rest_is_the_t_pose_on_the_floor(make_take, tmp_path, rest_joints_m):
    write_glb(make_take(3), tmp_path / "a.glb", names=MIXAMO_NAMES)
    file = Glb(tmp_path / "a.glb")
    del file.json["animations"][0]["channels"][:]
    rest = np.array([file.world(n, 1)[0, :3, 3] for n in file.json["skins"][0]["joints"]])
    assert np.abs(rest - rest_joints_m).max() < 1e-6
    assert file.json["nodes"][1]["name"] == "Hips"


def test_several_performers_move_together(make_take, cubes, tmp_path):
    first = make_take(31)
    late = replace(first, timestamps_ns=first.timestamps_ns + 500_000_000, name="second")
    write_glb([first, late], tmp_path / "a.glb", meshes=[cubes, None])
    file = Glb(tmp_path / "a.glb")
    assert [file.json["nodes"][n]["name"] for n in file.json["scenes"][0]["nodes"]] == [
        "analytic", "analytic_cubes", "second",
    ]  # fmt: skip
    assert len(file.json["animations"]) == 1
    second = file.json["skins"][1]["joints"][0]
    assert file.curve(second, "translation")[0][[0, -1]] == pytest.approx([0.5, 1.5], abs=1e-6)


def test_many_vertices_get_wider_indices(make_take, cubes, tmp_path):
    pad = np.zeros((65_536 - len(cubes.vertices), 3), np.float32)
    wide = replace(
        cubes,
        vertices=np.concatenate([cubes.vertices, pad]),
        joints=np.resize(cubes.joints, (65_536, 4)),
        weights=np.resize(cubes.weights, (65_536, 4)),
    )
    write_glb(make_take(2), tmp_path / "a.glb", meshes=wide)
    file = Glb(tmp_path / "a.glb")
    assert file.arrays[file.json["meshes"][0]["primitives"][0]["indices"]].dtype == np.uint32


def test_gaps_are_told(make_take, tmp_path, caplog):
    take = make_take(31)
    keep = np.r_[0:10, 20:31]
    cut = replace(
        take,
        rotations_wxyz=take.rotations_wxyz[keep],
        root_translation=take.root_translation[keep],
        timestamps_ns=take.timestamps_ns[keep],
    )
    with caplog.at_level("INFO"):
        assert [g.frames for g in write_glb(cut, tmp_path / "a.glb")] == [10]
    assert "bridged 1 gap(s), 0.37 s in all" in caplog.text


def test_vrma_names_the_bones_and_moves_the_hips_alone(make_take, tmp_path):
    write_vrma(make_take(31), tmp_path / "a.vrma")
    file = Glb(tmp_path / "a.vrma")
    extension = file.json["extensions"]["VRMC_vrm_animation"]
    assert extension["specVersion"] == "1.0"
    bones = extension["humanoid"]["humanBones"]
    assert set(bones) == set(VRM_BONES.values())
    assert {bone: file.json["nodes"][b["node"]]["name"] for bone, b in bones.items()} == {b: b for b in bones}
    targets = [channel["target"] for channel in file.json["animations"][0]["channels"]]
    assert [t["node"] for t in targets if t["path"] != "rotation"] == [bones["hips"]["node"]]


def test_vrma_wants_a_humanoid(make_take, tmp_path):
    take = make_take(3)
    bird = replace(take.skeleton, joint_names=tuple(n.replace("left_elbow", "wing") for n in take.skeleton.joint_names))
    with pytest.raises(TakeFileError, match="found no left_elbow"):
        write_vrma(replace(take, skeleton=bird), tmp_path / "a.vrma")
