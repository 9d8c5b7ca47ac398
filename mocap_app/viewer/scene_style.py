"""How the 3-D view looks: colours of both themes, light, and what is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from engines.types import FloatArray

from ..sinks.colors import COLORS

Mode = Literal["mesh", "skeleton", "both"]
ThemeName = Literal["dark", "light"]
Color = tuple[float, float, float]
MODES: tuple[Mode, ...] = ("mesh", "skeleton", "both")


@dataclass(frozen=True, slots=True)
class Look:
    """What is shown, and in which theme."""

    mode: Mode = "mesh"
    trail: bool = True
    theme: ThemeName = "dark"


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours, 0 to 1; a fourth number is how much is covered."""

    bottom: Color
    top: Color
    ground: tuple[float, float, float, float]
    line: tuple[float, float, float, float]
    x_axis: Color
    z_axis: Color
    shade: Color
    frustum: tuple[float, float, float, float]
    key_color: Color
    fill_color: Color
    sky: Color
    bounce: Color
    rim_color: Color
    focus: Color
    """Of the frame round the view that has the keys."""
    depth: float
    """What a performer's colour is multiplied with: on a light floor a paler one would be lost."""


THEMES: dict[ThemeName, Theme] = {
    "dark": Theme(
        bottom=(0.100, 0.108, 0.125), top=(0.060, 0.065, 0.078), ground=(0.158, 0.168, 0.192, 0.85),
        line=(0.44, 0.47, 0.53, 0.55), x_axis=(0.74, 0.33, 0.36), z_axis=(0.30, 0.48, 0.80), shade=(0.02, 0.02, 0.03),
        frustum=(1.0, 0.74, 0.34, 0.95), key_color=(0.86, 0.83, 0.78), fill_color=(0.16, 0.19, 0.25),
        sky=(0.27, 0.29, 0.33), bounce=(0.10, 0.10, 0.12), rim_color=(0.13, 0.16, 0.21), depth=1.0,
        focus=(0.36, 0.56, 0.84),
    ),
    "light": Theme(
        bottom=(0.885, 0.895, 0.912), top=(0.965, 0.972, 0.982), ground=(0.925, 0.932, 0.945, 0.9),
        line=(0.52, 0.56, 0.63, 0.62), x_axis=(0.84, 0.36, 0.38), z_axis=(0.28, 0.46, 0.82), shade=(0.14, 0.17, 0.24),
        frustum=(0.80, 0.46, 0.05, 0.95), key_color=(0.84, 0.82, 0.79), fill_color=(0.14, 0.16, 0.20),
        sky=(0.37, 0.39, 0.43), bounce=(0.20, 0.195, 0.19), rim_color=(0.03, 0.03, 0.04), depth=0.94,
        focus=(0.20, 0.45, 0.82),
    ),
}  # fmt: skip
KEY_DIRECTION = (-0.50, 0.62, 0.60)
"""Towards the light, view axes: it comes over the onlooker's left shoulder, however the scene is turned."""
FILL_DIRECTION = (0.85, 0.05, 0.35)
GLOSS = 0.10
BONE_PALENESS = 0.45
"""How far bones over a surface are from the surface's colour to white."""


def colors_of(track_ids: np.ndarray, depth: float = 1.0) -> FloatArray:
    """Return `(N, 3)` float32, 0 to 1: the colour of each performer, the same in every picture of the application."""
    table = np.array(COLORS, np.float32) / np.float32(255)
    return (table[(track_ids - 1) % len(table)] * depth).astype(np.float32)
