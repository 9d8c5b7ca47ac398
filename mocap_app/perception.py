"""Perception: detect, track, recover on one frame at a time. No threads; state per person followed.

Somebody new is looked at twice in the first frame: once in the detector's region, then in the region that the first
body gives, which follows how the person lies in the picture. After that each frame starts from the region of the
frame before, and the detector only looks for new people and for those who were lost. Where somebody is followed, such
a detection may run beside the line (`work_aside`): its people are looked at a few frames later, always the same number,
so that a video gives the same result twice.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace

import numpy as np

from engines.detectors.alignment import regions_from_detections
from engines.geometry import default_intrinsics
from engines.types import Detections, Detector, FloatArray, Image, MeshEngine, MeshResult, Regions, Sighting

from .config import DetectorConfig, TrackingConfig
from .sightings import (
    finite_rows,
    merge_rows,
    pack,
    sane,
    see,
    take_bodies,
    take_regions,
    take_rows,
    unpack,
)
from .tracking import Track, Tracker, is_crowded, without_duplicates
from .types import Frame, Tracks
from .wishes import Wish

logger = logging.getLogger(__name__)

FIRST_LOOK_PRESENCE = 0.1
"""A new person scored less in the detector's region is not looked at again: the second look lifts weak scores."""
SPARE_CANDIDATES = 2
"""New people looked at beyond the free places, lest a statue that is no person keeps one from being found."""
PICTURE_PASSES = 3
"""Looks at each person of an independent picture."""
CROWDED_PRESENCE = 0.9
"""Somebody new where somebody else is seen has to be scored so high: a limb turned round looks half like a person."""
WORSE_SCORE = 0.05
"""A later look scored lower by more is not believed."""

ASIDE_FRAMES = 4
"""Frames from the start of a detection beside the line to the look at those it found."""


Submit = Callable[[Callable[[Image], Detections], Image], "Future[Detections]"]
"""Runs a detection on another thread."""


class Perception:
    """Finds, follows and recovers people. Made, used and closed by one thread, apart from `recover`."""

    def __init__(
        self,
        detector: Detector,
        engine: MeshEngine,
        detector_config: DetectorConfig,
        tracking_config: TrackingConfig,
        intrinsics: FloatArray | None = None,
        focal_px: float | None = None,
    ) -> None:
        """Own `detector` and `engine`.

        Args:
            detector: Finds boxes.
            engine: Recovers bodies.
            detector_config: How often to detect.
            tracking_config: How many people, and when one is gone.
            intrinsics: `(3, 3)` pixels, of the pictures to come; None assumes a camera.
            focal_px: Focal length for an assumed camera; None takes the picture's diagonal.
        """
        self.engine = engine
        self._detector = detector
        self._every = detector_config.every
        self._config = tracking_config
        self._intrinsics = intrinsics
        self._focal_px = focal_px
        self._tracker = Tracker(tracking_config)
        # A detector of many looks may spread them over frames while there is somebody to follow.
        self._glance: Callable[[Image], Detections] = getattr(detector, "glance", detector.detect)
        self._frames_since_detection = self._every
        self._sought: set[int] = set()
        self._submit: Submit | None = None
        self._aside: _Aside | None = None
        self._warned = False

    @property
    def runtime(self) -> str:
        """What runs the engine's networks; may change while it is used, and may be read from any thread."""
        return self.engine.runtime

    def work_aside(self, submit: Submit) -> None:
        """Let detections that can wait run through `submit`, one at a time."""
        self._submit = submit

    def process(self, frame: Frame) -> tuple[Tracks, MeshResult, dict[str, float]]:
        """Return the people seen in `frame`, actors first, in order of appearance, and milliseconds per stage."""
        return self._with_bodies(*self.see(frame))

    def process_picture(self, frame: Frame) -> tuple[Tracks, MeshResult, dict[str, float]]:
        """Return the people of a picture that has nothing to do with any other, best first."""
        return self._with_bodies(*self.see_picture(frame))

    def see(self, frame: Frame) -> tuple[Tracks, Sighting, dict[str, float]]:
        """Return the people seen in `frame`, actors first, in order of appearance, and milliseconds per stage.

        Somebody scored below `min_presence` is left out of this frame, and looked for by the detector in the next.
        """
        clock = _Clock()
        self._tracker.forget(frame.timestamp_ns)
        found, seen_ns = self._detect(frame)
        clock.lap("detect")
        refound, first_looks = self._place(found, frame.image, seen_ns)
        clock.lap("track")
        new_regions = self._look_first(frame.image, refound, first_looks)
        looked_at = unpack([*(track.region for track in self._tracker.tracks), *new_regions])
        sighting = self._look(frame.image, looked_at)
        clock.lap("recover")
        rows, tracks = self._follow(sighting, frame)
        clock.lap("track")
        return tracks, take_rows(sighting, rows), clock.laps_ms

    def see_picture(self, frame: Frame) -> tuple[Tracks, Sighting, dict[str, float]]:
        """Return the people of a picture that has nothing to do with any other, best first."""
        clock = _Clock()
        found = self._detector.detect(frame.image)
        clock.lap("detect")
        rows = Tracker(self._config).newcomers(found.boxes_xyxy, found.scores, [])
        regions = take_regions(regions_from_detections(found), np.array(rows[: self._candidates()], np.intp))
        regions = take_regions(regions, np.flatnonzero(sane(regions, frame.image)))
        clock.lap("track")
        seen = self._look(frame.image, regions)
        for _ in range(PICTURE_PASSES - 1):
            regions = unpack(list(np.where(seen.scores[:, None] > 0, pack(seen.next_regions), pack(regions))))
            again = self._look(frame.image, regions)
            seen = merge_rows(seen, again, again.scores >= seen.scores - WORSE_SCORE)
        clock.lap("recover")
        best = [int(n) for n in np.argsort(-seen.scores, kind="stable") if self._is_present(seen, int(n))]
        sight = see(seen, frame.image)
        kept = without_duplicates(sight, [np.inf] * len(seen), best)[: self._config.max_people]
        clock.lap("track")
        ids = np.arange(1, len(kept) + 1, dtype=np.int64)
        return Tracks(ids, sight.boxes_xyxy[kept], seen.scores[kept]), take_rows(seen, kept), clock.laps_ms

    def recover(self, tracks: Tracks, sighting: Sighting) -> tuple[Tracks, MeshResult]:
        """Return the bodies of those seen; one of numbers that are not finite is left out.

        May be called by another thread than `see`, but by one at a time, until `close`.
        """
        meshes = self.engine.recover(sighting)
        finite = finite_rows(meshes)
        if finite.all():
            return tracks, meshes
        self._warn_once()
        rows = np.flatnonzero(finite)
        return Tracks(tracks.track_ids[rows], tracks.boxes_xyxy[rows], tracks.scores[rows]), take_bodies(meshes, rows)

    def _with_bodies(
        self, tracks: Tracks, sighting: Sighting, laps_ms: dict[str, float]
    ) -> tuple[Tracks, MeshResult, dict[str, float]]:
        begun_ns = time.perf_counter_ns()
        tracks, meshes = self.recover(tracks, sighting)
        laps_ms["recover"] += (time.perf_counter_ns() - begun_ns) / 1e6
        return tracks, meshes, laps_ms

    def grant(self, wish: Wish) -> bool:
        """Do what is asked about people; return False where it names somebody unknown, which is logged."""
        return self._tracker.grant(wish)

    def close(self) -> None:
        """Release detector and engine; may be called twice."""
        self._detector.close()
        self.engine.close()

    # Detect ----------------------------------------------------------------------------------------------------

    def _detect(self, frame: Frame) -> tuple[Detections, int]:
        """Look for new and lost people: with all means where nobody is followed or somebody has just gone.

        Returns what was found and the time stamp of the picture that shows it.
        """
        self._frames_since_detection += 1
        tracks = self._tracker.tracks
        lost = {track.track_id for track in tracks if track.is_lost}
        has_just_lost, self._sought = bool(lost - self._sought), lost
        if has_just_lost or len(lost) == len(tracks):
            self._end_aside()
            self._frames_since_detection = 0
            return self._detector.detect(frame.image), frame.timestamp_ns
        if self._aside is not None:
            return self._take_aside(frame)
        is_due = self._tracker.free_places and self._frames_since_detection >= self._every
        if not (is_due or lost):
            return Detections.empty(), frame.timestamp_ns
        self._frames_since_detection = 0
        if self._submit is None:
            return self._glance(frame.image), frame.timestamp_ns
        self._aside = _Aside(self._submit(self._glance, frame.image), frame.timestamp_ns)
        return Detections.empty(), frame.timestamp_ns

    def _take_aside(self, frame: Frame) -> tuple[Detections, int]:
        """Return what the detection beside the line found, once it is its turn."""
        assert self._aside is not None
        self._aside.frames += 1
        if self._aside.frames < ASIDE_FRAMES:
            return Detections.empty(), frame.timestamp_ns
        aside, self._aside = self._aside, None
        return aside.found.result(), aside.timestamp_ns

    def _end_aside(self) -> None:
        """Wait for the detection beside the line, for a detector looks at one picture at a time, and forget it."""
        if self._aside is not None:
            self._aside.found.result()
            self._aside = None

    # Track -----------------------------------------------------------------------------------------------------

    def _place(self, found: Detections, image: Image, seen_ns: int) -> tuple[list[Track], Regions]:
        """Return the lost people that were detected at `seen_ns`, and where to look for them and then for new ones."""
        regions = regions_from_detections(found)
        usable = np.flatnonzero(sane(regions, image))
        boxes, scores, regions = found.boxes_xyxy[usable], found.scores[usable], take_regions(regions, usable)
        assigned = self._tracker.assign(boxes, seen_ns)
        paired = list(zip(self._tracker.tracks, assigned, strict=True))
        refound = {track.track_id: row for track, row in paired if track.is_lost and row is not None}
        candidates = self._tracker.newcomers(boxes, scores, assigned)[: self._candidates()]
        rows = np.array([*refound.values(), *candidates], np.intp)
        return [track for track in self._tracker.tracks if track.track_id in refound], take_regions(regions, rows)

    def _candidates(self) -> int:
        """Return how many people who may be new are worth a look."""
        free = self._tracker.free_places
        return free + SPARE_CANDIDATES if free else 0

    def _follow(self, sighting: Sighting, frame: Frame) -> tuple[list[int], Tracks]:
        """Bring the tracks up to date; return the rows seen and their tracks."""
        known = list(self._tracker.tracks)
        sight = see(sighting, frame.image)
        boxes, regions = sight.boxes_xyxy, sight.regions
        present = [n for n in range(len(sighting)) if self._is_present(sighting, n)]
        # Who is lost has to find an own body again: one that another still follows is that other's.
        followed = [not track.is_lost for track in known] + [False] * (len(sighting) - len(known))
        surprises = [
            known[n].surprise(boxes[n], frame.timestamp_ns) if followed[n] else np.inf for n in range(len(sighting))
        ]
        pinned = [track.is_pinned for track in known] + [False] * (len(sighting) - len(known))
        seen = without_duplicates(sight, surprises, sorted(present, key=lambda n: (not followed[n], not pinned[n])))
        for row, track in enumerate(known):
            if row in seen:
                self._tracker.see(track, boxes[row], regions[row], float(sighting.scores[row]), frame.timestamp_ns)
            else:
                self._tracker.lose(track)
        rows, tracks = [n for n in seen if n < len(known)], [known[n] for n in seen if n < len(known)]
        for row in (n for n in seen if n >= len(known)):
            score = float(sighting.scores[row])
            if self._tracker.free_places and (score >= CROWDED_PRESENCE or not is_crowded(boxes[row], boxes[rows])):
                rows.append(row)
                tracks.append(self._tracker.bear(boxes[row], regions[row], score, frame.timestamp_ns))
        return in_order_of_birth(rows, tracks)

    def _is_present(self, sighting: Sighting, row: int) -> bool:
        return bool(sighting.scores[row] > 0 and sighting.scores[row] >= self._config.min_presence)

    def _look_first(self, image: Image, refound: list[Track], regions: Regions) -> list[FloatArray]:
        """Aim at those found again and return `(4,)` regions of people who may be new, from a first look at each."""
        if not len(regions):
            return []
        sighting = self._look(image, regions)
        aims = pack(sighting.next_regions)
        promising = sighting.scores >= FIRST_LOOK_PRESENCE
        for track, aim, is_promising in zip(refound, aims, promising):
            if is_promising:
                self._tracker.aim(track, aim)
        new = slice(len(refound), None)
        return list(aims[new][promising[new]])

    # Recover ---------------------------------------------------------------------------------------------------

    def _look(self, image: Image, regions: Regions) -> Sighting:
        """Return what is seen in each region; what cannot be a person in this picture has score 0."""
        sighting = self.engine.see(image, regions, self._camera(image))
        finite = finite_rows(sighting)
        if not finite.all():
            self._warn_once()
        believed = finite & sane(sighting.next_regions, image)
        if believed.all():
            return sighting
        return replace(sighting, scores=np.where(believed, sighting.scores, 0).astype(np.float32))

    def _warn_once(self) -> None:
        if not self._warned:
            logger.warning("the engine gave numbers that are not finite; those bodies are left out")
        self._warned = True

    def _camera(self, image: Image) -> FloatArray | None:
        if self._intrinsics is not None or self._focal_px is None:
            return self._intrinsics
        camera = default_intrinsics(image.shape[1], image.shape[0])
        camera[0, 0] = camera[1, 1] = self._focal_px
        return camera


@dataclass(slots=True)
class _Aside:
    """A detection beside the line."""

    found: Future[Detections]
    timestamp_ns: int
    """Of the picture that is looked at."""
    frames: int = 0
    """Frames since then."""


class _Clock:
    """Milliseconds of each stage, all three present."""

    def __init__(self) -> None:
        self.laps_ms = {"detect": 0.0, "track": 0.0, "recover": 0.0}
        self._begun_ns = time.perf_counter_ns()

    def lap(self, stage: str) -> None:
        """Add the time since the last lap to `stage`."""
        now_ns = time.perf_counter_ns()
        self.laps_ms[stage] += (now_ns - self._begun_ns) / 1e6
        self._begun_ns = now_ns


def in_order_of_birth(rows: list[int], tracks: list[Track]) -> tuple[list[int], Tracks]:
    """Return rows and their tracks, actors before others, the oldest person first."""
    order = sorted(range(len(rows)), key=lambda n: (not tracks[n].is_pinned, tracks[n].track_id))
    ids = np.array([tracks[n].track_id for n in order], np.int64)
    boxes = np.array([tracks[n].box_xyxy for n in order], np.float32).reshape(-1, 4)
    scores = np.array([tracks[n].score for n in order], np.float32)
    return [rows[n] for n in order], Tracks(ids, boxes, scores)
