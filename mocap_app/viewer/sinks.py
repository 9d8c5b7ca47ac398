"""The window's two ends of the line: what it shows, and takes that are recorded while it is asked to."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engines.errors import EngineError
from engines.types import Image

from ..mailbox import Keep
from ..sinks import SinkContext, TakeRecorder
from ..types import Frame, FrameResult
from .drawing import PersonLabel, draw_skeletons, labels_of, scaled_to
from .scene import Scene, Trails, scene_of
from .shading import shading_of
from .state import Recording, RecordPlan, ViewState
from .take_names import next_name

if TYPE_CHECKING:
    from engines.rendering.renderer import MeshRenderer

    from ..sinks.video import VideoFile

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shown:
    """One picture for the window, everything drawn over it already, and what it was made of."""

    image: Image
    """`(H, W, 3)` uint8 RGB, contiguous, at the size at which it is shown."""
    labels: tuple[PersonLabel, ...]
    result: FrameResult | None = None
    """None while the engine loads."""
    context: SinkContext | None = None
    scene: Scene | None = None
    """The same in the world."""


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


def preview_into(pictures: ShownPictures, state: ViewState, frame: Frame) -> None:
    """Show a frame as it is, while the engine loads; called by the capture thread."""
    pictures.put(Shown(scaled_to(frame.image, state.panel_wh)[0], ()))


class ViewSink:
    """Draws the bodies over each newest picture, off the window's thread. Belongs to the thread that made it."""

    keep: Keep = "latest"

    def __init__(self, pictures: ShownPictures, state: ViewState, context: SinkContext, pitch_deg: float = 0.0) -> None:
        """Open a renderer; without OpenGL the window shows skeletons alone. The camera looks down by `pitch_deg`."""
        # Here, not above: the window is visible before these are loaded.
        from engines.rendering.renderer import MeshRenderer

        from ..sinks.overlay import SAMPLES

        self._pictures = pictures
        self._state = state
        self._context = context
        self._pitch_deg = pitch_deg
        self._trails = Trails()
        self._renderer: MeshRenderer | None = None
        try:
            self._renderer = MeshRenderer(context.body_model.faces, context.size_wh, SAMPLES)
        except EngineError as error:
            logger.warning("the window shows skeletons without meshes: %s", error)

    def write(self, result: FrameResult) -> None:
        """Draw one result."""
        image = self._with_meshes(result) if self._state.show_mesh else result.frame.image
        image, scale = scaled_to(image, self._state.panel_wh)
        shown = np.flatnonzero(result.meshes.scores > 0)
        if self._state.show_skeleton and len(shown):
            image = draw_skeletons(image, result, shown, self._context.body_model.parents, scale)
        scene = scene_of(result, self._context.body_model, self._pitch_deg)
        if len(scene.vertices):
            shading_of(scene)  # here, and not when the window first draws it
        scene = self._trails.with_trails(scene, result.frame.timestamp_ns / 1e9)
        self._pictures.put(Shown(image, labels_of(result, shown, scale), result, self._context, scene))
        self._context.stats.left("window", result.frame.grabbed_ns)

    def close(self) -> None:
        """Release the renderer."""
        if self._renderer is not None:
            self._renderer.close()

    def _with_meshes(self, result: FrameResult) -> Image:
        from ..sinks.overlay import over, surface_of

        meshes, image = result.meshes, result.frame.image
        shown = np.flatnonzero(meshes.scores > 0)
        if self._renderer is None or not len(shown) or self._renderer.size_wh != image.shape[1::-1]:
            return image
        vertices = meshes.vertices[shown] + meshes.translation[shown, None]
        surfaces = [surface_of(int(result.tracks.track_ids[n]), vertices.shape[1]) for n in shown]
        return over(image, self._renderer.draw(vertices, meshes.intrinsics, surfaces))


class RecordSwitch:
    """Records takes while the window asks for it, each under a name of its own, with the picture where wanted.

    Finishing a long take holds back the next frames of a file, and drops those of a camera, which are counted.
    """

    keep: Keep = "all"

    def __init__(
        self,
        state: ViewState,
        plan: Callable[[], RecordPlan],
        context: SinkContext,
        metadata: Callable[[], dict[str, Any]],
    ) -> None:
        """Hold what a take needs; nothing is written before somebody asks.

        Args:
            state: Its `wants_recording` is looked at with each frame.
            plan: Asked when a take begins.
            context: What is recorded.
            metadata: Asked when a take begins; stored in it.
        """
        self._state = state
        self._plan = plan
        self._context = context
        self._metadata = metadata
        self._recorder: TakeRecorder | None = None
        self._video: VideoFile | None = None
        self._begun_ns = 0
        self.recording = Recording()
        """Read by the window's thread."""

    def write(self, result: FrameResult) -> None:
        """Begin, go on or end, as asked."""
        if self._state.wants_recording and self._recorder is None:
            self._begin(result)
        elif not self._state.wants_recording and self._recorder is not None:
            self._finish()
        if self._recorder is None:
            return
        self._recorder.write(result)
        if self._video is not None:
            self._video.add(np.asarray(result.frame.image), result.frame.timestamp_ns)
        now = self.recording
        seconds = (result.frame.timestamp_ns - self._begun_ns) / 1e9
        self.recording = Recording(True, now.name, seconds, now.frames + 1, took=now.took)

    def close(self) -> None:
        """Finish the take being recorded."""
        if self._recorder is not None:
            self._finish()

    def _begin(self, result: FrameResult) -> None:
        from ..sinks.video import VideoFile

        plan, context = self._plan(), self._context
        name = next_name(plan.pattern, plan.source, plan.folder)
        told = self._metadata()
        if plan.keeps_video:
            told |= {"video": f"{name}.mp4", "video_begin_ns": result.frame.timestamp_ns}
        elif context.source_path:
            told |= {"video": str(Path(context.source_path).absolute()), "video_begin_ns": 0}
        self._recorder = TakeRecorder(plan.folder, plan.formats, replace(context, name=name), told)
        if plan.keeps_video:
            self._video = VideoFile(plan.folder / f"{name}.mp4", context.fps, context.size_wh, context.source_path)
        self._begun_ns = result.frame.timestamp_ns
        self.recording = Recording(True, name, took=self.recording.took)

    def _finish(self) -> None:
        recorder, self._recorder = self._recorder, None
        video, self._video = self._video, None
        self.recording = replace(self.recording, is_running=False, is_saving=True)
        try:
            if recorder is not None:
                recorder.close()
        finally:
            if video is not None:
                video.close()
            written = recorder.written if recorder is not None else ()
            now = self.recording
            self.recording = Recording(False, now.name, now.seconds, now.frames, written, took=now.took + 1)
