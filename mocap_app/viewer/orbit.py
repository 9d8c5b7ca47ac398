"""The camera that looks at the scene: it turns round a point, and knows nothing of windows.

World frame as in `exporters.types`: right-handed, y up, metres, floor at y = 0; whoever faces the source's camera faces
+z. The view frame is OpenGL's: x right, y up, and what is looked at lies towards -z. Matrices act on column vectors.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from engines.types import FloatArray

CLOSEST_M = 0.4
FARTHEST_M = 60.0
LOWEST_RAD = np.deg2rad(-60.0)
HIGHEST_RAD = np.deg2rad(90.0)
SIDE_RAD = np.pi / 2
MARGIN = 1.15
"""Room left round the people when they are framed."""
NEAR_SHARE = 0.02
"""The near plane, as a part of the distance: depth precision goes where the people are."""
FAR_M = 150.0


@dataclass(frozen=True, slots=True)
class OrbitCamera:
    """Where the scene is seen from. Each act returns another camera."""

    target: tuple[float, float, float] = (0.0, 0.9, 0.0)
    """The point looked at and turned round; metres, world frame."""
    distance_m: float = 4.5
    yaw_rad: float = 0.0
    """About the world's y: 0 stands on the +z side and sees faces, pi/2 on the +x side."""
    pitch_rad: float = 0.0
    """How far from above: 0 is level, pi/2 looks straight down."""
    fov_y_rad: float = float(np.deg2rad(35.0))

    @property
    def axes(self) -> np.ndarray:
        """`(3, 3)` float64 rotation, view axes -> world axes; its columns are right, up and backwards."""
        cy, sy = np.cos(self.yaw_rad), np.sin(self.yaw_rad)
        cp, sp = np.cos(self.pitch_rad), np.sin(self.pitch_rad)
        return np.array([[cy, -sy * sp, sy * cp], [0.0, cp, sp], [-sy, -cy * sp, cy * cp]])

    @property
    def position(self) -> FloatArray:
        """`(3,)` float32 metres, world frame: the eye."""
        return (np.array(self.target) + self.distance_m * self.axes[:, 2]).astype(np.float32)

    def view(self) -> FloatArray:
        """Return the `(4, 4)` float32 matrix, world frame -> view frame."""
        turn = self.axes.T
        matrix = np.eye(4)
        matrix[:3, :3] = turn
        matrix[:3, 3] = -turn @ np.array(self.target)
        matrix[2, 3] -= self.distance_m
        return matrix.astype(np.float32)

    def projection(self, aspect: float) -> FloatArray:
        """Return the `(4, 4)` float32 matrix, view frame -> clip space, of a picture of width / height `aspect`."""
        near, far = NEAR_SHARE * self.distance_m, FAR_M
        lens = 1.0 / np.tan(self.fov_y_rad / 2)
        matrix = np.zeros((4, 4))
        matrix[0, 0], matrix[1, 1] = lens / aspect, lens
        matrix[2, 2], matrix[2, 3] = (far + near) / (near - far), 2 * far * near / (near - far)
        matrix[3, 2] = -1.0
        return matrix.astype(np.float32)

    def sees(self, points: np.ndarray, aspect: float) -> bool:
        """Say whether all of the `(K, 3)` world points are in a picture of width / height `aspect`."""
        clip = np.c_[points, np.ones(len(points))] @ (self.projection(aspect) @ self.view()).T
        return bool((np.abs(clip[:, :2]) < clip[:, 3:]).all())

    def orbited(self, yaw_rad: float, pitch_rad: float) -> OrbitCamera:
        """Return the camera turned round its target; it stops at straight above, and before it is below."""
        pitch = float(np.clip(self.pitch_rad + pitch_rad, LOWEST_RAD, HIGHEST_RAD))
        yaw = float(np.remainder(self.yaw_rad + yaw_rad + np.pi, 2 * np.pi) - np.pi)
        return replace(self, yaw_rad=yaw, pitch_rad=pitch)

    def panned(self, right: float, up: float) -> OrbitCamera:
        """Return the camera moved sideways, by parts of the picture's height at the target's distance."""
        height_m = 2 * self.distance_m * np.tan(self.fov_y_rad / 2)
        shift = self.axes[:, 0] * right * height_m + self.axes[:, 1] * up * height_m
        return replace(self, target=_triple(np.array(self.target) + shift))

    def zoomed(self, factor: float) -> OrbitCamera:
        """Return the camera at its distance times `factor`, within the limits."""
        return replace(self, distance_m=float(np.clip(self.distance_m * factor, CLOSEST_M, FARTHEST_M)))

    def towards(self, other: OrbitCamera, fraction: float) -> OrbitCamera:
        """Return the camera `fraction` (0 to 1) of the way to `other`, round by the shorter side."""
        if fraction >= 1:
            return other
        turn = float(np.remainder(other.yaw_rad - self.yaw_rad + np.pi, 2 * np.pi) - np.pi)
        here, there = np.array(self.target), np.array(other.target)
        return replace(
            self,
            target=_triple(here + fraction * (there - here)),
            distance_m=self.distance_m * (other.distance_m / self.distance_m) ** fraction,
            yaw_rad=self.yaw_rad + fraction * turn,
            pitch_rad=self.pitch_rad + fraction * (other.pitch_rad - self.pitch_rad),
        )

    def front(self) -> OrbitCamera:
        """Return the camera level and on the +z side: it looks along -z."""
        return replace(self, yaw_rad=0.0, pitch_rad=0.0)

    def side(self) -> OrbitCamera:
        """Return the camera level and on the +x side: it looks along -x."""
        return replace(self, yaw_rad=SIDE_RAD, pitch_rad=0.0)

    def top(self) -> OrbitCamera:
        """Return the camera above: it looks along -y, and +x is still to the right."""
        return replace(self, yaw_rad=0.0, pitch_rad=float(HIGHEST_RAD))

    def framing(self, points: np.ndarray, aspect: float) -> OrbitCamera:
        """Return the camera from the same direction, such that `(K, 3)` world points fill a picture of `aspect`.

        Without points it stays as it is.
        """
        points = points[np.isfinite(points).all(axis=1)]
        if not len(points):
            return self
        middle = (points.min(axis=0) + points.max(axis=0)) / 2
        seen = (points - middle) @ self.axes
        lens = 1.0 / np.tan(self.fov_y_rad / 2)
        # A point at depth z before the middle fits where |y| lens <= distance - z, and likewise sideways.
        reach = np.maximum(np.abs(seen[:, 1]) * lens, np.abs(seen[:, 0]) * lens / aspect)
        distance_m = float((MARGIN * reach + seen[:, 2]).max())
        return replace(self, target=_triple(middle), distance_m=float(np.clip(distance_m, CLOSEST_M, FARTHEST_M)))


DEFAULT_CAMERA = OrbitCamera(yaw_rad=float(np.deg2rad(28.0)), pitch_rad=float(np.deg2rad(14.0)))
"""From the front, a little from the performer's left and from above, where depth can be seen."""
EMPTY_CAMERA = OrbitCamera((0.0, 0.8, -1.8), 7.0, DEFAULT_CAMERA.yaw_rad, DEFAULT_CAMERA.pitch_rad)
"""Nobody is there yet: the source's camera and the floor before it."""


def _triple(point: np.ndarray) -> tuple[float, float, float]:
    return float(point[0]), float(point[1]), float(point[2])
