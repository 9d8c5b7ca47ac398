"""Irregular times to a constant rate."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from exporters import Take, forward_kinematics, resample
from exporters.resample import exact_rate, grid_times_ns, take_rate


def cut(take: Take, keep: np.ndarray, times: np.ndarray | None = None) -> Take:
    return replace(
        take,
        rotations_wxyz=take.rotations_wxyz[keep],
        root_translation=take.root_translation[keep],
        timestamps_ns=(take.timestamps_ns if times is None else times)[keep],
        observations=None,
    )


@pytest.mark.parametrize(
    ("fps", "wanted"),
    [(30, Fraction(30)), (29.97, Fraction(30000, 1001)), (29.97002997, Fraction(30000, 1001)),
     ("30000/1001", Fraction(30000, 1001)), (23.976, Fraction(24000, 1001)), (59.94, Fraction(60000, 1001)),
     (59.9999999, Fraction(60)), (12.5, Fraction(25, 2))],
)  # fmt: skip
def test_rates_are_recognised(fps, wanted):
    assert exact_rate(fps) == wanted


@pytest.mark.parametrize("fps", [0, -3, float("nan"), float("inf"), "fast", 1e9])
def test_what_is_no_rate_is_refused(fps):
    with pytest.raises(ValueError, match="expected"):
        exact_rate(fps)


def test_an_ordinary_video_passes_unchanged(make_take):
    take = make_take(40, 30000 / 1001)
    milliseconds = np.round(take.timestamps_ns / 1e6).astype(np.int64) * 1_000_000 + 123_000_000
    found = resample(replace(take, timestamps_ns=milliseconds))
    assert found.rate == Fraction(30000, 1001)
    assert found.gaps == ()
    np.testing.assert_allclose(found.take.rotations_wxyz, take.rotations_wxyz, atol=2e-7)
    np.testing.assert_allclose(found.take.root_translation, take.root_translation, atol=2e-7)


def test_uneven_times_land_where_the_motion_was(make_take, rng):
    take = make_take(400, 100.0)
    keep = np.sort(rng.choice(np.arange(1, 399), 250, replace=False))
    uneven = cut(take, np.concatenate([[0], keep, [399]]))
    found = resample(uneven, 50)
    wanted = forward_kinematics(take.skeleton, take.rotations_wxyz[::2], take.root_translation[::2])
    joints = forward_kinematics(take.skeleton, found.take.rotations_wxyz, found.take.root_translation)
    assert len(joints) == 200 or len(joints) == 201
    error = np.linalg.norm(joints[:200] - wanted, axis=-1)
    assert error.max() < 2e-3


def test_gaps_are_bridged_and_reported(make_take):
    take = make_take(61)
    found = resample(cut(take, np.r_[0:10, 20:61]))
    assert len(found.take) == 61
    (gap,) = found.gaps
    assert (gap.start_ns, gap.end_ns, gap.frames) == (take.timestamps_ns[9], take.timestamps_ns[20], 10)
    halfway = (take.root_translation[9] + take.root_translation[20]) / 2
    mean = (found.take.root_translation[14] + found.take.root_translation[15]) / 2
    np.testing.assert_allclose(mean, halfway, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(found.take.rotations_wxyz, axis=-1), 1, atol=1e-6)


def test_times_do_not_drift(make_take):
    hour = grid_times_ns(7, 107893, Fraction(30000, 1001))
    assert hour[-1] == 7 + round(Fraction(107892 * 1001 * 10**9, 30000))
    assert set(np.diff(hour).tolist()) == {33366666, 33366667}
    take = make_take(2)
    found = resample(replace(take, timestamps_ns=np.array([0, 60 * 10**9], np.int64)), "30000/1001")
    assert len(found.take) == 1799
    assert found.take.timestamps_ns[-1] == round(Fraction(1798 * 1001 * 10**9, 30000))


def test_short_takes(make_take):
    one = resample(cut(make_take(3), np.array([1])))
    assert len(one.take) == 1
    assert len(resample(cut(make_take(3), np.array([], int))).take) == 0


def test_rate_without_metadata_comes_from_the_times(make_take):
    take = replace(make_take(20, 25.0), metadata={})
    assert take_rate(take) == 25
    assert take_rate(replace(take, metadata={"source_fps": "nonsense"})) == 25


EXPORT_RATES = (24, 25, 29.97, 30, 50, 60, 120)


@pytest.mark.parametrize("fps", EXPORT_RATES)
def test_frame_k_stands_at_k_over_fps_for_ten_minutes(make_take, fps, rng):
    # Measured at an uneven rate near 30/s; the place along x is the time itself, so a frame tells when it was taken.
    steps = rng.uniform(0.5, 1.5, 18_000) / 30
    times = 123_456_789 + np.concatenate([[0], np.round(np.cumsum(steps) * 1e9)]).astype(np.int64)
    seconds = (times - times[0]) / 1e9
    take = make_take(len(times))
    places = np.stack([seconds, np.ones_like(seconds), np.zeros_like(seconds)], axis=1).astype(np.float32)
    found = resample(replace(take, timestamps_ns=times, root_translation=places), fps)
    rate = Fraction(30000, 1001) if fps == 29.97 else Fraction(fps)
    assert found.rate == rate
    k = np.arange(len(found.take))
    exact = [times[0] + round(Fraction(int(n) * 10**9) / rate) for n in (0, 1, len(k) // 2, len(k) - 1)]
    np.testing.assert_allclose(found.take.timestamps_ns[[0, 1, len(k) // 2, -1]], exact, atol=1)
    wanted = np.minimum(k * float(1 / rate), seconds[-1])
    np.testing.assert_allclose(found.take.root_translation[:, 0], wanted, atol=6e-5)  # float32 at 600 s
    # The last frame is the last one within half a frame of the last measurement.
    assert abs(float((len(k) - 1) / rate) - seconds[-1]) <= float(0.5 / rate) + 1e-6


@pytest.mark.parametrize("fps", EXPORT_RATES)
def test_a_turn_at_constant_speed_stays_one(make_take, fps):
    take = make_take(91)
    angle = np.linspace(0, 2.5 * np.pi, 91)
    q = np.tile(np.float32([1, 0, 0, 0]), (91, 24, 1))
    q[:, 0, 0], q[:, 0, 2] = np.cos(angle / 2), np.sin(angle / 2)
    found = resample(replace(take, rotations_wxyz=q), fps)
    seconds = np.minimum(np.arange(len(found.take)) * float(1 / found.rate), 3.0)
    half = seconds * 2.5 * np.pi / 3 / 2
    wanted = np.stack([np.cos(half), 0 * half, np.sin(half), 0 * half], axis=1)
    turned = found.take.rotations_wxyz[:, 0]
    np.testing.assert_allclose(np.abs((turned * wanted).sum(axis=1)), 1, atol=1e-6)


def test_an_exponent_beyond_all_measure_is_refused_at_once():
    with pytest.raises(ValueError, match="expected"):
        exact_rate("1e999999999")
    with pytest.raises(ValueError, match="expected"):
        exact_rate("1e-999999999")


def test_more_frames_than_were_measured_are_no_gaps(make_take):
    assert resample(make_take(31), 120).gaps == ()
    (gap,) = resample(cut(make_take(31), np.r_[0:10, 20:31]), 120).gaps
    assert gap.frames == 43
    assert resample(cut(make_take(121, 120.0), np.r_[0:10, 11:121]), 30).gaps == ()
