"""The protocol of a source of frames."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..types import Frame


class FrameSource(Protocol):
    """Yields frames to one thread. The end of iteration is the end of the source; trouble is a SourceError."""

    is_live: bool
    """Whether frames are lost when nobody takes them, so that only the newest is of use."""
    fps: float
    """Nominal frames per second."""
    size_wh: tuple[int, int]
    """Width and height of the frames, pixels."""
    name: str
    """Stem for the files made from this source."""
    frame_count: int | None
    """Frames to come, as the file says; None where nobody knows."""
    picture_names: tuple[str, ...]
    """File names by frame index where the frames are independent pictures; empty otherwise."""
    path: str
    """File or folder that is read; empty for a device."""

    def __iter__(self) -> Iterator[Frame]:
        """Iterate once over the frames, RGB and read-only."""

    def close(self) -> None:
        """End the iteration and release the device; from any thread, as often as one likes."""


def timed(source: FrameSource) -> Iterator[tuple[Frame, float]]:
    """Yield each frame with the milliseconds it took to get it."""
    begun_ns = time.perf_counter_ns()
    for frame in source:
        yield frame, (time.perf_counter_ns() - begun_ns) / 1e6
        begun_ns = time.perf_counter_ns()


def read_only(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Forbid writing to `image` and return it."""
    image.flags.writeable = False
    return image


def dated(stem: str) -> str:
    """Return `<stem>_<YYYYmmdd>_<HHMMSS>` in local wall-clock time."""
    return f"{stem}_{datetime.now():%Y%m%d_%H%M%S}"
