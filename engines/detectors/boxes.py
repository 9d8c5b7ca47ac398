"""Letterboxing and non-maximum suppression, shared by the detectors (NumPy, OpenCV to resize)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..types import FloatArray, Image


@dataclass(frozen=True, slots=True)
class Letterbox:
    """A picture scaled into a rectangle without changing its proportions."""

    image: Image
    """`(h, w, 3)` uint8."""
    scale: float
    """Pixels of the rectangle per pixel of the picture."""
    left_px: float
    """Padding before the picture, pixels of the rectangle."""
    top_px: float

    def to_picture(self, points_px: FloatArray) -> FloatArray:
        """Return `(..., 2)` points of the rectangle in pixels of the picture."""
        return ((points_px - (self.left_px, self.top_px)) / self.scale).astype(np.float32)


def letterbox(image: Image, size_wh: tuple[int, int], fill: int, centred: bool) -> Letterbox:
    """Scale `(H, W, 3)` uint8 `image` into a `size_wh` rectangle filled with the grey value `fill`."""
    import cv2

    height, width = image.shape[:2]
    scale = min(size_wh[0] / width, size_wh[1] / height)
    new_wh = max(1, round(width * scale)), max(1, round(height * scale))
    filter_ = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    canvas = np.full((size_wh[1], size_wh[0], 3), fill, np.uint8)
    left, top = ((size_wh[0] - new_wh[0]) // 2, (size_wh[1] - new_wh[1]) // 2) if centred else (0, 0)
    canvas[top : top + new_wh[1], left : left + new_wh[0]] = cv2.resize(image, new_wh, interpolation=filter_)
    return Letterbox(canvas, scale, left, top)


def overlap(box: FloatArray, boxes: FloatArray) -> FloatArray:
    """Return `(N,)` intersection over union of a `(4,)` xyxy box with `(N, 4)` boxes."""
    corner = np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])
    shared = np.prod(np.maximum(corner, 0), axis=1)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) + np.prod(box[2:] - box[:2])
    return (shared / np.maximum(areas - shared, 1e-9)).astype(np.float32)


def suppress(boxes_xyxy: FloatArray, scores: FloatArray, max_overlap: float) -> np.ndarray:
    """Return the rows to keep, best first: none overlaps a better one by more than `max_overlap`."""
    order, kept = np.argsort(-scores, kind="stable"), []
    while len(order):
        kept.append(order[0])
        order = order[1:][overlap(boxes_xyxy[order[0]], boxes_xyxy[order[1:]]) <= max_overlap]
    return np.array(kept, np.int64)


def clip_boxes(boxes_xyxy: FloatArray, width_px: int, height_px: int) -> FloatArray:
    """Return the `(N, 4)` boxes cut at the picture's border."""
    limits = np.array((width_px, height_px, width_px, height_px), np.float32)
    return np.clip(boxes_xyxy, 0, limits).astype(np.float32)
