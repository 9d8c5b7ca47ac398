"""Takes from the journals that a crash left."""

from __future__ import annotations

import logging
import time
from pathlib import Path

from engines.body.parameters import load_body, rest_joints
from exporters import kinematics
from exporters.errors import TakeFileError
from exporters.journal import JOURNAL_SUFFIX, read_journal
from exporters.skeletons import skeleton_from_rest_joints
from exporters.types import Skeleton, Take
from exporters.writing import numbered_path

from ..errors import SinkError
from .folder import check_formats
from .recorder import finish

logger = logging.getLogger(__name__)

RESTING_S = 5.0
"""A journal written to so lately may belong to a recording that goes on."""
FORMATS = ("npz", "bvh")


def recover(path: str | Path) -> tuple[Path, ...]:
    """Finish the journal `path`, or every journal in the folder `path`; return the files written.

    A journal without a single instant, or one that may still be written to, is left alone with a warning.

    Raises:
        SinkError: there is no journal, or none of them could be finished.
    """
    path = Path(path)
    journals = sorted(path.glob(f"*{JOURNAL_SUFFIX}")) if path.is_dir() else [path]
    if not journals or not path.exists():
        raise SinkError(f"{path}: no journal found, expected files ending in {JOURNAL_SUFFIX}; nothing to recover")
    written: list[Path] = []
    errors: list[Exception] = []
    for journal in journals:
        try:
            written += _recover_one(journal)
        except (TakeFileError, OSError) as error:
            logger.warning("%s", error)
            errors.append(error)
    if errors and not written:
        raise SinkError(f"nothing could be recovered: {errors[0]}") from errors[0]
    return tuple(written)


def _recover_one(journal: Path) -> tuple[Path, ...]:
    take = read_journal(journal)
    if not len(take):
        logger.warning("%s: holds not one whole instant, nothing to recover", journal)
        return ()
    if 0 <= time.time() - journal.stat().st_mtime < RESTING_S:
        raise TakeFileError(
            f"{journal}: was written to just now, expected a journal at rest; end the recording, or wait "
            f"{RESTING_S:g} s and try again"
        )
    suffixes = check_formats(take.metadata.get("formats") or FORMATS)
    free = numbered_path(journal.with_suffix(suffixes[0]), suffixes).with_suffix(JOURNAL_SUFFIX)
    if free != journal:
        journal.rename(free)
    return finish(free, suffixes, skeleton=_bones(take))


def _bones(take: Take) -> Skeleton:
    """Return the bones of the shape that the whole take tells; a journal begins with those of a few instants.

    Known of the body that is shipped alone: a take of any other keeps the bones it began with.
    """
    body = load_body()
    if take.observations is None or take.skeleton.name != body.name:
        return take.skeleton
    joints_m = rest_joints(body, take.observations.betas[None])[0]
    lowest_m = float(kinematics.rest_joints(take.skeleton)[:, 1].min())
    return skeleton_from_rest_joints(
        joints_m, body.parents, body.joint_names, name=body.name, floor_y_m=float(joints_m[:, 1].min()) - lowest_m
    )
