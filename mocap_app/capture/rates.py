"""Frame rates and times of files."""

from __future__ import annotations

from fractions import Fraction

STANDARD = tuple(
    Fraction(n, d)
    for n, d in ((24000, 1001), (24, 1), (25, 1), (30000, 1001), (30, 1), (50, 1), (60000, 1001), (60, 1))
)
NEAR = 2e-4
"""Relative distance at which a rate is taken for a standard one: a fifth of what lies between 30 and 29.97."""


def exact_rate(fps: float) -> Fraction:
    """Return the exact rate meant by a measured or rounded `fps` (29.97 is 30000/1001)."""
    near = [rate for rate in STANDARD if abs(float(rate) / fps - 1) < NEAR]
    return near[0] if near else Fraction(fps).limit_denominator(1001)


class RisingTimes:
    """Presentation times as a file gives them, made strictly rising."""

    def __init__(self, fps: float) -> None:
        """Bridge times that are absent or go back by the interval of `fps`."""
        self._interval_ns = round(1e9 / fps)
        self._last_ns: int | None = None

    def next(self, time_ms: float) -> int:
        """Return nanoseconds for the frame the file puts at `time_ms`."""
        time_ns = round(time_ms * 1e6)
        if self._last_ns is not None and time_ns <= self._last_ns:
            time_ns = self._last_ns + self._interval_ns
        self._last_ns = time_ns
        return time_ns
