"""Rigs to carry motions over to, and how far their limbs point elsewhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from exporters import Skeleton, Take, forward_kinematics, skeleton_from_rest_joints
from exporters.bone_maps import guess_bone_map
from exporters.rigs import Rig
from exporters.rotations import inverse, multiply, normalize, rotate

SIDES = ("left", "right")
LIMBS = [
    (f"{side}_{a}", f"{side}_{b}")
    for side in SIDES
    for a, b in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))
] + [("neck", "head")]


def joints_of(take: Take) -> np.ndarray:
    return forward_kinematics(take.skeleton, take.rotations_wxyz, take.root_translation).astype(float)


def directions(take: Take, bones: dict[str, str], a: str, b: str) -> np.ndarray:
    names, joints = take.skeleton.joint_names, joints_of(take)
    way = joints[:, names.index(bones[b])] - joints[:, names.index(bones[a])]
    return way / np.linalg.norm(way, axis=1, keepdims=True)


def worst_deg(source: Take, found: Take, bones: dict[str, str], limbs: list[tuple[str, str]] = LIMBS) -> float:
    ours = guess_bone_map(source.skeleton)
    cosines = [
        (directions(source, ours, a, b) * directions(found, bones, a, b)).sum(axis=1).min()
        for a, b in limbs
        if a in bones and b in bones
    ]
    return float(np.degrees(np.arccos(np.clip(min(cosines), -1, 1))))


def apart_from_rest(skeleton: Skeleton, rng: np.random.Generator) -> Rig:
    """Return the same joints in the same places, each with axes of its own."""
    axes = normalize(rng.normal(size=(len(skeleton.joint_names), 4)))
    above = np.where(skeleton.parents[:, None] < 0, (1.0, 0, 0, 0), axes[np.maximum(skeleton.parents, 0)])
    offsets = rotate(inverse(above), skeleton.offsets)
    return Rig(replace(skeleton, offsets=offsets.astype(np.float32)), multiply(inverse(above), axes).astype(np.float32))


def still(skeleton: Skeleton) -> Rig:
    return Rig(skeleton, np.tile(np.float32([1, 0, 0, 0]), (len(skeleton.joint_names), 1)))


def stocky() -> Skeleton:
    """A stocky character in an A-pose, half as tall as the performer, in the names of Unreal's mannequin."""
    names = (
        "root", "pelvis", "spine_01", "spine_02", "clavicle_l", "upperarm_l", "lowerarm_l", "hand_l", "clavicle_r",
        "upperarm_r", "lowerarm_r", "hand_r", "neck_01", "head", "thigh_l", "calf_l", "foot_l", "ball_l", "thigh_r",
        "calf_r", "foot_r", "ball_r", "hair",
    )  # fmt: skip
    parents = np.array([-1, 0, 1, 2, 3, 4, 5, 6, 3, 8, 9, 10, 3, 12, 1, 14, 15, 16, 1, 18, 19, 20, 13], np.int32)
    places = np.array([
        (0, 0, 0), (0, .45, 0), (0, .5, 0), (0, .6, 0), (.03, .7, 0), (.1, .7, 0), (.2, .58, -.01), (.29, .47, 0),
        (-.03, .7, 0), (-.1, .7, 0), (-.2, .58, -.01), (-.29, .47, 0), (0, .75, 0), (0, .8, 0), (.07, .43, 0),
        (.09, .24, .01), (.1, .05, 0), (.12, .01, .08), (-.07, .43, 0), (-.09, .24, .01), (-.1, .05, 0),
        (-.12, .01, .08), (0, .95, 0),
    ])  # fmt: skip
    return skeleton_from_rest_joints(places, parents, names, name="stocky", floor_y_m=0.0)
