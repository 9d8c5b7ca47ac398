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

GAP_NS = 250_000_000
"""Somebody not seen for longer is absent."""
_LONGEST_BVH_HEADER = 4000
"""Lines."""
_LONGEST_LINE = 1 << 20
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, KeyError, NotImplementedError)
"""What reading a file that is cut or no take may raise."""
Spans = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Header:
    """A take's own words."""

    frames: int
    spans_ns: Spans
    """From when to when somebody is there, nanoseconds; a new span begins after a gap longer than `GAP_NS`."""
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


def journal_begun_at(path: Path) -> datetime | None:
    """Return when a journal's recording began, in local time; None where it does not say."""
    try:
        with path.open("rb") as file:
            metadata = json.loads(file.readline(_LONGEST_LINE))["metadata"]
        return datetime.fromisoformat(str(metadata["recorded_at"])).astimezone()
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _in_words(error: BaseException) -> str:
    if isinstance(error, KeyError):
        return " ".join(str(error.args[0]).split())  # "There is no item named ... in the archive"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error) or "the file ends too early"


def _read_npz(path: Path) -> Header:
    with zipfile.ZipFile(path) as archive:
        times = _array(archive, "timestamps_ns.npy")
        with archive.open("rotations_wxyz.npy") as file:
            shape = array_header(file)[0]
        metadata = json.loads(str(_array(archive, "metadata.npy")))
        # People of one picture have the same keys, but nobody's number.
        subject = int(_array(archive, "subject.npy"))
    if times.ndim != 1 or times.dtype != np.int64 or len(shape) != 3 or shape[0] != len(times):
        raise ValueError(f"rotations of shape {shape} for times of shape {times.shape}")
    if not isinstance(metadata, dict):
        raise ValueError("metadata that is no JSON object")
    if (np.diff(times) <= 0).any():
        raise ValueError("times that do not rise")
    return Header(len(times), _spans(times), subject, metadata)


def _spans(times_ns: np.ndarray) -> Spans:
    """Return from when to when somebody is there without a gap."""
    breaks = np.flatnonzero(np.diff(times_ns) > GAP_NS)
    starts, ends = [0, *(breaks + 1)], [*breaks, len(times_ns) - 1]
    return (
        tuple((int(times_ns[a]), int(times_ns[b])) for a, b in zip(starts, ends, strict=True)) if len(times_ns) else ()
    )


def array_header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Return shape and type of the array whose numbers follow in `file`."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    return shape, dtype


def _array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    with archive.open(name) as file:
        return np.asarray(np.lib.format.read_array(file, allow_pickle=False))


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
    return Header(frames, ((0, round((frames - 1) * step_s * 1e9)),))
