"""The recordings of one folder and all that can be done with them, undoable."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from exporters.errors import TakeFileError
from exporters.files import read_take, write_take
from exporters.takes import trimmed
from exporters.types import Take

from ..errors import SinkError
from .names import check_name
from .recording import Recording, scan, stem_of
from .repair import merged, swapped
from .steps import Move, Step, move_all

DELETED = ".deleted"
"""Where deleted recordings wait beside the others until `empty`."""

T = TypeVar("T")
Takes = dict[int, Take]
"""By person's number."""


class Library:
    """One folder of recordings. Used by one thread; nothing is remembered of the files but how to undo.

    Methods that change something raise SinkError where it cannot be done, and then nothing was changed.
    """

    def __init__(self, folder: Path) -> None:
        """Look after `folder`, which need not exist."""
        self.folder = Path(folder)
        self._steps: list[Step] = []
        self._deletions = 0

    def recordings(self) -> tuple[Recording, ...]:
        """Return what is there now, the newest first; cheap enough for every change of the folder."""
        try:
            return scan(self.folder)
        except OSError as error:
            raise SinkError(
                f"{self.folder}: cannot be read ({error.strerror or error}), expected a folder of takes; choose another"
            ) from error

    def find(self, name: str) -> Recording | None:
        """Return the recording of that name, None where there is none."""
        return next((recording for recording in self.recordings() if recording.name == name), None)

    def rename(self, recording: Recording, name: str) -> str:
        """Give all files of a recording another name; return it."""
        name = check_name(name)
        if name == recording.name:
            return name
        self._expect_at_rest(recording)
        self._expect_free(name, recording)
        moves = [(path, path.with_name(name + path.name[len(recording.name) :])) for path in recording.files]
        move_all(moves)
        self._done(f"rename to {name}", [(end, start) for start, end in moves])
        return name

    def delete(self, recording: Recording) -> None:
        """Put a recording away; it is gone for good with `empty`."""
        self._expect_at_rest(recording)
        self._put_away(recording.files, f"delete {recording.name}")

    def trim(self, recording: Recording, start_s: float | None, end_s: float | None) -> str:
        """Write what everybody does from `start_s` to `end_s` as a new recording; return its name.

        Args:
            recording: stays as it is.
            start_s: seconds after the recording's first instant; None begins where it does.
            end_s: the same; None ends where it does.
        """
        kept: Takes = {}
        for number, take in self._read(recording).items():
            try:
                kept[number] = trimmed(take, start_s, end_s, zero_ns=recording.begin_ns)
            except TakeFileError:  # not there in that time
                continue
        if not kept:
            raise SinkError(
                f"{recording.name}: found nobody from {start_s or 0:.2f} to {end_s or recording.duration_s:.2f} s, "
                "expected somebody to keep; move the in and out points"
            )
        return self._write(recording, "trim", kept)

    def swap(self, recording: Recording, a: int, b: int, at_s: float = 0.0) -> str:
        """Write a new recording where persons `a` and `b` are exchanged from `at_s` on; return its name."""
        takes = self._read(recording, a, b)
        instant_ns = recording.begin_ns + round(at_s * 1e9)
        takes[a], takes[b] = _told(lambda: swapped(takes[a], takes[b], instant_ns))
        return self._write(recording, "swap", takes)

    def merge(self, recording: Recording, a: int, into: int) -> str:
        """Write a new recording where person `a` goes on as `into`, wherever `into` is absent; return its name."""
        takes = self._read(recording, a, into)
        takes[into] = _told(lambda: merged(takes[into], takes[a]))
        del takes[a]
        return self._write(recording, "merge", takes)

    def adopt(self, name: str, title: str) -> None:
        """Let `undo` take back a recording that another process has just written, by `mocap-app take`."""
        recording = self.find(name)
        if recording is not None:
            self._done_writing(title, recording.files)

    @property
    def undoable(self) -> str:
        """What `undo` would take back, in words; empty where there is nothing."""
        return self._steps[-1].title if self._steps else ""

    def undo(self) -> str:
        """Take the last change back; return what it was."""
        if not self._steps:
            raise SinkError("found nothing to undo, expected a change made since the program began")
        step = self._steps.pop()
        for _, end in step.moves:
            end.parent.mkdir(parents=True, exist_ok=True)
        try:
            move_all(step.moves)
        except SinkError:
            if any(start.exists() for start, _ in step.moves):  # else trying again is in vain
                self._steps.append(step)
            raise
        return step.title

    def empty(self) -> None:
        """Remove for good what was deleted; call it when the program ends. What is in use stays."""
        away = self.folder / DELETED
        shutil.rmtree(away, ignore_errors=True)
        self._steps = [step for step in self._steps if not any(away in start.parents for start, _ in step.moves)]

    def _read(self, recording: Recording, *numbers: int) -> Takes:
        """Return everybody's take; those of `numbers` have to be there, and two different ones."""
        self._expect_at_rest(recording)
        if recording.fault:
            raise SinkError(f"{recording.name}: {recording.fault}; expected whole files; export what can be read")
        takes = _told(lambda: {person.number: read_take(person.path) for person in recording.readable})
        missing = [number for number in numbers if number not in takes]
        if missing or len(set(numbers)) != len(numbers):
            known = ", ".join(map(str, takes)) or "nobody"
            raise SinkError(f"{recording.name}: found persons {known}, expected two of them, not {numbers}")
        return takes

    def _write(self, recording: Recording, what: str, takes: Takes) -> str:
        """Write native takes under a free name and remember how to undo."""
        name = self._free_name(f"{recording.name}_{what}")
        paths = []
        try:
            for number, take in takes.items():
                stem = f"{name}_person{number}"
                paths.append(recording.folder / f"{stem}.npz")
                told = {**take.metadata, "made_by": f"{what} of {recording.name}"}
                write_take(replace(take, name=stem, metadata=told), paths[-1])
        except (TakeFileError, OSError) as error:
            for path in paths:
                path.unlink(missing_ok=True)
            raise SinkError(str(error)) from error
        self._done_writing(f"{what} {recording.name}", paths)
        return name

    def _put_away(self, files: Sequence[Path], title: str) -> None:
        away = self._away()
        try:
            away.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SinkError(f"{away}: cannot be made ({error.strerror or error}); check the folder's rights") from error
        moves = [(path, away / path.name) for path in files]
        move_all(moves)
        self._done(title, [(end, start) for start, end in moves])

    def _away(self) -> Path:
        """Return a place for one deletion: the same name may be deleted twice."""
        while True:
            self._deletions += 1
            away = self.folder / DELETED / str(self._deletions)
            if not away.exists():
                return away

    def _done_writing(self, title: str, paths: Sequence[Path]) -> None:
        away = self._away()
        self._done(title, [(path, away / path.name) for path in paths])

    def _done(self, title: str, back: Sequence[Move]) -> None:
        self._steps.append(Step(title, tuple(back)))

    def _taken(self) -> set[str]:
        """Return the names that are taken, in lower case: "Dance" is "dance" on Windows and macOS."""
        return {stem_of(path).lower() for path in self.folder.iterdir() if "." in path.name}

    def _expect_free(self, name: str, recording: Recording) -> None:
        if name.lower() != recording.name.lower() and name.lower() in self._taken():
            raise SinkError(f"{name}: there is a recording of that name already, expected a free one; choose another")

    def _free_name(self, name: str) -> str:
        taken, number, candidate = self._taken(), 1, name
        while candidate.lower() in taken:
            number += 1
            candidate = f"{name}_{number}"
        return candidate

    def _expect_at_rest(self, recording: Recording) -> None:
        if recording.is_open:
            raise SinkError(
                f"{recording.name}: found a journal, so it is being recorded or was cut off; expected a finished "
                "recording; end the recording, or finish it: mocap-app take recover"
            )


def _told(read: Callable[[], T]) -> T:
    """Return what `read` returns; errors of takes become the application's."""
    try:
        return read()
    except (TakeFileError, OSError) as error:
        raise SinkError(str(error)) from error
