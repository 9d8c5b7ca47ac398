"""Which takes go into which file."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from exporters.files import FORMATS, READERS, suffix_of
from exporters.options import ExportOptions, choices_for
from exporters.resample import exact_rate

from ..errors import ConfigError, SourceError

logger = logging.getLogger(__name__)

NATIVE_SUFFIX = ".npz"
_PERSON = re.compile(r"(.+)_person(\d+)$")


@dataclass(frozen=True, slots=True)
class Choices:
    """What is wanted of all files."""

    targets: tuple[str, ...]
    """Files, or names of formats."""
    options: ExportOptions
    folder: Path | None = None
    """Where files go for which only a format is named; None = beside the takes."""
    scale: float = 1.0
    trim_s: tuple[float | None, float | None] = (None, None)
    """Seconds after the recording's first instant."""
    mesh: bool = True
    together: bool = False
    """Whether files of single performers begin and end together, too."""


@dataclass(frozen=True, slots=True)
class Source:
    """A take in a file. Performers of one recording share a clock."""

    path: Path

    @property
    def stem(self) -> str:
        """The file's name without its suffix."""
        suffix = next(s for s in sorted(READERS, key=len, reverse=True) if self.path.name.lower().endswith(s))
        return self.path.name[: -len(suffix)]

    @property
    def recording(self) -> tuple[Path, str]:
        """What performers of one recording have in common: folder and name."""
        match = _PERSON.match(self.stem)
        return self.path.parent, match[1] if match else self.stem


@dataclass(frozen=True, slots=True)
class Job:
    """One file to write."""

    target: Path
    sources: tuple[Source, ...]


def find_sources(paths: Sequence[Path]) -> list[Source]:
    """Return the takes at `paths`; of a folder the native takes in it, by name.

    Raises:
        SourceError: a path that is absent or no take, or a folder without takes.
    """
    found: dict[Path, Source] = {}
    for path in paths:
        if path.is_dir():
            inside = [p for p in sorted(path.iterdir()) if _is_native(p)]
            if not inside:
                raise SourceError(f"{path}: found no take, expected files ending in {NATIVE_SUFFIX}; check the folder")
        elif not path.is_file():
            raise SourceError(f"{path}: found no such file, expected a take or a folder of takes; check the path")
        elif not any(path.name.lower().endswith(suffix) for suffix in READERS):
            raise SourceError(
                f"{path}: found no take, expected a file ending in {', '.join(READERS)}; record one first"
            )
        else:
            inside = [path]
        found |= {p.resolve(): Source(p) for p in inside}
    return list(found.values())


def _is_native(path: Path) -> bool:
    # The longest suffix counts: "x.amass.npz" is not ours.
    name = path.name.lower()
    known = next((s for s in sorted(FORMATS, key=len, reverse=True) if name.endswith(s)), "")
    return known == NATIVE_SUFFIX and not name.startswith(".")


def plan(sources: Sequence[Source], choices: Choices) -> list[Job]:
    """Return the files to write, in order; takes that must part get files of their own, and this is said.

    Raises:
        UnknownFormatError: no such format.
        ConfigError: a choice that one of the formats cannot honour.
    """
    jobs: list[Job] = []
    for target in choices.targets:
        alone = f".{target.lower().lstrip('.')}"  # a format's name, "bvh" or ".bvh"
        suffix = alone if alone in FORMATS else suffix_of(target)
        _check_options(choices.options, suffix)
        if alone in FORMATS:
            jobs += _into_folder(suffix, sources, choices.folder)
        else:
            jobs += _into_file(Path(target), suffix, sources)
    return jobs


def _check_options(options: ExportOptions, suffix: str) -> None:
    try:
        choices_for(options, suffix, FORMATS[suffix])
        if options.fps is not None:
            exact_rate(options.fps)
    except ValueError as error:
        name, _, told = str(error).partition(":")
        flag = name.replace("_", "-")
        raise ConfigError(f"--{flag}:{told}; leave --{flag} out, or write {suffix} files by themselves") from error


def _into_file(target: Path, suffix: str, sources: Sequence[Source]) -> list[Job]:
    if FORMATS[suffix].scenes or len(sources) == 1:
        return [Job(target, tuple(sources))]
    stem = target.name[: -len(suffix)]
    one_recording = len({source.recording for source in sources}) == 1
    # "x_person2.bvh" for performers of one recording, else the take's own name behind.
    ends = [source.stem[len(source.recording[1]) :] if one_recording else f"_{source.stem}" for source in sources]
    jobs = [
        Job(target.with_name(f"{stem}{end}{target.name[-len(suffix) :]}"), (source,))
        for end, source in zip(ends, sources, strict=True)
    ]
    names = ", ".join(job.target.name for job in jobs)
    logger.info("a %s file holds one performer: %s becomes %s", suffix, target.name, names)
    return jobs


def _into_folder(suffix: str, sources: Sequence[Source], folder: Path | None) -> list[Job]:
    groups: dict[object, list[Source]] = {}
    for source in sources:
        groups.setdefault(source.recording if FORMATS[suffix].scenes else source, []).append(source)
    return [
        Job((folder or group[0].path.parent) / f"{group[0].stem if len(group) == 1 else group[0].recording[1]}{suffix}",
            tuple(group))
        for group in groups.values()
    ]  # fmt: skip
