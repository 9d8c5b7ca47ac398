"""A small vocabulary of postures: what a part of the body does, in degrees a reader can picture.

Angles are those of a person standing upright: an arm raised by 0 hangs, by 90 is level, by 180 points up. A posture
holds parent-relative unit quaternions by SMPL joint name; joints it does not name are left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exporters.rotations import multiply, quaternion_from_rotvec

Rotation = NDArray[Any]
Posture = Mapping[str, Rotation]
COLLAR_SHARE = 0.25
"""The part of an arm's raising that the shoulder girdle gives; at 30 degrees the collar bone is level."""


def turn(axis: str, degrees: float) -> Rotation:
    """Return the unit quaternion `(4,)` of a turn about x (to the left), y (up) or z (forward)."""
    vector = np.zeros(3)
    vector["xyz".index(axis)] = np.radians(degrees)
    return quaternion_from_rotvec(vector)


def chain(*rotations: Rotation) -> Rotation:
    """Return the product; the last rotation acts first."""
    product = rotations[0]
    for rotation in rotations[1:]:
        product = multiply(product, rotation)
    return product


def arm(
    side: str,
    raised: float = 6.0,
    forward: float = 0.0,
    across: float = 0.0,
    twist: float = 0.0,
    elbow: float = 14.0,
    wrist: float = 0.0,
) -> dict[str, Rotation]:
    """Return one arm, `side` "left" or "right", degrees.

    Args:
        side: whose arm.
        raised: sideways, 0 hanging to 180 up.
        forward: swing of the hanging arm to the front.
        across: swing of the raised arm to the front.
        twist: of the upper arm outwards; at 90 the bent forearm of a level arm points up.
        elbow: bend.
        wrist: bend towards the palm.
    """
    girdle = COLLAR_SHARE * (raised - 30.0)
    left = {
        "left_collar": turn("z", girdle),
        "left_shoulder": chain(
            turn("x", -forward), turn("y", -across), turn("z", raised - girdle - 90.0), turn("x", -twist)
        ),
        "left_elbow": turn("y", -elbow),
        "left_wrist": turn("z", -wrist),
    }
    return left if side == "left" else mirrored(left)


def trunk(bend: float = 0.0, lean: float = 0.0, twist: float = 0.0) -> dict[str, Rotation]:
    """Return the spine, degrees: bent forward, leant to the left, twisted to the left; shared by three joints."""
    shares = (("spine1", 0.4), ("spine2", 0.3), ("spine3", 0.3))
    return {name: chain(turn("y", twist * s), turn("z", -lean * s), turn("x", bend * s)) for name, s in shares}


def head(nod: float = 0.0, turned: float = 0.0, tilt: float = 0.0) -> dict[str, Rotation]:
    """Return neck and head, degrees: nodding down, turned to the left, tilted to the left."""
    half = chain(turn("y", turned / 2), turn("z", -tilt / 2), turn("x", nod / 2))
    return {"neck": half, "head": half}


def both_arms(**angles: float) -> dict[str, Rotation]:
    """Return both arms doing the same; angles as in `arm`."""
    return arm("left", **angles) | arm("right", **angles)


def mirrored(posture: Posture) -> dict[str, Rotation]:
    """Return the posture of the other side: reflected at the plane between left and right."""
    other = {"left": "right", "right": "left"}
    result = {}
    for name, rotation in posture.items():
        side, _, rest = name.partition("_")
        result[f"{other[side]}_{rest}" if side in other else name] = rotation * (1.0, 1.0, -1.0, -1.0)
    return result


RELAXED: Posture = both_arms() | trunk() | head()
"""Standing at ease; names every joint the vocabulary moves."""
