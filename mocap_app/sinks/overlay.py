"""The video with the recovered bodies drawn over it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from engines.rendering.renderer import MeshRenderer, Surface, plain_surface
from engines.types import Image

from ..mailbox import Keep
from ..types import FrameResult
from .base import SinkContext
from .colors import color_of
from .video import VideoFile

OPACITY = 0.85
SAMPLES = 0
"""Smooth edges cost a software renderer seven times the time (78 ms for 11 at 1280x720) and can hardly be seen."""


class OverlaySink:
    """Draws each frame's bodies over its picture into a video. Belongs to the thread that made it."""

    keep: Keep = "all"

    def __init__(self, path: str | Path, context: SinkContext) -> None:
        """Open the video and a renderer for the context's body.

        Raises:
            SinkError: the video cannot be written.
            RuntimeUnavailableError: this machine has no OpenGL.
        """
        self._renderer = MeshRenderer(context.body_model.faces, context.size_wh, SAMPLES)
        try:
            self._file = VideoFile(path, context.fps, context.size_wh, context.source_path)
        except Exception:
            self._renderer.close()
            raise

    def write(self, result: FrameResult) -> None:
        """Draw and add one frame."""
        self._file.add(self._draw(result), result.frame.timestamp_ns)

    def close(self) -> None:
        """Finish the video and release the renderer."""
        try:
            self._file.close()
        finally:
            self._renderer.close()

    def _draw(self, result: FrameResult) -> Image:
        meshes = result.meshes
        shown = np.flatnonzero(meshes.scores > 0)
        if not len(shown):
            return result.frame.image
        vertices = meshes.vertices[shown] + meshes.translation[shown, None]
        surfaces = [surface_of(int(result.tracks.track_ids[n]), vertices.shape[1]) for n in shown]
        return over(result.frame.image, self._renderer.draw(vertices, meshes.intrinsics, surfaces))


def surface_of(track_id: int, vertex_count: int) -> Surface:
    """Return the performer's colour for all vertices."""
    return plain_surface(vertex_count, color_of(track_id))


def over(picture: Image, drawing: Image) -> Image:
    """Return the picture with an `(H, W, 4)` drawing of alpha 0 or 255 over it, `OPACITY` strong."""
    rows = np.flatnonzero(drawing[..., 3].any(axis=1))
    columns = np.flatnonzero(drawing[..., 3].any(axis=0))
    if not len(rows):
        return picture
    part = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    drawn = np.ascontiguousarray(drawing[part])
    mixed = cv2.addWeighted(picture[part], 1 - OPACITY, cv2.cvtColor(drawn, cv2.COLOR_RGBA2RGB), OPACITY, 0)
    result = picture.copy()
    result[part] = cv2.copyTo(mixed, drawn[..., 3], result[part].copy())
    return result
