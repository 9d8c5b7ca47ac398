"""What may be asked of a session while it runs, with the real tracker, solver and threads."""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np
import pytest
from scene import Person, frame
from take_material import FPS, Walkers, session_of
from test_perception import play, stage
from test_tracking import MS, REGION, box, tracker

from mocap_app.config import MotionConfig, SmoothingConfig
from mocap_app.motion.solver import MotionSolver
from mocap_app.tracking import PINNED_LOST_S
from mocap_app.types import FrameResult
from mocap_app.wishes import Merge, Pin, Smooth, Swap, Wish

Plan = dict[int, Wish]
"""Frame number -> what is asked after that frame was seen."""


class Watch:
    """A sink that keeps what it gets, and asks for things between frames."""

    keep = "all"

    def __init__(self, ask: Callable[[int], None]) -> None:
        self._ask = ask
        self.results: list[FrameResult] = []

    def write(self, result: FrameResult) -> None:
        self.results.append(result)
        self._ask(result.frame.index)

    def close(self) -> None: ...


def run(frames: int, plan: Plan, cast: Callable[[int], tuple[bool, bool]] | None = None, **tracking: object):
    """Run a session; return who (0 left, 1 right) had which number in each frame, and the results.

    The next frame is given only once the one before has been seen by the sink, so that wishes fall between two.
    """
    watch: list[Watch] = []

    def wait_for_turn(index: int) -> None:
        while index and session.error is None and not (watch and len(watch[0].results) >= index):
            session._finished.wait(0.001)

    source = Walkers(frames, cast or (lambda index: (True, True)), wait_for_turn)

    def make(context: object) -> Watch:
        watch.append(Watch(lambda index: session.ask(plan[index]) if index in plan else None))
        return watch[0]

    session = session_of(source, [make], **tracking)
    session.start()
    session.join()
    middle = source.size_wh[0] / 2
    seen = []
    for result in watch[0].results:
        centers = result.tracks.boxes_xyxy[:, [0, 2]].mean(axis=1)
        seen.append({int(n): int(x > middle) for n, x in zip(result.tracks.track_ids, centers, strict=True)})
    return seen, watch[0].results


def test_swapped_people_go_on_under_one_anothers_numbers() -> None:
    before, _ = run(12, {})
    assert before[4] == before[11]
    seen, results = run(12, {5: Swap(1, 2)})
    assert seen[:6] == before[:6]
    assert seen[6:] == [{n: 1 - side for n, side in before[5].items()}] * 6
    # The numbers went over, the filters with them: nobody glides across the picture.
    for result in results[6:]:
        for row, pose in enumerate(result.poses):
            assert abs(pose.root_translation[0] - result.meshes.translation[row, 0]) < 0.05


def test_an_actor_comes_first_in_every_result() -> None:
    seen, results = run(8, {3: Pin(2)})
    assert [list(r.tracks.track_ids) for r in results] == [[1, 2]] * 4 + [[2, 1]] * 4
    assert [pose.subject for pose in results[-1].poses] == [2, 1]
    assert seen[-1] == seen[0]


def returning(index: int) -> tuple[bool, bool]:
    """The left one is away for a second, and somebody stays."""
    return (not 10 <= index < 10 + round(FPS), True)


def test_an_actor_who_was_away_for_long_has_the_number_still_and_others_have_not() -> None:
    plain, _ = run(60, {}, returning)
    left = next(n for n, side in plain[5].items() if side == 0)
    assert left not in plain[-1]
    assert 3 in plain[-1]
    pinned, _ = run(60, {3: Pin(left)}, returning)
    assert pinned[-1] == pinned[0]
    unpinned, _ = run(60, {3: Pin(left), 6: Pin(left, is_pinned=False)}, returning)
    assert unpinned == plain


def test_somebody_who_came_back_is_merged_into_whom_the_session_forgot() -> None:
    plain, _ = run(60, {}, returning)
    seen, _ = run(60, {50: Merge(3, next(n for n, side in plain[5].items() if side == 0))}, returning)
    assert seen[50] == plain[50]
    assert seen[51] == seen[59] == plain[0]


def test_smoothing_changes_without_a_restart() -> None:
    rough = Smooth(SmoothingConfig(enabled=False))
    calm = Smooth(SmoothingConfig(min_cutoff_hz=0.05, beta=0.0))

    def way(plan: Plan) -> np.ndarray:
        _, results = run(30, plan)
        return np.array([r.poses[0].root_translation[0] for r in results])

    plain, raw, still = way({}), way({9: rough}), way({9: calm})
    np.testing.assert_array_equal(plain[:10], raw[:10])
    np.testing.assert_array_equal(plain[:10], still[:10])
    assert np.abs(np.diff(still[10:])).sum() < 0.5 * np.abs(np.diff(plain[10:])).sum()
    assert np.abs(raw[10:] - plain[10:]).max() > 1e-4
    assert np.abs(np.diff(still[8:12])).max() < 0.05, "no jump where the settings change"


def test_wishes_about_nobody_are_refused_in_a_line_and_the_session_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "mocap_app"):
        seen, _ = run(8, {1: Pin(7), 2: Swap(1, 9), 3: Merge(8, 1), 4: Merge(1, 9), 5: Swap(1, 1)})
    assert seen[-1] == seen[0]
    assert len(caplog.messages) == 5
    assert "Pin(track_id=7" in caplog.messages[0]
    assert "expected one of: 1, 2" in caplog.messages[0]


def test_wishes_before_the_start_wait_and_after_the_end_do_nothing() -> None:
    session = session_of(Walkers(3), [])
    session.ask(Pin(1))
    session.start()
    session.join()
    session.ask(Swap(1, 2))


# The tracker alone ----------------------------------------------------------------------------------------------


def test_an_absent_actor_keeps_the_place_from_everybody_else() -> None:
    people = tracker(max_people=1, lost_after_s=0.5)
    actor = people.bear(box(100), REGION, 1.0, 0)
    assert people.grant(Pin(1))
    people.lose(actor)
    people.forget(5_000 * MS)
    assert people.tracks == []
    assert people.free_places == 1
    back = people.bear(box(500), REGION, 1.0, 5_000 * MS)
    assert (back.track_id, back.is_pinned, people.absent, people.free_places) == (1, True, [], 0)


@pytest.mark.parametrize(("age_s", "is_awaited"), [(PINNED_LOST_S, True), (PINNED_LOST_S + 1, False)])
def test_an_actor_is_awaited_for_ten_minutes(age_s: float, is_awaited: bool) -> None:
    people = tracker()
    people.lose(people.bear(box(100), REGION, 1.0, 0))
    people.grant(Pin(1))
    people.forget(1_000 * MS)
    people.forget(round(age_s * 1e9))
    assert people.bear(box(100), REGION, 1.0, round(age_s * 1e9)).track_id == (1 if is_awaited else 2)


def test_of_two_absent_actors_the_nearer_comes_back() -> None:
    people = tracker()
    for x in (100, 400):
        people.lose(people.bear(box(x), REGION, 1.0, 0))
    assert people.grant(Pin(1))
    assert people.grant(Pin(2))
    people.forget(2_000 * MS)
    assert people.bear(box(390), REGION, 1.0, 2_000 * MS).track_id == 2
    assert people.bear(box(390), REGION, 1.0, 2_000 * MS).track_id == 1
    assert people.bear(box(390), REGION, 1.0, 2_000 * MS).track_id == 3


def test_an_absent_actor_who_is_unpinned_is_gone() -> None:
    people = tracker()
    people.lose(people.bear(box(100), REGION, 1.0, 0))
    people.grant(Pin(1))
    people.forget(2_000 * MS)
    assert people.grant(Pin(1, is_pinned=False))
    people.forget(2_100 * MS)
    assert people.bear(box(100), REGION, 1.0, 2_100 * MS).track_id == 2


def test_a_pin_goes_with_the_number() -> None:
    people = tracker()
    for x in (100, 400):
        people.bear(box(x), REGION, 1.0, 0)
    people.grant(Pin(1))
    people.grant(Swap(1, 2))
    assert [(t.track_id, t.is_pinned) for t in people.tracks] == [(2, False), (1, True)]
    people.grant(Merge(1, 2))
    assert [(t.track_id, t.is_pinned) for t in people.tracks] == [(2, True)]


def test_somebody_seen_twice_goes_on_once_under_the_number_asked_for() -> None:
    people = tracker()
    first, second = (people.bear(box(x), REGION, 1.0, 0) for x in (100, 110))
    assert people.grant(Merge(second.track_id, first.track_id))
    assert people.tracks == [first]


def two_become_one(index: int) -> dict[int, Person]:
    """Somebody walks behind somebody who stands, and does not come out."""
    left = 380 + index
    return {1: Person(left, is_seen=left < 405, is_detected=False), 2: Person(430, is_detected=index == 0)} | (
        {1: Person(left)} if index == 0 else {}
    )


@pytest.mark.parametrize(("pinned", "stays"), [(None, 1), (2, 2)])
def test_of_two_numbers_on_one_body_the_actors_stays(pinned: int | None, stays: int) -> None:
    perception, _, _ = stage(two_become_one, every=1000)
    play(perception, range(10))
    if pinned:
        perception.grant(Pin(pinned))
    results = [perception.process(frame(index)) for index in range(10, 40)]
    assert results[-1][0].track_ids.tolist() == [stays]


def test_the_solver_follows_a_change_of_numbers() -> None:
    solver = MotionSolver(session_body(), MotionConfig())
    people = {n: object() for n in (1, 2)}
    solver._people = dict(people)  # type: ignore[arg-type]
    solver.grant(Swap(1, 2))
    assert solver._people == {1: people[2], 2: people[1]}
    solver.grant(Merge(2, 5))
    assert solver._people == {1: people[2], 5: people[1]}


def session_body():
    from engines.synthetic import SyntheticEngine, SyntheticOptions

    return SyntheticEngine(SyntheticOptions()).body_model
