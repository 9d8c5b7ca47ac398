"""A user's own skeleton, to carry a motion over to: from a BVH file, or from a glTF or VRM model."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .bone_maps import BoneMap, guess_bone_map
from .bvh_reader import read_bvh
from .errors import TakeFileError, UnknownFormatError
from .gltf_rig import read_gltf_skeleton
from .kinematics import forward_kinematics
from .types import FloatArray, Skeleton, check_array

RIG_POSES = ("rest", "first")


@dataclass(frozen=True, slots=True)
class Rig:
    """A skeleton in the pose that stands for rest: a T-pose, an A-pose, or anything near."""

    skeleton: Skeleton
    """Offsets in the axes of each joint's parent, metres, y up."""
    rest_wxyz: FloatArray
    """`(J, 4)` float32 unit quaternions, parent-relative: identity but for rigs whose joints have axes of their own."""
    named: BoneMap = field(default_factory=dict)
    """Bones that the file itself says the meaning of, by SMPL joint name (VRM)."""
    up: str = "y"
    """Which axis of the file is up."""

    def __post_init__(self) -> None:
        check_array("rest_wxyz", self.rest_wxyz, (len(self.skeleton.joint_names), 4), np.float32)

    @property
    def bone_map(self) -> BoneMap:
        """The bones the file says the meaning of, and guesses for the others."""
        guess = guess_bone_map(self.skeleton)
        return {joint: bone for joint, bone in guess.items() if bone not in self.named.values()} | self.named


def read_rig(path: Path | str, pose: str = "rest", up: str | None = None) -> Rig:
    """Read a skeleton from a .bvh, .glb, .gltf or .vrm file.

    Args:
        path: the file.
        pose: what a BVH's T-pose is: "rest" (all rotations zero) or its "first" frame.
        up: a BVH's axis that is up, "y" or "z"; None looks which way the legs go.

    Raises:
        UnknownFormatError: another kind of file.
        TakeFileError: the file is absent or damaged, or holds no skeleton.
        ValueError: no such pose or axis.
    """
    path = Path(path)
    if pose not in RIG_POSES:
        raise ValueError(f"pose: found {pose!r}, expected {' or '.join(RIG_POSES)}")
    suffix = path.suffix.lower()
    if suffix == ".bvh":
        return _read_bvh_rig(path, pose, up)
    if suffix in (".glb", ".gltf", ".vrm"):
        skeleton, rest, named = read_gltf_skeleton(path)
        return Rig(skeleton, rest, named)
    raise UnknownFormatError(
        f'{path.name}: found the suffix "{path.suffix}", expected a rig as .bvh, .glb, .gltf or .vrm; export it as '
        "one of these (Blender: File > Export)"
    )


def _read_bvh_rig(path: Path, pose: str, up: str | None) -> Rig:
    take = read_bvh(path, up=up or "y")
    if up is None and _lies_down(take.skeleton):
        up = "z"
        take = read_bvh(path, up=up)
    rest = _unturned(take.skeleton)
    if pose == "first":
        if len(take) == 0:
            raise TakeFileError(f"{path}: found no frame, expected one for the rig's pose; take its rest pose instead")
        rest = take.rotations_wxyz[0]
    return Rig(take.skeleton, rest, up=up or "y")


def _unturned(skeleton: Skeleton) -> FloatArray:
    return np.tile(np.array([1, 0, 0, 0], np.float32), (len(skeleton.joint_names), 1))


def _lies_down(skeleton: Skeleton) -> bool:
    """Return whether the legs go along -z and not along -y."""
    bones, names = guess_bone_map(skeleton), skeleton.joint_names
    rest = rest_places(Rig(skeleton, _unturned(skeleton)))
    legs = [
        rest[names.index(bones[f"{side}_ankle"])] - rest[names.index(bones[f"{side}_hip"])]
        for side in ("left", "right")
        if f"{side}_ankle" in bones and f"{side}_hip" in bones
    ]
    return bool(legs) and bool(sum(legs)[2] < -2 * np.abs(sum(legs)[:2]).max())


def rest_places(rig: Rig) -> FloatArray:
    """Return `(J, 3)` float32, metres: where the joints of a rig are at rest, the floor at y = 0."""
    return forward_kinematics(rig.skeleton, rig.rest_wxyz, rig.skeleton.offsets[0])
