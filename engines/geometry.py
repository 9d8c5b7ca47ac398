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
        halvings = int(np.log2(max(1 / max(float(np.hypot(matrix[0, 0], matrix[1, 0])), 1e-3), 1)))
        source, moved = _reduced(image, matrix, size_px, halvings) if halvings else (image, matrix.astype(np.float64))
        moved[:, 2] += moved[:, :2] @ (0.5, 0.5) - 0.5
        cv2.warpAffine(source, moved, (size_px, size_px), dst=crop, flags=cv2.INTER_LINEAR, borderValue=(0, 0, 0))
    return crops


def _reduced(image: Image, matrix: FloatArray, size_px: int, halvings: int) -> tuple[Image, np.ndarray]:
    """Return the region's part of the picture, halved so many times, and the `(2, 3)` matrix from it to the crop.

    A linear filter alone would skip pixels of a region much larger than the crop. The mean of two by two pixels is
    many times faster than that of other areas, and the warp then shrinks by less than 2: no pixel is skipped.
    """
    import cv2

    factor = 2**halvings
    corners = np.array([[0, 0], [size_px, 0], [0, size_px], [size_px, size_px]], np.float32)
    corners = apply_affine(invert_affine(matrix), corners)
    low = np.clip(np.floor(corners.min(axis=0)).astype(int) - factor, 0, image.shape[1::-1])
    high = np.clip(np.ceil(corners.max(axis=0)).astype(int) + factor, 0, image.shape[1::-1])
    if (high <= low).any():
        return image, matrix.astype(np.float64)
    missing = -(high - low) % factor
    high = np.minimum(high + missing, image.shape[1::-1])
    missing = -(high - low) % factor  # at the picture's end alone: black, as is all outside
    part = image[low[1] : high[1], low[0] : high[0]]
    if missing.any():
        part = cv2.copyMakeBorder(part, 0, int(missing[1]), 0, int(missing[0]), cv2.BORDER_CONSTANT)
    for _ in range(halvings):
        part = cv2.resize(part, (part.shape[1] // 2, part.shape[0] // 2), interpolation=cv2.INTER_AREA)
    moved = matrix.astype(np.float64)
    moved[:, 2] += moved[:, :2] @ low
    moved[:, :2] *= factor
    return part, moved


def project(points: FloatArray, intrinsics: FloatArray) -> FloatArray:
    """Return `(..., 2)` pixels of `(..., 3)` camera-frame points under a `(3, 3)` camera matrix.

    Points nearer than 1 mm or behind the camera are treated as 1 mm away, so that the numbers stay finite.
    """
    depth = np.maximum(points[..., 2:], 1e-3)
    pixels = points[..., :2] / depth * (intrinsics[0, 0], intrinsics[1, 1]) + intrinsics[:2, 2]
    return pixels.astype(np.float32)
