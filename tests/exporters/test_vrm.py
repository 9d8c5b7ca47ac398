"""An avatar's file: its own bones are sent, and it takes the performer's pose whatever it lacks."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from vrm_files import write_glb, write_vrm

from exporters import HUMANOID_BONES, Pose, Skeleton, StreamError, VmcOptions, forward_kinematics
from exporters.avatars import BONES, REQUIRED_BONES
from exporters.rotations import multiply, quaternion_from_rotvec, rotate
from exporters.vmc_encoder import VmcEncoder
from exporters.vrm import read_vrm

OPTIONAL = ("UpperChest", "Chest", "Neck", "LeftShoulder", "RightShoulder", "LeftToes", "RightToes")


def received(encoder: VmcEncoder, pose: Pose) -> dict[str, np.ndarray]:
    """Return name -> position and quaternion xyzw, `(7,)`, Unity's space."""
    from pythonosc.osc_bundle import OscBundle

    messages = [m for datagram in encoder.encode(pose) for m in OscBundle(datagram)]
    return {m.params[0]: np.array(m.params[1:]) for m in messages if m.address.endswith("/Pos")}


def placed(path: Path, sent: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return where a receiver sees each bone, `(3,)` in our space: it sets the transforms of the avatar's own nodes.

    Like UniVRM it turns glTF into Unity's space by mirroring z (VRM 0.x) or x (VRM 1.0).
    """
    data = path.read_bytes()
    gltf = json.loads(data[20 : 20 + struct.unpack("<I", data[12:16])[0]])
    is_vrm0 = "VRM" in gltf["extensions"]
    flip = np.array((1, 1, -1) if is_vrm0 else (-1, 1, 1))
    names = {n["name"]: HUMANOID_BONES.get(n["name"]) for n in gltf["nodes"]}
    places: dict[str, np.ndarray] = {}

    def walk(number: int, at: np.ndarray, turn: np.ndarray) -> None:
        node = gltf["nodes"][number]
        x, y, z, w = node["rotation"]
        position = np.array(node["translation"]) * flip
        # A mirror turns a rotation's axis with it and its sense round.
        quaternion = np.array((w, *(-flip * (x, y, z))))
        if names[node["name"]] in sent:
            values = sent[names[node["name"]]]
            position, quaternion = values[:3], values[[6, 3, 4, 5]]
        at, turn = at + rotate(turn, position), multiply(turn, quaternion)
        if names[node["name"]]:
            places[names[node["name"]]] = at * (-1, 1, 1)
        for child in node["children"]:
            walk(child, at, turn)

    walk(0, sent["root"][:3], sent["root"][[6, 3, 4, 5]])
    return places


def scaled(skeleton: Skeleton, scale: float) -> Skeleton:
    return replace(skeleton, offsets=(skeleton.offsets * np.float32(scale)))


@pytest.mark.parametrize("root_motion", ["root", "hips", "both"])
@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("version", [0, 1])
def test_an_avatar_of_other_size_takes_the_pose(make_take, tmp_path, version, raw, root_motion):
    take = make_take(20)
    path = write_vrm(tmp_path / "a.vrm", take.skeleton, version, scale=0.7, raw=raw)
    encoder = VmcEncoder(take.skeleton, VmcOptions(root_motion=root_motion, vrm=str(path)))
    small = scaled(take.skeleton, 0.7)
    for t in (0, 7, 19):
        joints = forward_kinematics(small, take.rotations_wxyz[t], take.root_translation[t] * np.float32(0.7))
        sent = received(encoder, Pose(take.rotations_wxyz[t], take.root_translation[t], t, 1))
        assert len(sent) == 23
        found = placed(path, sent)
        for name, bone in HUMANOID_BONES.items():
            wanted = joints[take.skeleton.joint_names.index(name)]
            np.testing.assert_allclose(found[bone], wanted, atol=1e-4, err_msg=bone)


@pytest.mark.parametrize("without", [("UpperChest",), ("UpperChest", "Chest"), OPTIONAL])
def test_what_an_absent_bone_does_is_done_by_its_neighbour(make_take, tmp_path, rng, without):
    """The bones beyond it point where they do on the performer; those of the chest's other side do not notice."""
    take = make_take(20)
    path = write_vrm(tmp_path / "a.vrm", take.skeleton, 0, without=without)
    encoder = VmcEncoder(take.skeleton, VmcOptions(vrm=str(path)))
    q = take.rotations_wxyz[13].copy()
    names = take.skeleton.joint_names
    for name in ("spine1", "spine2", "spine3", "neck", "left_collar", "left_shoulder"):
        q[names.index(name)] = quaternion_from_rotvec(rng.normal(size=3))
    pose = Pose(q, take.root_translation[13], 0, 1)
    joints = forward_kinematics(take.skeleton, q, pose.root_translation)
    sent = received(encoder, pose)
    assert not set(without) & set(sent)
    found = placed(path, sent)
    for bone, child in (("left_shoulder", "left_elbow"), ("right_elbow", "right_wrist"), ("right_hip", "right_knee")):
        wanted = joints[names.index(child)] - joints[names.index(bone)]
        got = found[HUMANOID_BONES[child]] - found[HUMANOID_BONES[bone]]
        np.testing.assert_allclose(got, wanted, atol=1e-4)
    if without != OPTIONAL:
        shoulders = [joints[names.index(n)] for n in ("left_shoulder", "right_shoulder")]
        got = found["LeftUpperArm"] - found["RightUpperArm"]
        np.testing.assert_allclose(got, shoulders[0] - shoulders[1], atol=1e-4)


def test_mirror_and_avatar_together(make_take, skeleton, tmp_path):
    path = write_vrm(tmp_path / "a.vrm", skeleton, 1)
    take = make_take(10)
    pose = Pose(take.rotations_wxyz[9], take.root_translation[9], 0, 1)
    plain = placed(path, received(VmcEncoder(skeleton, VmcOptions(vrm=str(path))), pose))
    mirrored = placed(path, received(VmcEncoder(skeleton, VmcOptions(vrm=str(path), mirror=True)), pose))
    for bone, other in (("LeftHand", "RightHand"), ("RightFoot", "LeftFoot"), ("Head", "Head")):
        np.testing.assert_allclose(mirrored[other], plain[bone] * (-1, 1, 1), atol=1e-4)


def test_bones_that_every_humanoid_has():
    assert len(BONES) == 22
    assert len(REQUIRED_BONES) == 15


def test_wrong_files_are_named(skeleton, tmp_path):
    good = write_vrm(tmp_path / "good.vrm", skeleton, 0)
    lying = write_vrm(tmp_path / "lying.vrm", scaled(skeleton, 1e-6), 0)
    lame = write_vrm(tmp_path / "lame.vrm", skeleton, 1, without=("LeftLowerLeg", "RightHand"))
    (tmp_path / "cut.vrm").write_bytes(good.read_bytes()[:300])
    (tmp_path / "text.vrm").write_text("not a model\n" * 9, encoding="utf-8")
    write_glb(tmp_path / "chair.vrm", {"nodes": []})
    loop = {"nodes": [{"children": [0]}], "extensions": {"VRM": {"humanoid": {"humanBones": [
        {"bone": b[0].lower() + b[1:], "node": 0} for b in REQUIRED_BONES]}}}}  # fmt: skip
    write_glb(tmp_path / "loop.vrm", loop)
    loop["extensions"]["VRM"]["humanoid"]["humanBones"][0]["node"] = 7
    write_glb(tmp_path / "far.vrm", loop)
    assert len(read_vrm(good).bones) == 22
    for path, message in (
        (lying, "hips at a height"),
        (lame, "without LeftLowerLeg, RightHand"),
        (tmp_path / "absent.vrm", "cannot be read"),
        (tmp_path, "cannot be read"),
        (tmp_path / "cut.vrm", "expected an avatar of VRM"),
        (tmp_path / "text.vrm", "no glTF 2"),
        (tmp_path / "chair.vrm", "without a VRM humanoid"),
        (tmp_path / "loop.vrm", "above itself"),
        (tmp_path / "far.vrm", "expected an avatar of VRM"),
    ):
        with pytest.raises(StreamError, match=message):
            read_vrm(path)
