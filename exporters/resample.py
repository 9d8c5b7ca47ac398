"""Irregular capture times to a constant rate.

Frame k stands at k / fps after the first measurement, each computed on its own, so that nothing adds up over hours.
The last frame is the last one within half a frame of the last measurement; where it lies behind that, it holds the
last pose.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from .rotations import slerp
from .types import Take, TimeArray

NS_PER_S = 1_000_000_000
DEFAULT_RATE = Fraction(30)
"""For a take of one instant, which has no rate of its own."""
HIGHEST_RATE = 10_000
LOWEST_RATE = 0.001
_RATE_TOLERANCE = 2e-5
_CLOCK_ROUNDING_S = 1.1e-3
"""Containers round presentation times to milliseconds: the first one and any other may each be off by half a one."""
_GAP_STEPS = 1.5


@dataclass(frozen=True, slots=True)
class Gap:
    """A span without measurements, bridged by interpolation."""

    start_ns: int
    """Time of the last measurement before."""
    end_ns: int
    """Time of the first measurement after."""
    frames: int
    """How many frames of the constant rate lie between."""


@dataclass(frozen=True, slots=True)
class Resampled:
    """A take at a constant rate."""

    take: Take
    """From the first to the last measurement; without observations, for its poses are computed."""
    rate: Fraction
    """Frames per second, exact."""
    gaps: tuple[Gap, ...]


def exact_rate(fps: float | str | Fraction) -> Fraction:
    """Return the frame rate that `fps` stands for: 29.97 and "30000/1001" are the same one.

    Raises:
        ValueError: not a rate, or one that nothing is filmed at.
    """
    try:
        # By way of a float: "1e999999999" as a fraction would fill the memory.
        rate = Fraction(float(fps) if isinstance(fps, str) and "e" in fps.lower() else fps)
    except (ValueError, OverflowError, ZeroDivisionError) as error:
        raise ValueError(f'fps: found {fps!r}, expected a number such as 30 or "30000/1001"') from error
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise ValueError(f"fps: found {fps!r}, expected a number from {LOWEST_RATE} to {HIGHEST_RATE}")
    for numerator, denominator in ((round(rate), 1), (round(rate * 1001 / 1000) * 1000, 1001)):
        candidate = Fraction(numerator, denominator)
        if abs(candidate - rate) <= _RATE_TOLERANCE * rate:
            return candidate
    return rate.limit_denominator(100_000)


def take_rate(take: Take) -> Fraction:
    """Return the rate a take was captured at: its metadata's `source_fps`, else from the median step of its times."""
    stated = take.metadata.get("source_fps")
    if stated:
        try:
            return exact_rate(stated)
        except (ValueError, TypeError):
            pass  # a rate that makes no sense is not worth losing an export for
    if len(take) < 2:
        return DEFAULT_RATE
    step_ns = float(np.median(np.diff(take.timestamps_ns)))
    return exact_rate(min(max(NS_PER_S / step_ns, LOWEST_RATE), HIGHEST_RATE))


def grid_times_ns(start_ns: int, count: int, rate: Fraction) -> TimeArray:
    """Return `(count,)` int64 times of a constant rate, each rounded on its own so that nothing adds up."""
    # Whole numbers throughout, half a nanosecond up: exact, and quick even for hours.
    over, under = 2 * NS_PER_S * rate.denominator, 2 * rate.numerator
    return np.array([start_ns + (k * over + rate.numerator) // under for k in range(count)], np.int64)


def resample(take: Take, fps: float | str | Fraction | None = None) -> Resampled:
    """Bring a take to a constant rate: rotations by SLERP, the root's place linearly.

    Times that lie on the rate's grid but for a container's rounding are taken as lying on it, so the frames of an
    ordinary video pass unchanged.

    Args:
        take: any take.
        fps: frames per second; None takes the rate it was captured at.

    Raises:
        ValueError: `fps` is not a rate.
    """
    rate = take_rate(take) if fps is None else exact_rate(fps)
    if len(take) == 0:
        return Resampled(_at(take, take.timestamps_ns, np.zeros(0, np.intp), np.zeros(0)), rate, ())
    seconds = _on_grid((take.timestamps_ns - take.timestamps_ns[0]) / NS_PER_S, rate)
    count = int(np.floor(seconds[-1] * float(rate) + 0.5 + 1e-6)) + 1
    wanted = np.minimum(np.arange(count) * float(1 / rate), seconds[-1])
    before = np.clip(np.searchsorted(seconds, wanted + 1e-9, side="right") - 1, 0, max(len(take) - 2, 0))
    after = np.minimum(before + 1, len(take) - 1)
    span = np.maximum(seconds[after] - seconds[before], 1e-12)
    fraction = np.clip((wanted - seconds[before]) / span, 0.0, 1.0)
    times = grid_times_ns(int(take.timestamps_ns[0]), count, rate)
    return Resampled(_at(take, times, before, fraction), rate, _gaps(take, seconds, rate))


def _on_grid(seconds: NDArray[np.float64], rate: Fraction) -> NDArray[np.float64]:
    steps = np.round(seconds * float(rate))
    snapped = steps * float(1 / rate)
    tolerance = min(_CLOCK_ROUNDING_S, 0.1 * float(1 / rate))
    fits = (np.abs(snapped - seconds) <= tolerance).all() and (np.diff(steps) > 0).all()
    return snapped if fits else seconds


def _at(take: Take, times: TimeArray, before: NDArray[np.intp], fraction: NDArray[np.float64]) -> Take:
    """Return the take between its instants `before` and the next ones."""
    after = np.minimum(before + 1, max(len(take) - 1, 0))
    part = fraction[:, None]
    places = (1 - part) * take.root_translation[before] + part * take.root_translation[after]
    parts = np.repeat(part, len(take.skeleton.joint_names), axis=1)
    rotations = slerp(take.rotations_wxyz[before], take.rotations_wxyz[after], parts)
    return Take(
        take.skeleton,
        rotations.astype(np.float32),
        places.astype(np.float32),
        times,
        take.subject,
        take.name,
        take.metadata,
    )


def _gaps(take: Take, seconds: NDArray[np.float64], rate: Fraction) -> tuple[Gap, ...]:
    steps = np.diff(seconds)
    if len(steps) == 0:
        return ()
    # Frames between measurements are no gap where more are asked for than were measured.
    usual = max(float(np.median(steps)), float(1 / rate))
    times = take.timestamps_ns
    return tuple(
        Gap(int(times[n]), int(times[n + 1]), max(round(float(steps[n]) * float(rate)) - 1, 1))
        for n in np.flatnonzero(steps > _GAP_STEPS * usual)
    )
