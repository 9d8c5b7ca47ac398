"""A motion onto other people's skeletons: limbs keep their directions, feet the floor, and what lacks is named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from rig_material import apart_from_rest, joints_of, still, stocky, worst_deg

from exporters import Skeleton, TakeFileError, format_bvh, parse_bvh
from exporters.bone_maps import check_bone_map, guess_bone_map
from exporters.kinematics import rest_joints, world_rotations
from exporters.retarget import retarget, with_plain_rest
from exporters.rigs import read_rig
from exporters.rotations import multiply, quaternion_from_rotvec, rotate
from exporters.skeletons import SMPL_JOINT_NAMES, skeleton_from_rest_joints

LIMIT_DEG = 5.0


@pytest.fixture(scope="module")
def a_pose() -> Skeleton:
    return stocky()


def test_limbs_of_an_a_pose_rig_point_where_the_performers_do(make_take, a_pose):
    take, rig = make_take(61), still(a_pose)
    found = retarget(take, rig)
    assert worst_deg(take, found, rig.bone_map) < 0.1
    np.testing.assert_array_equal(found.timestamps_ns, take.timestamps_ns)
    assert found.metadata["retargeted_onto"] == "stocky"


def test_soles_and_unmapped_joints_keep_the_rigs_build(make_take, rest_joints_m, a_pose):
    take, ours = make_take(61), dict(zip(SMPL_JOINT_NAMES, rest_joints_m, strict=True))
    found = retarget(take, still(a_pose))
    hair, root = a_pose.joint_names.index("hair"), 0
    np.testing.assert_allclose(np.abs(found.rotations_wxyz[:, [hair, root], 0]), 1, atol=1e-6)
    rest = replace(
        take,
        rotations_wxyz=np.tile(np.float32([1, 0, 0, 0]), (61, 24, 1)),
        root_translation=np.tile(take.skeleton.offsets[0], (61, 1)),
    )
    standing = retarget(rest, still(a_pose))
    heel, ball = (joints_of(standing)[0, a_pose.joint_names.index(name)] for name in ("foot_l", "ball_l"))
    own = rest_joints(a_pose)
    own_heel, own_ball = (own[a_pose.joint_names.index(name)] for name in ("foot_l", "ball_l"))
    assert (ball - heel)[1] == pytest.approx((own_ball - own_heel)[1], abs=1e-6)
    ways = (ball - heel, ours["left_foot"] - ours["left_ankle"])
    heading = [np.degrees(np.arctan2(way[0], way[2])) for way in ways]
    assert heading[0] == pytest.approx(heading[1], abs=0.1)
    assert heel[1] == pytest.approx(own_heel[1], abs=0.005)  # its legs are straight now, and the soles on the floor


def test_the_root_moves_in_the_ratio_of_the_legs(make_take, a_pose):
    take = make_take(61)
    found = retarget(take, still(a_pose))
    bones, names = guess_bone_map(a_pose), a_pose.joint_names
    joints = joints_of(found)
    hips = (joints[:, names.index(bones["left_hip"])] + joints[:, names.index(bones["right_hip"])]) / 2
    ours = joints_of(take)[:, [1, 2]].mean(axis=1)
    legs = [
        sum(np.linalg.norm(p[k] - p[h]) + np.linalg.norm(p[a] - p[k]) for h, k, a in triples) / 2
        for p, triples in (
            (rest_joints(take.skeleton), [(1, 4, 7), (2, 5, 8)]),
            (rest_joints(a_pose), [tuple(names.index(f"{n}_{s}") for n in ("thigh", "calf", "foot")) for s in "lr"]),
        )
    ]
    np.testing.assert_allclose(hips[-1] - hips[0], (ours[-1] - ours[0]) * legs[1] / legs[0], atol=1e-5)


def test_axes_of_the_rigs_joints_make_no_difference(make_take, a_pose, rng):
    take = make_take(61)
    plain = retarget(take, still(a_pose))
    rig = apart_from_rest(a_pose, rng)
    found = retarget(take, rig)
    np.testing.assert_allclose(joints_of(found), joints_of(plain), atol=2e-6)
    again = with_plain_rest(found, rig)
    np.testing.assert_allclose(again.skeleton.offsets, a_pose.offsets, atol=1e-6)
    np.testing.assert_allclose(joints_of(again), joints_of(plain), atol=2e-6)
    turns = [world_rotations(take.skeleton, take.rotations_wxyz) for take in (again, plain)]
    np.testing.assert_allclose(np.abs((turns[0] * turns[1]).sum(axis=-1)), 1, atol=1e-5)


@pytest.mark.parametrize("axis_angle", [(0, np.pi, 0), (np.pi / 2, 0, 0), (0, 0.5 * np.pi, 0), (0, np.radians(37), 0)])
def test_a_rig_that_faces_or_lies_another_way_is_turned(make_take, a_pose, axis_angle):
    take = make_take(61)
    turn = quaternion_from_rotvec(np.array(axis_angle))
    turned = replace(a_pose, offsets=rotate(turn, a_pose.offsets).astype(np.float32))
    found = retarget(take, still(turned))
    assert worst_deg(take, found, guess_bone_map(a_pose)) < 0.1
    plain = retarget(take, still(a_pose))
    own = (joints_of(found) - joints_of(found)[:, 1:2], joints_of(plain) - joints_of(plain)[:, 1:2])
    np.testing.assert_allclose(own[0][:, 1:], own[1][:, 1:], atol=0.01)


def test_an_a_pose_is_undone_with_hardly_a_twist(make_take):
    """The performer's own bones, resting with lowered arms and spread legs, end up as the performer's do."""
    take = make_take(61)
    skeleton, names = take.skeleton, take.skeleton.joint_names
    lowered = {"left_shoulder": -40.0, "right_shoulder": 40.0, "left_hip": 12.0, "right_hip": -12.0}
    turn = np.zeros(24)
    for j, parent in enumerate(skeleton.parents):
        turn[j] = lowered.get(names[j], turn[parent] if j else 0.0)
    turns = quaternion_from_rotvec(np.radians(turn)[:, None] * np.array([0.0, 0.0, 1.0]))
    offsets = rotate(turns[np.maximum(skeleton.parents, 0)], skeleton.offsets)
    rig = still(replace(skeleton, offsets=offsets.astype(np.float32)))
    found = retarget(take, rig)
    feet = [names.index(f"{side}_{part}") for side in ("left", "right") for part in ("ankle", "foot")]
    others = [j for j in range(24) if j not in feet]
    ours = world_rotations(skeleton, take.rotations_wxyz)
    theirs = multiply(world_rotations(rig.skeleton, found.rotations_wxyz), turns)
    cosine = np.abs((ours * theirs)[:, others].sum(axis=-1))
    assert np.degrees(2 * np.arccos(np.clip(cosine, 0, 1))).max() < 2
    own, moved = (joints_of(t) - joints_of(t)[:, :1] for t in (take, found))
    np.testing.assert_allclose(moved[:, others], own[:, others], atol=1e-5)


def test_onto_itself_nothing_changes(make_take):
    take = make_take(61)
    found = retarget(take, still(take.skeleton))
    np.testing.assert_allclose(joints_of(found), joints_of(take), atol=2e-6)


RIGS = (
    "mixamo_names_1frame",
    "lafan_names_1frame",
    "animateddrawings_cmu1_jumping_jacks",
    "animateddrawings_fair1_dab",
    "animateddrawings_rokoko_jesse_dance",
    "deepmotionediting_blender_example",
    "mhr_1frame",
    "mocapnet_tpose",
    "romp_blender_smpl_dance2",
    "xia_neutral_16",
)


@pytest.mark.parametrize("name", RIGS)
def test_rigs_of_other_tools(shared, make_take, name, tmp_path):
    rig = read_rig(shared / "data" / "bvh" / "other_tools" / f"{name}.bvh")
    take = make_take(61)
    found = retarget(take, rig)
    assert worst_deg(take, found, rig.bone_map) < LIMIT_DEG
    assert rig.up == ("z" if "fair1" in name else "y")
    # What is written has the rig's own names and offsets, so that it plays on the rig.
    again = parse_bvh(format_bvh(found, up=rig.up), up=rig.up)
    assert again.skeleton.joint_names == rig.skeleton.joint_names
    np.testing.assert_allclose(again.skeleton.offsets[1:], rig.skeleton.offsets[1:], atol=2e-7)


def test_the_first_frame_may_be_the_rigs_pose(shared):
    path = shared / "data" / "bvh" / "other_tools" / "mocapnet_tpose.bvh"
    assert not np.allclose(read_rig(path, pose="first").rest_wxyz, read_rig(path).rest_wxyz)


def test_what_lacks_or_does_not_exist_is_named(make_take, a_pose):
    bones = guess_bone_map(a_pose)
    lacking = {joint: bone for joint, bone in bones.items() if joint not in ("left_knee", "head")}
    with pytest.raises(TakeFileError, match=r"no bone for head \(Head\), left_knee \(LeftLowerLeg\).*--write-map"):
        retarget(make_take(2), still(a_pose), lacking)
    with pytest.raises(TakeFileError, match='the bone "calf_left", expected "calf_l'):
        check_bone_map({**bones, "left_knee": "calf_left"}, a_pose)
    with pytest.raises(TakeFileError, match='the joint "left_kneee", expected "left_knee"'):
        check_bone_map({**bones, "left_kneee": "calf_l"}, a_pose)
    with pytest.raises(TakeFileError, match='"calf_l" for two joints'):
        check_bone_map({**bones, "left_hip": "calf_l"}, a_pose)
    nobody = skeleton_from_rest_joints(np.array([[0, 1, 0], [0, 2, 0]]), [-1, 0], ["a", "b"], name="two")
    with pytest.raises(TakeFileError, match="two: found no bone for pelvis"):
        retarget(make_take(2), still(nobody))
