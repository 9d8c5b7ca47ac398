"""Skeletons over a picture, drawn by the sink's thread at the size at which it is shown. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.types import Image

from ..sinks.colors import color_of
from ..types import FrameResult

LEAST_CONFIDENCE = 0.3
"""A bone whose ends are seen less surely is not drawn."""
SUB_PIXEL_BITS = 4
"""OpenCV draws at fractions of a pixel when told how many bits they have: lines then do not jitter."""


@dataclass(frozen=True, slots=True)
class PersonLabel:
    """Where a performer's number goes."""

    track_id: int
    x_px: float
    y_px: float
    """Pixels of the shown picture, above the head."""


def scaled_to(image: Image, panel_wh: tuple[int, int]) -> tuple[Image, float]:
    """Return `image` as large as fits into `panel_wh` pixels, and by how much it was scaled.

    It is never enlarged here: the window does that for nothing.
    """
    import cv2

    height, width = image.shape[:2]
    if min(panel_wh) <= 0:
        return image, 1.0
    scale = min(panel_wh[0] / width, panel_wh[1] / height, 1.0)
    if scale == 1.0:
        return image, scale
    size_wh = max(1, round(width * scale)), max(1, round(height * scale))
    smooth = cv2.INTER_AREA if scale < 0.75 else cv2.INTER_LINEAR
    return cv2.resize(image, size_wh, interpolation=smooth), scale


def draw_skeletons(
    image: Image, result: FrameResult, rows: NDArray[np.intp], parents: NDArray[np.int32], scale: float
) -> Image:
    """Return a copy of `image` with the bones of the people in `rows` over it."""
    picture = np.ascontiguousarray(image).copy() if not image.flags.writeable else np.ascontiguousarray(image)
    line_px = max(2, round(picture.shape[0] / 260))
    for row in rows:
        color = color_of(int(result.tracks.track_ids[row]))
        points = result.meshes.joints_px[row] * scale
        sure = result.meshes.confidence[row] >= LEAST_CONFIDENCE
        _draw_one(picture, points, sure, parents, color, line_px)
    return picture


def _draw_one(
    picture: Image,
    points: NDArray[np.float32],
    sure: NDArray[np.bool_],
    parents: NDArray[np.int32],
    color: tuple[int, int, int],
    line_px: int,
) -> None:
    """Draw bones dark and wide first, then in colour, so that they stand out from any ground."""
    import cv2

    if not np.isfinite(points).all():
        return
    fixed = np.clip(np.round(points * (1 << SUB_PIXEL_BITS)), -(1 << 24), 1 << 24).astype(int)
    bones = [(j, int(p)) for j, p in enumerate(parents) if p >= 0 and sure[j] and sure[p]]
    dark = tuple(int(c * 0.35) for c in color)
    options: dict[str, Any] = {"lineType": cv2.LINE_AA, "shift": SUB_PIXEL_BITS}
    for paint, width in ((dark, line_px + 2), (color, line_px)):
        for joint, parent in bones:
            cv2.line(picture, tuple(fixed[parent]), tuple(fixed[joint]), paint, width, **options)
    radius = round((line_px * 0.9) * (1 << SUB_PIXEL_BITS))
    for seen in np.flatnonzero(sure):
        cv2.circle(picture, tuple(fixed[seen]), radius, (255, 255, 255), -1, **options)


def labels_of(result: FrameResult, rows: NDArray[np.intp], scale: float) -> tuple[PersonLabel, ...]:
    """Return where the numbers of the people in `rows` go: above the middle of their boxes."""
    boxes = result.tracks.boxes_xyxy * scale
    return tuple(
        PersonLabel(
            int(result.tracks.track_ids[n]), float((boxes[n, 0] + boxes[n, 2]) / 2), float(max(boxes[n, 1], 0.0))
        )
        for n in rows
    )
