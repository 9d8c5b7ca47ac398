"""How far the captured motion is from the truth, frame by frame and for each part of the clip."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.evaluation.metrics import pa_mpjpe
from exporters import Take, forward_kinematics
from exporters.rotations import inverse, multiply, rotvec_from_quaternion

from .choreography import PHASES, phase_at
from .truth import Truth

Array = NDArray[Any]
HEADINGS = ("part", "frames", "found", "MPJPE mm", "PA-MPJPE mm", "root mm", "angles deg", "picture px")
EXPLANATION = (
    "MPJPE: mean joint distance with the pelvis of both at one place. PA-MPJPE: after the best turn, scale and shift.",
    "root: distance of the pelvis in the world. angles: mean over 24 joints, each relative to its parent.",
)


@dataclass(frozen=True, slots=True)
class FrameErrors:
    """Errors over T frames of the truth; NaN where nobody was found."""

    seconds: Array
    """`(T,)`."""
    expected: NDArray[np.bool_]
    """`(T,)`: the performer is in the picture."""
    mpjpe_mm: Array
    """`(T,)` mean joint distance, world axes, pelvis at one place."""
    pa_mpjpe_mm: Array
    """`(T,)` mean joint distance after the best similarity transform."""
    root_mm: Array
    """`(T,)` distance of the pelvis, world frame."""
    angle_deg: Array
    """`(T,)` mean angle between parent-relative rotations of all joints, the root's in the world."""
    picture_px: Array
    """`(T,)` mean joint distance in the picture."""

    @property
    def found(self) -> NDArray[np.bool_]:
        """`(T,)`: somebody was found."""
        return np.isfinite(self.mpjpe_mm)


def share_out(truths: Sequence[Truth], takes: Sequence[Take]) -> list[list[Take]]:
    """Return for each performer the takes that are theirs: each take goes to whom it is nearest for most of it."""
    shares: list[list[Take]] = [[] for _ in truths]
    for take in takes:
        if take.observations is None:
            continue
        frames = np.minimum(take.observations.frame_index, len(truths[0]) - 1)
        gaps = [np.linalg.norm(t.joints_world_m[frames, 0] - take.root_translation, axis=1) for t in truths]
        shares[int(np.argmin(np.median(gaps, axis=1)))].append(take)
    return shares


def compare(truth: Truth, takes: Sequence[Take]) -> FrameErrors:
    """Return the errors of what was captured of one performer.

    Several takes are one performer lost and found again, or mistaken people: for each frame the take whose pelvis is
    nearest to the true one counts.
    """
    rows = np.full((5, len(truth)), np.nan)
    for take in takes:
        if take.observations is None:
            continue
        known = take.observations.frame_index < len(truth)
        frames = take.observations.frame_index[known]
        errors = _errors(truth, frames, take, np.flatnonzero(known))
        nearer = ~(errors[2] >= rows[2, frames])  # true where nothing was found before, too
        rows[:, frames[nearer]] = errors[:, nearer]
    return FrameErrors(truth.timestamps_ns / 1e9, truth.visible(), *rows)


def _errors(truth: Truth, frames: Array, take: Take, rows: Array) -> Array:
    """Return `(5, F)` errors of the take's `rows` against the truth's `frames`, in the order of `FrameErrors`."""
    assert take.observations is not None
    rotations, places = take.rotations_wxyz[rows], take.root_translation[rows]
    joints = forward_kinematics(take.skeleton, rotations, places).astype(float)
    true = truth.joints_world_m[frames].astype(float)
    centred = (joints - joints[:, :1]) - (true - true[:, :1])
    between = multiply(inverse(truth.rotations_wxyz[frames].astype(float)), rotations.astype(float))
    angles = np.linalg.norm(rotvec_from_quaternion(between), axis=-1)
    pixels = np.linalg.norm(take.observations.joints_px[rows] - truth.joints_px[frames], axis=-1)
    return np.stack(
        [
            1000 * np.linalg.norm(centred, axis=-1).mean(1),
            np.array([1000 * pa_mpjpe(a, b) for a, b in zip(joints, true, strict=True)]),
            1000 * np.linalg.norm(joints[:, 0] - true[:, 0], axis=-1),
            np.degrees(angles).mean(1),
            pixels.mean(1),
        ]
    )


def report(errors: FrameErrors) -> Iterator[str]:
    """Yield the lines of a table: each part of the clip, then all of it."""
    names = np.array([phase_at(s).name for s in errors.seconds])
    yield _line(HEADINGS)
    for phase in PHASES:
        chosen = names == phase.name
        if (chosen & errors.expected).any():
            yield _line(_row(phase.name, errors, chosen))
    yield _line(_row("all", errors, np.ones(len(names), bool)))
    yield from EXPLANATION


def _row(name: str, errors: FrameErrors, chosen: Array) -> tuple[str, ...]:
    used = chosen & errors.expected
    found = used & errors.found
    kinds = (errors.mpjpe_mm, errors.pa_mpjpe_mm, errors.root_mm, errors.angle_deg, errors.picture_px)
    values = [f"{kind[found].mean():.1f}" if found.any() else "-" for kind in kinds]
    return (name, str(int(used.sum())), str(int(found.sum())), *values)


def _line(cells: Sequence[str]) -> str:
    widths = [max(6, len(heading)) for heading in HEADINGS]
    return "  ".join(f"{c:<{w}}" if k == 0 else f"{c:>{w}}" for k, (c, w) in enumerate(zip(cells, widths, strict=True)))
