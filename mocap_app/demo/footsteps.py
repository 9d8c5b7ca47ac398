"""Feet: where they stand, how they roll over heel and ball, and how they swing from one place to the next.

A foot's place is the floor point below its ankle joint when the sole is flat. World frame: y up, floor y = 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exporters.rotations import multiply, quaternion_from_rotvec, rotate

from .curves import ease

Array = NDArray[Any]
ROLL_BEFORE_S = 0.17
"""The heel leaves the floor so long before the foot."""
ROLL_AFTER_S = 0.10
"""The sole comes flat so long after the heel has touched."""


@dataclass(frozen=True, slots=True)
class Step:
    """One foot leaves the floor and lands elsewhere."""

    foot: int
    """0 left, 1 right."""
    lift_s: float
    land_s: float
    place_xz: tuple[float, float]
    """Metres, world."""
    yaw_rad: float
    """Heading, unwrapped: a full turn to the left ends at 2 pi."""
    height_m: float = 0.05
    heel_up_deg: float = 10.0
    """How far the heel is up when the toes leave."""
    toe_up_deg: float = 0.0
    """How far the toes are up when the heel lands."""
    tuck_deg: float = 0.0
    """How much further the foot points down early in the swing."""


@dataclass(frozen=True, slots=True)
class FootShape:
    """One foot in rest pose, relative to the floor point below its ankle joint, metres."""

    ankle_height_m: float
    ball: Array
    """`(3,)` the toe joint."""
    heel: Array
    """`(3,)` the lowest point of the heel."""


@dataclass(frozen=True, slots=True)
class FootTrack:
    """One foot over time. T times."""

    places_xz: Array
    """`(T, 2)` metres."""
    yaws_rad: Array
    """`(T,)`."""
    lifts_m: Array
    """`(T,)` height over the floor of the point it rolls about."""
    pitches_rad: Array
    """`(T,)` above zero: heel up, rolling about the ball; below: toes up, rolling about the heel."""
    swings: Array
    """`(T,)` 0 when planted, else how far the swing is, above 0 to 1."""

    @property
    def planted(self) -> Array:
        """`(T,)` bool: on the floor."""
        return self.swings <= 0

    def ankles(self, shape: FootShape) -> tuple[Array, Array]:
        """Return `(T, 3)` metres where the ankle joint is and `(T, 4)` world rotations of the foot."""
        heading = _about(self.yaws_rad, 1)
        rotations = multiply(heading, _about(self.pitches_rad, 0))
        ankle = np.array([0.0, shape.ankle_height_m, 0.0])
        pivot = np.where((self.pitches_rad > 0)[:, None], shape.ball, shape.heel)
        points = rotate(heading, pivot) + rotate(rotations, ankle - pivot)
        points[:, [0, 2]] += self.places_xz
        points[:, 1] += self.lifts_m
        return points, rotations

    def toes(self) -> Array:
        """Return `(T, 4)` local rotations of the toes: level on the floor, straight in the air."""
        straight = ease(2.5 * self.swings)
        return _about(-np.maximum(self.pitches_rad, 0.0) * (1.0 - straight), 0)


def follow_steps(start_xz: tuple[float, float], yaw_rad: float, steps: Sequence[Step], times_s: Array) -> FootTrack:
    """Return one foot that stands at `start_xz` and then takes `steps`, in order of time."""
    count = len(times_s)
    track = FootTrack(
        np.tile(np.array(start_xz, float), (count, 1)), np.full(count, yaw_rad), *(np.zeros(count) for _ in range(3))
    )
    for step in steps:
        _take(track, step, times_s)
    return track


def _take(track: FootTrack, step: Step, times_s: Array) -> None:
    """Write one step into the track, up to the end of time."""
    fraction = (times_s - step.lift_s) / (step.land_s - step.lift_s)
    going, after = fraction > 0, fraction >= 1
    swing = going & ~after
    along = ease(fraction[going])
    track.places_xz[going] += along[:, None] * (np.array(step.place_xz) - track.places_xz[going])
    track.yaws_rad[going] += along * (step.yaw_rad - track.yaws_rad[going])
    track.swings[swing] = fraction[swing]
    track.lifts_m[swing] = step.height_m * np.sin(np.pi * fraction[swing])
    track.pitches_rad[:] += np.radians(_roll(step, fraction, times_s))


def _roll(step: Step, fraction: Array, times_s: Array) -> Array:
    """Return `(T,)` degrees the foot is pitched for this step: heel up, tucked, toes up, flat."""
    rise = ease((times_s - step.lift_s + ROLL_BEFORE_S) / ROLL_BEFORE_S) * step.heel_up_deg
    swing = np.clip(fraction, 0.0, 1.0)
    fall = ease(swing / 0.75) * (step.heel_up_deg + step.toe_up_deg)
    tuck = step.tuck_deg * np.sin(np.pi * np.minimum(swing / 0.6, 1.0)) ** 2
    flat = ease((times_s - step.land_s) / ROLL_AFTER_S) * step.toe_up_deg
    return rise - fall + tuck + flat


def _about(angles_rad: Array, axis: int) -> Array:
    vectors = np.zeros((len(angles_rad), 3))
    vectors[:, axis] = angles_rad
    return quaternion_from_rotvec(vectors)
