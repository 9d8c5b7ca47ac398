"""What a performer wears: colours by part of the body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.body.parameters import BodyParameters
from engines.rendering import Surface

Color = tuple[int, int, int]
HEAD, HANDS, FEET = (15,), (20, 21, 22, 23), (7, 8, 10, 11)
SHIRT, FOREARMS, TROUSERS = (3, 6, 9, 13, 14, 16, 17), (18, 19), (0, 1, 2, 4, 5)
SOLE = (236, 232, 226)


@dataclass(frozen=True, slots=True)
class Costume:
    """Colours, RGB."""

    skin: Color
    hair: Color
    shirt: Color
    trousers: Color
    shoes: Color


COSTUMES = (
    Costume((226, 182, 154), (62, 44, 34), (44, 122, 146), (62, 66, 84), (188, 72, 52)),
    Costume((150, 104, 78), (28, 24, 24), (206, 148, 52), (44, 58, 92), (226, 226, 222)),
    Costume((236, 196, 172), (170, 128, 74), (146, 58, 72), (110, 98, 84), (44, 44, 50)),
    Costume((112, 76, 58), (20, 18, 20), (196, 204, 198), (52, 84, 70), (60, 60, 66)),
    Costume((222, 176, 142), (96, 92, 92), (84, 92, 162), (38, 38, 44), (224, 190, 70)),
    Costume((186, 138, 106), (44, 30, 24), (92, 146, 84), (130, 112, 92), (70, 50, 40)),
    Costume((238, 202, 180), (138, 62, 36), (60, 60, 66), (86, 112, 148), (210, 210, 206)),
    Costume((168, 118, 90), (34, 30, 32), (198, 96, 118), (70, 70, 78), (50, 70, 110)),
)


def dress(body: BodyParameters, costume: Costume) -> Surface:
    """Return the colours of every vertex of the body's rest pose."""
    joint = body.skinning_weights.argmax(axis=1)
    colors = np.empty((body.vertex_count, 3), np.uint8)
    colors[:] = costume.skin
    for joints, color in ((SHIRT, costume.shirt), (TROUSERS, costume.trousers), (FEET, costume.shoes)):
        colors[np.isin(joint, joints)] = color
    place = body.template
    _sleeves(colors, place, joint, costume)
    floor = place[:, 1].min()
    colors[np.isin(joint, FEET) & (place[:, 1] < floor + 0.009)] = SOLE
    colors[np.isin(joint, (4, 5)) & (place[:, 1] < floor + 0.13)] = costume.skin
    _face(colors, place, joint, costume)
    return Surface(colors, place, gloss=0.06)


def _sleeves(colors: NDArray[np.uint8], place: NDArray[Any], joint: NDArray[Any], costume: Costume) -> None:
    """End the sleeves above the elbows and the collar below the chin."""
    upper_arms = np.isin(joint, (16, 17))
    outer = np.abs(place[upper_arms, 0]).max()
    colors[upper_arms & (np.abs(place[:, 0]) > outer - 0.06)] = costume.skin
    colors[joint == 12] = costume.skin


def _face(colors: NDArray[np.uint8], place: NDArray[Any], joint: NDArray[Any], costume: Costume) -> None:
    """Paint hair, eyes and mouth by proportions of the head."""
    head = np.isin(joint, HEAD)
    low, high = place[head].min(0), place[head].max(0)
    x, y, z = ((place - low) / (high - low)).T
    ears = (np.abs(x - 0.5) > 0.43) & (y < 0.66)
    colors[head & ~ears & ((y > 0.80) | ((z < 0.52) & (y > 0.30)) | ((z < 0.66) & (y > 0.66)))] = costume.hair
    eyes = head & (z > 0.72) & (np.abs(y - 0.54) < 0.022) & (np.abs(np.abs(x - 0.5) - 0.2) < 0.055)
    mouth = head & (z > 0.78) & (np.abs(y - 0.22) < 0.028) & (np.abs(x - 0.5) < 0.15)
    colors[eyes] = (58, 46, 42)
    colors[mouth] = tuple(int(c * f) for c, f in zip(costume.skin, (0.82, 0.55, 0.55), strict=True))
