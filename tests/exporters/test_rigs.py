"""Other people's skeletons: read from models, their bones recognised by the names that programs use."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rig_material import SIDES, apart_from_rest, still, stocky, worst_deg

from exporters import Skeleton, TakeFileError, UnknownFormatError, forward_kinematics
from exporters.bone_maps import guess_bone_map
from exporters.kinematics import rest_joints
from exporters.retarget import retarget
from exporters.rigs import read_rig
from exporters.skeletons import MIXAMO_NAMES, SMPL_JOINT_NAMES, SMPL_PARENTS, skeleton_from_rest_joints


@pytest.fixture(scope="module")
def a_pose() -> Skeleton:
    return stocky()


# Names of well-known programs for the 22 joints that all of them have, in SMPL's order without the hands.
PROGRAMS = {
    "mixamo": [MIXAMO_NAMES[j] for j in SMPL_JOINT_NAMES[:22]],
    "mixamo with its prefix": ["mixamorig:" + MIXAMO_NAMES[j] for j in SMPL_JOINT_NAMES[:22]],
    "three.js' mixamo": ["mixamorig" + MIXAMO_NAMES[j] for j in SMPL_JOINT_NAMES[:22]],
    "unreal": ["pelvis", "thigh_l", "thigh_r", "spine_01", "calf_l", "calf_r", "spine_02", "foot_l", "foot_r",
               "spine_03", "ball_l", "ball_r", "neck_01", "clavicle_l", "clavicle_r", "head", "upperarm_l",
               "upperarm_r", "lowerarm_l", "lowerarm_r", "hand_l", "hand_r"],
    "rigify": ["DEF-spine", "DEF-thigh.L", "DEF-thigh.R", "DEF-spine.001", "DEF-shin.L", "DEF-shin.R", "DEF-spine.002",
               "DEF-foot.L", "DEF-foot.R", "DEF-spine.003", "DEF-toe.L", "DEF-toe.R", "DEF-spine.004",
               "DEF-shoulder.L", "DEF-shoulder.R", "DEF-spine.006", "DEF-upper_arm.L", "DEF-upper_arm.R",
               "DEF-forearm.L", "DEF-forearm.R", "DEF-hand.L", "DEF-hand.R"],
    "vroid": ["J_Bip_C_Hips", "J_Bip_L_UpperLeg", "J_Bip_R_UpperLeg", "J_Bip_C_Spine", "J_Bip_L_LowerLeg",
              "J_Bip_R_LowerLeg", "J_Bip_C_Chest", "J_Bip_L_Foot", "J_Bip_R_Foot", "J_Bip_C_UpperChest",
              "J_Bip_L_ToeBase", "J_Bip_R_ToeBase", "J_Bip_C_Neck", "J_Bip_L_Shoulder", "J_Bip_R_Shoulder",
              "J_Bip_C_Head", "J_Bip_L_UpperArm", "J_Bip_R_UpperArm", "J_Bip_L_LowerArm", "J_Bip_R_LowerArm",
              "J_Bip_L_Hand", "J_Bip_R_Hand"],
    "biped": ["Bip01 Pelvis", "Bip01 L Thigh", "Bip01 R Thigh", "Bip01 Spine", "Bip01 L Calf", "Bip01 R Calf",
              "Bip01 Spine1", "Bip01 L Foot", "Bip01 R Foot", "Bip01 Spine2", "Bip01 L Toe0", "Bip01 R Toe0",
              "Bip01 Neck", "Bip01 L Clavicle", "Bip01 R Clavicle", "Bip01 Head", "Bip01 L UpperArm",
              "Bip01 R UpperArm", "Bip01 L Forearm", "Bip01 R Forearm", "Bip01 L Hand", "Bip01 R Hand"],
    "cmu": ["Hips", "LeftUpLeg", "RightUpLeg", "LowerBack", "LeftLeg", "RightLeg", "Spine", "LeftFoot", "RightFoot",
            "Spine1", "LeftToeBase", "RightToeBase", "Neck", "LeftShoulder", "RightShoulder", "Head", "LeftArm",
            "RightArm", "LeftForeArm", "RightForeArm", "LeftHand", "RightHand"],
    "smpl": ["Pelvis", "L_Hip", "R_Hip", "Spine1", "L_Knee", "R_Knee", "Spine2", "L_Ankle", "R_Ankle", "Spine3",
             "L_Foot", "R_Foot", "Neck", "L_Collar", "R_Collar", "Head", "L_Shoulder", "R_Shoulder", "L_Elbow",
             "R_Elbow", "L_Wrist", "R_Wrist"],
}  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS)
def test_names_of_well_known_programs_are_recognised(rest_joints_m, program):
    names = PROGRAMS[program]
    skeleton = skeleton_from_rest_joints(rest_joints_m[:22], SMPL_PARENTS[:22], names, name=program)
    assert guess_bone_map(skeleton) == dict(zip(SMPL_JOINT_NAMES, names, strict=False))


def gltf(skeleton: Skeleton, rest: np.ndarray, unit: float = 0.01, **more: object) -> dict:
    """Return a model whose bones are in centimetres below a node that scales them, as exporters like it."""
    nodes: list[dict] = [{"name": "Armature", "scale": [unit] * 3, "children": [1]}]
    for n, name in enumerate(skeleton.joint_names):
        w, x, y, z = rest[n].tolist()
        children = [int(c) + 1 for c in np.flatnonzero(skeleton.parents == n)]
        nodes.append({"name": name, "rotation": [x, y, z, w], "translation": (skeleton.offsets[n] / unit).tolist(),
                      **({"children": children} if children else {})})  # fmt: skip
    return {"asset": {"version": "2.0"}, "nodes": nodes,
            "skins": [{"joints": list(range(1, len(nodes)))}], **more}  # fmt: skip


def write_glb(path: Path, content: dict) -> Path:
    text = json.dumps(content).encode()
    text += b" " * (-len(text) % 4)
    path.write_bytes(struct.pack("<4sIIII", b"glTF", 2, 20 + len(text), len(text), 0x4E4F534A) + text)
    return path


def test_a_model_with_axes_of_its_own_is_read(make_take, a_pose, rng, tmp_path):
    made = apart_from_rest(a_pose, rng)
    rig = read_rig(write_glb(tmp_path / "stocky.glb", gltf(made.skeleton, made.rest_wxyz)))
    assert rig.skeleton.joint_names == tuple(rig.skeleton.joint_names)
    places = forward_kinematics(rig.skeleton, rig.rest_wxyz, rig.skeleton.offsets[0])
    order = [rig.skeleton.joint_names.index(name) for name in a_pose.joint_names]
    np.testing.assert_allclose(places[order], rest_joints(a_pose), atol=1e-5)
    take = make_take(61)
    assert worst_deg(take, retarget(take, rig), rig.bone_map) < 0.1
    (tmp_path / "stocky.gltf").write_text(json.dumps(gltf(made.skeleton, made.rest_wxyz)), encoding="utf-8")
    assert read_rig(tmp_path / "stocky.gltf").skeleton.joint_names == rig.skeleton.joint_names


@pytest.mark.parametrize("version", [0, 1])
def test_a_vrm_says_itself_which_bone_is_which(make_take, a_pose, tmp_path, version):
    names = [f"bone{n}" for n in range(len(a_pose.joint_names))]
    humanoid = {
        "hips": "pelvis", "spine": "spine_01", "chest": "spine_02", "neck": "neck_01", "head": "head",
        **{f"{side}{ours}": f"{theirs}_{side[0]}" for side in SIDES for ours, theirs in
           (("Shoulder", "clavicle"), ("UpperArm", "upperarm"), ("LowerArm", "lowerarm"), ("Hand", "hand"),
            ("UpperLeg", "thigh"), ("LowerLeg", "calf"), ("Foot", "foot"), ("Toes", "ball"))},
    }  # fmt: skip
    numbers = {bone: a_pose.joint_names.index(name) + 1 for bone, name in humanoid.items()}
    extension = (
        {"VRM": {"humanoid": {"humanBones": [{"bone": b, "node": n} for b, n in numbers.items()]}}}
        if version == 0
        else {"VRMC_vrm": {"humanoid": {"humanBones": {b: {"node": n} for b, n in numbers.items()}}}}
    )
    skeleton = replace(a_pose, joint_names=tuple(names))
    rig = read_rig(write_glb(tmp_path / "a.vrm", gltf(skeleton, still(skeleton).rest_wxyz, extensions=extension)))
    assert rig.bone_map["left_knee"] == names[a_pose.joint_names.index("calf_l")]
    assert rig.bone_map["spine3"] == names[a_pose.joint_names.index("spine_02")]  # it has no upper chest
    take = make_take(31)
    assert worst_deg(take, retarget(take, rig), rig.bone_map) < 0.1


DAMAGED = (
    b"",
    b"glTF",
    b"glTF\x02\0\0\0\xff\0\0\0\xff\0\0\0JSON{",
    b"[]",
    b"{}",
    b"[" * 9999,
    b'{"nodes": [{"children": [0]}], "skins": [{"joints": [0]}]}',
    b'{"nodes": [{}, {}], "skins": [{"joints": [0, 1]}]}',
    b'{"nodes": [{"scale": [0, 1, 1]}], "skins": [{"joints": [0]}]}',
    b'{"nodes": [{"rotation": "x"}], "skins": [{"joints": [0]}]}',
    b'{"nodes": [{}], "skins": [{"joints": [7]}]}',
)


@pytest.mark.parametrize("damage", DAMAGED)
def test_damaged_models_are_said(tmp_path, damage):
    path = tmp_path / "a.glb"
    path.write_bytes(damage)
    with pytest.raises(TakeFileError, match=r"a\.glb: found .* expected a glTF 2 or VRM model"):
        read_rig(path)


def test_other_files_are_no_rigs(tmp_path):
    with pytest.raises(UnknownFormatError, match=r"\.bvh, \.glb, \.gltf or \.vrm"):
        read_rig(tmp_path / "a.fbx")
    with pytest.raises(TakeFileError, match="cannot be read"):
        read_rig(tmp_path / "absent.glb")
