"""What the performer does and when: walk in, turn round, wave, reach, squat, jumping jacks, sit down, stand up.

Metres and seconds; the world's floor is y = 0, its z points from the performer to the camera, who stands at z = 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .curves import NumberKey
from .footsteps import Step
from .postures import RELAXED, Posture, arm, both_arms, head, trunk

Array = NDArray[Any]
FPS = 30.0
SPOT_XZ = (0.0, -4.15)
"""Where the performer stops, facing the camera."""
STOOL_XZ = (0.0, -4.77)
STOOL_HEIGHT_M = 0.46
BEGIN_S = -1.5
"""The walk is under way when the clip begins."""
STANCE_M = 0.095
"""Each foot beside the middle, standing."""


@dataclass(frozen=True, slots=True)
class Phase:
    """A named part of the clip, for the report."""

    name: str
    start_s: float
    end_s: float


PHASES = (
    Phase("walk", 0.0, 3.9),
    Phase("turn", 3.9, 7.2),
    Phase("wave", 7.2, 9.7),
    Phase("reach", 9.7, 12.5),
    Phase("squat", 12.5, 14.5),
    Phase("jump", 14.5, 16.9),
    Phase("sit", 16.9, 20.4),
)
LENGTH_S = PHASES[-1].end_s


def phase_at(time_s: float) -> Phase:
    """Return the phase of a moment; what lies outside the clip belongs to its first or last."""
    return next((p for p in PHASES if time_s < p.end_s), PHASES[-1])


WALK_CURVE = np.array([(-3.5, -6.3), (-1.3, -6.5), (-0.2, -6.2), SPOT_XZ])
"""Control points of the walk's way: in from the picture's left, then towards the camera."""
STRIDE_M = 0.60
STEP_EVERY_S = 0.53
SWING_S = 0.41
WALK_END_S = 3.75


def walking_steps() -> list[Step]:
    """Return the steps of the walk, the last two closing the feet side by side on the spot."""
    landings = np.arange(WALK_END_S, BEGIN_S + SWING_S, -STEP_EVERY_S)[::-1]
    count = len(landings)
    steps = []
    for k, land_s in enumerate(landings):
        foot, last = (count - 1 - k) % 2, k >= count - 1
        place, yaw = _beside(_along_walk(STRIDE_M * (count - 2 - k)), foot, STANCE_M if k >= count - 2 else 0.075)
        roll = 14.0 if last else 38.0
        steps.append(
            Step(foot, land_s - SWING_S, land_s, place, yaw, 0.035, roll, 4.0 if last else 17.0, 4.0 if last else 16.0)
        )
    return steps


def walk_start(foot: int) -> tuple[tuple[float, float], float]:
    """Return place and heading of a foot before its first step."""
    first = next(s for s in walking_steps() if s.foot == foot)
    backward = 2 * STRIDE_M
    return (first.place_xz[0] - backward * np.sin(first.yaw_rad), first.place_xz[1]), first.yaw_rad


def turning_steps(start_s: float = 4.05, pieces: int = 5, every_s: float = 0.30) -> list[Step]:
    """Return small steps on the spot, once round to the left: the left foot opens, the right one follows."""
    steps = []
    for k in range(2 * pieces):
        yaw = 2 * np.pi * (k // 2 + 1) / pieces
        place, _ = _beside((SPOT_XZ, yaw), k % 2, STANCE_M)
        lift_s = start_s + every_s * k
        steps.append(Step(k % 2, lift_s, lift_s + 0.28, place, yaw, 0.045, 20.0))
    return steps


JACK_STARTS_S = (14.65, 15.35, 16.05)
JACK_HALF_S = 0.35


def jumping_steps() -> list[Step]:
    """Return the feet of the jumping jacks: out and back together, three times."""
    steps = []
    for start_s in JACK_STARTS_S:
        for half, width in ((0.0, 0.30), (JACK_HALF_S, STANCE_M)):
            for foot in (0, 1):
                place, _ = _beside((SPOT_XZ, 2 * np.pi), foot, width)
                lift_s = start_s + half + 0.07
                steps.append(Step(foot, lift_s, lift_s + 0.24, place, 2 * np.pi, 0.07, 22.0, 0.0, 8.0))
    return steps


def stepping_back(start_s: float = 17.0, every_s: float = 0.36) -> list[Step]:
    """Return the two steps back to the stool."""
    spot = (SPOT_XZ[0], STOOL_XZ[1] + 0.40)
    feet = ((1, start_s), (0, start_s + every_s))
    return [
        Step(foot, at, at + 0.33, _beside((spot, 2 * np.pi), foot, 0.12)[0], 2 * np.pi, 0.05, 22.0) for foot, at in feet
    ]


def all_steps(foot: int) -> list[Step]:
    """Return the steps of one foot, in order of time."""
    steps = walking_steps() + turning_steps() + jumping_steps() + stepping_back()
    return [step for step in steps if step.foot == foot]


def _along_walk(metres_before_end: float) -> tuple[tuple[float, float], float]:
    """Return place and heading on the walk's way, so far before its end; before its start it is straight."""
    t = np.linspace(0, 1, 200)[:, None]
    weights = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3
    points = sum(w * p for w, p in zip(weights, WALK_CURVE, strict=True))
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    at = lengths[-1] - max(metres_before_end, 0.0)
    x, z = (np.interp(at, lengths, points[:, c]) for c in (0, 1))
    ways = np.gradient(points, axis=0)
    yaws = np.unwrap(np.arctan2(ways[:, 0], ways[:, 1]))
    yaws -= yaws[-1]  # the way ends facing the camera
    yaw = float(np.interp(at, lengths, yaws))
    return (float(x + min(at, 0.0) * np.sin(yaw)), float(z + min(at, 0.0) * np.cos(yaw))), yaw


def _beside(middle: tuple[tuple[float, float], float], foot: int, aside_m: float) -> tuple[tuple[float, float], float]:
    """Return place and heading of a foot `aside_m` to its side of a place on the way."""
    (x, z), yaw = middle
    sign = 1.0 if foot == 0 else -1.0
    return (x + sign * aside_m * np.cos(yaw), z - sign * aside_m * np.sin(yaw)), yaw


@dataclass(frozen=True, slots=True)
class PostureKey:
    """What the upper body does at one time."""

    time_s: float
    posture: Posture


def _key(time_s: float, *parts: Posture) -> PostureKey:
    posture = dict(RELAXED)
    for part in parts:
        posture |= part
    return PostureKey(time_s, posture)


def _waving() -> list[PostureKey]:
    ready = arm("right", raised=62, twist=72, elbow=95)
    out = arm("right", raised=72, twist=82, elbow=62, wrist=-14)
    back = arm("right", raised=64, twist=80, elbow=116, wrist=12)
    swings = [_key(8.05 + 0.24 * k, out if k % 2 else back, head(tilt=-5), trunk(lean=2)) for k in range(5)]
    return [_key(7.25), _key(7.8, ready, head(tilt=-4)), *swings, _key(9.75)]


def _reaching() -> list[PostureKey]:
    up = arm("left", raised=168, twist=25, elbow=8)
    low = arm("right", raised=12, elbow=20)
    side = arm("right", raised=98, across=8, twist=10, elbow=6)
    return [
        _key(10.55, up, low, trunk(bend=-6, lean=-7), head(nod=-26, turned=12)),
        _key(10.95, up, low, trunk(bend=-7, lean=-9), head(nod=-28, turned=12)),
        _key(11.75, side, arm("left", raised=14, elbow=30), trunk(lean=-17, twist=-12), head(turned=-38)),
        _key(12.0, side, arm("left", raised=15, elbow=32), trunk(lean=-18, twist=-12), head(turned=-40)),
        _key(12.65),
    ]


def _squatting() -> list[PostureKey]:
    ahead = both_arms(raised=5, forward=122, elbow=10)
    return [
        _key(13.35, ahead, trunk(bend=16), head(nod=-14)),
        _key(13.6, ahead, trunk(bend=17), head(nod=-14)),
        _key(14.4),
    ]


def _jumping() -> list[PostureKey]:
    above = both_arms(raised=158, twist=20, elbow=16)
    keys = [_key(14.6)]
    for start_s in JACK_STARTS_S:
        keys += [_key(start_s + 0.05), _key(start_s + 0.33, above), _key(start_s + 0.39, above), _key(start_s + 0.68)]
    return keys


def _sitting() -> list[PostureKey]:
    lap = both_arms(raised=9, forward=23, twist=-30, elbow=50)
    return [
        _key(17.55),
        _key(18.1, both_arms(raised=12, forward=30, elbow=35), trunk(bend=22), head(nod=-12)),
        _key(18.75, lap, trunk(bend=2)),
        _key(19.2, lap, trunk(bend=1), head(turned=14)),
        _key(19.65, both_arms(raised=12, forward=38, elbow=40), trunk(bend=26), head(nod=-14)),
        _key(20.25),
    ]


def posture_keys() -> list[PostureKey]:
    """Return the keys of the upper body, in order of time."""
    return [_key(BEGIN_S), *_waving(), *_reaching(), *_squatting(), *_jumping(), *_sitting()]


PELVIS_KEYS: Mapping[str, tuple[NumberKey, ...]] = {
    "drop_m": (
        (12.6, 0.0), (13.4, 0.40), (13.6, 0.40), (14.4, 0.0),
        *((start + dt, drop) for start in JACK_STARTS_S for dt, drop in
          ((0.0, 0.03), (0.12, 0.0), (0.22, 0.0), (0.35, 0.06), (0.47, 0.0), (0.57, 0.0), (0.699, 0.05))),
        (17.0, 0.0), (17.6, 0.0), (18.7, 0.39), (19.3, 0.39), (20.2, 0.0),
    ),
    "back_m": (
        (12.6, 0.0), (13.4, 0.20), (13.6, 0.20), (14.4, 0.0), (17.6, 0.0), (18.6, 0.41), (19.35, 0.41), (20.05, 0.0),
    ),
    "bend_deg": (
        (12.6, 0.0), (13.4, 24.0), (13.6, 24.0), (14.4, 0.0), (17.55, 0.0), (18.15, 24.0), (18.75, -4.0), (19.25, -4.0),
        (19.6, 24.0), (20.3, 0.0),
    ),
    "left_m": ((9.8, 0.0), (10.6, 0.03), (11.0, 0.03), (11.8, -0.07), (12.05, -0.07), (12.7, 0.0)),
    "lean_deg": ((9.8, 0.0), (10.6, -3.0), (11.0, -3.0), (11.8, -5.0), (12.05, -5.0), (12.7, 0.0)),
}  # fmt: skip
"""How far the pelvis is lowered, behind the feet, bent forward, to the left, leant to the left."""
