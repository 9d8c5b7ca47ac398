"""Play, scrub, loop, in and out, on a clock that is turned by hand."""

from __future__ import annotations

import pytest

from mocap_app.viewer.playhead import SPEEDS, Playhead


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def head(clock: Clock) -> Playhead:
    return Playhead(10.0, 30.0, clock)


def test_stands_still_until_it_plays_and_where_it_is_paused(head: Playhead, clock: Clock) -> None:
    clock.now += 5
    assert (head.time_s, head.is_playing) == (0.0, False)
    head.play()
    clock.now += 2
    assert (head.time_s, head.frame, head.is_playing) == (pytest.approx(2.0), 60, True)
    head.pause()
    clock.now += 2
    assert head.time_s == pytest.approx(2.0)
    head.toggle()
    clock.now += 1
    assert head.time_s == pytest.approx(3.0)
    head.toggle()
    assert not head.is_playing


def test_ends_at_the_end_and_plays_again_from_the_beginning(head: Playhead, clock: Clock) -> None:
    head.seek(9.0)
    head.play()
    clock.now += 60
    assert not head.is_playing
    assert head.time_s == 10.0
    head.play()
    clock.now += 1
    assert head.time_s == pytest.approx(1.0)


def test_ends_at_the_out_point_and_begins_at_the_in_point(head: Playhead, clock: Clock) -> None:
    head.set_in(2.0)
    head.set_out(5.0)
    head.play()
    assert head.time_s == 2.0
    clock.now += 2.5
    assert head.time_s == pytest.approx(4.5)
    clock.now += 2
    assert (head.time_s, head.is_playing) == (5.0, False)


def test_loops_between_in_and_out_without_losing_time(head: Playhead, clock: Clock) -> None:
    head.set_in(2.0)
    head.set_out(5.0)
    head.loop = True
    head.play()
    clock.now += 3 * 7 + 1.25
    assert head.time_s == pytest.approx(3.25)
    clock.now += 3
    assert head.time_s == pytest.approx(3.25)
    assert head.is_playing


@pytest.mark.parametrize("speed", SPEEDS)
def test_speed_counts_from_where_it_is(head: Playhead, clock: Clock, speed: float) -> None:
    head.play()
    clock.now += 1
    head.set_speed(speed)
    assert head.time_s == pytest.approx(1.0)
    clock.now += 2
    assert head.time_s == pytest.approx(1.0 + 2 * speed)


@pytest.mark.parametrize("speed", [0.0, 0.2, 2.5, -1.0])
def test_other_speeds_are_refused(head: Playhead, speed: float) -> None:
    with pytest.raises(ValueError, match=r"expected 0\.25 to 2"):
        head.set_speed(speed)


def test_scrubbing_goes_anywhere_and_no_further(head: Playhead, clock: Clock) -> None:
    head.seek(4.0)
    assert head.time_s == 4.0
    head.seek(-3.0)
    assert head.time_s == 0.0
    head.seek(99.0)
    assert head.time_s == 10.0
    head.seek(4.0)
    head.play()
    clock.now += 1
    head.seek(7.0)
    clock.now += 1
    assert head.time_s == pytest.approx(8.0)


def test_steps_stand_on_frames_and_pause(head: Playhead, clock: Clock) -> None:
    head.play()
    clock.now += 1.01
    head.step(1)
    assert (head.time_s, head.is_playing) == (pytest.approx(31 / 30), False)
    head.step(-1)
    assert head.time_s == pytest.approx(1.0)
    head.step(-500)
    assert head.time_s == 0.0


def test_in_and_out_are_put_here_and_push_one_another_away(head: Playhead) -> None:
    head.seek(6.0)
    head.set_in()
    assert head.span_s == (6.0, 10.0)
    head.seek(4.0)
    head.set_out()
    assert (head.in_s, head.out_s, head.span_s) == (None, 4.0, (0.0, 4.0))
    head.set_in(8.0)
    assert (head.in_s, head.out_s) == (8.0, None)
    head.clear_span()
    assert head.span_s == (0.0, 10.0)


def test_home_and_end_go_to_the_points_and_then_to_the_ends(head: Playhead) -> None:
    head.set_in(2.0)
    head.set_out(5.0)
    head.home()
    assert head.time_s == 2.0
    head.home()
    assert head.time_s == 0.0
    head.end()
    assert head.time_s == 5.0
    head.end()
    assert head.time_s == 10.0


def test_another_take_begins_anew_but_keeps_loop_and_speed(head: Playhead, clock: Clock) -> None:
    head.loop = True
    head.set_speed(2.0)
    head.set_in(3.0)
    head.play()
    clock.now += 1
    head.load(4.0, 60.0)
    clock.now += 1
    assert (head.time_s, head.is_playing, head.span_s, head.fps) == (0.0, False, (0.0, 4.0), 60.0)
    assert (head.loop, head.speed) == (True, 2.0)


def test_a_take_of_no_length_does_not_play(clock: Clock) -> None:
    head = Playhead(0.0, 30.0, clock)
    head.loop = True
    head.play()
    clock.now += 1
    assert (head.is_playing, head.time_s) == (False, 0.0)
    head.set_in()
    head.set_out()
    head.step(1)
    assert head.time_s == 0.0
