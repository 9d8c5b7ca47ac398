"""Sources to measure with: a video looped to any length, and one paced as a camera with a clock in its pictures."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..capture import FrameSource, open_source
from ..capture.source import read_only
from ..config import CaptureConfig
from ..errors import SourceError
from ..types import Frame
from .pixel_clock import SIDE_PX, draw_clock


class LoopedSource:
    """A video that begins anew where it ends, with times that go on; every round is decoded again."""

    is_live = False
    picture_names: tuple[str, ...] = ()

    def __init__(self, config: CaptureConfig, frames: int | None = None, duration_s: float | None = None) -> None:
        """Open the video of `config` for so many frames, or for so many seconds of its own time.

        Raises:
            SourceError: the file is absent or not a video.
        """
        self._config = replace(config, realtime=False, duration_s=None)
        self._source = open_source(self._config)
        self._closing = threading.Event()
        self.fps, self.size_wh = self._source.fps, self._source.size_wh
        self.name, self.path = self._source.name, self._source.path
        self.frame_count: int | None = frames if frames is not None else round((duration_s or 0) * self.fps)

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames, numbered through."""
        index = offset_ns = 0
        while True:
            timestamp_ns = -1
            for frame in self._source:
                if index >= (self.frame_count or 0):
                    return
                timestamp_ns = offset_ns + frame.timestamp_ns
                yield replace(frame, index=index, timestamp_ns=timestamp_ns)
                index += 1
            if timestamp_ns < 0 or not self._begin_anew():
                return
            offset_ns = timestamp_ns + round(1e9 / self.fps)

    def close(self) -> None:
        """End the iteration and close the file."""
        self._closing.set()
        self._source.close()

    def _begin_anew(self) -> bool:
        self._source.close()
        if not self._closing.is_set():
            self._source = open_source(self._config)
        if self._closing.is_set():  # also where it was closed while the file was being opened
            self._source.close()
        return not self._closing.is_set()


class ClockedSource:
    """A file's frames paced as a camera's; each carries the moment at which a camera would have shown it.

    A frame is decoded beforehand, waits for its moment, and has that moment drawn into its corner. A reader that comes
    late to it makes the age by the pixels larger and leaves the one by the grab stamp alone. Decoding that takes longer
    than a frame lasts slows the pace, and is no part of an age.
    """

    is_live = True
    picture_names: tuple[str, ...] = ()

    def __init__(self, source: FrameSource) -> None:
        """Pace `source`, and close it.

        Raises:
            SourceError: the pictures are too small for the clock.
        """
        if min(source.size_wh) < SIDE_PX:
            source.close()
            raise SourceError(
                f"{source.name}: is {source.size_wh[0]}x{source.size_wh[1]}, expected at least {SIDE_PX} pixels each "
                "way, for a clock is drawn into it; measure on a larger video"
            )
        self._source = source
        self._woken = threading.Event()
        self.fps, self.size_wh, self.frame_count = source.fps, source.size_wh, source.frame_count
        self.name, self.path = source.name, source.path

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames, each at its moment."""
        due_ns = 0
        for frame in self._source:
            image = writable(frame.image)
            now_ns = time.monotonic_ns()
            due_ns = max(due_ns + round(1e9 / self.fps), now_ns) if due_ns else now_ns
            if self._woken.wait(max(0.0, (due_ns - now_ns) / 1e9)):
                return
            draw_clock(image, due_ns)
            yield replace(frame, image=read_only(image), grabbed_ns=time.monotonic_ns())

    def close(self) -> None:
        """End the iteration and close the file."""
        self._woken.set()
        self._source.close()


def writable(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the picture, or a copy of it, to be drawn into: nobody else has seen the frame yet."""
    if not image.flags.owndata:
        return image.copy()
    image.flags.writeable = True
    return image
