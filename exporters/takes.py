"""Takes cut, held over a span, moved in time and scaled."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np

from .errors import TakeFileError
from .resample import NS_PER_S
from .types import Observations, SkinnedMesh, Take

_OF_WHOLE_TAKE = ("betas", "intrinsics")


def trimmed(take: Take, start_s: float | None = None, end_s: float | None = None, zero_ns: int | None = None) -> Take:
    """Return the instants from `start_s` to `end_s`, both included, with their own times.

    Args:
        take: any take.
        start_s: seconds after `zero_ns`; None begins where the take does.
        end_s: seconds after `zero_ns`; None ends where the take does.
        zero_ns: where the seconds are counted from; None = the take's first instant.

    Raises:
        TakeFileError: nothing lies between.
    """
    zero = zero_ns if zero_ns is not None else int(take.timestamps_ns[0]) if len(take) else 0
    seconds = (take.timestamps_ns - zero) / NS_PER_S
    slack_s = 1e-6  # times are whole nanoseconds, seconds as people write them are not
    kept = np.ones(len(take), bool)
    if start_s is not None:
        kept &= seconds >= start_s - slack_s
    if end_s is not None:
        kept &= seconds <= end_s + slack_s
    if not kept.any():
        span = f"{seconds[0]:.2f} to {seconds[-1]:.2f} s" if len(take) else "no instant at all"
        raise TakeFileError(f"take {take.name}: found {span}, expected some of it inside the trim; change the trim")
    return replace(
        take,
        rotations_wxyz=take.rotations_wxyz[kept],
        root_translation=take.root_translation[kept],
        timestamps_ns=take.timestamps_ns[kept],
        observations=None if take.observations is None else _observed(take.observations, kept),
    )


def _observed(observations: Observations, kept: np.ndarray) -> Observations:
    values = {f.name: getattr(observations, f.name) for f in fields(observations)}
    return Observations(**{name: v if name in _OF_WHOLE_TAKE else v[kept] for name, v in values.items()})


def moved_in_time(take: Take, by_ns: int) -> Take:
    """Return the take with all its times later by `by_ns`."""
    return replace(take, timestamps_ns=take.timestamps_ns + by_ns)


def held(take: Take, start_ns: int, end_ns: int) -> Take:
    """Return the take over a longer span: before it the first pose stands still, after it the last.

    Without observations, for nothing was seen there.
    """
    first = [0] if len(take) and start_ns < take.timestamps_ns[0] else []
    last = [len(take) - 1] if len(take) and end_ns > take.timestamps_ns[-1] else []
    rows = np.array([*first, *range(len(take)), *last], int)
    times = [*([start_ns] if first else []), *take.timestamps_ns.tolist(), *([end_ns] if last else [])]
    return replace(
        take,
        rotations_wxyz=take.rotations_wxyz[rows],
        root_translation=take.root_translation[rows],
        timestamps_ns=np.array(times, np.int64),
        observations=None,
    )


def scaled(take: Take, factor: float) -> Take:
    """Return the motion of a performer `factor` times as large."""
    skeleton = replace(take.skeleton, offsets=(take.skeleton.offsets * factor).astype(np.float32))
    return replace(take, skeleton=skeleton, root_translation=(take.root_translation * factor).astype(np.float32))


def scaled_mesh(mesh: SkinnedMesh, factor: float) -> SkinnedMesh:
    """Return the surface of a performer `factor` times as large."""
    return replace(mesh, vertices=(mesh.vertices * factor).astype(np.float32))
