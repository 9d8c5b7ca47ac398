"""The protocol: which person is compared, what a miss costs, what a line of the table is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..types import FloatArray
from .items import HIPS, Item
from .metrics import mpjpe, pa_mpjpe, within
from .predictions import Predictions

MISSED_MM = 200.0
"""What a person counts who was not found."""
PCK_FRACTION = 0.2
"""A joint is right within this part of the torso's length."""


@dataclass(frozen=True, slots=True)
class Score:
    """How well one item's person was recovered."""

    item: str
    found: bool
    pa_mpjpe_mm: float | None
    """None where the item has no labels in metres."""
    mpjpe_mm: float | None
    """As above, hips' middle at the origin, no scaling; means something in the camera frame alone."""
    right: int
    """Joints within the PCK limit."""
    labelled: int
    """Joints with a label."""
    error_px: float | None
    """Mean distance of the labelled joints; None for a miss."""


def score_item(item: Item, predictions: Predictions) -> Score:
    """Return the score of the person nearest to the item's labels in the picture."""
    rows = predictions.rows_of(item.name)
    labelled = item.labelled
    count = int(labelled.sum())
    if not rows:
        missed = None if item.labels_m is None else MISSED_MM
        return Score(item.name, False, missed, missed, 0, count, None)
    distances = [_distance_px(predictions.joints_px[row], item.labels_px, labelled) for row in rows]
    best = rows[int(np.argmin(distances))]
    right = within(predictions.joints_px[best][labelled], item.labels_px[labelled], PCK_FRACTION * item.torso_px)
    joints_m = predictions.joints_m[best]
    pa = None if item.labels_m is None else 1000 * pa_mpjpe(joints_m, item.labels_m)
    plain = None if item.labels_m is None else 1000 * mpjpe(joints_m, item.labels_m, HIPS)
    return Score(item.name, True, pa, plain, int(right.sum()), count, min(distances))


def _distance_px(joints_px: FloatArray, labels_px: FloatArray, labelled: np.ndarray) -> float:
    return float(np.linalg.norm(joints_px[labelled] - labels_px[labelled], axis=1).mean())


@dataclass(frozen=True, slots=True)
class LineScore:
    """One line of the table for one system."""

    line: str
    pictures: int
    missed: int
    pa_mpjpe_mm: float | None
    """Mean over pictures, a miss counting MISSED_MM; None for lines labelled in 2-D."""
    pck_percent: float
    """Right joints of all labelled ones, a miss counting all wrong."""
    error_px: float
    """Median over the found of the mean distance of the labelled joints."""


def summarise(line: str, scores: list[Score]) -> LineScore:
    """Return the means over the items of one line."""
    pa = [score.pa_mpjpe_mm for score in scores if score.pa_mpjpe_mm is not None]
    errors = [score.error_px for score in scores if score.error_px is not None]
    return LineScore(
        line=line,
        pictures=len(scores),
        missed=sum(not score.found for score in scores),
        pa_mpjpe_mm=float(np.mean(pa)) if pa else None,
        pck_percent=100 * sum(s.right for s in scores) / max(1, sum(s.labelled for s in scores)),
        error_px=float(np.median(errors)) if errors else float("nan"),
    )
