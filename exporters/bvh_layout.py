"""The text of a BVH file: its hierarchy, and one line of numbers to a frame."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from .coordinates import z_up_axes_quaternion, z_up_position
from .rotations import continuous_euler, euler_from_quaternion
from .types import Skeleton, Take

ORDERS = {"y": "ZXY", "z": "YXZ"}
"""Order of the rotations by the axis that is up: the same turns one after another, whatever their axes are called."""
_POSITIONS = "Xposition Yposition Zposition"
_END_SITE_M = 0.08


@dataclass(frozen=True, slots=True)
class Space:
    """The space of one file."""

    scale: float
    """Units of the file in a metre."""
    up: str

    @property
    def order(self) -> str:
        """Order of the Euler angles."""
        return ORDERS[self.up]

    @property
    def decimals(self) -> int:
        """Decimals of a place: 10 nm, whatever the unit."""
        return max(8 - round(math.log10(self.scale)), 1)

    def places(self, positions_m: NDArray) -> NDArray[np.float64]:
        """Return `(..., 3)` in the file's unit and axes."""
        positions = np.asarray(positions_m, np.float64) * self.scale
        return z_up_position(positions) if self.up == "z" else positions

    def turns(self, quaternions_wxyz: NDArray) -> NDArray[np.float64]:
        """Return `(..., 4)` wxyz in the file's axes."""
        return z_up_axes_quaternion(quaternions_wxyz) if self.up == "z" else np.asarray(quaternions_wxyz, np.float64)

    def triple(self, offset_m: NDArray) -> str:
        """Return an offset as the three numbers that are written."""
        # A float32 of metres holds 0.1 um, one decimal less than a place is written with; that one would be noise.
        rounded = _rounded(self.places(offset_m), self.decimals - 1)
        return " ".join(f"{x:.{self.decimals}f}" for x in rounded.tolist())


def bvh_text(
    take: Take, rate: Fraction, names: list[str], space: Space, rest_on_floor: bool, t_pose_first: bool
) -> str:
    """Return the whole file: a take at a constant `rate`, its joints called `names`."""
    skeleton = take.skeleton
    order = _depth_first(skeleton)
    rows = _channel_rows(take, order, space)
    if t_pose_first:
        rest = np.zeros((1, rows.shape[1]))
        rest[0, :3] = space.places(skeleton.offsets[0])
        rows = np.concatenate([rest, rows])
    formats = [f".{space.decimals}f"] * 3 + [".6f"] * (rows.shape[1] - 3)
    rows = np.concatenate([_rounded(rows[:, :3], space.decimals), _rounded(rows[:, 3:], 6)], axis=1)
    lines = ["HIERARCHY", *_hierarchy(skeleton, order, names, space, rest_on_floor)]
    lines += ["MOTION", f"Frames: {len(rows)}", f"Frame Time: {float(1 / rate):.8f}"]
    lines += [" ".join(map(format, row, formats)) for row in rows.tolist()]
    return "\n".join(lines) + "\n"


def _depth_first(skeleton: Skeleton) -> list[int]:
    """Return the joints in the order in which a BVH file nests them."""
    order: list[int] = []
    stack = [0]
    while stack:
        joint = stack.pop()
        order.append(joint)
        stack.extend(reversed(_children(skeleton, joint)))
    return order


def _children(skeleton: Skeleton, joint: int) -> list[int]:
    return [int(j) for j in np.flatnonzero(skeleton.parents == joint)]


def _hierarchy(skeleton: Skeleton, order: list[int], names: list[str], space: Space, rest_on_floor: bool) -> list[str]:
    rotations = " ".join(f"{axis}rotation" for axis in space.order)
    lines: list[str] = []
    depths = np.zeros(len(names), int)
    open_depth = 0
    for joint in order:
        depth = depths[joint] = depths[skeleton.parents[joint]] + 1 if joint else 0
        lines += ["\t" * d + "}" for d in range(open_depth - 1, depth - 1, -1)]
        tabs, open_depth = "\t" * depth, depth + 1
        offset = skeleton.offsets[joint] if joint or rest_on_floor else np.zeros(3)
        lines += [f"{tabs}{'JOINT' if joint else 'ROOT'} {names[joint]}", tabs + "{"]
        lines.append(f"{tabs}\tOFFSET {space.triple(offset)}")
        lines.append(f"{tabs}\tCHANNELS " + (f"3 {rotations}" if joint else f"6 {_POSITIONS} {rotations}"))
        if not _children(skeleton, joint):
            end = space.triple(_end_site(skeleton, joint))
            lines += [f"{tabs}\tEnd Site", f"{tabs}\t{{", f"{tabs}\t\tOFFSET {end}", f"{tabs}\t}}"]
    return lines + ["\t" * d + "}" for d in range(open_depth - 1, -1, -1)]


def _end_site(skeleton: Skeleton, joint: int) -> NDArray[np.float64]:
    """Return where the bone of a last joint ends: straight on, for the skeleton does not say; never zero."""
    offset = skeleton.offsets[joint].astype(np.float64)
    length = float(np.linalg.norm(offset))
    direction = offset / length if length > 1e-6 else np.array([0.0, 1.0, 0.0])
    return direction * _END_SITE_M


def _channel_rows(take: Take, order: list[int], space: Space) -> NDArray[np.float64]:
    """Return `(T, 3 + 3 J)`: places of the root, then degrees of every joint in the file's order."""
    angles = euler_from_quaternion(space.turns(take.rotations_wxyz), space.order)
    degrees = np.degrees(continuous_euler(angles, space.order))[:, order]
    return np.concatenate([space.places(take.root_translation), degrees.reshape(len(take), -1)], axis=1)


def _rounded(values: NDArray[np.float64], decimals: int) -> NDArray[np.float64]:
    return np.round(values, decimals) + 0.0  # adding zero makes -0.0 a plain one
