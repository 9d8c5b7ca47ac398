"""Reading BVH as other tools write it: any channel order, tabs, CRLF, six channels on every joint."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .bvh_parser import BvhJoint, parse_content
from .coordinates import axes_quaternion_from_z_up, check_up, position_from_z_up, units_per_m
from .errors import TakeFileError
from .resample import grid_times_ns
from .rotations import multiply, rotate
from .types import Skeleton, Take

logger = logging.getLogger(__name__)

_MOVES = 1e-3
"""A position channel that changes by less, in the file's unit, stands still."""


def read_bvh(path: Path, unit: str | float = "cm", up: str = "y") -> Take:
    """Read a BVH file; see `parse_bvh`.

    Raises:
        TakeFileError: the file is absent or not BVH; the message names the line.
    """
    path = Path(path)
    try:
        text = path.read_bytes().decode("utf-8-sig", errors="replace")
    except OSError as error:
        raise TakeFileError(
            f"{path}: cannot be read ({error.strerror or error}); expected a BVH file; check the path"
        ) from error
    return parse_bvh(text, path.stem, unit, up)


def parse_bvh(text: str, name: str = "motion", unit: str | float = "cm", up: str = "y") -> Take:
    """Return the motion of a BVH text, its joints in the file's order, y up whatever the file has.

    The root's position channels are absolute, as most programs take them. A root that only carries the body (Blender
    writes one) is folded into its child. Position channels of other joints are left out, for a skeleton's bones keep
    their length; a warning is logged where they move. Of joints that share a name, later ones get a number.

    Args:
        text: the file's text.
        name: name of the take and its skeleton.
        unit: of the file's lengths, which it does not say: "cm", "m", "inch", "mm", or its units in a metre.
        up: the file's axis that is up: "y", or "z" (facing -y).

    Raises:
        TakeFileError: not BVH; the message names the line.
        ValueError: no such unit or axis.
    """
    scale = 1 / units_per_m(unit)
    check_up(up)
    content = parse_content(text, name)
    joints, ends = content.joints, content.ends
    rotations, positions = _split_channels(joints, content.values)
    while _carries_the_body(joints, positions):
        joints, ends, rotations, positions = _without_carrier(joints, ends, rotations, positions)
    _warn_of_stretching(joints, positions, name)
    places = positions[:, 0] * scale
    if up == "z":
        rotations, places = axes_quaternion_from_z_up(rotations), position_from_z_up(places)
    rate = content.rate
    return Take(
        _skeleton(joints, ends, name, scale, up),
        rotations.astype(np.float32),
        places.astype(np.float32),
        grid_times_ns(0, len(content.values), rate),
        name=name,
        metadata={"source": name, "source_fps": str(rate) if rate.denominator > 1 else int(rate)},
    )


def _split_channels(joints: list[BvhJoint], values: NDArray[np.float64]) -> tuple[NDArray, NDArray]:
    """Return rotations `(T, J, 4)` wxyz and positions `(T, J, 3)` in the file's unit (offsets where no channel is)."""
    t = len(values)
    rotations = np.zeros((t, len(joints), 4))
    rotations[..., 0] = 1.0
    positions = np.tile(np.array([j.offset for j in joints]), (t, 1, 1))
    column = 0
    for n, joint in enumerate(joints):
        for axis, is_rotation in joint.channels:
            if is_rotation:
                rotations[:, n] = multiply(rotations[:, n], _turn(axis, values[:, column]))
            else:
                positions[:, n, axis] = values[:, column]
            column += 1
    return rotations, positions


def _carries_the_body(joints: list[BvhJoint], positions: NDArray[np.float64]) -> bool:
    """Return whether the root is but a place on the floor from which its only child, the true root, moves away."""
    only_child = sum(j.parent == 0 for j in joints) == 1
    return only_child and len(positions) > 0 and bool(np.ptp(positions[:, 1], axis=0).max() > _MOVES)


def _without_carrier(
    joints: list[BvhJoint], ends: list[BvhJoint], rotations: NDArray, positions: NDArray
) -> tuple[list[BvhJoint], list[BvhJoint], NDArray, NDArray]:
    """Return the same motion with the root's own folded into its only child's."""
    rotations, positions = rotations.copy(), positions.copy()
    positions[:, 1] = positions[:, 0] + rotate(rotations[:, 0], positions[:, 1])
    rotations[:, 1] = multiply(rotations[:, 0], rotations[:, 1])
    joints = [replace(j, parent=j.parent - 1) for j in joints[1:]]
    ends = [replace(e, parent=e.parent - 1) for e in ends if e.parent > 0]
    return joints, ends, rotations[:, 1:], positions[:, 1:]


def _turn(axis: int, degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    half = np.radians(degrees) / 2
    q = np.zeros((len(half), 4))
    q[:, 0], q[:, 1 + axis] = np.cos(half), np.sin(half)
    return q


def _warn_of_stretching(joints: list[BvhJoint], positions: NDArray[np.float64], name: str) -> None:
    span = np.ptp(positions[:, 1:], axis=0).max(axis=-1) if len(positions) and len(joints) > 1 else np.zeros(0)
    moving = [joints[1 + int(n)].name for n in np.flatnonzero(span > _MOVES)]
    if moving:
        logger.warning(
            "%s.bvh: bones of %s change their length (%d joints in all); their position channels are left out",
            name, moving[0], len(moving),
        )  # fmt: skip


def _skeleton(joints: list[BvhJoint], ends: list[BvhJoint], name: str, scale: float, up: str) -> Skeleton:
    offsets, tips = (np.reshape([part.offset for part in parts], (-1, 3)) * scale for parts in (joints, ends))
    if up == "z":
        offsets, tips = position_from_z_up(offsets), position_from_z_up(tips)
    offsets[0] = 0.0
    rest = offsets.copy()
    for n, joint in enumerate(joints):
        if joint.parent >= 0:
            rest[n] += rest[joint.parent]
    lowest = [rest[end.parent, 1] + tip[1] for end, tip in zip(ends, tips, strict=True)]
    offsets[0, 1] = -min([*rest[:, 1].tolist(), *lowest])
    parents = np.array([j.parent for j in joints], np.int32)
    return Skeleton(name, _different_names(joints), parents, offsets.astype(np.float32))


def _different_names(joints: list[BvhJoint]) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for joint in joints:
        wished = joint.name or "joint"
        numbers = range(2, len(joints) + 2)
        names[next(n for n in (wished, *(f"{wished}_{k}" for k in numbers)) if n not in names)] = None
    return tuple(names)
