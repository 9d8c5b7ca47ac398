"""Changes to files that can be undone: each is a list of moves, and undoing moves everything back."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import SinkError

Move = tuple[Path, Path]
"""From where, to where."""


@dataclass(frozen=True, slots=True)
class Step:
    """A change that was made."""

    title: str
    """In words, as `delete dance`."""
    moves: tuple[Move, ...]
    """What undoing it moves, and where to."""


def move_all(moves: Sequence[Move]) -> None:
    """Move every file, or none.

    Raises:
        SinkError: a file is gone or in use, or a name is taken.
    """
    done: list[Move] = []
    for start, end in moves:
        try:
            _move(start, end)
        except (SinkError, OSError) as error:
            for before, after in reversed(done):
                os.rename(after, before)
            if isinstance(error, SinkError):
                raise
            if isinstance(error, FileNotFoundError):
                raise SinkError(
                    f"{start.name}: is not there any more, expected what was left there; another program has moved or "
                    "removed it; look for it there"
                ) from error
            raise SinkError(
                f"{start.name}: cannot be moved ({error.strerror or error}), expected a file that no other program "
                "has open; close it there and try again"
            ) from error
        done.append((start, end))


def _move(start: Path, end: Path) -> None:
    # A name in other letters, "Dance" for "dance", is the same file on Windows and macOS.
    if end.exists() and not (start.exists() and end.samefile(start)):
        raise SinkError(f"{end.name}: is there already, expected a free name; choose another name")
    os.rename(start, end)
