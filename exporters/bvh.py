"""BVH: motion as text, written in the one convention that every reader tried agrees on, and read from any tool.

Written (reading is in `bvh_reader`): centimetres, y up, facing +z; the rest pose is a T-pose; the root has OFFSET 0
and absolute positions (some readers add the two, some do not); rotations are ZXY, whose gimbal lock lies where
shoulders seldom go.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .bvh_reader import parse_bvh, read_bvh
from .coordinates import bvh_cm_from_world
from .errors import TakeFileError
from .resample import Gap, Resampled, resample
from .rotations import continuous_euler, euler_from_quaternion
from .types import Skeleton, Take
from .writing import write_atomically

logger = logging.getLogger(__name__)

ORDER = "ZXY"
_ROTATIONS = " ".join(f"{axis}rotation" for axis in ORDER)
_POSITIONS = "Xposition Yposition Zposition"
_END_SITE_M = 0.08
_SHOWN_GAPS = 8

__all__ = ["format_bvh", "parse_bvh", "read_bvh", "write_bvh"]


def write_bvh(take: Take, path: Path, fps: float | str | Fraction | None = None) -> tuple[Gap, ...]:
    """Write a take as BVH and return (and log) the spans that had to be bridged by interpolation.

    Raises:
        TakeFileError: the take is empty or not finite, or the file cannot be written.
    """
    resampled = _resampled(take, fps)
    text = _text(resampled, _names(take.skeleton, None), rest_on_floor=False, t_pose_first=False)
    write_atomically(Path(path), lambda file: file.write(text.encode("ascii")))
    _say_gaps(path, resampled)
    return resampled.gaps


def _say_gaps(path: Path, resampled: Resampled) -> None:
    if not resampled.gaps:
        return
    start = int(resampled.take.timestamps_ns[0])
    shown = [f"{(g.start_ns - start) / 1e9:.2f}-{(g.end_ns - start) / 1e9:.2f} s" for g in resampled.gaps[:_SHOWN_GAPS]]
    if len(resampled.gaps) > _SHOWN_GAPS:
        shown.append(f"and {len(resampled.gaps) - _SHOWN_GAPS} more")
    logger.info("%s: bridged %d gap(s) by interpolation: %s", path, len(resampled.gaps), ", ".join(shown))


def format_bvh(
    take: Take,
    fps: float | str | Fraction | None = None,
    *,
    joint_names: Mapping[str, str] | None = None,
    rest_on_floor: bool = False,
    t_pose_first: bool = False,
) -> str:
    """Return a take as the text of a BVH file, ASCII, at a constant rate from the first to the last instant.

    Args:
        take: at least one instant.
        fps: frames per second; None takes the take's own (`source_fps` of its metadata).
        joint_names: names to write instead, e.g. `skeletons.MIXAMO_NAMES`; joints not named keep theirs.
        rest_on_floor: give the root its height as OFFSET, for programs that show the rest pose; three.js then adds
            it to the motion.
        t_pose_first: put the rest pose in front as frame 0, as MotionBuilder likes it.

    Raises:
        TakeFileError: the take is empty, or holds numbers that are not finite.
        ValueError: `fps` is not a rate, or two joints get one name.
    """
    names = _names(take.skeleton, joint_names)
    return _text(_resampled(take, fps), names, rest_on_floor=rest_on_floor, t_pose_first=t_pose_first)


def _resampled(take: Take, fps: float | str | Fraction | None) -> Resampled:
    if len(take) == 0:
        raise TakeFileError(
            f"take {take.name}: found no instant, expected at least one; a BVH cannot be empty, so leave this "
            "performer out"
        )
    if not (np.isfinite(take.rotations_wxyz).all() and np.isfinite(take.root_translation).all()):
        raise TakeFileError(
            f"take {take.name}: found numbers that are not finite, expected finite rotations and places; cut these "
            "instants out before exporting"
        )
    return resample(take, fps)


def _text(resampled: Resampled, names: list[str], *, rest_on_floor: bool, t_pose_first: bool) -> str:
    skeleton = resampled.take.skeleton
    rows = _channel_rows(resampled.take, _depth_first(skeleton))
    if t_pose_first:
        rest = np.zeros((1, rows.shape[1]))
        rest[0, :3] = bvh_cm_from_world(skeleton.offsets[0])
        rows = np.concatenate([rest, rows])
    lines = ["HIERARCHY", *_hierarchy(skeleton, names, rest_on_floor)]
    lines += ["MOTION", f"Frames: {len(rows)}", f"Frame Time: {float(1 / resampled.rate):.8f}"]
    lines += [" ".join([f"{x:.6f}" for x in row]) for row in _rounded(rows, 6).tolist()]
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


def _names(skeleton: Skeleton, joint_names: Mapping[str, str] | None) -> list[str]:
    renamed = [(joint_names or {}).get(n, n) for n in skeleton.joint_names]
    # three.js ends a name at the first space; the file is ASCII.
    names = [re.sub(r"[^!-~]|[{}]", "_", n) for n in renamed]
    if len(set(names)) < len(names):
        raise ValueError(f"joint_names: found one name twice among {names}, expected a different one for each joint")
    return names


def _hierarchy(skeleton: Skeleton, names: list[str], rest_on_floor: bool) -> list[str]:
    offsets_cm = bvh_cm_from_world(skeleton.offsets)
    if not rest_on_floor:
        offsets_cm[0] = 0.0
    lines: list[str] = []

    def joint_lines(joint: int, tabs: str) -> None:
        root = joint == 0
        lines.extend([f"{tabs}{'ROOT' if root else 'JOINT'} {names[joint]}", tabs + "{"])
        lines.append(f"{tabs}\tOFFSET {_triple(offsets_cm[joint])}")
        lines.append(f"{tabs}\tCHANNELS " + (f"6 {_POSITIONS} {_ROTATIONS}" if root else f"3 {_ROTATIONS}"))
        for child in _children(skeleton, joint):
            joint_lines(child, tabs + "\t")
        if not _children(skeleton, joint):
            end = _triple(bvh_cm_from_world(_end_site(skeleton, joint)))
            lines.extend([f"{tabs}\tEnd Site", f"{tabs}\t{{", f"{tabs}\t\tOFFSET {end}", f"{tabs}\t}}"])
        lines.append(tabs + "}")

    joint_lines(0, "")
    return lines


def _end_site(skeleton: Skeleton, joint: int) -> NDArray[np.float64]:
    """Return where the bone of a last joint ends: straight on, for the skeleton does not say; never zero."""
    offset = skeleton.offsets[joint].astype(np.float64)
    length = float(np.linalg.norm(offset))
    direction = offset / length if length > 1e-6 else np.array([0.0, 1.0, 0.0])
    return direction * _END_SITE_M


def _channel_rows(take: Take, order: list[int]) -> NDArray[np.float64]:
    """Return `(T, 3 + 3 J)`: centimetres of the root, then degrees of every joint in the file's order."""
    angles = euler_from_quaternion(take.rotations_wxyz.astype(np.float64), ORDER)
    degrees = np.degrees(continuous_euler(angles, ORDER))[:, order]
    places = bvh_cm_from_world(take.root_translation)
    return np.concatenate([places, degrees.reshape(len(take), -1)], axis=1)


def _triple(values: NDArray[np.float64]) -> str:
    # A float32 of metres holds 0.1 um, five decimals of a centimetre; the sixth would be noise.
    return " ".join(f"{x:.6f}" for x in _rounded(values, 5).tolist())


def _rounded(values: NDArray[np.float64], decimals: int) -> NDArray[np.float64]:
    return np.round(values, decimals) + 0.0  # adding zero makes -0.0 a plain one
