"""Settings that need no weights, and a camera that is pulled out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from mocap_app.capture import open_source
from mocap_app.config import AppConfig, CaptureConfig, DetectorConfig, EngineConfig, RecordConfig
from mocap_app.errors import SourceError
from mocap_app.motion.solver import MotionSolver
from mocap_app.pipeline import build_perception
from mocap_app.session import Session
from mocap_app.types import Frame

SYNTHETIC = AppConfig(
    capture=CaptureConfig(source="synthetic", size=(160, 120), realtime=True),
    detector=DetectorConfig(name="synthetic"),
    engine=EngineConfig(name="synthetic"),
    record=RecordConfig(formats=("npz",)),
)


class PulledCamera:
    """A camera that is unplugged when told, or after so many frames: the drawn figure until then."""

    def __init__(self, config: CaptureConfig, frames: int) -> None:
        self._source = open_source(replace(config, source="synthetic", realtime=True))
        self._frames = frames
        self.name, self.fps, self.size_wh, self.is_live = "camera0", 30.0, self._source.size_wh, True
        self.frame_count, self.picture_names, self.path = None, (), ""

    def __iter__(self) -> Iterator[Frame]:
        for number, frame in enumerate(self._source):
            if number >= self._frames:
                raise SourceError("camera 0: no picture comes any more; is it still plugged in?")
            yield frame

    def close(self) -> None:
        self._source.close()


def with_pulled_camera(frames: int) -> Callable[..., Session]:
    """Return a `build` whose camera gives `frames` and is gone; everything else is real."""

    def build(config: AppConfig, watchers: Any, preview: Any) -> Session:
        return Session(
            lambda: PulledCamera(config.capture, frames),
            lambda: build_perception(config),
            lambda perception: MotionSolver(perception.engine.body_model, config.motion),
            watchers,
        )

    return build
