"""Perception on a stage with known people."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scene import Cast, Person, StageDetector, StageEngine, frame, index_of

from engines.synthetic import SyntheticDetector, SyntheticDetectorOptions, SyntheticEngine, SyntheticOptions
from engines.types import Detections, Image, MeshResult, Regions, Sighting
from mocap_app.capture.synthetic import draw_figure
from mocap_app.config import DetectorConfig, TrackingConfig
from mocap_app.perception import ASIDE_FRAMES, PICTURE_PASSES, Perception
from mocap_app.sightings import MAX_REGION_SIDES, sane
from mocap_app.types import Frame


def stage(cast: Cast, every: int = 10, **settings: object) -> tuple[Perception, StageDetector, StageEngine]:
    detector, engine = StageDetector(cast), StageEngine(cast)
    config = TrackingConfig(**settings)  # type: ignore[arg-type]
    return Perception(detector, engine, DetectorConfig(every=every), config), detector, engine


def play(perception: Perception, frames: range, fps: float = 30.0) -> list[dict[int, int]]:
    """Return for each frame who (the stage's number) is under which id."""
    seen = []
    for index in frames:
        tracks, meshes, stage_ms = perception.process(frame(index, fps))
        assert len(tracks) == len(meshes)
        assert set(stage_ms) == {"detect", "track", "recover"}
        assert list(tracks.track_ids) == sorted(tracks.track_ids)
        assert np.isfinite(meshes.joints).all()
        seen.append({int(i): round(float(s)) for i, s in zip(tracks.track_ids, meshes.shape[:, 0], strict=True)})
    return seen


def one_person(index: int) -> dict[int, Person]:
    return {7: Person(200 + 2 * index)}


def test_detection_runs_first_then_on_every_kth_frame() -> None:
    perception, detector, _ = stage(one_person, every=5)
    play(perception, range(16))
    assert detector.calls == [0, 5, 10, 15]


def test_detection_runs_on_each_frame_while_nobody_is_in_view() -> None:
    perception, detector, engine = stage(lambda index: {} if index < 4 else one_person(index), every=10)
    seen = play(perception, range(8))
    assert detector.calls == [0, 1, 2, 3, 4]
    assert seen == [{}] * 4 + [{1: 7}] * 4
    assert all(len(regions) == 0 for index, regions in engine.calls if index < 4)


class GlancingDetector(StageDetector):
    """Keeps the frames of its glances apart from those of its full looks."""

    def __init__(self, cast: Cast) -> None:
        super().__init__(cast)
        self.glances: list[int] = []

    def glance(self, image: Image) -> Detections:
        found = self.detect(image)
        self.glances.append(self.calls.pop())
        return found


def test_a_detector_of_many_looks_only_glances_while_somebody_is_followed() -> None:
    def cast(index: int) -> dict[int, Person]:
        return {1: Person(150)} | ({2: Person(450, is_seen=index < 8, is_detected=index < 8)} if index < 12 else {})

    detector = GlancingDetector(cast)
    perception = Perception(detector, StageEngine(cast), DetectorConfig(every=5), TrackingConfig(lost_after_s=0.1))
    seen = play(perception, range(18))
    assert seen[0] == seen[7] == {1: 1, 2: 2}
    assert seen[8] == seen[17] == {1: 1}
    assert detector.calls == [0, 9]  # at the start and when one has just gone
    assert detector.glances == [5, 10, 15]  # while that one may come back, and every fifth frame


def test_nobody_is_looked_for_when_all_places_are_taken() -> None:
    perception, detector, _ = stage(one_person, every=2, max_people=1)
    play(perception, range(7))
    assert detector.calls == [0]


def test_somebody_new_is_looked_at_twice_and_followed_people_once_all_in_one_call() -> None:
    def cast(index: int) -> dict[int, Person]:
        return {1: Person(150)} | ({2: Person(450)} if index >= 2 else {})

    perception, _, engine = stage(cast, every=2)
    play(perception, range(4))
    looks = [(index, len(regions)) for index, regions in engine.calls]
    assert looks == [(0, 1), (0, 1), (1, 1), (2, 1), (2, 2), (3, 2)]


def test_a_followed_person_is_looked_for_in_the_region_of_the_frame_before() -> None:
    perception, _, engine = stage(one_person)
    play(perception, range(3))
    centers = [float(regions.centers_px[0, 0]) for _, regions in engine.calls]
    assert centers == pytest.approx([200, 200, 200, 202])


def test_box_is_that_of_the_joints_with_a_margin_within_the_picture() -> None:
    perception, _, _ = stage(lambda index: {1: Person(30)})
    tracks, meshes, _ = perception.process(frame(0))
    low, high = meshes.joints_px[0].min(0), meshes.joints_px[0].max(0)
    assert low[0] < 0
    assert tracks.boxes_xyxy[0, 0] == 0
    assert (tracks.boxes_xyxy[0, 2:] > high).all()
    assert (tracks.boxes_xyxy[0, 2:] < high + 0.2 * (high - low).max()).all()


def crossing(index: int) -> dict[int, Person]:
    """Two people walk through one another's place; the one behind is hidden meanwhile."""
    left, right = 100 + 8 * index, 500 - 8 * index
    hidden = abs(left - right) < 60
    return {1: Person(left, is_seen=not hidden, is_detected=not hidden), 2: Person(right)}


@pytest.mark.parametrize("every", [1, 3, 10])
def test_two_people_who_cross_keep_their_numbers(every: int) -> None:
    perception, _, _ = stage(crossing, every=every)
    seen = play(perception, range(50))
    assert seen[0] == {1: 1, 2: 2}
    assert seen[-1] == {1: 1, 2: 2}
    assert all(ids in ({1: 1, 2: 2}, {2: 2}) for ids in seen[:20])
    assert {i for ids in seen for i in ids} == {1, 2}


def away(first: int, last: int) -> Cast:
    def cast(index: int) -> dict[int, Person]:
        return {} if first <= index <= last else {5: Person(300)}

    return cast


def test_a_person_lost_for_a_moment_returns_under_the_same_number() -> None:
    perception, detector, _ = stage(away(5, 12), every=1000)
    seen = play(perception, range(20))
    assert seen == [{1: 5}] * 5 + [{}] * 8 + [{1: 5}] * 7
    assert detector.calls == [0, 6, 7, 8, 9, 10, 11, 12, 13]


def test_a_person_lost_for_longer_returns_as_somebody_else() -> None:
    perception, _, _ = stage(away(5, 25))
    seen = play(perception, range(30))
    assert seen[0] == {1: 5}
    assert seen[-1] == {2: 5}


def test_time_stamps_decide_how_long_somebody_is_missed() -> None:
    perception, _, _ = stage(away(5, 12))
    assert play(perception, range(20), fps=5.0)[-1] == {2: 5}


def test_the_detector_finds_a_lost_person_elsewhere() -> None:
    def cast(index: int) -> dict[int, Person]:
        return {5: Person(300 if index < 5 else 375, is_seen=not 5 <= index < 8, is_detected=not 5 <= index < 8)}

    perception, _, engine = stage(cast)
    assert play(perception, range(10))[-1] == {1: 5}
    assert [len(regions) for index, regions in engine.calls if index == 8] == [1, 1]


def test_no_more_people_than_asked_for_and_the_largest_are_kept() -> None:
    people = {1: Person(100, height_px=100), 2: Person(300, height_px=220), 3: Person(520, height_px=180)}
    perception, _, _ = stage(lambda index: people, max_people=2)
    seen = play(perception, range(3))
    assert [sorted(ids.values()) for ids in seen] == [[2, 3]] * 3


def test_a_larger_newcomer_never_displaces_who_is_followed() -> None:
    def cast(index: int) -> dict[int, Person]:
        return {1: Person(150)} | ({2: Person(450, height_px=400)} if index >= 2 else {})

    perception, _, _ = stage(cast, every=1, max_people=1)
    assert play(perception, range(6)) == [{1: 1}] * 6


def test_statues_do_not_keep_a_person_from_being_found() -> None:
    people = {
        1: Person(100, height_px=300, score=0.2),
        2: Person(320, height_px=280, score=0.2),
        3: Person(520, height_px=180),
    }
    perception, _, _ = stage(lambda index: people, max_people=1)
    assert play(perception, range(3)) == [{1: 3}] * 3


def test_weak_presence_is_not_reported_and_looked_for_again() -> None:
    perception, detector, _ = stage(lambda index: {1: Person(300, score=0.4 if index == 3 else 0.9)}, every=100)
    assert play(perception, range(6)) == [{1: 1}] * 3 + [{}] + [{1: 1}] * 2
    assert detector.calls == [0, 4]


def test_a_person_detected_twice_is_one() -> None:
    class Double(StageDetector):
        def detect(self, image: np.ndarray) -> Detections:
            once = super().detect(image)
            boxes = np.concatenate([once.boxes_xyxy, once.boxes_xyxy + np.float32(30)])
            return Detections(boxes, np.concatenate([once.scores, once.scores]))

    perception = Perception(Double(one_person), StageEngine(one_person), DetectorConfig(every=1), TrackingConfig())
    assert play(perception, range(3)) == [{1: 7}] * 3


@pytest.mark.parametrize(("x_px", "score", "people"), [(260, 0.7, 1), (260, 0.95, 2), (400, 0.7, 2)])
def test_a_weak_newcomer_is_believed_only_where_nobody_else_is(x_px: float, score: float, people: int) -> None:
    def cast(index: int) -> dict[int, Person]:
        return {1: Person(200)} | ({2: Person(x_px, score=score)} if index > 0 else {})

    perception, _, _ = stage(cast, every=1)
    assert [len(seen) for seen in play(perception, range(4))] == [1, people, people, people]


def test_numbers_that_are_not_finite_are_left_out_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    perception, _, engine = stage(one_person)
    engine.poisoned = lambda index: index in (2, 3)
    with caplog.at_level(logging.WARNING):
        seen = play(perception, range(6))
    assert seen == [{1: 7}] * 2 + [{}] * 2 + [{1: 7}] * 2
    assert sum("not finite" in record.message for record in caplog.records) == 1
    assert all(np.isfinite(regions.centers_px).all() for _, regions in engine.calls)


def test_an_engine_that_always_gives_nonsense_gives_nobody() -> None:
    perception, _, engine = stage(one_person)
    engine.poisoned = lambda index: True
    assert play(perception, range(3)) == [{}] * 3
    assert len(perception.process_picture(frame(0))[0]) == 0


def test_regions_that_cannot_hold_a_person_are_refused() -> None:
    picture = np.zeros((480, 640, 3), np.uint8)
    largest = MAX_REGION_SIDES * 640
    centers = [(320, 240), (320, 240), (320, 240), (np.nan, 240), (-200, 240), (-40, 240), (320, 800)]
    sides = [100, 3, largest + 1, 100, 100, 100, 100]
    regions = Regions(np.array(centers, np.float32), np.array(sides, np.float32), np.zeros(7, np.float32))
    assert sane(regions, picture).tolist() == [True, False, False, False, False, True, False]


def test_pictures_are_independent_and_best_first() -> None:
    people = {1: Person(150, score=0.7), 2: Person(450, score=0.95), 3: Person(300, height_px=80, score=0.3)}
    perception, detector, engine = stage(lambda index: people)
    for _ in range(2):
        tracks, meshes, stage_ms = perception.process_picture(frame(0))
        assert tracks.track_ids.tolist() == [1, 2]
        assert meshes.shape[:, 0].tolist() == [2, 1]
        assert set(stage_ms) == {"detect", "track", "recover"}
    assert detector.calls == [0, 0]
    assert len(engine.calls) == 2 * PICTURE_PASSES


def test_a_picture_with_nobody_is_legal() -> None:
    perception, _, _ = stage(lambda index: {})
    tracks, meshes, _ = perception.process_picture(frame(0))
    assert len(tracks) == len(meshes) == 0


def test_focal_length_reaches_the_engine() -> None:
    engine = StageEngine(one_person)
    perception = Perception(StageDetector(one_person), engine, DetectorConfig(), TrackingConfig(), focal_px=500.0)
    assert perception.process(frame(0))[1].intrinsics.tolist() == [[500, 0, 320], [0, 500, 240], [0, 0, 1]]


def test_close_releases_both() -> None:
    perception, detector, engine = stage(one_person)
    perception.close()
    assert (detector.closed, engine.closed) == (1, 1)


@pytest.mark.parametrize("size_hw", [(1, 1), (2, 900), (48, 64)])
def test_the_drawn_figure_and_tiny_pictures(size_hw: tuple[int, int]) -> None:
    perception = Perception(
        SyntheticDetector(SyntheticDetectorOptions()),
        SyntheticEngine(SyntheticOptions()),
        DetectorConfig(),
        TrackingConfig(),
    )
    picture = np.zeros((*size_hw, 3), np.uint8)
    assert len(perception.process(Frame(picture, 0, 0))[0]) == 0
    assert len(perception.process_picture(Frame(picture, 0, 0))[0]) == 0
    drawn = Frame(draw_figure(0.0, (320, 240)), 1, 33_000_000)
    assert perception.process(drawn)[0].track_ids.tolist() == [1]


def beside(cast: Cast, detector: StageDetector, frames: range) -> list[dict[int, int]]:
    perception = Perception(detector, StageEngine(cast), DetectorConfig(every=5), TrackingConfig())
    with ThreadPoolExecutor(1) as pool:
        perception.work_aside(pool.submit)
        return play(perception, frames)


def test_a_newcomer_found_beside_the_line_is_followed_a_fixed_number_of_frames_later() -> None:
    def cast(index: int) -> dict[int, Person]:
        return {1: Person(150)} | ({2: Person(450 + 4 * index)} if index >= 4 else {})

    detector = StageDetector(cast)
    seen = beside(cast, detector, range(16))
    first = 5 + ASIDE_FRAMES
    assert seen[first - 1] == {1: 1}
    assert seen[first] == seen[15] == {1: 1, 2: 2}
    assert detector.calls == [0, 5, 10, 15]
    assert beside(cast, StageDetector(cast), range(16)) == seen


def test_who_moves_while_a_detection_runs_beside_the_line_is_not_taken_for_somebody_new() -> None:
    def cast(index: int) -> dict[int, Person]:
        return {1: Person(60 + 30 * index)}

    assert beside(cast, StageDetector(cast), range(19)) == [{1: 1}] * 19


def test_once_nobody_is_followed_the_detection_beside_the_line_is_waited_for_and_forgotten() -> None:
    def cast(index: int) -> dict[int, Person]:
        return {1: Person(150)} if index < 7 or index >= 9 else {}

    detector = StageDetector(cast)
    seen = beside(cast, detector, range(12))
    assert detector.calls[:4] == [0, 5, 8, 9]
    assert seen[9] == {1: 1}


def test_an_error_of_a_detection_beside_the_line_comes_out() -> None:
    class Failing(StageDetector):
        def detect(self, image: Image) -> Detections:
            if index_of(image) >= 5:
                raise RuntimeError("the card is gone")
            return super().detect(image)

    with pytest.raises(RuntimeError, match="the card is gone"):
        beside(one_person, Failing(one_person), range(12))


def test_bodies_that_are_no_numbers_are_left_out_of_their_frame_alone(caplog: pytest.LogCaptureFixture) -> None:
    class Spoiling(StageEngine):
        def recover(self, sighting: Sighting) -> MeshResult:
            meshes = super().recover(sighting)
            meshes.vertices[0, 0] = np.nan
            return meshes

    def cast(index: int) -> dict[int, Person]:
        return {1: Person(150), 2: Person(450)}

    perception = Perception(StageDetector(cast), Spoiling(cast), DetectorConfig(), TrackingConfig())
    for index in range(3):
        tracks, meshes, _ = perception.process(frame(index))
        assert len(tracks) == len(meshes) == 1
        assert np.isfinite(meshes.vertices).all()
    assert len([r for r in caplog.records if "not finite" in r.message]) == 1
