"""Takes whose performers were taken for one another, put right. Takes in, takes out; no files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace

import numpy as np

from exporters.errors import TakeFileError
from exporters.types import Observations, Take

_OF_WHOLE_TAKE = ("betas", "intrinsics")


def swapped(a: Take, b: Take, from_ns: int) -> tuple[Take, Take]:
    """Return the two takes with what is at and after `from_ns` exchanged; each keeps its own bones.

    Raises:
        TakeFileError: bodies of different joints, or one of them would have nothing left.
    """
    _check_alike(a, b)
    late_a, late_b = a.timestamps_ns >= from_ns, b.timestamps_ns >= from_ns
    return _joined(a, ~late_a, b, late_b), _joined(b, ~late_b, a, late_a)


def merged(take: Take, other: Take) -> Take:
    """Return `take` with those instants of `other` added at which `take` is absent; `take` keeps its bones.

    Raises:
        TakeFileError: bodies of different joints.
    """
    _check_alike(take, other)
    step_ns = int(np.median(np.diff(take.timestamps_ns))) if len(take) > 1 else 0
    # Nearer than half a step to an instant of its own, the other would come between.
    after = np.searchsorted(take.timestamps_ns, other.timestamps_ns)
    own = np.concatenate([[np.iinfo(np.int64).min // 2], take.timestamps_ns, [np.iinfo(np.int64).max // 2]])
    gap = np.minimum(other.timestamps_ns - own[after], own[after + 1] - other.timestamps_ns)
    return _joined(take, np.ones(len(take), bool), other, gap > step_ns // 2)


def _check_alike(a: Take, b: Take) -> None:
    if a.skeleton.joint_names != b.skeleton.joint_names or a.skeleton.parents.tolist() != b.skeleton.parents.tolist():
        raise TakeFileError(
            f"{a.name} and {b.name}: found bodies of different joints, expected one kind; record both with one engine"
        )


def _joined(take: Take, kept: np.ndarray, other: Take, added: np.ndarray) -> Take:
    """Return the rows `kept` of `take` and `added` of `other`, by time."""
    times = np.concatenate([take.timestamps_ns[kept], other.timestamps_ns[added]])
    if not len(times):
        raise TakeFileError(f"{take.name}: found nothing left of it, expected some instants; choose another instant")
    order = np.argsort(times, kind="stable")

    def rows(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        return np.concatenate([first[kept], second[added]])[order]

    observations = None
    if take.observations is not None and other.observations is not None:
        observations = _joined_observations(take.observations, other.observations, rows)
    return replace(
        take,
        rotations_wxyz=rows(take.rotations_wxyz, other.rotations_wxyz),
        root_translation=rows(take.root_translation, other.root_translation),
        timestamps_ns=times[order],
        observations=observations,
    )


def _joined_observations(
    take: Observations, other: Observations, rows: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> Observations:
    values = {f.name: getattr(take, f.name) for f in fields(take)}
    joined = {n: v if n in _OF_WHOLE_TAKE else rows(v, getattr(other, n)) for n, v in values.items()}
    return Observations(**joined)
