"""A video file: every frame with its presentation time, or paced as if it were a camera."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from exporters.resample import exact_rate

from ..config import CaptureConfig
from ..errors import SourceError
from ..types import Frame
from .opencv import Grabber, cv2
from .times import RisingTimes

logger = logging.getLogger(__name__)

ADVICE = "check that the file plays, or convert it: ffmpeg -i FILE -c:v libx264 OUT.mp4"
FPS_WHEN_ABSENT = 30.0
DAMAGED_IN_A_ROW = 100
"""Frames in a row that may be damaged, while the file promises more, before the rest is given up."""
FPS_HIGHEST = 1000.0
"""Some containers state their clock (90 kHz) as the rate."""


class VideoSource:
    """A video file through OpenCV's FFmpeg; rotated phone videos come out upright."""

    picture_names: tuple[str, ...] = ()

    def __init__(self, config: CaptureConfig) -> None:
        """Open `config.path`.

        Raises:
            SourceError: the file is absent or not a video.
        """
        path = Path(config.path)
        if not path.is_file():
            raise SourceError(f"{path}: there is no such file, expected a video; check the path")
        capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        if not capture.isOpened():
            raise SourceError(f"{path}: not readable as a video, expected one FFmpeg knows; {ADVICE}")
        capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
        self._grabber = Grabber(capture)
        self._damaged = 0
        self._woken = threading.Event()
        self.is_live = config.realtime
        self._loops = config.loop
        self.path = str(path)
        self.name = path.stem
        self.fps = _rate(capture.get(cv2.CAP_PROP_FPS))
        self._promised = _count(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self.frame_count = None if config.loop else self._promised
        self.size_wh = (int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)))

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames in order.

        Raises:
            SourceError: not one frame can be decoded.
        """
        times = RisingTimes(self.fps)
        index = begun_ns = passed_ns = 0
        while True:
            frames_read = timestamp_ns = self._damaged = 0
            while (found := self._next_readable(frames_read)) is not None:
                image, grabbed_ns = found
                timestamp_ns = times.next(self._grabber.get(cv2.CAP_PROP_POS_MSEC) + passed_ns / 1e6)
                begun_ns = begun_ns or grabbed_ns - timestamp_ns
                if self.is_live:
                    grabbed_ns = self._wait_until(begun_ns + timestamp_ns)
                yield Frame(image, index + frames_read + self._damaged, timestamp_ns, grabbed_ns)
                frames_read += 1
            self._check_end(frames_read, timestamp_ns - passed_ns)
            if not self._loops or self._grabber.closing:
                return
            index += frames_read + self._damaged
            passed_ns = timestamp_ns + round(1e9 / self.fps)
            self._grabber.rewind()

    def close(self) -> None:
        """End the iteration and close the file."""
        self._woken.set()
        self._grabber.close()

    def _next_readable(self, frames_read: int) -> tuple[NDArray[np.uint8], int] | None:
        """Return the next picture and the time of its grab, past damaged ones; None at the end."""
        promised = (self._promised or 0) - frames_read - self._damaged
        for missed in range(min(promised, DAMAGED_IN_A_ROW) + 1):
            found = self._grabber.read()
            if found is not None:
                self._damaged += missed
                return found
            if self._grabber.closing:
                break
        return None

    def _wait_until(self, due_ns: int) -> int:
        """Wait for the moment a camera would have given the frame; return `time.monotonic_ns()` then."""
        self._woken.wait(max(0.0, (due_ns - time.monotonic_ns()) / 1e9))
        return time.monotonic_ns()

    def _check_end(self, frames_read: int, last_ns: int) -> None:
        if self._grabber.closing:
            return
        if frames_read == 0:
            raise SourceError(f"{self.path}: no frame could be decoded, expected at least one; {ADVICE}")
        # Counts in the container are often estimates, and a variable rate makes fewer frames of the same time.
        read_s = last_ns / 1e9 + 1 / self.fps
        if self._damaged:
            logger.warning("%s: is damaged: %d frame(s) could not be decoded, left out", self.path, self._damaged)
        elif self._promised and max(frames_read, read_s * self.fps) < 0.9 * self._promised:
            logger.warning(
                "%s: the file promises %d frames and only %d could be decoded; it may be damaged",
                self.path, self._promised, frames_read,
            )  # fmt: skip


def _rate(fps: float) -> float:
    return float(exact_rate(fps)) if 0 < fps <= FPS_HIGHEST else FPS_WHEN_ABSENT


def _count(frames: float) -> int | None:
    return int(frames) if 0 < frames < 1e9 else None
