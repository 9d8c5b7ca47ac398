"""What the session needs of the stages between source and sinks, and what passes between them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from engines.types import BodyModel, Detections, FloatArray, Image, MeshResult, Sighting
from exporters.types import Pose, Skeleton

from .capture import FrameSource
from .mailbox import Mailbox
from .types import Frame, Tracks
from .wishes import Wish

T = TypeVar("T")


class PerceptionStage(Protocol):
    """What the session needs of perception; used by the inference thread alone, apart from `recover`."""

    def work_aside(self, submit: Callable[[Callable[[Image], Detections], Image], Future[Detections]]) -> None:
        """Let detections that can wait run on another thread."""

    def see(self, frame: Frame) -> tuple[Tracks, Sighting, dict[str, float]]:
        """Detect, track and look; also milliseconds per stage."""

    def see_picture(self, frame: Frame) -> tuple[Tracks, Sighting, dict[str, float]]:
        """The same for a picture that has nothing to do with the one before."""

    def recover(self, tracks: Tracks, sighting: Sighting) -> tuple[Tracks, MeshResult]:
        """Return the bodies of those seen; called by the solving thread, while the next picture is looked at."""

    def grant(self, wish: Wish) -> bool:
        """Do what is asked about people, between two frames; return False where it cannot be done."""

    def close(self) -> None:
        """Release detector and engine."""


class SolverStage(Protocol):
    """What the session needs of the motion solver; used by the solving thread alone."""

    body_model: BodyModel

    @property
    def floor_y_m(self) -> float:
        """Height of the floor that the newest poses stand on, relative to the camera."""

    def solve(self, frame: Frame, tracks: Tracks, meshes: MeshResult, smooth: bool = True) -> tuple[Pose, ...]:
        """Return one pose per row."""

    def skeleton(self, betas: FloatArray) -> Skeleton:
        """Return the bones of a performer."""

    def grant(self, wish: Wish) -> None:
        """Do what is asked and was granted by perception, between two frames."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A frame on its way from the inference thread to the solving thread."""

    frame: Frame
    tracks: Tracks
    sighting: Sighting
    stage_ms: dict[str, float]
    granted: tuple[Wish, ...] = ()
    """What was asked for and begins with this frame."""


@dataclass(frozen=True, slots=True)
class Outlook(Generic[T]):
    """What the solving thread is given by the inference thread."""

    perception: T
    source: FrameSource
    seen: Mailbox[Seen]
