"""A take written to disk while it happens, so that a crash loses at most its last second.

One line of JSON (the header), then records of one size: an instant's numbers in little-endian order and their CRC-32.
Every record goes to the operating system at once, which survives the death of the process; once a second the disk is
made to keep them, which survives the death of the machine. Reading stops at the first record that is cut or damaged.
"""

from __future__ import annotations

import json
import os
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import TakeFileError
from .types import FloatArray, Observations, Pose, Skeleton, Take
from .writing import cannot_write, json_text

JOURNAL_SUFFIX = ".journal"
FORMAT = "mocap-app journal"
VERSION = 1
SYNC_S = 0.5
"""Half of what may be lost, for a sync takes time itself."""
_LONGEST_HEADER = 1 << 24


class TakeJournal:
    """An open journal of one performer. One thread at a time; a context manager."""

    def __init__(
        self,
        path: Path,
        skeleton: Skeleton,
        metadata: dict[str, Any],
        *,
        intrinsics: FloatArray | None = None,
        shape_size: int = 10,
        subject: int = 1,
        name: str = "take",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Create the file and write its header.

        Args:
            path: a file that does not exist yet (see `numbered_path`).
            skeleton: J joints.
            metadata: JSON-able, as a take's.
            intrinsics: `(3, 3)` pixels; None for motion without a camera.
            shape_size: S, the length of the betas of every instant.
            subject: number of the performer.
            name: name of the take.
            clock: seconds, for the rhythm of syncs.

        Raises:
            TakeFileError: the file exists, or cannot be written.
        """
        self._path = Path(path)
        self._record = _record_type(len(skeleton.joint_names), shape_size)
        self._clock = clock
        self._last_ns: int | None = None
        header = {
            "format": FORMAT,
            "version": VERSION,
            "record_bytes": self._record.itemsize,
            "name": name,
            "subject": subject,
            "shape_size": shape_size,
            "skeleton": {
                "name": skeleton.name,
                "joint_names": list(skeleton.joint_names),
                "parents": skeleton.parents.tolist(),
                "offsets_m": skeleton.offsets.tolist(),
            },
            "intrinsics": None if intrinsics is None else np.asarray(intrinsics, np.float32).tolist(),
            "metadata": metadata,
        }
        line = json_text(header).encode("ascii") + b"\n"
        try:
            # Unbuffered: what is appended is in the hands of the operating system when `append` returns.
            self._file = self._path.open("xb", buffering=0)
        except FileExistsError as error:
            raise TakeFileError(
                f"{self._path}: found a journal already there, expected a new file; recover it (mocap-app take "
                "recover) or choose another name"
            ) from error
        except OSError as error:
            raise cannot_write(self._path, error) from error
        self._size = 0
        self._append_bytes(line)
        self._sync()

    def append(
        self,
        pose: Pose,
        *,
        frame_index: int = 0,
        joints_camera_m: FloatArray | None = None,
        joints_px: FloatArray | None = None,
        confidence: FloatArray | None = None,
        box_xyxy: FloatArray | None = None,
        betas: FloatArray | None = None,
    ) -> None:
        """Write one instant; what is not given counts as zero. Shapes as in `Observations`, without T.

        Raises:
            TakeFileError: the disk is full or gone; all that was appended before stays readable.
            ValueError: the time does not rise, or a shape is wrong.
        """
        if self._last_ns is not None and pose.timestamp_ns <= self._last_ns:
            raise ValueError(f"timestamp_ns: found {pose.timestamp_ns} after {self._last_ns}, expected rising times")
        record = np.zeros((), self._record)
        body = record["body"]
        self._check("rotations_wxyz", pose.rotations_wxyz, body)
        body["timestamp_ns"], body["frame_index"] = pose.timestamp_ns, frame_index
        body["rotations_wxyz"], body["root_translation_m"] = pose.rotations_wxyz, pose.root_translation
        given = {
            "joints_camera_m": joints_camera_m,
            "joints_px": joints_px,
            "confidence": confidence,
            "box_xyxy": box_xyxy,
            "betas": betas,
        }
        for key, value in given.items():
            if value is not None:
                self._check(key, value, body)
                body[key] = value
        record["crc32"] = zlib.crc32(body.tobytes())
        self._append_bytes(record.tobytes())
        self._last_ns = pose.timestamp_ns
        if self._clock() - self._synced_s >= SYNC_S:
            self._sync()

    def close(self) -> None:
        """Make the disk keep everything and close the file; may be called twice.

        Raises:
            TakeFileError: the disk refused the last part.
        """
        if not self._file.closed:
            try:
                self._sync()
            finally:
                self._file.close()

    def __enter__(self) -> TakeJournal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @staticmethod
    def _check(key: str, value: NDArray[Any], body: NDArray[Any]) -> None:
        if np.shape(value) != body[key].shape:
            raise ValueError(f"{key}: found shape {np.shape(value)}, expected {body[key].shape}")

    def _append_bytes(self, data: bytes) -> None:
        try:
            rest = memoryview(data)
            while rest:
                written = self._file.write(rest)
                rest = rest[written or 0 :]
        except OSError as error:
            # A record cut by a full disk would hide what may follow once there is room again.
            with suppress(OSError):
                self._file.truncate(self._size)
                self._file.seek(self._size)
            raise cannot_write(self._path, error) from error
        self._size += len(data)

    def _sync(self) -> None:
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise cannot_write(self._path, error) from error
        self._synced_s = self._clock()


def read_journal(path: Path) -> Take:
    """Return everything a journal holds up to its first cut or damaged record; T = 0 is possible.

    The betas are the median over the take.

    Raises:
        TakeFileError: the file is absent, or its header is not a journal's.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            line = file.readline(_LONGEST_HEADER)
            content = file.read()
    except OSError as error:
        raise TakeFileError(
            f"{path}: cannot be read ({error.strerror or error}); expected a journal; check the path"
        ) from error
    try:
        return _take_from(json.loads(line), content)
    except (ValueError, KeyError, TypeError) as error:
        raise TakeFileError(
            f"{path}: found no header of a journal ({error}); expected the journal of a recording; nothing can be "
            "recovered from this file"
        ) from error


def _take_from(header: dict[str, Any], content: bytes) -> Take:
    if header["format"] != FORMAT or header["version"] != VERSION:
        raise ValueError(f"format {header['format']!r} version {header['version']!r}")
    told = header["skeleton"]
    skeleton = Skeleton(
        told["name"],
        tuple(told["joint_names"]),
        np.array(told["parents"], np.int32),
        np.array(told["offsets_m"], np.float32),
    )
    record = _record_type(len(skeleton.joint_names), header["shape_size"])
    if header["record_bytes"] != record.itemsize:
        raise ValueError(f"records of {header['record_bytes']} bytes")
    body = _whole_records(content, record)
    return Take(
        skeleton,
        _native(body["rotations_wxyz"], np.float32),
        _native(body["root_translation_m"], np.float32),
        _native(body["timestamp_ns"], np.int64),
        int(header["subject"]),
        str(header["name"]),
        dict(header["metadata"]),
        _observations(body, header["intrinsics"]),
    )


def _observations(body: NDArray[Any], intrinsics: list[list[float]] | None) -> Observations | None:
    if intrinsics is None:
        return None
    betas = _native(body["betas"], np.float32)
    return Observations(
        _native(body["frame_index"], np.int64),
        _native(body["joints_camera_m"], np.float32),
        _native(body["joints_px"], np.float32),
        _native(body["confidence"], np.float32),
        _native(body["box_xyxy"], np.float32),
        np.median(betas, axis=0).astype(np.float32) if len(betas) else np.zeros(betas.shape[1], np.float32),
        np.array(intrinsics, np.float32),
    )


def _whole_records(content: bytes, record: np.dtype) -> NDArray[Any]:
    count = len(content) // record.itemsize
    records = np.frombuffer(content, record, count)
    whole = 0
    while whole < count and zlib.crc32(records["body"][whole].tobytes()) == records["crc32"][whole]:
        whole += 1
    return records["body"][:whole]


def _native(array: NDArray[Any], kind: type) -> NDArray[Any]:
    return np.ascontiguousarray(array, dtype=kind)


def _record_type(joints: int, shape_size: int) -> np.dtype:
    body = np.dtype(
        [
            ("timestamp_ns", "<i8"),
            ("frame_index", "<i8"),
            ("rotations_wxyz", "<f4", (joints, 4)),
            ("root_translation_m", "<f4", (3,)),
            ("joints_camera_m", "<f4", (joints, 3)),
            ("joints_px", "<f4", (joints, 2)),
            ("confidence", "<f4", (joints,)),
            ("box_xyxy", "<f4", (4,)),
            ("betas", "<f4", (shape_size,)),
        ]
    )
    return np.dtype([("body", body), ("crc32", "<u4")])
