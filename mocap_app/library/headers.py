"""What a take's file says of itself: its times and its metadata. The motion stays on the disk."""

from __future__ import annotations

import json
import zipfile
import zlib
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import numpy as np

_CHUNK = 1 << 20
_LONGEST_BVH_HEADER = 4000
"""Lines."""
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, KeyError, NotImplementedError)
"""What reading a file that is cut or no take may raise."""


@dataclass(frozen=True, slots=True)
class Header:
    """A take's own words."""

    frames: int
    begin_ns: int
    end_ns: int
    """Times of the first and the last instant, nanoseconds."""
    subject: int = 1
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def recorded_at(self) -> datetime | None:
        """When the recording began, in local time; None where the file does not say."""
        try:
            return datetime.fromisoformat(str(self.metadata["recorded_at"])).astimezone()
        except (KeyError, ValueError):
            return None


def read_header(path: Path) -> Header:
    """Return the header of a native take or a BVH.

    Raises:
        ValueError: the file is damaged, or no take; with what was found.
    """
    read = _read_npz if path.name.lower().endswith(".npz") else _read_bvh
    try:
        return read(path)
    except DAMAGED as error:
        raise ValueError(_in_words(error)) from error


def _in_words(error: BaseException) -> str:
    if isinstance(error, KeyError):
        return " ".join(str(error.args[0]).split())  # "There is no item named ... in the archive"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error) or "the file ends too early"


def _read_npz(path: Path) -> Header:
    with zipfile.ZipFile(path) as archive:
        with archive.open("timestamps_ns.npy") as file:
            frames, begin_ns, end_ns = _ends(file)
        with archive.open("rotations_wxyz.npy") as file:
            shape = _shape(file)[0]
        metadata = json.loads(str(_scalar(archive, "metadata.npy")))
        # People of one picture have the same keys, but nobody's number.
        subject = int(_scalar(archive, "subject.npy"))
    if len(shape) != 3 or shape[0] != frames or not isinstance(metadata, dict):
        raise ValueError(f"rotations of shape {shape} for {frames} instants")
    if frames > 1 and end_ns <= begin_ns:
        raise ValueError("times that do not rise")
    return Header(frames, begin_ns, end_ns, subject, metadata)


def _shape(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    return shape, dtype


def _ends(file: IO[bytes]) -> tuple[int, int, int]:
    """Return length, first and last number of a one-dimensional int64 array."""
    shape, dtype = _shape(file)
    if len(shape) != 1 or dtype != np.int64:
        raise ValueError(f"times of shape {shape} and type {dtype}")
    if not shape[0]:
        return 0, 0, 0
    first = last = file.read(8)
    while chunk := file.read(_CHUNK):
        last = (last + chunk)[-8:]
    numbers = np.frombuffer(first + last, dtype)
    return shape[0], int(numbers[0]), int(numbers[1])


def _scalar(archive: zipfile.ZipFile, name: str) -> Any:
    with archive.open(name) as file:
        return np.lib.format.read_array(file, allow_pickle=False)[()]


def _read_bvh(path: Path) -> Header:
    frames, step_s = 0, 0.0
    with path.open(encoding="utf-8", errors="replace") as file:
        for _, line in zip(range(_LONGEST_BVH_HEADER), file):
            key, _, value = line.partition(":")
            if key.strip() == "Frames":
                frames = int(value)
            elif key.strip() == "Frame Time":
                step_s = float(value)
                break
    if frames < 1 or not 0 < step_s < 60:
        raise ValueError("no Frames and Frame Time")
    return Header(frames, 0, round((frames - 1) * step_s * 1e9))
