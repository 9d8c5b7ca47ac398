"""The clip: the choreography turned into a take of the free body. Feet first, then pelvis, legs and the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exporters import SMPL_JOINT_NAMES, Skeleton, Take
from exporters.rotations import (
    continuous_signs,
    inverse,
    multiply,
    normalize,
    quaternion_from_rotvec,
    rotate,
)

from .choreography import BEGIN_S, FPS, LENGTH_S, PELVIS_KEYS, all_steps, posture_keys, walk_start
from .curves import lowest_nearby, number_curve, rotation_curve, smooth, smooth_rotations
from .footsteps import FootShape, FootTrack, follow_steps
from .legs import solve_leg

Array = NDArray[Any]
SIDES = ("left", "right")
JOINT = {name: j for j, name in enumerate(SMPL_JOINT_NAMES)}
REACH = 0.992
"""The part of a leg's length it has when the pelvis is as high as it goes: knees are never locked."""
LAG_S = {"elbow": 0.04, "wrist": 0.08, "neck": 0.03, "head": 0.05}
"""Joints far from the trunk follow a little later than it."""
LOOK_AHEAD_S = 0.30
"""The head turns before the body does."""


@dataclass(frozen=True, slots=True)
class Performer:
    """The body that plays the clip."""

    skeleton: Skeleton
    foot: FootShape
    """Of the left foot; the right one is its mirror image."""

    def bone(self, joint: str) -> Array:
        """Return `(3,)` metres from the parent's joint in rest pose."""
        return self.skeleton.offsets[JOINT[joint]].astype(float)


@dataclass(frozen=True, slots=True)
class Pelvis:
    """The root over time."""

    places: Array
    """`(T, 3)` metres, world."""
    rotations: Array
    """`(T, 4)` world."""
    yaws_rad: Array
    """`(T,)` heading of the feet, unwrapped."""
    strides: Array
    """`(T,)` -1 to 1: how far the left foot is in front of the right, in paces of 0.6 m."""


def make_clip(performer: Performer, duration_s: float | None = None, fps: float = FPS) -> Take:
    """Return the clip as a take in the world frame, the first `duration_s` of it.

    Raises:
        ValueError: The duration holds no frame.
    """
    length_s = LENGTH_S if duration_s is None else min(duration_s, LENGTH_S)
    count = round(length_s * fps)
    if count < 1:
        raise ValueError(f"duration_s: found {duration_s}, expected at least {1 / fps:.3f} s, one frame")
    lead = round(-BEGIN_S * fps)
    times_s = np.arange(-lead, round(LENGTH_S * fps) + round(fps)) / fps
    rotations, places = _animate(performer, times_s, fps)
    shown = slice(lead, lead + count)
    return Take(
        performer.skeleton,
        continuous_signs(rotations[shown]).astype(np.float32),
        places[shown].astype(np.float32),
        np.round(np.arange(count) * 1e9 / fps).astype(np.int64),
        name="demo",
        metadata={"source": "demo clip, keyframed", "source_fps": fps},
    )


def _animate(performer: Performer, times_s: Array, fps: float) -> tuple[Array, Array]:
    """Return `(T, 24, 4)` local rotations and `(T, 3)` root places."""
    feet = [follow_steps(*walk_start(foot), all_steps(foot), times_s) for foot in (0, 1)]
    ankles = [track.ankles(performer.foot) for track in feet]
    pelvis = _move_pelvis(performer, feet, [a[0] for a in ankles], times_s, fps)
    local = _upper_body(pelvis, times_s, fps)
    local[:, 0] = pelvis.rotations
    for side, track, (points, rotations) in zip(SIDES, feet, ankles, strict=True):
        _set_leg(local, performer, pelvis, side, points, rotations)
        local[:, JOINT[f"{side}_foot"]] = track.toes()
    return normalize(local), pelvis.places


def _move_pelvis(
    performer: Performer, feet: list[FootTrack], ankles: list[Array], times_s: Array, fps: float
) -> Pelvis:
    """Carry the pelvis between the feet, as high as they let it."""
    keys = {name: number_curve(curve, times_s) for name, curve in PELVIS_KEYS.items()}
    # A foot in the air counts half: the body leans over the one that stands.
    weights = [smooth(np.where(track.planted, 1.0, 0.45), 0.05 * fps) for track in feet]
    total = weights[0] + weights[1]
    middle = smooth(
        sum(w[:, None] * t.places_xz for w, t in zip(weights, feet, strict=True)) / total[:, None], 0.17 * fps
    )
    yaws = smooth((feet[0].yaws_rad + feet[1].yaws_rad) / 2, 0.14 * fps)
    ahead = np.stack([np.sin(yaws), np.cos(yaws)], -1)
    aside = np.stack([np.cos(yaws), -np.sin(yaws)], -1)
    strides = smooth(((feet[0].places_xz - feet[1].places_xz) * ahead).sum(-1) / 0.6, 0.05 * fps)
    sway = smooth((weights[0] - weights[1]) / 1.1, 0.06 * fps)
    speed = np.linalg.norm(np.gradient(middle, axis=0), axis=1) * fps
    idle = 0.008 * np.sin(2 * np.pi * times_s / 3.7)
    middle = middle - ahead * keys["back_m"][:, None] + aside * (keys["left_m"] + idle)[:, None]
    turned = yaws - 0.11 * np.clip(strides, -1, 1)
    bent = np.radians(keys["bend_deg"]) + 0.035 * np.minimum(speed, 1.2)
    leant = -np.radians(keys["lean_deg"]) + 0.06 * sway * np.minimum(speed, 1.0)
    rotations = multiply(multiply(_about(turned, 1), _about(leant, 2)), _about(bent, 0))
    heights = _pelvis_heights(performer, middle, rotations, feet, ankles, keys["drop_m"])
    return Pelvis(np.stack([middle[:, 0], heights, middle[:, 1]], -1), rotations, yaws, strides)


def _pelvis_heights(
    performer: Performer, middle_xz: Array, rotations: Array, feet: list[FootTrack], ankles: list[Array], drop_m: Array
) -> Array:
    """Return `(T,)` metres: the height at which no planted leg is overstretched, less what the keys take away."""
    reach = REACH * sum(np.linalg.norm(performer.bone(f"left_{joint}")) for joint in ("knee", "ankle"))
    limits = []
    for side, points in zip(SIDES, ankles, strict=True):
        hips = rotate(rotations, performer.bone(f"{side}_hip"))
        gap = points[:, [0, 2]] - (middle_xz + hips[:, [0, 2]])
        limits.append(points[:, 1] + np.sqrt(np.maximum(reach**2 - (gap**2).sum(-1), 0.01)) - hips[:, 1])
    stands = [track.planted for track in feet]
    flying = ~stands[0] & ~stands[1]
    free = [np.where(stand | flying, limit, np.inf) for stand, limit in zip(stands, limits, strict=True)]
    lift = np.minimum(feet[0].lifts_m, feet[1].lifts_m)
    standing = reach + performer.foot.ankle_height_m - performer.bone("left_hip")[1]
    wanted = standing + lift - drop_m
    return smooth(np.minimum(lowest_nearby(np.minimum(*free), 2), wanted), 1.6)


def _set_leg(local: Array, performer: Performer, pelvis: Pelvis, side: str, ankles: Array, foot: Array) -> None:
    """Write hip, knee and ankle of one side into the `(T, 24, 4)` local rotations."""
    hips = pelvis.places + rotate(pelvis.rotations, performer.bone(f"{side}_hip"))
    knees = rotate(foot, np.array([0.0, 0.0, 1.0])) + rotate(pelvis.rotations, np.array([0.0, 0.0, 1.0]))
    outward = rotate(pelvis.rotations, np.array([1.0 if side == "left" else -1.0, 0.0, 0.0]))
    knees = knees + 0.12 * outward
    thigh, shin = solve_leg(hips, ankles, knees, performer.bone(f"{side}_knee"), performer.bone(f"{side}_ankle"))
    local[:, JOINT[f"{side}_hip"]] = multiply(inverse(pelvis.rotations), thigh)
    local[:, JOINT[f"{side}_knee"]] = multiply(inverse(thigh), shin)
    local[:, JOINT[f"{side}_ankle"]] = multiply(inverse(shin), foot)


def _upper_body(pelvis: Pelvis, times_s: Array, fps: float) -> Array:
    """Return `(T, 24, 4)` local rotations of trunk, head and arms; the legs at rest."""
    keys = posture_keys()
    local = np.zeros((len(times_s), len(JOINT), 4))
    local[..., 0] = 1.0
    for name in keys[0].posture:
        lag_s = LAG_S.get(name.rpartition("_")[2], 0.0)
        curve = rotation_curve([(key.time_s, key.posture[name]) for key in keys], times_s - lag_s)
        local[:, JOINT[name]] = smooth_rotations(curve, 0.05 * fps)
    _swing_arms(local, pelvis)
    _look_ahead(local, pelvis, fps)
    breath = 0.012 * np.sin(2 * np.pi * times_s / 3.4)
    local[:, JOINT["spine2"]] = multiply(local[:, JOINT["spine2"]], _about(breath, 0))
    return local


def _swing_arms(local: Array, pelvis: Pelvis) -> None:
    """Let each arm go with the opposite foot, and the chest against the pelvis."""
    strides = np.clip(pelvis.strides, -1.1, 1.1)
    for side, swing in zip(SIDES, (-strides, strides), strict=True):
        shoulder, elbow = JOINT[f"{side}_shoulder"], JOINT[f"{side}_elbow"]
        local[:, shoulder] = multiply(_about(-0.42 * swing, 0), local[:, shoulder])
        bend = 0.22 * np.maximum(swing, 0.0) * (-1.0 if side == "left" else 1.0)
        local[:, elbow] = multiply(local[:, elbow], _about(bend, 1))
    for joint in ("spine1", "spine2", "spine3"):
        local[:, JOINT[joint]] = multiply(_about(0.075 * strides, 1), local[:, JOINT[joint]])


def _look_ahead(local: Array, pelvis: Pelvis, fps: float) -> None:
    """Turn the head to where the body will face."""
    steps = round(LOOK_AHEAD_S * fps)
    later = np.concatenate([pelvis.yaws_rad[steps:], np.repeat(pelvis.yaws_rad[-1:], steps)])
    turned = smooth(np.clip(later - pelvis.yaws_rad, -0.9, 0.9), 0.06 * fps)
    for joint in ("neck", "head"):
        local[:, JOINT[joint]] = multiply(_about(0.5 * turned, 1), local[:, JOINT[joint]])


def _about(angles_rad: Array, axis: int) -> Array:
    vectors = np.zeros((len(angles_rad), 3))
    vectors[:, axis] = angles_rad
    return quaternion_from_rotvec(vectors)
