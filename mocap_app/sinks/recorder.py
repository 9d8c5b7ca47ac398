"""Takes on disk: one per performer, journaled while recording, finished at the end."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from exporters.errors import ExportError
from exporters.files import check_installed, write_take
from exporters.journal import JOURNAL_SUFFIX, TakeJournal, read_journal
from exporters.types import FloatArray, Skeleton, Take

from ..errors import SinkError
from ..mailbox import Keep
from ..types import FrameResult
from .base import SinkContext
from .folder import check_formats, free_stem, prepare_folder
from .ground import on_floor
from .performer import Performer, Sample

logger = logging.getLogger(__name__)


class TakeRecorder:
    """Writes `<stem>_person<K>.<format>` into a folder, K from 1 in order of appearance.

    Every instant is on disk when `write` returns, apart from the first quarter of a second of somebody new: a
    track shorter than that is a mistake of the detector and is left out, unless there is no other.

    The floor of a take is one floor: while live motion follows the estimate as it is learnt, whoever is recorded
    stands on the first estimate throughout, and is moved to the true one by a constant at the end.
    """

    keep: Keep = "all"

    def __init__(
        self,
        folder: str | Path,
        formats: Iterable[str],
        context: SinkContext,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Prepare the folder; nothing is written before somebody is seen.

        Args:
            folder: made if absent.
            formats: names of formats, e.g. `("npz", "bvh")`.
            context: what is recorded.
            metadata: JSON-able, stored in each take beside what the recorder knows itself.

        Raises:
            SinkError: the folder cannot be written to, or a format is unknown.
            MissingExtraError: a format needs a library that is not installed.
        """
        self._suffixes = check_formats(formats)
        for suffix in self._suffixes:  # before anything is captured, not after
            check_installed(suffix)
        self._folder = prepare_folder(folder)
        self._stem = free_stem(self._folder, context.name)
        self._context = context
        self._metadata = {
            **(metadata or {}),
            "source": context.name,
            "source_fps": context.fps,
            "source_size_wh": list(context.size_wh),
            "recorded_at": datetime.now().astimezone().isoformat(timespec="seconds"),
        }
        self._performers: dict[int, Performer] = {}
        self._kept: list[tuple[Path, Performer]] = []
        self._closed = False
        self._warned = False
        self._frames = 0
        self._floor_y_m: float | None = None
        self.written: tuple[Path, ...] = ()
        """The finished files, once closed."""

    def write(self, result: FrameResult) -> None:
        """Journal every person of one frame.

        Raises:
            SinkError: the disk is full or gone; what was journaled before stays.
        """
        self._frames += 1
        for n, track_id in enumerate(result.tracks.track_ids):
            if result.meshes.scores[n] <= 0:
                continue
            if self._floor_y_m is None:
                self._floor_y_m = result.floor_y_m
            sample = Sample.of_row(result, n, self._floor_y_m)
            if not sample.is_finite:
                self._warn_once(sample.frame_index)
                continue
            performer = self._performers.setdefault(int(track_id), Performer(self._open_journal))
            try:
                performer.add(sample)
            except ExportError as error:
                raise SinkError(f"recording ends: {error}") from error

    def close(self) -> None:
        """Finish every take; may be called twice.

        Raises:
            SinkError: a take could not be finished; its journal stays and can be recovered.
        """
        if self._closed:
            return
        self._closed = True
        self._sort_out_short_ones()
        errors: list[Exception] = []
        written: list[Path] = []
        for journal, performer in self._kept:
            try:
                performer.close()
                written += finish(journal, self._suffixes, performer.betas, self._context.skeleton(performer.betas))
            except (ExportError, OSError) as error:
                errors.append(error)
        self.written = tuple(written)
        if errors:
            raise SinkError(
                f"a take could not be finished ({errors[0]}); everything recorded is in its journal: "
                f"free some space and run: mocap-app take recover {self._folder}"
            ) from errors[0]
        if self._frames and not written:
            logger.warning("nobody was seen in %d frames, so no take was written", self._frames)

    def _open_journal(self, performer: Performer) -> TakeJournal:
        number = len(self._kept) + 1
        name = f"{self._stem}_person{number}"
        path = self._folder / f"{name}{JOURNAL_SUFFIX}"
        betas = performer.betas
        journal = TakeJournal(
            path,
            self._context.skeleton(betas),
            {**self._metadata, "formats": [suffix[1:] for suffix in self._suffixes]},
            intrinsics=performer.held[0].intrinsics,
            shape_size=len(betas),
            subject=number,
            name=name,
        )
        self._kept.append((path, performer))
        return journal

    def _sort_out_short_ones(self) -> None:
        short = [performer for performer in self._performers.values() if not performer.is_kept]
        if short and not self._kept:
            longest = max(short, key=lambda performer: performer.count)
            short.remove(longest)
            try:
                longest.keep()
            except ExportError as error:
                raise SinkError(f"the take cannot be written: {error}") from error
        if short:
            logger.info("%d track(s) of less than a quarter of a second were left out", len(short))

    def _warn_once(self, frame_index: int) -> None:
        if not self._warned:
            logger.warning("frame %d: a pose that is not finite was left out, as will be others", frame_index)
        self._warned = True


def finish(
    journal: Path, suffixes: Iterable[str], betas: FloatArray | None = None, skeleton: Skeleton | None = None
) -> tuple[Path, ...]:
    """Turn a closed journal into take files of the same stem, then remove it; return the files.

    Args:
        journal: as written by `TakeJournal`.
        suffixes: formats to write, the native one first.
        betas: `(S,)` shape numbers of the performer; None takes the median of what was measured.
        skeleton: bones of that shape; None takes those the journal began with.

    Raises:
        TakeFileError: a file cannot be read or written; the journal stays unless the native take was written.
    """
    take = read_journal(journal)
    if skeleton is not None:
        take = replace(take, skeleton=skeleton)
    if betas is not None and take.observations is not None:
        take = replace(take, observations=replace(take.observations, betas=betas))
    metadata = {key: value for key, value in take.metadata.items() if key != "formats"}
    take = on_floor(replace(take, metadata=metadata))
    written = []
    for suffix in suffixes:
        path = journal.with_suffix(suffix)
        write_take(take, path)
        logger.info("wrote %s: %d frames, %.1f s", path, len(take), duration_s(take))
        written.append(path)
        if suffix == ".npz":
            # All that was measured is in the native take now, even if another format fails.
            journal.unlink(missing_ok=True)
    journal.unlink(missing_ok=True)
    return tuple(written)


def duration_s(take: Take) -> float:
    """Return the time from the first instant to the last."""
    return float(take.timestamps_ns[-1] - take.timestamps_ns[0]) / 1e9 if len(take) else 0.0
