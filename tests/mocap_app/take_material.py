"""Two people who walk side by side, and recordings of them made by a real session."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from engines.synthetic import SyntheticDetector, SyntheticDetectorOptions, SyntheticEngine, SyntheticOptions
from mocap_app.capture.synthetic import draw_figure
from mocap_app.config import DetectorConfig, MotionConfig, TrackingConfig
from mocap_app.motion.solver import MotionSolver
from mocap_app.perception import Perception
from mocap_app.session import Session
from mocap_app.sinks import MakeSink, TakeRecorder
from mocap_app.types import Frame

FPS = 30.0
HALF_WH = (120, 160)


class Walkers:
    """A source of figures side by side; as many as `cast(index)` says True of, from left to right."""

    source_path = path = ""
    picture_names: tuple[str, ...] = ()
    size_wh = (2 * HALF_WH[0], HALF_WH[1])
    fps = FPS

    def __init__(
        self,
        frames: int,
        cast: Callable[[int], tuple[bool, bool]] = lambda index: (True, True),
        step: Callable[[int], None] = lambda index: None,
        name: str = "walk",
        is_live: bool = False,
    ) -> None:
        self.name, self.frame_count, self.is_live = name, frames, is_live
        self._frames, self._cast, self._step = frames, cast, step
        self._closing = threading.Event()

    def __iter__(self) -> Iterator[Frame]:
        for index in range(self._frames):
            if self._closing.is_set():
                return
            self._step(index)
            yield Frame(picture(index, self._cast(index)), index, round(index * 1e9 / FPS), time.monotonic_ns())

    def close(self) -> None:
        self._closing.set()


def picture(index: int, seen: tuple[bool, bool]) -> np.ndarray:
    """Two figures in step with one another, half a step apart; where nobody is seen there is wall and floor."""
    halves = [draw_figure(index / FPS + 0.4 * n, HALF_WH) for n in range(2)]
    for half, is_seen in zip(halves, seen, strict=True):
        if not is_seen:
            half[:] = half[:, :1]
    image = np.ascontiguousarray(np.concatenate(halves, axis=1))
    image.flags.writeable = False
    return image


def session_of(source: Walkers, sinks: list[MakeSink], **tracking: object) -> Session:
    """A session of real parts; frames wait for the slowest, as those of a file."""

    def perception() -> Perception:
        detector = SyntheticDetector(SyntheticDetectorOptions())
        config = TrackingConfig(**tracking)  # type: ignore[arg-type]
        return Perception(detector, SyntheticEngine(SyntheticOptions()), DetectorConfig(every=3), config)

    return Session(lambda: source, perception, lambda p: MotionSolver(p.engine.body_model, MotionConfig()), sinks)


def record(folder: Path, frames: int = 60, name: str = "walk", formats: tuple[str, ...] = ("npz",)) -> Path:
    """Record two people into `folder`; return it."""
    session = session_of(Walkers(frames, name=name), [lambda context: TakeRecorder(folder, formats, context)])
    session.start()
    session.join()
    return folder
