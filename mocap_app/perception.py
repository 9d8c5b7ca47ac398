"""Perception: detect, track, recover on one frame at a time. No threads; state per person followed.

Somebody new is looked at twice in the first frame: once in the detector's region, then in the region that the first
body gives, which follows how the person lies in the picture. After that each frame starts from the region of the
frame before, and the detector only looks for new people and for those who were lost.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from engines.detectors.alignment import regions_from_detections
from engines.geometry import default_intrinsics
from engines.types import Detections, Detector, FloatArray, Image, MeshEngine, MeshResult, Regions

from .config import DetectorConfig, TrackingConfig
from .tracking import Sight, Track, Tracker, is_crowded, without_duplicates
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
MIN_REGION_PX = 8.0
MAX_REGION_SIDES = 4.0
"""Largest region, in longer sides of the picture."""
BOX_JOINT_MARGIN = 0.08
"""Flesh beyond the outermost joints, on each side, in sizes of the joints' box."""

REGION_REACH = 1.2
"""A body reaches no further than this from its region's centre, in half sides: raised arms, and a turned region."""


class Perception:
    """Finds, follows and recovers people. Made, used and closed by one thread."""

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
        self._warned = False

    @property
    def runtime(self) -> str:
        """What runs the engine's networks; may change while it is used, and may be read from any thread."""
        return self.engine.runtime

    def process(self, frame: Frame) -> tuple[Tracks, MeshResult, dict[str, float]]:
        """Return the people seen in `frame`, actors first, in order of appearance, and milliseconds per stage.

        Somebody scored below `min_presence` is left out of this frame, and looked for by the detector in the next.
        """
        clock = _Clock()
        self._tracker.forget(frame.timestamp_ns)
        found = self._detect(frame.image)
        clock.lap("detect")
        refound, first_looks = self._place(found, frame)
        clock.lap("track")
        new_regions = self._look_first(frame.image, refound, first_looks)
        looked_at = _unpack([*(track.region for track in self._tracker.tracks), *new_regions])
        meshes = self._recover(frame.image, looked_at)
        clock.lap("recover")
        rows, tracks = self._follow(meshes, frame)
        clock.lap("track")
        return tracks, take_rows(meshes, rows), clock.laps_ms

    def process_picture(self, frame: Frame) -> tuple[Tracks, MeshResult, dict[str, float]]:
        """Return the people of a picture that has nothing to do with any other, best first."""
        clock = _Clock()
        found = self._detector.detect(frame.image)
        clock.lap("detect")
        rows = Tracker(self._config).newcomers(found.boxes_xyxy, found.scores, [])
        regions = _take_regions(regions_from_detections(found), np.array(rows[: self._candidates()], np.intp))
        regions = _take_regions(regions, np.flatnonzero(sane(regions, frame.image)))
        clock.lap("track")
        meshes = self._recover(frame.image, regions)
        for _ in range(PICTURE_PASSES - 1):
            regions = _unpack(list(np.where(meshes.scores[:, None] > 0, _pack(meshes.next_regions), _pack(regions))))
            again = self._recover(frame.image, regions)
            meshes = merge_rows(meshes, again, again.scores >= meshes.scores - WORSE_SCORE)
        clock.lap("recover")
        best = [int(n) for n in np.argsort(-meshes.scores, kind="stable") if self._is_present(meshes, int(n))]
        sight = see(meshes, frame.image)
        kept = without_duplicates(sight, [np.inf] * len(meshes), best)[: self._config.max_people]
        clock.lap("track")
        ids = np.arange(1, len(kept) + 1, dtype=np.int64)
        return Tracks(ids, sight.boxes_xyxy[kept], meshes.scores[kept]), take_rows(meshes, kept), clock.laps_ms

    def grant(self, wish: Wish) -> bool:
        """Do what is asked about people; return False where it names somebody unknown, which is logged."""
        return self._tracker.grant(wish)

    def close(self) -> None:
        """Release detector and engine; may be called twice."""
        self._detector.close()
        self.engine.close()

    # Detect ----------------------------------------------------------------------------------------------------

    def _detect(self, image: Image) -> Detections:
        """Look for new and lost people: with all means where nobody is followed or somebody has just gone."""
        self._frames_since_detection += 1
        tracks = self._tracker.tracks
        lost = {track.track_id for track in tracks if track.is_lost}
        has_just_lost, self._sought = bool(lost - self._sought), lost
        needs_all = has_just_lost or len(lost) == len(tracks)
        is_due = self._tracker.free_places and self._frames_since_detection >= self._every
        if not (needs_all or is_due or self._tracker.has_lost):
            return Detections.empty()
        self._frames_since_detection = 0
        return self._detector.detect(image) if needs_all else self._glance(image)

    # Track -----------------------------------------------------------------------------------------------------

    def _place(self, found: Detections, frame: Frame) -> tuple[list[Track], Regions]:
        """Return the lost people that were detected, and where to look for them and then for new ones."""
        regions = regions_from_detections(found)
        usable = np.flatnonzero(sane(regions, frame.image))
        boxes, scores, regions = found.boxes_xyxy[usable], found.scores[usable], _take_regions(regions, usable)
        assigned = self._tracker.assign(boxes, frame.timestamp_ns)
        paired = list(zip(self._tracker.tracks, assigned, strict=True))
        refound = {track.track_id: row for track, row in paired if track.is_lost and row is not None}
        candidates = self._tracker.newcomers(boxes, scores, assigned)[: self._candidates()]
        rows = np.array([*refound.values(), *candidates], np.intp)
        return [track for track in self._tracker.tracks if track.track_id in refound], _take_regions(regions, rows)

    def _candidates(self) -> int:
        """Return how many people who may be new are worth a look."""
        free = self._tracker.free_places
        return free + SPARE_CANDIDATES if free else 0

    def _follow(self, meshes: MeshResult, frame: Frame) -> tuple[list[int], Tracks]:
        """Bring the tracks up to date; return the rows seen and their tracks."""
        known = list(self._tracker.tracks)
        sight = see(meshes, frame.image)
        boxes, regions = sight.boxes_xyxy, sight.regions
        present = [n for n in range(len(meshes)) if self._is_present(meshes, n)]
        # Who is lost has to find an own body again: one that another still follows is that other's.
        followed = [not track.is_lost for track in known] + [False] * (len(meshes) - len(known))
        surprises = [
            known[n].surprise(boxes[n], frame.timestamp_ns) if followed[n] else np.inf for n in range(len(meshes))
        ]
        pinned = [track.is_pinned for track in known] + [False] * (len(meshes) - len(known))
        seen = without_duplicates(sight, surprises, sorted(present, key=lambda n: (not followed[n], not pinned[n])))
        for row, track in enumerate(known):
            if row in seen:
                self._tracker.see(track, boxes[row], regions[row], float(meshes.scores[row]), frame.timestamp_ns)
            else:
                self._tracker.lose(track)
        rows, tracks = [n for n in seen if n < len(known)], [known[n] for n in seen if n < len(known)]
        for row in (n for n in seen if n >= len(known)):
            score = float(meshes.scores[row])
            if self._tracker.free_places and (score >= CROWDED_PRESENCE or not is_crowded(boxes[row], boxes[rows])):
                rows.append(row)
                tracks.append(self._tracker.bear(boxes[row], regions[row], score, frame.timestamp_ns))
        return in_order_of_birth(rows, tracks)

    def _is_present(self, meshes: MeshResult, row: int) -> bool:
        return bool(meshes.scores[row] > 0 and meshes.scores[row] >= self._config.min_presence)

    def _look_first(self, image: Image, refound: list[Track], regions: Regions) -> list[FloatArray]:
        """Aim at those found again and return `(4,)` regions of people who may be new, from a first look at each."""
        if not len(regions):
            return []
        meshes = self._recover(image, regions)
        aims = _pack(meshes.next_regions)
        promising = meshes.scores >= FIRST_LOOK_PRESENCE
        for track, aim, is_promising in zip(refound, aims, promising):
            if is_promising:
                self._tracker.aim(track, aim)
        new = slice(len(refound), None)
        return list(aims[new][promising[new]])

    # Recover ---------------------------------------------------------------------------------------------------

    def _recover(self, image: Image, regions: Regions) -> MeshResult:
        """Return one body per region; what cannot be a person in this picture has score 0."""
        meshes = self.engine.predict(image, regions, self._camera(image))
        finite = finite_rows(meshes)
        if not finite.all() and not self._warned:
            self._warned = True
            logger.warning("the engine gave numbers that are not finite; those bodies are left out")
        believed = finite & sane(meshes.next_regions, image)
        if believed.all():
            return meshes
        return replace(meshes, scores=np.where(believed, meshes.scores, 0).astype(np.float32))

    def _camera(self, image: Image) -> FloatArray | None:
        if self._intrinsics is not None or self._focal_px is None:
            return self._intrinsics
        camera = default_intrinsics(image.shape[1], image.shape[0])
        camera[0, 0] = camera[1, 1] = self._focal_px
        return camera


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


def sane(regions: Regions, image: Image) -> np.ndarray:
    """Return `(N,)` bool: finite, neither tiny nor huge, and some of it in the `(H, W, 3)` picture."""
    size = np.array((image.shape[1], image.shape[0]), np.float32)
    numbers = _pack(regions)
    finite = np.isfinite(numbers).all(axis=1)
    centers, half = np.nan_to_num(regions.centers_px), np.nan_to_num(regions.sides_px)[:, None] / 2
    inside = ((centers + half > 0) & (centers - half < size)).all(axis=1)
    largest = MAX_REGION_SIDES * max(float(size.max()), MIN_REGION_PX)
    return finite & inside & (half[:, 0] * 2 >= MIN_REGION_PX) & (half[:, 0] * 2 <= largest)


def finite_rows(meshes: MeshResult) -> np.ndarray:
    """Return `(N,)` bool: every number of the body is finite."""
    arrays = (
        meshes.vertices, meshes.joints, meshes.translation, meshes.global_rotations, meshes.shape, meshes.joints_px,
        meshes.confidence, meshes.scores, _pack(meshes.next_regions),
    )  # fmt: skip
    # A sum is finite unless a number is not (or float32 overflows, which no body does), and much faster to make.
    with np.errstate(invalid="ignore", over="ignore"):
        sums = [a.sum(axis=tuple(range(1, a.ndim))) for a in arrays]
    return np.logical_and.reduce([np.isfinite(total) for total in sums])


def see(meshes: MeshResult, image: Image) -> Sight:
    """Return where the bodies lie in the `(H, W, 3)` picture.

    Boxes are those of the joints with a margin, as far as they lie in the region of the person and in the picture:
    legs that are out of sight may be anywhere.
    """
    regions = np.nan_to_num(_pack(meshes.next_regions), posinf=0.0, neginf=0.0)
    if not len(meshes):
        return Sight(meshes.joints_px, np.zeros((0, 4), np.float32), regions)
    joints_px = np.nan_to_num(meshes.joints_px, posinf=0.0, neginf=0.0)
    low, high = joints_px.min(axis=1), joints_px.max(axis=1)
    margin = BOX_JOINT_MARGIN * (high - low).max(axis=1, keepdims=True)
    reach = REGION_REACH * regions[:, 2:3] / 2
    low = np.clip(low - margin, regions[:, :2] - reach, regions[:, :2] + reach)
    high = np.clip(high + margin, regions[:, :2] - reach, regions[:, :2] + reach)
    boxes = np.clip(np.concatenate([low, high], axis=1), 0, np.array(image.shape[1::-1] * 2))
    return Sight(joints_px, boxes.astype(np.float32), regions)


def in_order_of_birth(rows: list[int], tracks: list[Track]) -> tuple[list[int], Tracks]:
    """Return rows and their tracks, actors before others, the oldest person first."""
    order = sorted(range(len(rows)), key=lambda n: (not tracks[n].is_pinned, tracks[n].track_id))
    ids = np.array([tracks[n].track_id for n in order], np.int64)
    boxes = np.array([tracks[n].box_xyxy for n in order], np.float32).reshape(-1, 4)
    scores = np.array([tracks[n].score for n in order], np.float32)
    return [rows[n] for n in order], Tracks(ids, boxes, scores)


def take_rows(meshes: MeshResult, rows: list[int]) -> MeshResult:
    """Return the bodies asked for."""
    if rows == list(range(len(meshes))):
        return meshes
    index = np.array(rows, np.intp)
    return MeshResult(
        vertices=meshes.vertices[index],
        joints=meshes.joints[index],
        translation=meshes.translation[index],
        global_rotations=meshes.global_rotations[index],
        shape=meshes.shape[index],
        joints_px=meshes.joints_px[index],
        confidence=meshes.confidence[index],
        scores=meshes.scores[index],
        intrinsics=meshes.intrinsics,
        next_regions=_take_regions(meshes.next_regions, index),
    )


def merge_rows(first: MeshResult, second: MeshResult, is_second: np.ndarray) -> MeshResult:
    """Return for each row the body of `second` where `(N,)` bool says so, else that of `first`."""
    if is_second.all():
        return second

    def pick(a: FloatArray, b: FloatArray) -> FloatArray:
        return np.where(is_second.reshape(-1, *[1] * (a.ndim - 1)), b, a)

    return MeshResult(
        vertices=pick(first.vertices, second.vertices),
        joints=pick(first.joints, second.joints),
        translation=pick(first.translation, second.translation),
        global_rotations=pick(first.global_rotations, second.global_rotations),
        shape=pick(first.shape, second.shape),
        joints_px=pick(first.joints_px, second.joints_px),
        confidence=pick(first.confidence, second.confidence),
        scores=pick(first.scores, second.scores),
        intrinsics=second.intrinsics,
        next_regions=_unpack(list(pick(_pack(first.next_regions), _pack(second.next_regions)))),
    )


def _take_regions(regions: Regions, rows: np.ndarray) -> Regions:
    return Regions(regions.centers_px[rows], regions.sides_px[rows], regions.angles_rad[rows])


def _pack(regions: Regions) -> FloatArray:
    """Return `(N, 4)`: centre x, y, side, angle."""
    return np.concatenate([regions.centers_px, regions.sides_px[:, None], regions.angles_rad[:, None]], axis=1)


def _unpack(rows: list[FloatArray]) -> Regions:
    numbers = np.array(rows, np.float32).reshape(-1, 4)
    return Regions(numbers[:, :2], numbers[:, 2], numbers[:, 3])
