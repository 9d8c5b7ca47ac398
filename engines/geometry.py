"""Boxes, regions, crops and cameras (NumPy and, for warping alone, OpenCV)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .types import FloatArray, Image, Regions

# A person's box is enlarged by this before it becomes the square an encoder sees (MediaPipe's own factor for
# a region made from its two alignment points).
BOX_MARGIN = 1.25


@dataclass(frozen=True, slots=True)
class Crop:
    """A square cut from an image by a similarity transform."""

    image: Image
    """`(size, size, 3)` uint8 RGB."""
    matrix: FloatArray
    """`(2, 3)` float32: full-image pixels -> crop pixels."""


def default_intrinsics(width_px: int, height_px: int) -> FloatArray:
    """Return the `(3, 3)` camera matrix assumed without calibration.

    The focal length is the image diagonal (about 55 degrees of diagonal field of view), the principal point
    the centre, as in CLIFF (Li et al., ECCV 2022, section 3.2).
    """
    focal = float(np.hypot(width_px, height_px))
    return np.array([[focal, 0, width_px / 2], [0, focal, height_px / 2], [0, 0, 1]], np.float32)


def regions_from_boxes(boxes_xyxy: FloatArray, margin: float = BOX_MARGIN) -> Regions:
    """Return upright squares around `(N, 4)` boxes: same centre, side = longer box side times `margin`."""
    centers = (boxes_xyxy[:, :2] + boxes_xyxy[:, 2:]) / 2
    sides = (boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]).max(axis=1, initial=0) * margin
    return Regions(centers.astype(np.float32), sides.astype(np.float32), np.zeros(len(boxes_xyxy), np.float32))


def region_matrices(regions: Regions, size_px: int) -> FloatArray:
    """Return `(N, 2, 3)` float32 matrices: full-image pixels -> pixels of a `size_px` square crop.

    The region's centre lands on the crop's centre, the region's up direction on the crop's up direction.
    """
    scale = size_px / np.maximum(regions.sides_px.astype(np.float64), 1e-6)
    c, s = np.cos(regions.angles_rad) * scale, np.sin(regions.angles_rad) * scale
    linear = np.stack([np.stack([c, s], -1), np.stack([-s, c], -1)], -2)
    shift = size_px / 2 - np.einsum("nij,nj->ni", linear, regions.centers_px)
    return np.concatenate([linear, shift[..., None]], -1).astype(np.float32)


def invert_affine(matrices: FloatArray) -> FloatArray:
    """Return the inverses of `(..., 2, 3)` affine matrices."""
    linear = np.linalg.inv(matrices[..., :2].astype(np.float64))
    shift = -np.einsum("...ij,...j->...i", linear, matrices[..., 2])
    return np.concatenate([linear, shift[..., None]], -1).astype(np.float32)


def apply_affine(matrices: FloatArray, points: FloatArray) -> FloatArray:
    """Return `(..., P, 2)` points moved by `(..., 2, 3)` affine matrices."""
    moved = np.einsum("...ij,...pj->...pi", matrices[..., :2], points) + matrices[..., None, :, 2]
    return moved.astype(np.float32)


def cut_crops(image: Image, matrices: FloatArray, size_px: int) -> Image:
    """Return `(N, size, size, 3)` uint8 crops of `image` under `(N, 2, 3)` matrices; black outside the image.

    Pixel centres lie at half-integers in both pictures, so that a matrix acts on corners and centres alike.
    """
    import cv2

    crops = np.empty((len(matrices), size_px, size_px, 3), np.uint8)
    for matrix, crop in zip(matrices, crops, strict=True):
        centred = matrix.astype(np.float64).copy()
        centred[:, 2] += centred[:, :2] @ (0.5, 0.5) - 0.5
        shrink = np.hypot(centred[0, 0], centred[1, 0])
        flags = cv2.INTER_AREA if shrink < 0.5 else cv2.INTER_LINEAR
        crop[:] = _warp(image, centred, size_px, flags, shrink)
    return crops


def _warp(image: Image, matrix: np.ndarray, size_px: int, flags: int, shrink: float) -> Image:
    """Warp with a plain linear filter, halving the picture first where it would alias badly."""
    import cv2

    if flags == cv2.INTER_AREA:  # warpAffine has no area filter: reduce around the region first
        factor = max(shrink, 1e-3)
        corners = apply_affine(invert_affine(matrix[None].astype(np.float32)), np.array(
            [[[0, 0], [size_px, 0], [0, size_px], [size_px, size_px]]], np.float32))[0]
        height, width = image.shape[:2]
        x0, y0 = np.clip(np.floor(corners.min(0)).astype(int) - 2, 0, (width, height))
        x1, y1 = np.clip(np.ceil(corners.max(0)).astype(int) + 2, 0, (width, height))
        if x1 - x0 > 1 and y1 - y0 > 1:
            patch = image[y0:y1, x0:x1]
            new_wh = (max(1, round((x1 - x0) * factor)), max(1, round((y1 - y0) * factor)))
            patch = cv2.resize(patch, new_wh, interpolation=cv2.INTER_AREA)
            fx, fy = new_wh[0] / (x1 - x0), new_wh[1] / (y1 - y0)
            matrix = matrix.copy()
            matrix[:, 2] += matrix[:, :2] @ (x0 - 0.5, y0 - 0.5)
            matrix[:, :2] = matrix[:, :2] / (fx, fy)
            matrix[:, 2] += matrix[:, :2] @ (0.5, 0.5)
            image = patch
    return cv2.warpAffine(image, matrix, (size_px, size_px), flags=cv2.INTER_LINEAR, borderValue=(0, 0, 0))  # type: ignore[return-value]


def project(points: FloatArray, intrinsics: FloatArray) -> FloatArray:
    """Return `(..., 2)` pixels of `(..., 3)` camera-frame points under a `(3, 3)` camera matrix.

    Points nearer than 1 mm or behind the camera are treated as 1 mm away, so that the numbers stay finite.
    """
    depth = np.maximum(points[..., 2:], 1e-3)
    pixels = points[..., :2] / depth * (intrinsics[0, 0], intrinsics[1, 1]) + intrinsics[:2, 2]
    return pixels.astype(np.float32)
