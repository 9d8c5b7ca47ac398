"""A recording: all files of one stem, `<stem>_person<K>.<format>` and what belongs to them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from exporters.files import FORMATS
from exporters.journal import JOURNAL_SUFFIX

from .headers import DAMAGED, Header, Spans, journal_begun_at, read_header

VIDEO_SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".avi")
THUMBNAIL_SUFFIX = ".png"
_SIDECARS = (*VIDEO_SUFFIXES, THUMBNAIL_SUFFIX)
_SUFFIXES = sorted((*FORMATS, JOURNAL_SUFFIX, *_SIDECARS), key=len, reverse=True)
_PERSON = re.compile(r"(.+)_person(\d+)$")
_COPY = re.compile(r"(.+)_person\d+_\d+$")
"""A file written again beside another, as `dance_person1_2.fbx`."""


@dataclass(frozen=True, slots=True)
class PersonFile:
    """The file that a performer's motion is read from."""

    number: int
    path: Path
    frames: int = 0
    spans_ns: Spans = ()
    """From when to when the person is there, nanoseconds, by time."""
    fault: str = ""
    """What is wrong with the file; empty where nothing is."""

    @property
    def begin_ns(self) -> int:
        """Time of the first instant."""
        return self.spans_ns[0][0] if self.spans_ns else 0

    @property
    def end_ns(self) -> int:
        """Time of the last instant."""
        return self.spans_ns[-1][1] if self.spans_ns else 0


@dataclass(frozen=True, slots=True)
class Recording:
    """What was recorded at one time. People in it share a clock."""

    folder: Path
    name: str
    """The stem of its files."""
    files: tuple[Path, ...]
    people: tuple[PersonFile, ...]
    """By number."""
    recorded_at: datetime
    """Local time: as the take says, else when the oldest file was written."""
    is_open: bool = False
    """A journal is there: it is being recorded, or was cut off and can be recovered."""

    @property
    def readable(self) -> tuple[PersonFile, ...]:
        """The people whose files are whole."""
        return tuple(person for person in self.people if not person.fault and person.frames)

    @property
    def begin_ns(self) -> int:
        """Time of the first instant of anybody."""
        return min((person.begin_ns for person in self.readable), default=0)

    @property
    def duration_s(self) -> float:
        """From the first instant of anybody to the last."""
        return (max((person.end_ns for person in self.readable), default=0) - self.begin_ns) / 1e9

    @property
    def fps(self) -> float:
        """Instants per second of the person seen longest, 30 where that cannot be told."""
        longest = max(self.readable, key=lambda p: p.end_ns - p.begin_ns, default=None)
        if longest is None or longest.frames < 2:
            return 30.0
        return (longest.frames - 1) / ((longest.end_ns - longest.begin_ns) / 1e9)

    @property
    def formats(self) -> tuple[str, ...]:
        """Names of the formats that are there, the native one first."""
        found = {known_suffix(path) for path in self.files}
        return tuple(suffix[1:] for suffix in FORMATS if suffix in found)

    @property
    def video(self) -> Path | None:
        """The kept picture of the source."""
        return next((path for path in self.files if known_suffix(path) in VIDEO_SUFFIXES), None)

    @property
    def thumbnail(self) -> Path | None:
        """A picture to show in lists."""
        return next((path for path in self.files if known_suffix(path) == THUMBNAIL_SUFFIX), None)

    @property
    def fault(self) -> str:
        """What is wrong with it, in words; empty where nothing is."""
        if self.is_open and not self.readable:
            return "is being recorded, or was cut off: mocap-app take recover finishes it"
        return "; ".join(f"{person.path.name}: {person.fault}" for person in self.people if person.fault)

    @property
    def presence_s(self) -> dict[int, tuple[tuple[float, float], ...]]:
        """By person's number from when to when they are there, seconds after the recording's first instant."""
        start = self.begin_ns
        return {p.number: tuple(((a - start) / 1e9, (b - start) / 1e9) for a, b in p.spans_ns) for p in self.readable}


def known_suffix(path: Path) -> str:
    """Return the suffix of a file that may belong to a recording, in lower case; empty for any other."""
    return next((suffix for suffix in _SUFFIXES if path.name.lower().endswith(suffix)), "")


def scan(folder: Path, read: Callable[[Path], Header] | None = None) -> tuple[Recording, ...]:
    """Return the recordings in `folder`, the newest first; none where there is no such folder.

    A file that cannot be read is listed with its fault. Headers are read once and again when a file has changed.

    Raises:
        OSError: the folder may not be read.
    """
    if not folder.is_dir():
        return ()
    groups: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        if known_suffix(path) and not path.name.startswith(".") and path.is_file():
            groups.setdefault(stem_of(path), []).append(path)
    found = [
        _recording(folder, stem, files, read or _header_of)
        for stem, files in groups.items()
        if any(known_suffix(path) not in _SIDECARS for path in files)
    ]
    return tuple(sorted(found, key=lambda recording: (-recording.recorded_at.timestamp(), recording.name)))


def stem_of(path: Path) -> str:
    """Return the name of the recording that a file belongs to."""
    suffix = known_suffix(path) or path.suffix
    stem = path.name[: len(path.name) - len(suffix)]
    match = _PERSON.match(stem) or (None if suffix == ".npz" else _COPY.match(stem))
    return match[1] if match else stem


def _recording(folder: Path, stem: str, files: list[Path], read: Callable[[Path], Header]) -> Recording:
    sources = list(_sources(files))
    people, times = [], []
    for number, path in sources:
        try:
            header = read(path)
        except DAMAGED as error:
            people.append(PersonFile(number, path, fault=f"cannot be read ({error})"))
            continue
        people.append(PersonFile(number, path, header.frames, header.spans_ns))
        times += [header.recorded_at] if header.recorded_at else []
    journals = [path for path in files if known_suffix(path) == JOURNAL_SUFFIX]
    times += [begun for path in journals if (begun := journal_begun_at(path)) is not None]
    when = min(times) if times else _written_at(files)
    return Recording(folder, stem, tuple(files), tuple(people), when, bool(journals))


def _sources(files: Iterable[Path]) -> list[tuple[int, Path]]:
    """Return number and file of each person: the native take, else the BVH."""
    found: dict[int, Path] = {}
    for suffix in (".bvh", ".npz"):
        for path in files:
            match = _PERSON.match(path.name[: -len(suffix)])
            is_copy = suffix != ".npz" and _COPY.match(path.name[: -len(suffix)])
            if known_suffix(path) == suffix and not is_copy:
                found[int(match[2]) if match else 1] = path
    return sorted(found.items())


def _written_at(files: Iterable[Path]) -> datetime:
    times = []
    for path in files:
        try:
            times.append(path.stat().st_mtime)
        except OSError:  # gone meanwhile
            continue
    return datetime.fromtimestamp(min(times, default=0.0)).astimezone()


def _header_of(path: Path) -> Header:
    status = path.stat()
    return _header_as_of(path, status.st_mtime_ns, status.st_size)


@lru_cache(4096)
def _header_as_of(path: Path, mtime_ns: int, size: int) -> Header:
    return read_header(path)
