"""Where the virtual camera stands and which square of its picture the encoder sees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..types import FloatArray
from .poses import from_rotation_vectors

CROP_PX = 256
_FACE_CAMERA = np.diag([1.0, -1.0, -1.0]).astype(np.float32)  # world y up -> camera y down


@dataclass(frozen=True, slots=True)
class View:
    """One body seen in one crop; the crop's centre lies on the optical axis, or near it."""

    rotation: FloatArray
    """`(3, 3)` world -> camera, the crop's own turn included."""
    translation: FloatArray
    """`(3,)` metres, camera frame, added to rotated world points."""
    focal_px: float
    """Focal length in crop pixels."""
    center_px: FloatArray
    """`(2,)` principal point in crop pixels."""

    @property
    def intrinsics(self) -> FloatArray:
        """`(3, 3)` camera matrix of the crop, pixels."""
        (cx, cy), f = self.center_px, self.focal_px
        return np.array([[f, 0, cx], [0, f, cy], [0, 0, 1]], np.float32)


def sample_view(vertices: FloatArray, joints: FloatArray, rng: np.random.Generator) -> View:
    """Return a random view of one body.

    Three of four crops are cut the way an encoder's own key points ask for (centre: mid hip; half side: 1.25
    times the farthest point; turned so that the trunk points up); the others as a detector's upright box.

    Args:
        vertices: `(V, 3)` world frame, metres (a subset will do).
        joints: `(24, 3)` world frame, metres.
        rng: Where the randomness comes from.
    """
    pitch = rng.normal(5, 11) if rng.random() < 0.72 else rng.uniform(-60, 60)
    roll = rng.normal(0, 6)
    vectors = np.radians(np.array([[pitch, 0, 0], [0, 0, roll]], np.float32))
    tilt, turn = from_rotation_vectors(vectors)
    rotation = turn @ tilt @ _FACE_CAMERA
    distance = float(np.exp(rng.uniform(np.log(1.4), np.log(8.0))))
    points = np.concatenate([joints, vertices]) @ rotation.T
    hips = points[[1, 2]].mean(0)
    depth = max(distance, float(hips[2] - points[:, 2].min()) + 0.5)
    shift = np.array([0, 0, depth], np.float32) - hips
    return _cut(points + shift, rotation, shift, rng)


def _cut(points: FloatArray, rotation: FloatArray, shift: FloatArray, rng: np.random.Generator) -> View:
    flat = points[:, :2] / points[:, 2:]
    if rng.random() < 0.75:
        center, side, angle = _encoder_square(flat)
        angle += np.radians(rng.normal(0, 9))
        side *= np.exp(rng.normal(0, 0.1))
        center = center + rng.normal(0, 0.03, 2) * side
    else:
        low, high = flat[24:].min(0), flat[24:].max(0)
        center, side, angle = (low + high) / 2, float((high - low).max()) * 1.25, 0.0
        side *= np.exp(rng.normal(0, 0.12))
        center = center + rng.normal(0, 0.05, 2) * side
    if rng.random() < 0.12:  # a close-up that cuts limbs off
        side *= rng.uniform(0.5, 0.85)
        center = center + rng.uniform(-0.25, 0.25, 2) * side
    return _turned(rotation, shift, center, side, angle)


def _encoder_square(flat: FloatArray) -> tuple[np.ndarray, float, float]:
    """Return centre, side and angle of the square MediaPipe's alignment points describe."""
    hips, shoulders = flat[[1, 2]].mean(0), flat[[16, 17]].mean(0)
    radius = float(np.linalg.norm(flat - hips, axis=1).max())
    up = shoulders - hips
    return hips, 2.5 * radius, float(np.arctan2(up[0], -up[1]))


def _turned(rotation: FloatArray, shift: FloatArray, center: np.ndarray, side: float, angle: float) -> View:
    """Turn the camera so that the square's centre is near its axis and the square is upright."""
    yaw, pitch = np.arctan(center[0]), -np.arctan(center[1])
    vectors = np.array([[0, -yaw, 0], [-pitch, 0, 0], [0, 0, -angle]], np.float32)
    about_y, about_x, about_z = from_rotation_vectors(vectors)
    look = about_z @ about_x @ about_y
    focal = CROP_PX / side
    return View(look @ rotation, look @ shift, float(focal), np.full(2, CROP_PX / 2, np.float32))
