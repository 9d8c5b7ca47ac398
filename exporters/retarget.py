"""A motion onto another skeleton: limbs point where the performer's point, and the feet reach the same floor.

Every bone of the rig turns in the world as the performer's does, `W = D C B`: D the performer's turn away from the
T-pose, B the rig's rest, and C what brings the rig's rest pose into the performer's T-pose. C is exact for the limbs
and the neck (an A-pose becomes a T-pose); the trunk, the collars and the soles keep the rig's own build, for there
rigs differ in where their joints sit, not in their pose.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .bone_maps import check_bone_map, guess_bone_map
from .kinematics import forward_kinematics, rest_joints, world_rotations
from .rest_pose import BUILD_DEG, angle_deg, rest_corrections
from .rigs import Rig, rest_places
from .rotations import inverse, multiply, rotate
from .types import Take

Array = NDArray[np.float64]
Pairs = Mapping[str, tuple[int, int]]
"""For each SMPL joint its number in the performer's skeleton and in the rig's."""


def retarget(take: Take, rig: Rig, bone_map: Mapping[str, str] | None = None) -> Take:
    """Return the motion of `take` on the rig's skeleton; joints without a counterpart keep their rest.

    Args:
        take: a motion of a skeleton whose rest is a T-pose; its joints' names are recognised as a rig's are.
        rig: the skeleton to move.
        bone_map: the rig's bone for each SMPL joint; None guesses (`Rig.bone_map`).

    Raises:
        TakeFileError: the map, or the take's skeleton, lacks a joint that is needed.
    """
    ours = guess_bone_map(take.skeleton)
    theirs = dict(rig.bone_map if bone_map is None else bone_map)
    check_bone_map(ours, take.skeleton)
    check_bone_map(theirs, rig.skeleton)
    pairs = {
        joint: (take.skeleton.joint_names.index(ours[joint]), rig.skeleton.joint_names.index(theirs[joint]))
        for joint in ours
        if joint in theirs
    }
    world = _world_turns(take, rig, pairs)
    return Take(
        rig.skeleton,
        _local(rig.skeleton.parents, world).astype(np.float32),
        _root_places(take, rig, pairs, world).astype(np.float32),
        take.timestamps_ns,
        take.subject,
        take.name,
        {**take.metadata, "retargeted_onto": rig.skeleton.name},
    )


def with_plain_rest(take: Take, rig: Rig) -> Take:
    """Return the same motion on a skeleton whose joints all have the world's axes at rest, as BVH shows them best."""
    places, rest = rest_places(rig), world_rotations(rig.skeleton, rig.rest_wxyz)
    parents = rig.skeleton.parents
    offsets = places - places[np.maximum(parents, 0)]
    offsets[0] = places[0]
    turns = multiply(world_rotations(take.skeleton, take.rotations_wxyz), inverse(rest))
    skeleton = replace(rig.skeleton, offsets=offsets.astype(np.float32))
    return replace(take, skeleton=skeleton, rotations_wxyz=_local(parents, turns).astype(np.float32))


def _world_turns(take: Take, rig: Rig, pairs: Pairs) -> Array:
    """Return `(T, J, 4)` turns of the rig's joints, joint -> world."""
    source = world_rotations(take.skeleton, take.rotations_wxyz)
    rest = world_rotations(rig.skeleton, rig.rest_wxyz)
    ours, theirs = (joints.astype(np.float64) for joints in (rest_joints(take.skeleton), rest_places(rig)))
    corrections = rest_corrections({joint: (ours[a], theirs[b]) for joint, (a, b) in pairs.items()})
    driven = {target: (joint, number) for joint, (number, target) in pairs.items()}
    world = np.empty((len(take), len(rest), 4))
    for j, parent in enumerate(rig.skeleton.parents):
        if j in driven:
            joint, number = driven[j]
            world[:, j] = multiply(source[:, number], multiply(corrections[joint], rest[j]))
        elif parent < 0:
            world[:, j] = rest[j]
        else:
            world[:, j] = multiply(world[:, parent], np.asarray(rig.rest_wxyz[j], np.float64))
    return world


def _local(parents: NDArray, world: Array) -> Array:
    local = multiply(inverse(world[:, np.maximum(parents, 0)]), world)
    local[:, 0] = world[:, 0]
    return local


def _root_places(take: Take, rig: Rig, pairs: Pairs, world: Array) -> Array:
    """Return `(T, 3)` metres: the rig's hips move as the performer's, in the ratio of their heights."""
    ours, theirs = rest_joints(take.skeleton).astype(np.float64), rest_places(rig).astype(np.float64)
    root, hips = pairs["pelvis"][1], [pairs["left_hip"], pairs["right_hip"]]
    joints = forward_kinematics(take.skeleton, take.rotations_wxyz, take.root_translation).astype(np.float64)
    middle = (joints[:, hips[0][0]] + joints[:, hips[1][0]]) / 2
    ratio = _leg_length(theirs, pairs, 1) / max(_leg_length(ours, pairs, 0), 1e-9)
    wanted = middle * ratio
    wanted[:, 1] += _ankle_over_toes_m(ours, theirs, pairs, ratio)
    rest = world_rotations(rig.skeleton, rig.rest_wxyz)
    below = (theirs[hips[0][1]] + theirs[hips[1][1]]) / 2 - theirs[root]
    from_pelvis = rotate(world[:, root], rotate(inverse(rest[root]), below))
    # What the pelvis hangs on keeps its rest, so the root is as far from the pelvis as at rest.
    return wanted - from_pelvis - (theirs[root] - theirs[0])


def _leg_length(places: Array, pairs: Pairs, which: int) -> float:
    """Return metres from hip to ankle along the bones, the mean of both sides."""
    length = 0.0
    for side in ("left", "right"):
        hip, knee, ankle = (places[pairs[f"{side}_{part}"][which]] for part in ("hip", "knee", "ankle"))
        length += float(np.linalg.norm(hip - knee) + np.linalg.norm(knee - ankle)) / 2
    return length


def _ankle_over_toes_m(ours: Array, theirs: Array, pairs: Pairs, ratio: float) -> float:
    """Return how much higher the rig's ankles are over its toes than the performer's would be, were they as large.

    Toes, and not the floor: where a rig's floor is, its file does not say. 0 where the rig has no toes or lies.
    """
    if not all(f"{side}_foot" in pairs for side in ("left", "right")):
        return 0.0
    middles = {
        part: [np.mean([places[pairs[f"{side}_{part}"][n]] for side in ("left", "right")], axis=0) for n, places in
               enumerate((ours, theirs))]
        for part in ("hip", "ankle", "foot")
    }  # fmt: skip
    legs = [middles["ankle"][n] - middles["hip"][n] for n in (0, 1)]
    if any(angle_deg(leg, np.array([0.0, -1.0, 0.0])) > BUILD_DEG for leg in legs):
        return 0.0
    over = [float(middles["ankle"][n][1] - middles["foot"][n][1]) for n in (0, 1)]
    return over[1] - ratio * over[0]
