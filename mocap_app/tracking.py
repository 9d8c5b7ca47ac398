"""People over time: who is whom from one frame to the next. Birth, death, assignment; no pictures, no networks.

A person is followed by the boxes of its own joints. All times are the frames' time stamps, so that nothing depends
on how fast the frames come or how many are dropped.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np

from engines.types import FloatArray

from .config import TrackingConfig
from .wishes import Merge, Pin, Swap, Wish

logger = logging.getLogger(__name__)

SAME_PERSON_COST = 0.3
"""A detection belongs to a followed person whose box costs less; see `box_costs`."""
LOST_PERSON_COST = 0.5
"""The same for a person out of sight, who may have turned or stepped aside meanwhile."""
COVERED_OVERLAP = 0.7
"""A detection overlapping a person already accounted for by more is that person once more."""
DUPLICATE_DISTANCE = 0.1
"""Two bodies whose joints are nearer on average, in sizes of their boxes, are one person."""
DUPLICATE_REGION_DISTANCE = 0.06
"""So are two whose regions' centres are nearer, in sides, if their sizes and turns are alike: some 14 cm."""
DUPLICATE_REGION_RATIO = 0.85
DUPLICATE_REGION_TURN_RAD = 0.3
CROWDED_SHARE = 0.3
"""A body of whose box (or the other's, if smaller) so much lies in another's box stands where somebody is."""
CLEAR_SURPRISE = 0.15
"""Of two tracks on one person the one off its course by so much more, in sizes of its box, is wrong; if neither
is, the newer one is."""
COURSE_TIME_S = 0.3
"""Over which the course (velocity) of a person is averaged."""
PINNED_LOST_S = 600.0
"""An actor (somebody pinned) unseen for so long is gone, too."""


@dataclass(slots=True, eq=False)
class Track:
    """One person. Changed by the tracker alone."""

    track_id: int
    box_xyxy: FloatArray
    """`(4,)` float32 pixels, where last seen."""
    region: FloatArray
    """`(4,)` float32: centre x, y, side in pixels, angle in radians; where to look next."""
    score: float
    seen_ns: int
    velocity_px_s: FloatArray
    """`(2,)` float32, of the box's centre."""
    is_lost: bool = False
    """Not seen in the last frame."""
    is_pinned: bool = False
    """An actor: keeps the number for long, and comes first."""

    def box_at(self, timestamp_ns: int) -> FloatArray:
        """Return the `(4,)` box moved along the person's course, on or back."""
        elapsed_s = (timestamp_ns - self.seen_ns) / 1e9
        return self.box_xyxy + np.tile(self.velocity_px_s * np.float32(elapsed_s), 2)

    def surprise(self, box_xyxy: FloatArray, timestamp_ns: int) -> float:
        """Return how far `(4,)` box is off the person's course, in sizes of the box."""
        expected = self.box_at(timestamp_ns)
        distance = np.linalg.norm(_centers(box_xyxy) - _centers(expected))
        return float(distance / max(float(_sizes(box_xyxy)), 1.0))


class Tracker:
    """Holds the people in view and those just lost. Used by one thread."""

    def __init__(self, config: TrackingConfig) -> None:
        self._config = config
        self._next_id = 1
        self.tracks: list[Track] = []
        """In order of birth; lost ones stay until `lost_after_s` has passed."""
        self.absent: list[Track] = []
        """Actors lost for longer, who are awaited anywhere: `bear` gives the next one who appears their number."""

    @property
    def free_places(self) -> int:
        """How many more people may be followed; somebody just lost keeps the place.

        That of an absent actor is free, but for the actor alone: whoever appears next is the actor.
        """
        return max(0, self._config.max_people - len(self.tracks))

    @property
    def has_lost(self) -> bool:
        """Whether anybody is being looked for."""
        return any(track.is_lost for track in self.tracks)

    def forget(self, timestamp_ns: int) -> None:
        """Let go of everybody not seen for `lost_after_s`, and of actors not seen for `PINNED_LOST_S`."""
        limit_ns, longest_ns = round(self._config.lost_after_s * 1e9), round(PINNED_LOST_S * 1e9)
        gone = [t for t in self.tracks if t.is_lost and timestamp_ns - t.seen_ns > limit_ns]
        self.tracks = [t for t in self.tracks if t not in gone]
        awaited = [t for t in [*self.absent, *gone] if t.is_pinned and timestamp_ns - t.seen_ns <= longest_ns]
        self.absent = awaited

    def assign(self, boxes_xyxy: FloatArray, timestamp_ns: int) -> list[int | None]:
        """Return for each track the row of the `(N, 4)` detected boxes that shows it, or None."""
        if not self.tracks or not len(boxes_xyxy):
            return [None] * len(self.tracks)
        expected = np.stack([track.box_at(timestamp_ns) for track in self.tracks])
        limits = np.array([LOST_PERSON_COST if track.is_lost else SAME_PERSON_COST for track in self.tracks])
        costs = box_costs(expected, boxes_xyxy)
        return greedy(np.where(costs < limits[:, None], costs, np.inf))

    def newcomers(self, boxes_xyxy: FloatArray, scores: FloatArray, assigned: list[int | None]) -> list[int]:
        """Return the rows of detections that may be new people, the largest and surest first.

        Args:
            boxes_xyxy: `(N, 4)` detections.
            scores: `(N,)`, 0 to 1.
            assigned: What `assign` answered.
        """
        rows = [n for n in range(len(boxes_xyxy)) if n not in assigned]
        known = [boxes_xyxy[n] for n in assigned if n is not None]
        known += [track.box_xyxy for track in self.tracks if not track.is_lost]
        if known and rows:
            overlaps = box_overlaps(boxes_xyxy[rows], np.stack(known)).max(axis=1)
            rows = [n for n, overlap in zip(rows, overlaps, strict=True) if overlap < COVERED_OVERLAP]
        areas = np.prod(boxes_xyxy[:, 2:] - boxes_xyxy[:, :2], axis=1)
        return sorted(rows, key=lambda n: -float(scores[n] * areas[n]))

    def bear(self, box_xyxy: FloatArray, region: FloatArray, score: float, timestamp_ns: int) -> Track:
        """Add a person with a number never used before, or that of the absent actor who was seen nearest."""
        still = np.zeros(2, np.float32)
        if self.absent:
            actor = min(self.absent, key=lambda t: float(np.linalg.norm(_centers(t.box_xyxy) - _centers(box_xyxy))))
            self.absent.remove(actor)
            track = Track(actor.track_id, box_xyxy, region, score, timestamp_ns, still, is_pinned=True)
        else:
            track = Track(self._next_id, box_xyxy, region, score, timestamp_ns, still)
            self._next_id += 1
        self.tracks.append(track)
        return track

    def see(self, track: Track, box_xyxy: FloatArray, region: FloatArray, score: float, timestamp_ns: int) -> None:
        """Note where a followed person is now."""
        elapsed_s = (timestamp_ns - track.seen_ns) / 1e9
        if elapsed_s > 0:
            velocity = (_centers(box_xyxy) - _centers(track.box_xyxy)) / np.float32(elapsed_s)
            weight = np.float32(elapsed_s / (elapsed_s + COURSE_TIME_S))
            track.velocity_px_s = (track.velocity_px_s + weight * (velocity - track.velocity_px_s)).astype(np.float32)
        track.box_xyxy, track.region, track.score = box_xyxy, region, score
        track.seen_ns, track.is_lost = timestamp_ns, False

    def aim(self, track: Track, region: FloatArray) -> None:
        """Look for a lost person in `(4,)` region next."""
        track.region = region

    def lose(self, track: Track) -> None:
        """Note that a followed person was not seen in this frame."""
        track.is_lost = True

    def grant(self, wish: Wish) -> bool:
        """Do what is asked about people; return False, with a logged line, where it names somebody unknown."""
        match wish:
            case Pin(number, is_pinned):
                done = self._pin(number, is_pinned)
            case Swap(a, b):
                done = self._swap(a, b)
            case Merge(a, into):
                done = self._merge(a, into)
            case _:
                return True
        if not done:
            known = ", ".join(str(t.track_id) for t in [*self.tracks, *self.absent]) or "nobody"
            logger.warning("%s: found a person who is not there, expected one of: %s; nothing was changed", wish, known)
        return done

    def _find(self, number: int) -> Track | None:
        return next((t for t in [*self.tracks, *self.absent] if t.track_id == number), None)

    def _pin(self, number: int, is_pinned: bool) -> bool:
        track = self._find(number)
        if track is not None:
            track.is_pinned = is_pinned
        return track is not None

    def _swap(self, a: int, b: int) -> bool:
        first, second = self._find(a), self._find(b)
        if first is None or second is None or first is second:
            return False
        first.track_id, second.track_id = second.track_id, first.track_id
        # Who is an actor goes with the number.
        first.is_pinned, second.is_pinned = second.is_pinned, first.is_pinned
        return True

    def _merge(self, a: int, into: int) -> bool:
        track, other = self._find(a), self._find(into)
        if track is None or a == into or not 0 < into < self._next_id:
            return False
        seen_twice = other is not None and not other.is_lost
        ends = track if seen_twice else other
        if not seen_twice:
            track.track_id = into
        if other is not None:
            other.is_pinned = track.is_pinned = track.is_pinned or other.is_pinned
        self.tracks = [t for t in self.tracks if t is not ends]
        self.absent = [t for t in self.absent if t is not ends]
        return True


@dataclass(frozen=True, slots=True)
class Sight:
    """Where the bodies of one frame lie in the picture, newcomers last."""

    joints_px: FloatArray
    """`(N, J, 2)` float32."""
    boxes_xyxy: FloatArray
    """`(N, 4)` float32 pixels, of the joints."""
    regions: FloatArray
    """`(N, 4)` float32: centre x, y, side in pixels, angle in radians; where each is looked for next."""

    def is_same_person(self, a: int, b: int) -> bool:
        """Say whether bodies a and b lie on one another, joint on joint, or will be looked for in one region."""
        size = float(_sizes(self.boxes_xyxy[[a, b]]).min())
        distance = float(np.linalg.norm(self.joints_px[a] - self.joints_px[b], axis=-1).mean())
        return distance < DUPLICATE_DISTANCE * max(size, 1.0) or self._is_same_region(a, b)

    def _is_same_region(self, a: int, b: int) -> bool:
        first, second = self.regions[a], self.regions[b]
        small, large = sorted((float(first[2]), float(second[2])))
        turn = (float(first[3] - second[3]) + np.pi) % (2 * np.pi) - np.pi
        is_near = float(np.linalg.norm(first[:2] - second[:2])) < DUPLICATE_REGION_DISTANCE * small
        return is_near and small > DUPLICATE_REGION_RATIO * large and abs(turn) < DUPLICATE_REGION_TURN_RAD


def without_duplicates(sight: Sight, surprises: list[float], rows: list[int]) -> list[int]:
    """Return `rows` without those that show a person another row shows too.

    Args:
        sight: N bodies.
        surprises: N numbers: how far the body is off its track's course; infinite for the lost and for newcomers.
        rows: Rows to compare: those followed, the oldest first, then the lost, then newcomers.
    """
    kept: list[int] = []
    for row in rows:
        rival = next((k for k in kept if sight.is_same_person(k, row)), None)
        if rival is None:
            kept.append(row)
        elif surprises[rival] - surprises[row] > CLEAR_SURPRISE:
            kept[kept.index(rival)] = row
    return kept


def box_costs(a_xyxy: FloatArray, b_xyxy: FloatArray) -> FloatArray:
    """Return `(A, B)` float32 costs of taking a box for another, below 0 for those that overlap well.

    The distance of the centres in mean box sizes less the overlap: boxes round limbs and squares round whole bodies,
    as different detectors give them, overlap little but share their centre.
    """
    distances = np.linalg.norm(_centers(a_xyxy)[:, None] - _centers(b_xyxy)[None], axis=-1)
    sizes = (_sizes(a_xyxy)[:, None] + _sizes(b_xyxy)[None]) / 2
    costs = distances / np.maximum(sizes, 1.0) - box_overlaps(a_xyxy, b_xyxy)
    return costs.astype(np.float32)


def box_overlaps(a_xyxy: FloatArray, b_xyxy: FloatArray) -> FloatArray:
    """Return `(A, B)` float32 intersections over unions."""
    low = np.maximum(a_xyxy[:, None, :2], b_xyxy[None, :, :2])
    high = np.minimum(a_xyxy[:, None, 2:], b_xyxy[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=-1)
    area_a = np.prod(a_xyxy[:, 2:] - a_xyxy[:, :2], axis=-1)
    area_b = np.prod(b_xyxy[:, 2:] - b_xyxy[:, :2], axis=-1)
    return (shared / np.maximum(area_a[:, None] + area_b[None] - shared, 1e-6)).astype(np.float32)


def is_crowded(box_xyxy: FloatArray, others_xyxy: FloatArray) -> bool:
    """Say whether `(4,)` box lies on one of `(N, 4)` others, by the part of the smaller box that both cover."""
    size = np.minimum(box_xyxy[2:], others_xyxy[:, 2:]) - np.maximum(box_xyxy[:2], others_xyxy[:, :2])
    shared = np.prod(np.maximum(size, 0), axis=1)
    areas = np.prod(others_xyxy[:, 2:] - others_xyxy[:, :2], axis=1)
    smaller = np.minimum(areas, np.prod(box_xyxy[2:] - box_xyxy[:2]))
    return bool((shared > CROWDED_SHARE * np.maximum(smaller, 1e-6)).any())


def greedy(costs: FloatArray) -> list[int | None]:
    """Return for each row of `(A, B)` costs its column, cheapest pairs first; infinite costs are never paired."""
    left = costs.copy()
    columns: list[int | None] = [None] * len(costs)
    while left.size and np.isfinite(left).any():
        row, column = np.unravel_index(int(left.argmin()), left.shape)
        columns[int(row)] = int(column)
        left[row, :], left[:, column] = np.inf, np.inf
    return columns


def _centers(boxes_xyxy: FloatArray) -> FloatArray:
    return np.asarray((boxes_xyxy[..., :2] + boxes_xyxy[..., 2:]) / 2, np.float32)


def _sizes(boxes_xyxy: FloatArray) -> FloatArray:
    """Return the longer sides."""
    return np.asarray((boxes_xyxy[..., 2:] - boxes_xyxy[..., :2]).max(axis=-1), np.float32)
