"""BVH: motion as text, written in the one convention that every reader tried agrees on, and read from any tool.

Written (reading is in `bvh_reader`), unless told otherwise: centimetres, y up, facing +z; the rest pose is a T-pose;
the root has OFFSET 0 and absolute positions (some readers add the two, some do not); rotations are ZXY, whose gimbal
lock lies where shoulders seldom go.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import numpy as np

from .bvh_layout import Space, bvh_text
from .bvh_reader import parse_bvh, read_bvh
from .coordinates import check_up, units_per_m
from .errors import TakeFileError
from .resample import Gap, Resampled, resample
from .skeletons import smpl_name
from .types import Skeleton, Take
from .writing import write_atomically

logger = logging.getLogger(__name__)

T_POSES = ("none", "frame")
_SHOWN_GAPS = 8

__all__ = ["T_POSES", "format_bvh", "parse_bvh", "read_bvh", "write_bvh"]


def write_bvh(
    take: Take,
    path: Path,
    fps: float | str | Fraction | None = None,
    *,
    names: Mapping[str, str] | None = None,
    unit: str | float = "cm",
    up: str = "y",
    t_pose: str = "none",
    rest_on_floor: bool = False,
) -> tuple[Gap, ...]:
    """Write a take as BVH and return (and log) the spans that had to be bridged; for the arguments see `format_bvh`.

    Raises:
        TakeFileError: the take is empty or not finite, or the file cannot be written.
    """
    resampled = _resampled(take, fps)
    text = _text(resampled, names, _space(unit, up, t_pose), rest_on_floor, t_pose)
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
    names: Mapping[str, str] | None = None,
    unit: str | float = "cm",
    up: str = "y",
    t_pose: str = "none",
    rest_on_floor: bool = False,
) -> str:
    """Return a take as the text of a BVH file, ASCII, at a constant rate from the first to the last instant.

    Args:
        take: at least one instant.
        fps: frames per second; None takes the take's own (`source_fps` of its metadata).
        names: names to write instead, e.g. `skeletons.MIXAMO_NAMES`; joints not named keep theirs.
        unit: of lengths: "cm", "m", "inch", "mm", or how many of the file's units make a metre.
        up: "y" (facing +z) or "z" (facing -y).
        t_pose: "frame" puts the rest pose in front as frame 0, as MotionBuilder likes it.
        rest_on_floor: give the root its height as OFFSET, for programs that show the rest pose; three.js then adds
            it to the motion.

    Raises:
        TakeFileError: the take is empty, or holds numbers that are not finite.
        ValueError: `fps` is not a rate, another argument none of its words, or two joints get one name.
    """
    return _text(_resampled(take, fps), names, _space(unit, up, t_pose), rest_on_floor, t_pose)


def _text(resampled: Resampled, names: Mapping[str, str] | None, space: Space, rest_on_floor: bool, t_pose: str) -> str:
    written = _names(resampled.take.skeleton, names)
    return bvh_text(resampled.take, resampled.rate, written, space, rest_on_floor, t_pose == "frame")


def _space(unit: str | float, up: str, t_pose: str) -> Space:
    check_up(up)
    if t_pose not in T_POSES:
        raise ValueError(f"t_pose: found {t_pose!r}, expected {' or '.join(T_POSES)}")
    return Space(units_per_m(unit), up)


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


def _names(skeleton: Skeleton, joint_names: Mapping[str, str] | None) -> list[str]:
    wanted = joint_names or {}
    renamed = [wanted.get(n, wanted.get(smpl_name(n), n)) for n in skeleton.joint_names]
    # three.js ends a name at the first space; the file is ASCII.
    names = [re.sub(r"[^!-~]|[{}]", "_", n) for n in renamed]
    if len(set(names)) < len(names):
        raise ValueError(f"names: found one name twice among {names}, expected a different one for each joint")
    return names
