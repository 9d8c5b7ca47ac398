"""The native take: one `.npz` per performer, lossless, readable with NumPy alone.

Keys of a take (T times, J = 24 joints in SMPL order, S = 10 shape numbers; all but the last seven rows are there
even for motion that was not captured):

| key | shape, dtype | meaning |
|---|---|---|
| joint_names | (J) str | |
| parents | (J) int32 | -1 for the root |
| skeleton_offsets_m | (J,3) float32 | rest offset from the parent, T-pose; the root's is its height over the floor |
| rotations_wxyz | (T,J,4) float32 | parent-relative; the root's relative to the world |
| root_translation_m | (T,3) float32 | pelvis joint, world: right-handed, y up, floor at 0 |
| timestamps_ns | (T) int64 | a file's presentation time, a camera's monotonic clock at the grab |
| metadata | () str | JSON: versions, engine, sha256 of the weights, source, source_fps |
| skeleton_name, name | () str | |
| subject | () int64 | number of the performer, from 1 |
| frame_index | (T) int64 | number of the source's frame |
| joints_camera_m | (T,J,3) float32 | x right, y down, z forward |
| joints_px | (T,J,2) float32 | in the picture |
| confidence | (T,J) float32 | 0 to 1 |
| box_xyxy | (T,4) float32 | in the picture, pixels |
| betas | (S) float32 | shape of the performer |
| intrinsics | (3,3) float32 | pixels |

The people found in one picture (`write_picture`) use the same keys with people as the first axis, N = 0 included,
except joint_names, parents, intrinsics and metadata, which they share.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import TakeFileError
from .types import Observations, Picture, Skeleton, Take
from .writing import json_text, write_atomically

_OBSERVED = ("frame_index", "joints_camera_m", "joints_px", "confidence", "box_xyxy", "betas", "intrinsics")
_MOTION = (
    "joint_names",
    "parents",
    "skeleton_offsets_m",
    "rotations_wxyz",
    "root_translation_m",
    "timestamps_ns",
    "metadata",
)
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, KeyError, NotImplementedError)

Arrays = dict[str, NDArray[Any]]


def write_npz(take: Take, path: Path) -> None:
    """Write `take` to `path`; a reader sees the whole file or none.

    Raises:
        TakeFileError: the file cannot be written, or the metadata cannot be told in JSON.
    """
    skeleton = take.skeleton
    arrays: Arrays = {
        "joint_names": np.array(skeleton.joint_names),
        "parents": skeleton.parents,
        "skeleton_offsets_m": skeleton.offsets,
        "rotations_wxyz": take.rotations_wxyz,
        "root_translation_m": take.root_translation,
        "timestamps_ns": take.timestamps_ns,
        "metadata": np.array(json_text(take.metadata)),
        "skeleton_name": np.array(skeleton.name),
        "name": np.array(take.name),
        "subject": np.array(take.subject, np.int64),
    }
    if take.observations is not None:
        arrays |= {key: getattr(take.observations, key) for key in _OBSERVED}
    _write_arrays(arrays, path)


def read_npz(path: Path) -> Take:
    """Read a take written by `write_npz`.

    Raises:
        TakeFileError: the file is absent, damaged or not a take.
    """
    path = Path(path)
    arrays = _read_arrays(path)
    _require(arrays, _MOTION, path)
    seen = [key for key in _OBSERVED if key in arrays]
    if seen:
        _require(arrays, _OBSERVED, path)
    try:
        skeleton = Skeleton(
            str(arrays.get("skeleton_name", "skeleton")),
            tuple(str(n) for n in arrays["joint_names"]),
            arrays["parents"],
            arrays["skeleton_offsets_m"],
        )
        return Take(
            skeleton,
            arrays["rotations_wxyz"],
            arrays["root_translation_m"],
            arrays["timestamps_ns"],
            int(arrays.get("subject", 1)),
            str(arrays.get("name", path.stem)),
            _metadata(arrays),
            Observations(**{key: arrays[key] for key in _OBSERVED}) if seen else None,
        )
    except (ValueError, TypeError) as error:
        raise _not_a_take(path, str(error)) from error


def write_picture(picture: Picture, path: Path) -> None:
    """Write the people found in one picture to `path`; a reader sees the whole file or none.

    Raises:
        TakeFileError: the file cannot be written, or the metadata cannot be told in JSON.
    """
    n = len(picture)
    arrays: Arrays = {
        "joint_names": np.array(picture.joint_names),
        "parents": picture.parents,
        "skeleton_offsets_m": picture.offsets,
        "rotations_wxyz": picture.rotations_wxyz,
        "root_translation_m": picture.root_translation,
        "timestamps_ns": np.full(n, picture.timestamp_ns, np.int64),
        "frame_index": np.full(n, picture.frame_index, np.int64),
        "joints_camera_m": picture.joints_camera_m,
        "joints_px": picture.joints_px,
        "confidence": picture.confidence,
        "box_xyxy": picture.box_xyxy,
        "betas": picture.betas,
        "intrinsics": picture.intrinsics,
        "metadata": np.array(json_text(picture.metadata)),
    }
    _write_arrays(arrays, path)


def read_picture(path: Path) -> Picture:
    """Read a file written by `write_picture`; the frame's number and time are 0 where nobody was found.

    Raises:
        TakeFileError: the file is absent, damaged or not a picture's.
    """
    path = Path(path)
    arrays = _read_arrays(path)
    _require(arrays, _MOTION + _OBSERVED, path)
    try:
        return Picture(
            joint_names=tuple(str(n) for n in arrays["joint_names"]),
            parents=arrays["parents"],
            offsets=arrays["skeleton_offsets_m"],
            rotations_wxyz=arrays["rotations_wxyz"],
            root_translation=arrays["root_translation_m"],
            joints_camera_m=arrays["joints_camera_m"],
            joints_px=arrays["joints_px"],
            confidence=arrays["confidence"],
            box_xyxy=arrays["box_xyxy"],
            betas=arrays["betas"],
            intrinsics=arrays["intrinsics"],
            frame_index=int(arrays["frame_index"][0]) if arrays["frame_index"].size else 0,
            timestamp_ns=int(arrays["timestamps_ns"][0]) if arrays["timestamps_ns"].size else 0,
            metadata=_metadata(arrays),
        )
    except (ValueError, TypeError) as error:
        raise _not_a_take(path, str(error)) from error


def _metadata(arrays: Arrays) -> dict[str, Any]:
    metadata = json.loads(str(arrays["metadata"]))
    if not isinstance(metadata, dict):
        raise ValueError(f"metadata: found {type(metadata).__name__}, expected a JSON object")
    return metadata


def _write_arrays(arrays: Arrays, path: Path) -> None:
    # mypy takes the arrays for savez_compressed's own flag.
    write_atomically(Path(path), lambda file: np.savez_compressed(file, **arrays))  # type: ignore[arg-type]


def _read_arrays(path: Path) -> Arrays:
    if not path.is_file():
        raise TakeFileError(f"{path}: found no such file; expected a take (.npz); check the path")
    try:
        # Opened here, for np.load forgets to close a file it cannot read.
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            if not isinstance(loaded, np.lib.npyio.NpzFile):
                raise ValueError("a single array")
            return {key: loaded[key] for key in loaded.files}
    except _DAMAGED as error:
        raise _not_a_take(path, str(error)) from error


def _require(arrays: Arrays, keys: tuple[str, ...], path: Path) -> None:
    missing = [key for key in keys if key not in arrays]
    if missing:
        raise _not_a_take(path, f"no {', '.join(missing)} inside")


def _not_a_take(path: Path, found: str) -> TakeFileError:
    return TakeFileError(
        f"{path}: found {found}; expected a take as mocap-app writes it; record it again, or rebuild it from its "
        "journal (mocap-app take recover)"
    )
