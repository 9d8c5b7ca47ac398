"""Regions from detections whose alignment points say how a person lies in the picture."""

from __future__ import annotations

import numpy as np

from ..geometry import BOX_MARGIN, regions_from_boxes
from ..types import Detections, FloatArray, Regions


def regions_from_detections(detections: Detections) -> Regions:
    """Return one region per detection: rotated by its alignment points where it has them, else upright on its box.

    Keypoint 0 is the middle of the hips, keypoint 1 lies on the circle round the whole body, above the head along
    the body's axis (BlazePose, Bazarevsky et al., 2020, section 2.2).
    """
    if detections.keypoints is None:
        return regions_from_boxes(detections.boxes_xyxy)
    return regions_from_axes(detections.keypoints[:, 0, :2], detections.keypoints[:, 1, :2])


def regions_from_axes(centers_px: FloatArray, tops_px: FloatArray) -> Regions:
    """Return squares round `(N, 2)` centres, reaching BOX_MARGIN times as far as `(N, 2)` tops, tops upwards."""
    axes = (tops_px - centers_px).astype(np.float64)
    sides = 2 * BOX_MARGIN * np.linalg.norm(axes, axis=1)
    angles = np.arctan2(axes[:, 0], -axes[:, 1])
    return Regions(centers_px.astype(np.float32), sides.astype(np.float32), angles.astype(np.float32))
