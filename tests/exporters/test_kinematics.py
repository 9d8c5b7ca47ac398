"""Forward kinematics and the spaces of other programs."""

from __future__ import annotations

import numpy as np

from exporters import coordinates, forward_kinematics, rest_joints, skeleton_from_rest_joints
from exporters.rotations import matrix_from_quaternion, multiply, normalize, rotate
from exporters.skeletons import mirror_indices


def test_rest_pose_is_where_the_joints_were(skeleton, rest_joints_m):
    np.testing.assert_allclose(rest_joints(skeleton), rest_joints_m, atol=1e-6)


def test_floor_is_under_the_lowest_joint_or_where_told(rest_joints_m):
    lowest = skeleton_from_rest_joints(rest_joints_m - (0.0, 0.95, 0.0))
    assert abs(lowest.offsets[0, 1] - (0.95 - 0.02)) < 1e-6
    told = skeleton_from_rest_joints(rest_joints_m - (0.3, 0.95, 0.2), floor_y_m=-0.95)
    np.testing.assert_allclose(told.offsets[0], (0.0, 0.95, 0.0), atol=1e-6)


def test_matches_matrices_chained_by_hand(skeleton, rng):
    q = normalize(rng.normal(size=(24, 4)))
    world = [np.eye(4)]
    for j in range(24):
        local = np.eye(4)
        local[:3, :3] = matrix_from_quaternion(q[j])
        local[:3, 3] = (1.0, 2.0, 3.0) if j == 0 else skeleton.offsets[j]
        world.append(world[skeleton.parents[j] + 1] @ local)
    found = forward_kinematics(skeleton, q, np.array([1.0, 2.0, 3.0]))
    np.testing.assert_allclose(found, np.array(world)[1:, :3, 3], atol=1e-6)


def test_leading_axes(make_take):
    take = make_take(6)
    many = forward_kinematics(
        take.skeleton, take.rotations_wxyz.reshape(2, 3, 24, 4), take.root_translation.reshape(2, 3, 3)
    )
    one = forward_kinematics(take.skeleton, take.rotations_wxyz[4], take.root_translation[4])
    assert many.shape == (2, 3, 24, 3)
    np.testing.assert_array_equal(many[1, 1], one)


def test_spaces_keep_rotation_and_place_together(rng):
    q, v = normalize(rng.normal(size=(50, 4))), rng.normal(size=(50, 3))
    unity = coordinates.unity_quaternion_xyzw(q)[:, [3, 0, 1, 2]]
    np.testing.assert_allclose(
        rotate(unity, coordinates.unity_position(v)), coordinates.unity_position(rotate(q, v)), atol=1e-12
    )
    mirrored = rotate(coordinates.mirrored_quaternion(q), coordinates.mirrored_position(v))
    np.testing.assert_allclose(mirrored, coordinates.mirrored_position(rotate(q, v)), atol=1e-12)
    np.testing.assert_allclose(rotate(coordinates.HALF_TURN_WXYZ, v), coordinates.turned_position(v), atol=1e-12)
    assert multiply(coordinates.HALF_TURN_WXYZ, q).shape == q.shape


def test_unity_looks_forward_with_the_left_at_minus_x():
    np.testing.assert_array_equal(coordinates.unity_position(np.array([1.0, 2.0, 3.0])), [-1, 2, 3])
    # 90 degrees to the left about y (the nose from +z to +x, ours): in Unity's space the nose goes to -x.
    q = np.array([np.cos(np.pi / 4), 0.0, np.sin(np.pi / 4), 0.0])
    xyzw = coordinates.unity_quaternion_xyzw(q)
    np.testing.assert_allclose(rotate(xyzw[[3, 0, 1, 2]], np.array([0.0, 0, 1])), [-1, 0, 0], atol=1e-12)


def test_opposites_pair_up(skeleton):
    pairs = mirror_indices(skeleton)
    np.testing.assert_array_equal(pairs[pairs], np.arange(24))
    names = skeleton.joint_names
    assert names[pairs[names.index("left_wrist")]] == "right_wrist"
    assert pairs[names.index("head")] == names.index("head")
