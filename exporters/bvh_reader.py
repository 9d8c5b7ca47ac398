"""Reading BVH as other tools write it: any channel order, tabs, CRLF, six channels on every joint."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .coordinates import CM_PER_M
from .errors import TakeFileError
from .resample import HIGHEST_RATE, exact_rate, grid_times_ns
from .rotations import multiply, rotate
from .types import Skeleton, Take

logger = logging.getLogger(__name__)

_AXES = "XYZ"
_MOVES = 1e-3
"""A position channel that changes by less, in the file's unit, stands still."""
_CHANNEL = re.compile(r"^([XYZ])(position|rotation)$", re.IGNORECASE)


@dataclass(slots=True)
class _Joint:
    name: str
    parent: int
    offset: tuple[float, ...] = (0.0, 0.0, 0.0)
    channels: list[tuple[int, bool]] = field(default_factory=list)
    """(axis, is a rotation) in the file's order."""


def read_bvh(path: Path, metres_per_unit: float = 1 / CM_PER_M) -> Take:
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
    return parse_bvh(text, path.stem, metres_per_unit)


def parse_bvh(text: str, name: str = "motion", metres_per_unit: float = 1 / CM_PER_M) -> Take:
    """Return the motion of a BVH text, its joints in the file's order, y up as BVH has it.

    The root's position channels are absolute, as most programs take them. A root that only carries the body (Blender
    writes one) is folded into its child. Position channels of other joints are left out, for a skeleton's bones keep
    their length; a warning is logged where they move.

    Args:
        text: the file's text.
        name: name of the take and its skeleton.
        metres_per_unit: 0.01 for files in centimetres.

    Raises:
        TakeFileError: not BVH; the message names the line.
    """
    lines = text.splitlines()
    motion = next((n for n, line in enumerate(lines) if line.strip().upper().startswith("MOTION")), len(lines))
    joints, ends = _Hierarchy(lines[:motion], name).read()
    rate, values = _read_motion(lines, motion, sum(len(j.channels) for j in joints), name)
    rotations, positions = _split_channels(joints, values)
    while _carries_the_body(joints, positions):
        joints, ends, rotations, positions = _without_carrier(joints, ends, rotations, positions)
    _warn_of_stretching(joints, positions, name)
    return Take(
        _skeleton(joints, ends, name, metres_per_unit),
        rotations.astype(np.float32),
        (positions[:, 0] * metres_per_unit).astype(np.float32),
        grid_times_ns(0, len(values), rate),
        name=name,
        metadata={"source": name, "source_fps": str(rate) if rate.denominator > 1 else int(rate)},
    )


class _Hierarchy:
    """Reads the part before MOTION, word by word with line numbers."""

    def __init__(self, lines: list[str], name: str) -> None:
        spaced = (line.replace("{", " { ").replace("}", " } ") for line in lines)
        self._words = [(word, n) for n, line in enumerate(spaced, 1) for word in line.split()]
        self._at = 0
        self._name = name

    def read(self) -> tuple[list[_Joint], list[_Joint]]:
        """Return the joints in the file's order and the end sites."""
        joints: list[_Joint] = []
        ends: list[_Joint] = []
        open_parts: list[_Joint] = []
        self._expect("HIERARCHY")
        while self._at < len(self._words) and not (joints and not open_parts):
            word = self._next()
            if word.upper() in ("ROOT", "JOINT", "END"):
                part = _Joint(self._rest_of_line(), self._parent(open_parts, joints, word))
                (ends if word.upper() == "END" else joints).append(part)
                self._expect("{")
                open_parts.append(part)
            elif word == "}" and open_parts:
                open_parts.pop()
            elif word.upper() == "OFFSET" and open_parts:
                open_parts[-1].offset = tuple(self._number() for _ in range(3))
            elif word.upper() == "CHANNELS" and open_parts:
                open_parts[-1].channels = [self._channel() for _ in range(int(self._number()))]
            else:
                raise self._error(word, "ROOT, JOINT, End Site, OFFSET, CHANNELS or a brace")
        if open_parts or not joints:
            raise self._error("the end of the hierarchy", "a closing brace for every joint" if joints else "ROOT")
        if self._at < len(self._words):
            raise self._error(self._next(), "MOTION (one skeleton to a file)")
        return joints, ends

    def _parent(self, open_parts: list[_Joint], joints: list[_Joint], word: str) -> int:
        if (word.upper() == "ROOT") != (not open_parts):
            raise self._error(word, "ROOT outside and JOINT inside the braces")
        return next((n for n, j in enumerate(joints) if open_parts and j is open_parts[-1]), -1)

    def _next(self) -> str:
        if self._at >= len(self._words):
            raise self._error("the end of the hierarchy", "more")
        self._at += 1
        return self._words[self._at - 1][0]

    def _rest_of_line(self) -> str:
        line, words = self._words[self._at - 1][1], []
        while self._at < len(self._words) and self._words[self._at][1] == line and self._words[self._at][0] != "{":
            words.append(self._next())
        return " ".join(words)

    def _expect(self, wanted: str) -> None:
        found = self._next()
        if found.upper() != wanted:
            raise self._error(found, wanted)

    def _number(self) -> float:
        word = self._next()
        try:
            number = float(word)
        except ValueError as error:
            raise self._error(word, "a number") from error
        if not np.isfinite(number):
            raise self._error(word, "a finite number")
        return number

    def _channel(self) -> tuple[int, bool]:
        word = self._next()
        match = _CHANNEL.match(word)
        if match is None:
            raise self._error(word, "a channel such as Xposition or Zrotation")
        return _AXES.index(match[1].upper()), match[2].lower() == "rotation"

    def _error(self, found: str, expected: str) -> TakeFileError:
        line = self._words[min(self._at, len(self._words)) - 1][1] if self._words else 1
        return _bvh_error(self._name, line, found, expected)


def _bvh_error(name: str, line: int, found: str, expected: str) -> TakeFileError:
    return TakeFileError(
        f'{name}.bvh, line {line}: found "{found}", expected {expected}; export the file again from the program that '
        "made it"
    )


def _read_motion(lines: list[str], motion: int, channels: int, name: str) -> tuple[Fraction, NDArray[np.float64]]:
    """Return the frame rate and `(T, channels)` values."""
    numbered = [(n, line) for n, line in enumerate(lines[motion + 1 :], motion + 2) if line.strip()]
    count = _header(numbered, 0, "Frames", name, len(lines))
    frame_time = _header(numbered, 1, "Frame Time", name, len(lines))
    rows = numbered[2:]
    if not count.isdigit() or int(count) != len(rows):
        raise _bvh_error(name, numbered[0][0], f"Frames: {count} with {len(rows)} lines of motion", "equal numbers")
    values = np.empty((len(rows), channels))
    for k, (number, line) in enumerate(rows):
        words = line.split()
        if len(words) != channels:
            raise _bvh_error(name, number, f"{len(words)} values", f"{channels}, one for each channel")
        try:
            values[k] = words
        except ValueError as error:
            raise _bvh_error(name, number, _not_a_number(words), "numbers with a point as decimal sign") from error
    if not np.isfinite(values).all():
        worst = int(np.flatnonzero(~np.isfinite(values).all(axis=1))[0])
        raise _bvh_error(name, rows[worst][0], "a value that is not finite", "finite numbers")
    return _rate_of(frame_time, numbered[1][0], name), values


def _header(numbered: list[tuple[int, str]], index: int, key: str, name: str, last_line: int) -> str:
    if index >= len(numbered):
        raise _bvh_error(name, last_line, "the end of the file", f"MOTION and {key}:")
    number, line = numbered[index]
    match = re.match(rf"\s*{key}\s*:?\s*(\S+)\s*$", line, re.IGNORECASE)
    if match is None:
        raise _bvh_error(name, number, line.strip()[:40], f"{key}: and a number")
    return match[1]


def _not_a_number(words: list[str]) -> str:
    for word in words:
        try:
            float(word)
        except ValueError:
            return word
    return words[0]


def _rate_of(frame_time: str, line: int, name: str) -> Fraction:
    """Return the rate that a rounded frame time stands for: "0.0333" is 30, "0.03336667" is 30000/1001."""
    try:
        seconds = Fraction(frame_time)
        if not 0 < 1 / seconds <= HIGHEST_RATE:
            raise ValueError("outside the range of rates")
    except (ValueError, ZeroDivisionError) as error:
        raise _bvh_error(name, line, f"Frame Time: {frame_time}", "seconds, such as 0.03333333") from error
    decimals = len(frame_time.lower().split("e")[0].partition(".")[2])
    # Writers round or cut: one unit of the last place either way.
    last_place = Fraction(1, 10**decimals) if "e" not in frame_time.lower() else seconds / 10**6
    for numerator, denominator in ((round(1 / seconds), 1), (round(Fraction(1001, 1000) / seconds) * 1000, 1001)):
        if numerator and abs(Fraction(denominator, numerator) - seconds) <= last_place:
            return Fraction(numerator, denominator)
    return exact_rate(1 / seconds)


def _split_channels(joints: list[_Joint], values: NDArray[np.float64]) -> tuple[NDArray, NDArray]:
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


def _carries_the_body(joints: list[_Joint], positions: NDArray[np.float64]) -> bool:
    """Return whether the root is but a place on the floor from which its only child, the true root, moves away."""
    only_child = sum(j.parent == 0 for j in joints) == 1
    return only_child and len(positions) > 0 and bool(np.ptp(positions[:, 1], axis=0).max() > _MOVES)


def _without_carrier(
    joints: list[_Joint], ends: list[_Joint], rotations: NDArray, positions: NDArray
) -> tuple[list[_Joint], list[_Joint], NDArray, NDArray]:
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


def _warn_of_stretching(joints: list[_Joint], positions: NDArray[np.float64], name: str) -> None:
    span = np.ptp(positions[:, 1:], axis=0).max(axis=-1) if len(positions) and len(joints) > 1 else np.zeros(0)
    moving = [joints[1 + int(n)].name for n in np.flatnonzero(span > _MOVES)]
    if moving:
        logger.warning(
            "%s.bvh: bones of %s change their length (%d joints in all); their position channels are left out",
            name, moving[0], len(moving),
        )  # fmt: skip


def _skeleton(joints: list[_Joint], ends: list[_Joint], name: str, metres_per_unit: float) -> Skeleton:
    offsets = np.array([j.offset for j in joints]) * metres_per_unit
    offsets[0] = 0.0
    rest = offsets.copy()
    for n, joint in enumerate(joints):
        if joint.parent >= 0:
            rest[n] += rest[joint.parent]
    tips = [rest[e.parent, 1] + e.offset[1] * metres_per_unit for e in ends]
    offsets[0, 1] = -min([*rest[:, 1].tolist(), *tips])
    parents = np.array([j.parent for j in joints], np.int32)
    return Skeleton(name, tuple(j.name for j in joints), parents, offsets.astype(np.float32))
