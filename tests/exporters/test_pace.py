"""How often at most."""

from __future__ import annotations

import pytest

from exporters.pace import Pace


@pytest.mark.parametrize(("source_hz", "rate_hz", "expected_hz"), [(200, 60, 60), (30, 60, 30), (61, 60, 60)])
def test_the_rate_is_kept_over_time(rng, source_hz, rate_hz, expected_hz):
    times_s = iter(sorted((n + rng.uniform(-0.4, 0.4)) / source_hz for n in range(-1, 20 * source_hz)))
    pace = Pace(rate_hz, lambda: next(times_s))
    sent = sum(pace.is_due() for _ in range(20 * source_hz))
    assert sent == pytest.approx(20 * expected_hz, abs=3)


def test_a_source_of_just_the_rate_loses_nothing_by_its_unevenness(rng):
    times_s = iter((n + rng.uniform(-0.45, 0.45)) / 60 for n in range(-1, 1200))
    pace = Pace(60, lambda: next(times_s))
    assert sum(pace.is_due() for _ in range(1200)) >= 1199


def test_a_pause_saves_up_no_more_than_three(rng):
    now_s = [0.0]
    pace = Pace(30, lambda: now_s[0])
    now_s[0] = 100.0
    assert [pace.is_due() for _ in range(4)] == [True, True, True, False]


def test_no_rate_allows_everything():
    assert all(Pace(None).is_due() for _ in range(1000))
