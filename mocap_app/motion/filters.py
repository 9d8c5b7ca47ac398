"""One-Euro filters on places and rotations, with true time steps.

Casiez, Roussel and Vogel, "1 Euro Filter", CHI 2012: a first-order low-pass whose cut-off rises with speed, so that
what rests is calm and what moves does not lag. Each person has filters of their own.
"""

from __future__ import annotations

import numpy as np

from exporters.rotations import inverse, multiply, quaternion_from_rotvec, rotvec_from_quaternion

from ..config import SmoothingConfig

# Set on the demonstration clip with added noise (2 degrees of it new in each frame per joint, 3 degrees drifting):
# the jitter of the joints falls to a third, and they end nearer to the truth than unsmoothed ones, also the wrists.
SPEED_CUTOFF_HZ = 2.0
"""Of the low-pass on the speed itself; the paper's 1 Hz notices too late that an arm begins to move."""
ROTATION_BETA = 4.0
"""The setting `beta` counts so many times per rad/s."""
PLACE_BETA = 24.0
"""And so many times per m/s across the picture: walking is slow in m/s beside an arm in rad/s."""
DEPTH_CUTOFF = 0.4
"""Along the viewing ray the cut-off is this part of the setting: depth is by far the noisiest number."""
DEPTH_BETA = 3.0
NEAREST_M = 0.05
"""Depths nearer than this are taken for this."""
SURE_CONFIDENCE = 0.5
"""A joint seen more surely turns as fast as it likes."""
HIDDEN_SPEED_RAD_S = 1.0
"""A joint not seen at all turns no faster, rising to `SURE_SPEED_RAD_S` at `SURE_CONFIDENCE`."""
SURE_SPEED_RAD_S = 15.0
HIDDEN_CUTOFF = 0.25
"""The cut-off of a joint not seen at all is this part of what it were."""


def smoothing_factor(cutoff_hz: np.ndarray, step_s: float) -> np.ndarray:
    """Return the weight of the new value in a first-order low-pass."""
    turn = 2 * np.pi * cutoff_hz * step_s
    return turn / (turn + 1)


class PlaceFilter:
    """Smooths a point in the camera frame: across the picture lightly, along the viewing ray strongly.

    It works on the direction (x/z, y/z) and the logarithm of the depth z, so that smoothing the depth does not
    move the body in the picture.
    """

    def __init__(self, config: SmoothingConfig) -> None:
        self.set_up(config)
        self._raw: np.ndarray | None = None
        self._smooth = np.zeros(3)
        self._speed = np.zeros(3)

    def set_up(self, config: SmoothingConfig) -> None:
        """Go on with other settings, without a jump."""
        self._cutoffs_hz = config.min_cutoff_hz * np.array((1.0, 1.0, DEPTH_CUTOFF))
        self._betas = config.beta * np.array((PLACE_BETA, PLACE_BETA, DEPTH_BETA))

    def __call__(self, place_m: np.ndarray, step_s: float) -> np.ndarray:
        """Return the smoothed `(3,)` float64 place, `step_s` seconds after the last one."""
        raw = _ray(np.asarray(place_m, np.float64))
        if self._raw is None:
            self._raw, self._smooth = raw, raw
        elif step_s > 0:
            speed = (raw - self._raw) / step_s
            self._speed = self._speed + smoothing_factor(np.array(SPEED_CUTOFF_HZ), step_s) * (speed - self._speed)
            metres_per_s = np.abs(self._speed) * np.exp(raw[2])
            weight = smoothing_factor(self._cutoffs_hz + self._betas * metres_per_s, step_s)
            self._raw, self._smooth = raw, self._smooth + weight * (raw - self._smooth)
        depth = np.exp(self._smooth[2])
        return np.array((self._smooth[0] * depth, self._smooth[1] * depth, depth))


def _ray(place_m: np.ndarray) -> np.ndarray:
    depth = max(float(place_m[2]), NEAREST_M)
    return np.array((place_m[0] / depth, place_m[1] / depth, np.log(depth)))


class RotationFilter:
    """Smooths J rotations, each by its own speed; those that are not seen are held back."""

    def __init__(self, config: SmoothingConfig) -> None:
        self._config = config
        self._raw: np.ndarray | None = None
        self._smooth = np.zeros((0, 4))
        self._speed = np.zeros((0, 3))

    def set_up(self, config: SmoothingConfig) -> None:
        """Go on with other settings, without a jump."""
        self._config = config

    def __call__(self, rotations_wxyz: np.ndarray, confidence: np.ndarray, step_s: float) -> np.ndarray:
        """Return `(J, 4)` float64 unit quaternions, `step_s` seconds after the last ones.

        Args:
            rotations_wxyz: `(J, 4)` unit quaternions.
            confidence: `(J,)`, 0 to 1: how surely each rotation is seen.
            step_s: Seconds.
        """
        raw = np.asarray(rotations_wxyz, np.float64)
        if self._raw is None:
            self._raw, self._smooth, self._speed = raw, raw, np.zeros((len(raw), 3))
        elif step_s > 0:
            speed = _turn(self._raw, raw) / step_s
            self._speed = self._speed + smoothing_factor(np.array(SPEED_CUTOFF_HZ), step_s) * (speed - self._speed)
            self._raw = raw
            self._smooth = multiply(self._smooth, quaternion_from_rotvec(self._step(raw, confidence, step_s)))
        return self._smooth

    def _step(self, raw: np.ndarray, confidence: np.ndarray, step_s: float) -> np.ndarray:
        """Return `(J, 3)` rotation vectors from the smoothed rotations towards the raw ones."""
        sure = np.clip(np.asarray(confidence, np.float64) / SURE_CONFIDENCE, 0, 1)
        speed = np.linalg.norm(self._speed, axis=1)
        cutoff_hz = self._config.min_cutoff_hz + ROTATION_BETA * self._config.beta * speed
        cutoff_hz = cutoff_hz * (HIDDEN_CUTOFF + (1 - HIDDEN_CUTOFF) * sure)
        step = smoothing_factor(cutoff_hz, step_s)[:, None] * _turn(self._smooth, raw)
        limit = np.where(
            sure < 1, (HIDDEN_SPEED_RAD_S + (SURE_SPEED_RAD_S - HIDDEN_SPEED_RAD_S) * sure) * step_s, np.inf
        )
        length = np.linalg.norm(step, axis=1)
        return step * np.minimum(1, limit / np.maximum(length, 1e-12))[:, None]


def _turn(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return `(J, 3)` rotation vectors, in the joints' own axes, of the shorter way from start to end."""
    return rotvec_from_quaternion(multiply(inverse(start), end))
