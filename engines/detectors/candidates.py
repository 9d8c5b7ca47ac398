"""People as the shipped detector sees them, and merging what several looks at one picture found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..types import FloatArray
from .boxes import overlap

SAME_HEAD_OVERLAP = 0.3
"""Two candidates whose head boxes overlap more are one person (the network's own limit)."""
SAME_CIRCLE_DISTANCE = 0.3
"""So are two whose hips are nearer than this part of the smaller one's radius, if their radii are alike."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """People found in one look; row n is one candidate."""

    heads_xyxy: FloatArray
    """`(N, 4)` float32 pixels: head and shoulders, which the network is anchored on."""
    points_px: FloatArray
    """`(N, 4, 2)` float32 pixels: hips' middle, full-body circle, shoulders' middle, upper-body circle."""
    scores: FloatArray
    """`(N,)` float32, 0 to 1."""

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def radii_px(self) -> FloatArray:
        """`(N,)` radii of the circles round the whole bodies, pixels."""
        return np.linalg.norm(self.points_px[:, 1] - self.points_px[:, 0], axis=1)

    def take(self, rows: np.ndarray) -> Candidates:
        """Return the rows asked for."""
        return Candidates(self.heads_xyxy[rows], self.points_px[rows], self.scores[rows])

    def bodies_xyxy(self) -> FloatArray:
        """Return `(N, 4)` boxes round the full-body circles, pixels."""
        centers, radii = self.points_px[:, 0], self.radii_px[:, None]
        return np.concatenate([centers - radii, centers + radii], axis=1).astype(np.float32)


def join(parts: list[Candidates]) -> Candidates:
    """Return all rows of all parts, in their order."""
    return Candidates(
        np.concatenate([part.heads_xyxy for part in parts]),
        np.concatenate([part.points_px for part in parts]),
        np.concatenate([part.scores for part in parts]),
    )


def merge_weighted(candidates: Candidates) -> Candidates:
    """Return one candidate per person, best first: the mean of those that are one, weighted by their scores.

    The anchors answer in clusters; their weighted mean is steadier than the best of them. The score stays the
    best one's.
    """
    left, merged = np.argsort(-candidates.scores, kind="stable"), []
    while len(left):
        same = is_same_person(candidates, left[0], left)
        same[0] = True
        merged.append(_mean(candidates.take(left[same])))
        left = left[~same]
    return join(merged) if merged else candidates


def is_same_person(candidates: Candidates, row: int, rows: np.ndarray) -> np.ndarray:
    """Return `(len(rows),)` bool: which of `rows` show the same person as `row`."""
    heads = overlap(candidates.heads_xyxy[row], candidates.heads_xyxy[rows]) > SAME_HEAD_OVERLAP
    radii = candidates.radii_px
    smaller = np.minimum(radii[row], radii[rows])
    alike = smaller > 0.6 * np.maximum(radii[row], radii[rows])
    distances = np.linalg.norm(candidates.points_px[rows, 0] - candidates.points_px[row, 0], axis=1)
    return heads | (alike & (distances < SAME_CIRCLE_DISTANCE * smaller))


def without_known(new: Candidates, known: Candidates) -> Candidates:
    """Return the rows of `new` that show nobody of `known`."""
    both = join([known, new])
    rows = np.arange(len(known), len(both))
    seen = np.zeros(len(new), bool)
    for row in range(len(known)):
        seen |= is_same_person(both, row, rows)
    return new.take(~seen)


def _mean(cluster: Candidates) -> Candidates:
    weights = cluster.scores / max(float(cluster.scores.sum()), 1e-9)
    heads = np.einsum("n,ni->i", weights, cluster.heads_xyxy)
    points = np.einsum("n,nki->ki", weights, cluster.points_px)
    return Candidates(
        heads[None].astype(np.float32), points[None].astype(np.float32), cluster.scores[:1].astype(np.float32)
    )
