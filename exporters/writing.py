"""Files appear whole or not at all, and never in the place of another."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from .errors import TakeFileError


def write_atomically(path: Path, write: Callable[[BinaryIO], Any]) -> None:
    """Let `write` fill a file beside `path`, flush it to the disk, then give it its name.

    A crash leaves no half file under the real name.

    Raises:
        TakeFileError: the folder is not writable, or the disk is full.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def json_text(metadata: dict[str, Any]) -> str:
    """Return metadata as one line of JSON.

    Raises:
        TakeFileError: it holds something JSON cannot.
    """
    try:
        return json.dumps(metadata, ensure_ascii=True)
    except (TypeError, ValueError) as error:
        raise TakeFileError(
            f"metadata: found a value that JSON cannot hold ({error}); expected text, numbers, lists and "
            "dictionaries; convert it before writing"
        ) from error


def cannot_write(path: Path, error: OSError) -> TakeFileError:
    """Return the error to raise when `path` cannot be written."""
    return TakeFileError(
        f"{path}: cannot be written ({error.strerror or error}); expected an existing folder with write permission "
        "and free space; choose another output folder or free some space"
    )


def numbered_path(path: Path, suffixes: Sequence[str] = ()) -> Path:
    """Return `path`, or the first of `stem_2`, `stem_3`, ... that is not taken.

    Args:
        path: the wished path.
        suffixes: further endings the same stem must be free for, e.g. (".npz", ".bvh"), so that files that belong
            together keep one stem.
    """
    path = Path(path)
    number = 1
    while True:
        stem = path.stem if number == 1 else f"{path.stem}_{number}"
        candidates = [path.with_name(stem + suffix) for suffix in {path.suffix, *suffixes}]
        if not any(c.exists() for c in candidates):
            return path.with_name(stem + path.suffix)
        number += 1
