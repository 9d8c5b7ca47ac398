"""The avatar that a receiver moves: which bones it has and how they stand at rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .coordinates import mirrored_position
from .rotations import inverse, multiply
from .skeletons import HUMANOID_BONES, mirror_indices, smpl_name
from .types import Skeleton

Array = NDArray[Any]

BONES = tuple(HUMANOID_BONES.values())
"""The 22 bones by their HumanBodyBones names, parents first."""
REQUIRED_BONES = tuple(
    b for b in BONES if not b.endswith(("Chest", "Neck", "Shoulder", "Toes"))
)  # fmt: skip
"""The 15 that every humanoid has (VRM 0 and 1, Unity)."""

_INTO_PARENT = (("UpperChest", "Chest"), ("Chest", "Spine"))
_INTO_CHILD = (("Neck", "Head"), ("LeftShoulder", "LeftUpperArm"), ("RightShoulder", "RightUpperArm"))


@dataclass(frozen=True, slots=True)
class Avatar:
    """An avatar in its T-pose, in our space: metres, y up, facing +z. B bones; axes may differ from bone to bone."""

    bones: tuple[str, ...]
    """B HumanBodyBones names, Hips first."""
    offsets: Array
    """`(B, 3)` float64: position at rest in the axes of the node above, in that node's unit."""
    rest_wxyz: Array
    """`(B, 4)` float64: rotation at rest, bone -> model."""
    above_wxyz: Array
    """`(B, 4)` float64: rotation at rest of the node above, node -> model."""
    hips_m: Array
    """`(3,)` float64: where the hips are at rest, model."""
    above_hips: Array
    """`(4, 4)` float64: model -> the axes of the node above the hips."""

    def local_rotations(self, rotations_wxyz: Array) -> Array:
        """Return `(B, 4)` what the bones' own rotations are, from `(B, 4)` ones that are identities at rest.

        With the world rotations at rest R of the bone and P of the node above, it is P^-1 q R.
        """
        return multiply(multiply(inverse(self.above_wxyz), rotations_wxyz), self.rest_wxyz)

    def local_hips(self, position_m: Array) -> Array:
        """Return `(3,)` the hips' own position of `(3,)` metres in the model."""
        return self.above_hips[:3, :3] @ position_m + self.above_hips[:3, 3]


def avatar_of(skeleton: Skeleton, mirror: bool = False) -> Avatar:
    """Return an avatar with the performer's own bones, all 22 of a humanoid, or those of their mirror image."""
    offsets = skeleton.offsets.astype(np.float64)
    if mirror:
        offsets = mirrored_position(offsets[mirror_indices(skeleton)])
    names = [smpl_name(n) for n in skeleton.joint_names]
    joints = [names.index(n) for n in HUMANOID_BONES]
    same = np.tile((1.0, 0.0, 0.0, 0.0), (len(joints), 1))
    return Avatar(BONES, offsets[joints], same, same, offsets[0], np.eye(4))


def fold(rotations_wxyz: Array, bones: tuple[str, ...]) -> Array:
    """Return `(B, 4)` rotations for an avatar that has only `bones`, from `(22, 4)` of all `BONES`.

    What an absent bone would have turned is turned by a neighbour, such that all bones beyond it point where they
    should: a trunk bone's by the one below it, which carries nothing else; a neck's or shoulder's by the head or arm,
    for the chest carries the other side too. Toes carry nothing and are left out.
    """
    q, number = rotations_wxyz.copy(), BONES.index
    for absent, parent in _INTO_PARENT:
        if absent not in bones:
            q[number(parent)] = multiply(q[number(parent)], q[number(absent)])
    for absent, child in _INTO_CHILD:
        if absent not in bones:
            q[number(child)] = multiply(q[number(absent)], q[number(child)])
    return q[[number(b) for b in bones]]
