"""What stands in a BVH text: joints, channels, rows of numbers; every complaint names its line."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from .errors import TakeFileError
from .resample import HIGHEST_RATE, LOWEST_RATE, exact_rate

_AXES = "XYZ"
_CHANNEL = re.compile(r"^([XYZ])(position|rotation)$", re.IGNORECASE)
_LARGEST = 1e12
"""Beyond this a number is damage: it would not survive float32 arithmetic."""
_MOST_CHANNELS = 6


@dataclass(slots=True)
class BvhJoint:
    """A joint, or an end site."""

    name: str
    parent: int
    offset: tuple[float, ...] = (0.0, 0.0, 0.0)
    channels: list[tuple[int, bool]] = field(default_factory=list)
    """(axis, is a rotation) in the file's order."""


@dataclass(frozen=True, slots=True)
class BvhContent:
    """A file as it stands."""

    joints: list[BvhJoint]
    ends: list[BvhJoint]
    rate: Fraction
    values: NDArray[np.float64]
    """`(T, channels)`: the file's unit and degrees."""


def parse_content(text: str, name: str) -> BvhContent:
    """Return what stands in a BVH text.

    Raises:
        TakeFileError: not BVH; the message names the line.
    """
    # Not `splitlines`, which also ends lines at characters that editors do not count.
    lines = re.split(r"\r\n|\n|\r", text)
    motion = next((n for n, line in enumerate(lines) if line.strip().upper().startswith("MOTION")), len(lines))
    joints, ends = _Hierarchy(lines[:motion], name).read()
    rate, values = _read_motion(lines, motion, sum(len(j.channels) for j in joints), name)
    return BvhContent(joints, ends, rate, values)


class _Hierarchy:
    """Reads the part before MOTION, word by word with line numbers."""

    def __init__(self, lines: list[str], name: str) -> None:
        spaced = (line.replace("{", " { ").replace("}", " } ") for line in lines)
        self._words = [(word, n) for n, line in enumerate(spaced, 1) for word in line.split()]
        self._at = 0
        self._name = name

    def read(self) -> tuple[list[BvhJoint], list[BvhJoint]]:
        """Return the joints in the file's order and the end sites."""
        joints: list[BvhJoint] = []
        ends: list[BvhJoint] = []
        open_parts: list[BvhJoint] = []
        self._expect("HIERARCHY")
        while self._at < len(self._words) and not (joints and not open_parts):
            word = self._next()
            if word.upper() in ("ROOT", "JOINT", "END"):
                part = BvhJoint(self._rest_of_line(), self._parent(open_parts, joints, word))
                (ends if word.upper() == "END" else joints).append(part)
                self._expect("{")
                open_parts.append(part)
            elif word == "}" and open_parts:
                open_parts.pop()
            elif word.upper() == "OFFSET" and open_parts:
                open_parts[-1].offset = tuple(self._number() for _ in range(3))
            elif word.upper() == "CHANNELS" and open_parts:
                open_parts[-1].channels = self._channels()
            else:
                raise self._error(word, "ROOT, JOINT, End Site, OFFSET, CHANNELS or a brace")
        if open_parts or not joints:
            raise self._error("the end of the hierarchy", "a closing brace for every joint" if joints else "ROOT")
        if self._at < len(self._words):
            raise self._error(self._next(), "MOTION (one skeleton to a file)")
        return joints, ends

    def _parent(self, open_parts: list[BvhJoint], joints: list[BvhJoint], word: str) -> int:
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
        if not abs(number) < _LARGEST:
            raise self._error(word, "a finite number of ordinary size")
        return number

    def _channels(self) -> list[tuple[int, bool]]:
        word = self._next()
        if not (word.isascii() and word.isdigit() and int(word[:9]) <= _MOST_CHANNELS):
            raise self._error(word, f"a number of channels from 0 to {_MOST_CHANNELS}")
        channels = [self._channel() for _ in range(int(word))]
        if len(set(channels)) < len(channels):
            raise self._error("a channel twice", "each once")
        return channels

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
    if not (count.isascii() and count.isdigit()) or int(count[:18]) != len(rows):
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
    usable = (np.abs(values) < _LARGEST).all(axis=1)
    if not usable.all():
        worst = int(np.flatnonzero(~usable)[0])
        raise _bvh_error(name, rows[worst][0], "a value that is not finite", "finite numbers of ordinary size")
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
        # By way of a float first: "1e-999999999" as a fraction would fill the memory.
        if not 1 / HIGHEST_RATE <= float(frame_time) <= 1 / LOWEST_RATE:
            raise ValueError("outside the range of rates")
        seconds = Fraction(frame_time)
    except ValueError as error:
        raise _bvh_error(name, line, f"Frame Time: {frame_time}", "seconds, such as 0.03333333") from error
    decimals = len(frame_time.lower().split("e")[0].partition(".")[2])
    # Writers round or cut: one unit of the last place either way.
    last_place = Fraction(1, 10**decimals) if "e" not in frame_time.lower() else seconds / 10**6
    for numerator, denominator in ((round(1 / seconds), 1), (round(Fraction(1001, 1000) / seconds) * 1000, 1001)):
        if numerator and abs(Fraction(denominator, numerator) - seconds) <= last_place:
            return Fraction(numerator, denominator)
    return exact_rate(1 / seconds)
