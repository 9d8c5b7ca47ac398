"""The protocol of a sink, and what it is told when it is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from engines.types import BodyModel, FloatArray
from exporters.types import Skeleton

from ..mailbox import Keep
from ..stats import Stats
from ..types import FrameResult


class Sink(Protocol):
    """Takes results. Made, used and closed by one thread of its own.

    A sink that keeps "all" is part of the recording: its failure ends the session. One that keeps "latest" is
    live: it may miss results, and when it fails it is detached while the session goes on. A sink may have a `name` of
    its own, under which drops and failures are told; otherwise its class's stands for it.
    """

    keep: Keep

    def write(self, result: FrameResult) -> None:
        """Take one result, in the order of the frames."""

    def close(self) -> None:
        """Finish what was written; may be called twice."""


@dataclass(frozen=True, slots=True)
class SinkContext:
    """What is known once the source is open and the engine is loaded."""

    name: str
    """Stem for files: of the video, or camera<N>_<date>_<time>."""
    fps: float
    """Frames per second of the source."""
    size_wh: tuple[int, int]
    """Pixels."""
    is_live: bool
    frame_count: int | None
    """Frames the source says it has; None when it cannot know."""
    body_model: BodyModel
    skeleton: Callable[[FloatArray], Skeleton]
    """Bones of a performer of `(S,)` float32 shape numbers."""
    stats: Stats = field(default_factory=Stats)
    picture_names: tuple[str, ...] = ()
    """File names of independent pictures, by frame index; empty for everything else."""
    source_path: str = ""
    """The file or folder read, so that no output replaces it; empty for cameras."""


MakeSink = Callable[[SinkContext], Sink]
