"""Output folders and the names inside them."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable
from pathlib import Path

from exporters.files import FORMATS

from ..errors import SinkError


def prepare_folder(folder: str | Path) -> Path:
    """Make `folder` and prove that it can be written to.

    Raises:
        SinkError: it is a file, or may not be written to.
    """
    path = Path(folder).expanduser()
    try:
        path.mkdir(parents=True, exist_ok=True)
        # Permission bits do not tell the truth on network drives and Windows; a file does.
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise SinkError(
            f"{path}: cannot be written to ({error.strerror or error}), expected a writable folder; choose another"
        ) from error
    return path


def check_formats(formats: Iterable[str]) -> tuple[str, ...]:
    """Return the suffixes of `formats`, the native one first.

    Raises:
        SinkError: no writer is known for one of them.
    """
    suffixes = tuple(dict.fromkeys(f".{name.lower().lstrip('.')}" for name in formats))
    unknown = [suffix for suffix in suffixes if suffix not in FORMATS]
    if unknown or not suffixes:
        known = ", ".join(suffix[1:] for suffix in FORMATS)
        found = unknown[0][1:] if unknown else "none"
        raise SinkError(f"format {found}: there is no such writer, expected some of {known}; change --formats")
    return tuple(sorted(suffixes, key=lambda suffix: suffix != ".npz"))


def free_stem(folder: Path, stem: str) -> str:
    """Return `stem`, or the first of `stem_2`, `stem_3`, ... of which `folder` holds no person's file."""
    names = [file.name for file in folder.iterdir()]
    number = 1
    while True:
        candidate = stem if number == 1 else f"{stem}_{number}"
        taken = re.compile(re.escape(candidate) + r"_person\d+\.")
        if not any(taken.match(name) for name in names):
            return candidate
        number += 1
