"""Birth, death and assignment, on boxes alone."""

from __future__ import annotations

import numpy as np
import pytest

from mocap_app.config import TrackingConfig
from mocap_app.tracking import Sight, Tracker, box_costs, box_overlaps, greedy, without_duplicates

REGION = np.array((0, 0, 100, 0), np.float32)
MS = 1_000_000


def box(x: float, y: float = 200, width: float = 80, height: float = 200) -> np.ndarray:
    return np.array((x - width / 2, y - height / 2, x + width / 2, y + height / 2), np.float32)


def tracker(**settings: object) -> Tracker:
    return Tracker(TrackingConfig(**settings))  # type: ignore[arg-type]


def test_numbers_start_at_one_and_are_never_used_again() -> None:
    people = tracker(lost_after_s=0.1)
    first = people.bear(box(100), REGION, 1.0, 0)
    people.lose(first)
    people.forget(200 * MS)
    assert people.tracks == []
    assert (first.track_id, people.bear(box(100), REGION, 1.0, 200 * MS).track_id) == (1, 2)


@pytest.mark.parametrize(("age_ms", "is_kept"), [(0, True), (499, True), (500, True), (501, False), (5000, False)])
def test_a_lost_person_is_kept_by_time_not_by_frames(age_ms: int, is_kept: bool) -> None:
    people = tracker(lost_after_s=0.5)
    person = people.bear(box(100), REGION, 1.0, 0)
    people.lose(person)
    people.forget(age_ms * MS)
    assert bool(people.tracks) is is_kept


def test_somebody_in_view_is_never_forgotten_whatever_the_pause() -> None:
    people = tracker(lost_after_s=0.5)
    people.bear(box(100), REGION, 1.0, 0)
    people.forget(60_000 * MS)
    assert len(people.tracks) == 1


def test_detections_go_to_the_nearest_person_in_any_order() -> None:
    people = tracker()
    for x in (100, 300, 500):
        people.bear(box(x), REGION, 1.0, 0)
    assert people.assign(np.stack([box(505), box(104), box(298)]), 0) == [1, 2, 0]


def test_a_far_detection_is_nobody_known() -> None:
    people = tracker()
    people.bear(box(100), REGION, 1.0, 0)
    assert people.assign(box(400)[None], 0) == [None]
    assert people.assign(np.zeros((0, 4), np.float32), 0) == [None]


def test_a_lost_person_is_awaited_along_its_course() -> None:
    people = tracker()
    person = people.bear(box(100), REGION, 1.0, 0)
    for step in range(1, 31):
        people.see(person, box(100 + 10 * step), REGION, 1.0, step * 33 * MS)
    assert person.velocity_px_s[0] == pytest.approx(303, rel=0.05)
    people.lose(person)
    later_ns = (30 * 33 + 400) * MS
    assert people.assign(box(400 + 121)[None], later_ns) == [0]
    assert people.assign(box(400 - 121)[None], later_ns) == [None]


def test_the_square_round_a_whole_body_is_the_same_person_as_the_box_of_its_joints() -> None:
    people = tracker()
    people.bear(box(300), REGION, 1.0, 0)
    assert people.assign(box(305, 215, 250, 250)[None], 0) == [0]


def test_newcomers_are_ranked_by_size_and_score_and_known_people_are_left_out() -> None:
    people = tracker()
    people.bear(box(100), REGION, 1.0, 0)
    boxes = np.stack([box(100), box(300, height=150), box(500), box(104)])
    scores = np.array((0.9, 0.9, 0.9, 0.6), np.float32)
    assigned = people.assign(boxes, 0)
    assert assigned == [0]
    assert people.newcomers(boxes, scores, assigned) == [2, 1]


def test_a_lost_person_keeps_the_place_until_forgotten() -> None:
    people = tracker(max_people=1, lost_after_s=0.5)
    people.lose(people.bear(box(100), REGION, 1.0, 0))
    assert people.free_places == 0
    people.forget(501 * MS)
    assert people.free_places == 1


def sight_of(*xs: float, sides: tuple[float, ...] = (), turns: tuple[float, ...] = ()) -> Sight:
    shape = np.random.default_rng(1).uniform((-40, 100), (40, 300), (24, 2))
    joints = np.stack([shape + np.array((x, 0)) for x in xs]).astype(np.float32)
    columns = (xs, [200] * len(xs), sides or [250] * len(xs), turns or [0] * len(xs))
    return Sight(joints, np.stack([box(x) for x in xs]), np.array(columns, np.float32).T)


def test_of_two_on_one_body_the_older_stays() -> None:
    kept = without_duplicates(sight_of(100, 104, 300), [0.05, 0.05, 0.0], [0, 1, 2])
    assert kept == [0, 2]


def test_unless_the_older_has_clearly_leapt_there() -> None:
    assert without_duplicates(sight_of(100, 104), [0.5, 0.05], [0, 1]) == [1]


def test_a_newcomer_never_takes_a_followed_body() -> None:
    assert without_duplicates(sight_of(100, 104), [0.9, float("inf")], [0, 1]) == [0]


def test_two_people_close_together_are_two() -> None:
    assert without_duplicates(sight_of(100, 150), [0.0, 0.0], [0, 1]) == [0, 1]


def test_two_who_will_be_looked_for_in_one_region_are_one_whatever_their_joints() -> None:
    def kept(**regions: tuple[float, ...]) -> list[int]:
        sight = sight_of(100, 100, **regions)
        sight.joints_px[1] += 80
        return without_duplicates(sight, [0.0, 0.0], [0, 1])

    assert kept() == kept(sides=(250, 230), turns=(3.1, -3.1)) == [0]
    assert kept(sides=(250, 150)) == kept(turns=(0.0, 0.8)) == [0, 1]


def test_overlaps_and_costs_on_known_boxes() -> None:
    a = np.array([[0, 0, 10, 10], [5, 0, 15, 10]], np.float32)
    np.testing.assert_allclose(box_overlaps(a, a), [[1, 1 / 3], [1 / 3, 1]], atol=1e-6)
    np.testing.assert_allclose(box_costs(a, a), [[-1, 0.5 - 1 / 3], [0.5 - 1 / 3, -1]], atol=1e-6)


def test_greedy_leaves_what_is_forbidden() -> None:
    costs = np.array([[0.1, 0.2], [0.0, np.inf], [0.3, 0.4]], np.float32)
    assert greedy(costs) == [1, 0, None]
    assert greedy(np.zeros((0, 3), np.float32)) == []
