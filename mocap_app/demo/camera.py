"""The demo's camera: where it stands, and what lands where in its picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.geometry import project
from engines.types import FloatArray

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class DemoCamera:
    """Stands over the world's origin and looks along -z, down by its pitch."""

    size_wh: tuple[int, int] = (1280, 720)
    focal_part: float = 0.80
    """Focal length as a part of the picture's width; 0.8 is 64 degrees across, as many webcams have."""
    height_m: float = 1.25
    pitch_deg: float = 5.0

    @property
    def focal_px(self) -> float:
        """Focal length in pixels."""
        return self.focal_part * self.size_wh[0]

    @property
    def intrinsics(self) -> FloatArray:
        """`(3, 3)` float32 pixels."""
        width, height = self.size_wh
        return np.array([[self.focal_px, 0, width / 2], [0, self.focal_px, height / 2], [0, 0, 1]], np.float32)

    @property
    def axes(self) -> Array:
        """`(3, 3)` world -> camera axes; half a turn round x for a level camera."""
        c, s = np.cos(np.radians(self.pitch_deg)), np.sin(np.radians(self.pitch_deg))
        return np.array([[1.0, 0.0, 0.0], [0.0, -c, s], [0.0, -s, -c]])

    def to_camera(self, points: Array) -> FloatArray:
        """Return `(..., 3)` float32 metres, camera frame, of world points."""
        return ((points - (0.0, self.height_m, 0.0)) @ self.axes.T).astype(np.float32)

    def to_pixels(self, points: Array) -> FloatArray:
        """Return `(..., 2)` float32 pixels of world points."""
        return project(self.to_camera(points), self.intrinsics)
