"""The window's two ends of the line: what it shows, and takes that are recorded while it is asked to."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engines.errors import EngineError
from engines.rendering.renderer import MeshRenderer
from engines.types import FloatArray, Image, IntArray

from ..config import RecordConfig
from ..mailbox import Keep
from ..sinks import SinkContext, TakeRecorder
from ..sinks.overlay import SAMPLES, over, surface_of
from ..types import FrameResult
from .state import Recording, ViewState

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shown:
    """One picture for the window, the bodies drawn over it already."""

    image: Image
    """`(H, W, 3)` uint8 RGB."""
    track_ids: np.ndarray
    """`(N,)` int64."""
    joints_px: FloatArray
    """`(N, J, 2)` float32."""
    confidence: FloatArray
    """`(N, J)` float32, 0 to 1."""
    parents: IntArray
    """`(J,)` int32."""


class ShownPictures:
    """Where the newest picture waits for the window; `take` never waits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._newest: Shown | None = None

    def put(self, shown: Shown) -> None:
        """Replace the picture that waits."""
        with self._lock:
            self._newest = shown

    def take(self) -> Shown | None:
        """Return the newest picture once, or None."""
        with self._lock:
            newest, self._newest = self._newest, None
            return newest


class ViewSink:
    """Draws the bodies over each newest picture, off the window's thread. Belongs to the thread that made it."""

    keep: Keep = "latest"

    def __init__(self, pictures: ShownPictures, state: ViewState, context: SinkContext) -> None:
        """Open a renderer; without OpenGL the window shows skeletons alone."""
        self._pictures = pictures
        self._state = state
        self._parents = context.body_model.parents
        self._renderer: MeshRenderer | None = None
        try:
            self._renderer = MeshRenderer(context.body_model.faces, context.size_wh, SAMPLES)
        except EngineError as error:
            logger.warning("the window shows skeletons without meshes: %s", error)

    def write(self, result: FrameResult) -> None:
        """Draw one result."""
        meshes = result.meshes
        image = self._with_meshes(result) if self._state.show_mesh else result.frame.image
        self._pictures.put(Shown(image, result.tracks.track_ids, meshes.joints_px, meshes.confidence, self._parents))

    def close(self) -> None:
        """Release the renderer."""
        if self._renderer is not None:
            self._renderer.close()

    def _with_meshes(self, result: FrameResult) -> Image:
        meshes, image = result.meshes, result.frame.image
        if self._renderer is None or not len(meshes) or self._renderer.size_wh != image.shape[1::-1]:
            return image
        vertices = meshes.vertices + meshes.translation[:, None]
        surfaces = [surface_of(int(number), vertices.shape[1]) for number in result.tracks.track_ids]
        return over(image, self._renderer.draw(vertices, meshes.intrinsics, surfaces))


class RecordSwitch:
    """Records takes while the window asks for it, each under a name of its own.

    Finishing a long take holds back the next frames of a file, and drops those of a camera, which are counted.
    """

    keep: Keep = "all"

    def __init__(self, state: ViewState, config: RecordConfig, context: SinkContext, metadata: dict[str, Any]) -> None:
        """Hold what a take needs; nothing is written before somebody asks.

        Args:
            state: Its `wants_recording` is looked at with each frame.
            config: Folder and formats.
            context: What is recorded.
            metadata: Stored in each take.
        """
        self._state = state
        self._config = config
        self._context = context
        self._metadata = metadata
        self._recorder: TakeRecorder | None = None
        self._begun_ns = 0
        self.recording = Recording()
        """Read by the window's thread."""

    def write(self, result: FrameResult) -> None:
        """Begin, go on or end, as asked."""
        if self._state.wants_recording and self._recorder is None:
            self._recorder = TakeRecorder(self._config.folder, self._config.formats, self._context, self._metadata)
            self._begun_ns = result.frame.timestamp_ns
        elif not self._state.wants_recording and self._recorder is not None:
            self._finish()
        if self._recorder is not None:
            self._recorder.write(result)
            self.recording = Recording(True, (result.frame.timestamp_ns - self._begun_ns) / 1e9)

    def close(self) -> None:
        """Finish the take being recorded."""
        if self._recorder is not None:
            self._finish()

    def _finish(self) -> None:
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            recorder.close()
            written: tuple[Path, ...] = recorder.written
            self.recording = Recording(False, 0.0, written)
