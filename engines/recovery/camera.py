"""From a body in a crop's own axes to a body in the camera frame (NumPy)."""

from __future__ import annotations

import numpy as np

from ..types import FloatArray, Regions

_MIN_DEPTH_M, _MAX_DEPTH_M = 0.3, 60.0
# How much the network's own weak-perspective depth counts beside one fully visible joint.
_PRIOR_WEIGHT = 0.02


def crop_to_camera(regions: Regions, intrinsics: FloatArray) -> FloatArray:
    """Return `(N, 3, 3)` rotations: crop axes -> camera axes.

    A crop is read as the picture of a camera that looks straight at the region's centre and is turned with the
    region, because that is how the training crops were made.
    """
    rays = (regions.centers_px - intrinsics[:2, 2]) / (intrinsics[0, 0], intrinsics[1, 1])
    yaw = np.arctan(rays[:, 0])
    pitch = np.arctan(rays[:, 1] * np.cos(yaw))
    return _about_y(yaw) @ _about_x(-pitch) @ _about_z(regions.angles_rad)


def solve_translation(
    joints: FloatArray, joints_px: FloatArray, weights: FloatArray, intrinsics: FloatArray, prior_depth: FloatArray
) -> FloatArray:
    """Return `(N, 3)` root positions that bring the joints closest to where they are seen.

    Linear least squares in closed form: (u - cx) / f * (Z + tz) = X + tx, and the same for y.

    Args:
        joints: `(N, J, 3)` metres, camera axes, relative to the root.
        joints_px: `(N, J, 2)` pixels of the full picture.
        weights: `(N, J)`, 0 to 1.
        intrinsics: `(3, 3)` pixels.
        prior_depth: `(N,)` metres, what the depth is drawn to where little is seen.
    """
    rays = ((joints_px - intrinsics[:2, 2]) / (intrinsics[0, 0], intrinsics[1, 1])).astype(np.float64)
    weights = np.maximum(weights, 1e-4).astype(np.float64)
    # Rows of the residual are divided by the depth, so that they count in the picture: iterate once.
    depth = np.clip(prior_depth.astype(np.float64), _MIN_DEPTH_M, _MAX_DEPTH_M)
    for _ in range(2):
        scaled = weights / depth[:, None] ** 2
        translation = _least_squares(joints.astype(np.float64), rays, scaled, depth)
        depth = np.clip(translation[:, 2], _MIN_DEPTH_M, _MAX_DEPTH_M)
    clipped = depth / np.where(np.abs(translation[:, 2]) < 1e-6, 1e-6, translation[:, 2])
    sane = (translation[:, 2] > 0)[:, None]
    return np.where(sane, translation * clipped[:, None], [0, 0, 1] * depth[:, None]).astype(np.float32)


def _least_squares(joints: np.ndarray, rays: np.ndarray, weights: np.ndarray, depth: np.ndarray) -> np.ndarray:
    target = rays * joints[..., 2:] - joints[..., :2]
    total = weights.sum(1)
    normal = np.zeros((len(joints), 3, 3))
    normal[:, 0, 0] = normal[:, 1, 1] = total
    normal[:, :2, 2] = normal[:, 2, :2] = -(weights[..., None] * rays).sum(1)
    normal[:, 2, 2] = (weights * (rays**2).sum(-1)).sum(1)
    right = np.empty((len(joints), 3))
    right[:, :2] = (weights[..., None] * target).sum(1)
    right[:, 2] = -(weights * (rays * target).sum(-1)).sum(1)
    prior = _PRIOR_WEIGHT * 1e-2 / depth**2
    normal[:, 2, 2] += prior
    right[:, 2] += prior * depth
    return np.linalg.solve(normal, right[..., None])[..., 0]


def _about_x(angles: FloatArray) -> FloatArray:
    return _about(angles, 1, 2)


def _about_y(angles: FloatArray) -> FloatArray:
    return _about(angles, 2, 0)


def _about_z(angles: FloatArray) -> FloatArray:
    return _about(angles, 0, 1)


def _about(angles: FloatArray, first: int, second: int) -> FloatArray:
    """Return `(N, 3, 3)` turns that take axis `first` towards axis `second`."""
    result = np.tile(np.eye(3, dtype=np.float32), (len(angles), 1, 1))
    result[:, first, first] = result[:, second, second] = np.cos(angles)
    result[:, second, first], result[:, first, second] = np.sin(angles), -np.sin(angles)
    return result
