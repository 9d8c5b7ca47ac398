"""Values between keyframes: eased numbers, eased rotations, and smoothing over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exporters.rotations import continuous_signs, normalize, slerp

Array = NDArray[Any]
NumberKey = tuple[float, float]
"""Time in seconds and value."""
RotationKey = tuple[float, Array]
"""Time in seconds and unit quaternion `(4,)` wxyz."""


def ease(fraction: Array) -> Array:
    """Return 0 to 1 for 0 to 1, leaving and arriving at rest (minimum jerk; Flash and Hogan 1985)."""
    x = np.clip(fraction, 0.0, 1.0)
    return x * x * x * (10.0 + x * (6.0 * x - 15.0))


def number_curve(keys: Sequence[NumberKey], times_s: Array) -> Array:
    """Return `(T,)` values that rest at each key; before the first and after the last key they stay."""
    at, values = np.array([k[0] for k in keys]), np.array([k[1] for k in keys], float)
    before, fraction = _between(at, times_s)
    after = np.minimum(before + 1, len(at) - 1)
    return values[before] + (values[after] - values[before]) * ease(fraction)


def rotation_curve(keys: Sequence[RotationKey], times_s: Array) -> Array:
    """Return `(T, 4)` unit quaternions, by slerp between keys, resting at each key."""
    at, values = np.array([k[0] for k in keys]), np.stack([k[1] for k in keys]).astype(float)
    before, fraction = _between(at, times_s)
    after = np.minimum(before + 1, len(at) - 1)
    return slerp(values[before], values[after], ease(fraction))


def smooth(values: Array, sigma_frames: float) -> Array:
    """Return `(T, ...)` values blurred along time by a Gaussian; the ends are held."""
    if sigma_frames <= 0 or len(values) < 2:
        return np.array(values, float)
    reach = max(1, round(3 * sigma_frames))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma_frames) ** 2)
    weights /= weights.sum()
    padded = np.concatenate([np.repeat(values[:1], reach, 0), values, np.repeat(values[-1:], reach, 0)])
    return sum(w * padded[k : k + len(values)] for k, w in enumerate(weights))  # type: ignore[return-value]


def smooth_rotations(quaternions: Array, sigma_frames: float) -> Array:
    """Return `(T, ..., 4)` unit quaternions blurred along time."""
    return normalize(smooth(continuous_signs(np.asarray(quaternions, float)), sigma_frames))


def lowest_nearby(values: Array, reach_frames: int) -> Array:
    """Return `(T,)`: the smallest value within `reach_frames` on both sides."""
    padded = np.pad(values, reach_frames, mode="edge")
    return np.min([padded[k : k + len(values)] for k in range(2 * reach_frames + 1)], axis=0)


def _between(at: Array, times_s: Array) -> tuple[Array, Array]:
    """Return for each time the number of the key before it and how far it is to the next, 0 to 1."""
    before = np.clip(np.searchsorted(at, times_s, side="right") - 1, 0, len(at) - 1)
    after = np.minimum(before + 1, len(at) - 1)
    gap = np.maximum(at[after] - at[before], 1e-9)
    return before, np.clip((times_s - at[before]) / gap, 0.0, 1.0)
