"""Counted, then read."""

from __future__ import annotations

import time

import pytest

from mocap_app.stats import KEPT, Stats


def test_percentiles_of_stages_and_counts() -> None:
    stats = Stats()
    for value in range(101):
        stats.frame_done({"detect": float(value), "recover": 2.0})
    summary = stats.summary()
    assert summary.frames == 101
    assert list(summary.stages) == ["detect", "recover"]
    assert summary.stages["detect"].p50_ms == pytest.approx(50)
    assert summary.stages["detect"].p95_ms == pytest.approx(95)
    assert summary.stages["recover"].mean_ms == pytest.approx(2)
    assert summary.frames_per_s > 0


def test_age_is_measured_from_the_grab() -> None:
    stats = Stats()
    stats.left("osc", time.monotonic_ns() - 40_000_000)
    assert 40 <= stats.summary().ages["osc"].p95_ms < 1040


def test_drops_are_counted_per_place() -> None:
    stats = Stats()
    for place in ("capture", "capture", "osc"):
        stats.drop(place)
    assert stats.summary().drops == {"capture": 2, "osc": 1}
    assert "dropped at capture: 2" in stats.summary().lines()


def test_memory_is_bounded_and_the_count_is_not() -> None:
    stats = Stats()
    for _ in range(KEPT + 10):
        stats.frame_done({"detect": 1.0})
    assert stats.summary().stages["detect"].count == KEPT + 10


def test_nothing_measured_is_no_error() -> None:
    summary = Stats().summary()
    assert summary.frames_per_s == 0
    assert summary.lines() == ("0 frames, 0.0 frames/s",)


def test_what_live_outputs_sent_and_why_one_failed_is_told() -> None:
    stats = Stats()
    stats.count_sent("osc", 4)
    stats.count_sent("osc", 9, lost=2)
    stats.fail("web", "the port is taken")
    summary = stats.summary()
    assert (summary.sent, summary.lost, summary.failed) == ({"osc": 9}, {"osc": 2}, {"web": "the port is taken"})
