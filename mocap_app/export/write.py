"""Writing what is planned: one file after another, an error of one stopping none of the others."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from exporters.errors import ExportError, TakeFileError
from exporters.files import FORMATS, read_take, suffix_of, write_takes
from exporters.takes import held, moved_in_time, scaled, scaled_mesh, trimmed
from exporters.types import SkinnedMesh, Take

from ..errors import MocapError
from .plan import Choices, Job, Source
from .surfaces import surface_of_take

logger = logging.getLogger(__name__)

KEPT_TAKES = 8
"""How many are kept in memory, for the next format."""


class Writer:
    """Writes files; remembers the takes it has just read."""

    def __init__(self, jobs: Sequence[Job], choices: Choices) -> None:
        """Take what is to be written."""
        self._jobs = tuple(jobs)
        self._choices = choices
        self._sources = tuple(dict.fromkeys(source for job in jobs for source in job.sources))
        self._read = lru_cache(KEPT_TAKES)(lambda source: read_take(source.path))
        self._starts_ns: dict[object, int] = {}

    def run(self) -> Iterator[tuple[Job, Path | Exception]]:
        """Write the files in order; yield for each where it went, or why it was not written."""
        for job in self._jobs:
            try:
                yield job, self._write(job)
            except (ExportError, MocapError, OSError, ValueError) as error:
                yield job, error

    def _write(self, job: Job) -> Path:
        suffix = suffix_of(job.target)
        takes = [(source, take) for source in job.sources if (take := self._cut(source, job)) is not None]
        meshes = [self._mesh(take) for _, take in takes] if FORMATS[suffix].scenes and self._choices.mesh else None
        ready = [self._ready(source, take, suffix) for source, take in takes]
        path = free_path(job.target, suffix)
        if path != job.target:
            logger.info("%s is there already: writing %s", job.target, path.name)
        write_takes(ready, path, self._choices.options, meshes)
        return path

    def _cut(self, source: Source, job: Job) -> Take | None:
        """Return what the trim leaves of a take; None where that is nothing, but others are in the file."""
        take = self._read(source)
        if self._choices.trim_s == (None, None):
            return take
        try:
            return trimmed(take, *self._choices.trim_s, zero_ns=self._start_ns(source))
        except TakeFileError:
            if len(job.sources) == 1:
                raise
            logger.info("%s is not there within the trim: left out of %s", source.stem, job.target.name)
            return None

    def _ready(self, source: Source, take: Take, suffix: str) -> Take:
        if self._choices.scale != 1.0:
            take = scaled(take, self._choices.scale)
        if FORMATS[suffix].scenes:
            # Recordings have clocks of their own; in one file all of them begin together.
            return moved_in_time(take, -self._start_ns(source))
        return held(take, *self._span_ns(source)) if self._choices.together else take

    def _mesh(self, take: Take) -> SkinnedMesh | None:
        mesh = surface_of_take(take)
        return mesh if mesh is None or self._choices.scale == 1.0 else scaled_mesh(mesh, self._choices.scale)

    def _performers(self, source: Source) -> list[Take]:
        """Return the readable takes of the same recording."""
        takes = []
        for other in self._sources:
            if other.recording == source.recording:
                try:
                    takes.append(self._read(other))
                except ExportError:
                    continue  # it is told where its own file is due
        return [take for take in takes if len(take)]

    def _start_ns(self, source: Source) -> int:
        if source.recording not in self._starts_ns:
            times = [int(take.timestamps_ns[0]) for take in self._performers(source)]
            self._starts_ns[source.recording] = min(times, default=0)
        return self._starts_ns[source.recording]

    def _span_ns(self, source: Source) -> tuple[int, int]:
        """Return from when to when anybody of the recording is there, within the trim."""
        start_ns, (first_s, last_s) = self._start_ns(source), self._choices.trim_s
        ends = [int(take.timestamps_ns[-1]) for take in self._performers(source)]
        begin = start_ns if first_s is None else start_ns + round(first_s * 1e9)
        return begin, max(ends) if last_s is None else min(max(ends), start_ns + round(last_s * 1e9))


def free_path(target: Path, suffix: str) -> Path:
    """Return `target`, or the first of `stem_2`, `stem_3`, ... that is not taken; `suffix` may have two points."""
    stem, ending = target.name[: -len(suffix)], target.name[-len(suffix) :]
    number, path = 1, target
    while path.exists():
        number += 1
        path = target.with_name(f"{stem}_{number}{ending}")
    return path
