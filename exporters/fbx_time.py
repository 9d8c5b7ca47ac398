"""Time in FBX: whole ticks, and the rates that have a number of their own."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from .types import TimeArray

TICKS_PER_S = 46_186_158_000
"""The SDK's KTime: a second divides by all usual rates."""
TIME_MODES: dict[Fraction, int] = {
    Fraction(24): 11, Fraction(25): 10, Fraction(30): 6, Fraction(48): 5, Fraction(50): 4, Fraction(60): 3,
    Fraction(72): 16, Fraction(96): 15, Fraction(100): 2, Fraction(120): 1, Fraction(1000): 12,
    Fraction(24000, 1001): 13, Fraction(30000, 1001): 9, Fraction(60000, 1001): 17, Fraction(120000, 1001): 18,
}  # fmt: skip
"""Frames per second -> the SDK's FbxTime::EMode, full-frame (without dropped time codes)."""
CUSTOM_TIME_MODE = 14


def frame_ticks(count: int, rate: Fraction) -> TimeArray:
    """Return `(count,)` int64: the times of the first frames, each rounded on its own so that nothing adds up."""
    # In two parts, for the product of a late frame's number and the ticks of a 29.97th would leave 64 bits.
    whole, over = divmod(TICKS_PER_S * rate.denominator, rate.numerator)
    frames = np.arange(count, dtype=np.int64)
    return frames * whole + (2 * frames * over + rate.numerator) // (2 * rate.numerator)
