"""OpenCV, imported once and made quiet; and a capture that another thread may close."""

from __future__ import annotations

import os
import threading
import time

# FFmpeg's own chatter about damaged files would bury the one line that explains them. Read when FFmpeg is first used.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

# Seconds the kernel's camera driver may keep a read; OpenCV's own ten are longer than anybody waits for a stop.
os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "2")

import cv2
import numpy as np
from numpy.typing import NDArray

from .source import read_only

__all__ = ["Grabber", "cv2", "to_rgb"]

# The wheel points Qt to its own plug-ins, which are of another Qt than the window's.
for _variable in ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR"):
    os.environ.pop(_variable, None)
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

STUCK_S = 2.0
"""A read that has not returned so long after the first `close` is taken for stuck."""


class Grabber:
    """A `cv2.VideoCapture` read by one thread and closed by any.

    Releasing a device inside another thread's read crashes some drivers. So the first `close` only asks: the
    reader releases when its read returns. For a camera, whose driver may never return, a `close` later than
    `STUCK_S` releases in any case; FFmpeg always returns (its reads have a time limit) and would crash.
    """

    def __init__(self, capture: cv2.VideoCapture, may_stick: bool = False) -> None:
        """Own an opened `capture`; `may_stick` for one whose read may never return."""
        self._capture = capture
        self._may_stick = may_stick
        self._reading = threading.Lock()
        self._asked_s: float | None = None

    @property
    def closing(self) -> bool:
        """Whether `close` was called."""
        return self._asked_s is not None

    def get(self, prop: int) -> float:
        """Return a property of the capture; 0 once it is closed."""
        return float(self._capture.get(prop))

    def rewind(self) -> None:
        """Go back to the first picture of a file; does nothing once it is closed."""
        with self._reading:
            if not self.closing:
                self._capture.set(cv2.CAP_PROP_POS_FRAMES, 0)

    def read(self) -> tuple[NDArray[np.uint8], int] | None:
        """Return the next `(H, W, 3)` uint8 RGB picture and `time.monotonic_ns()` at its grab, or None."""
        with self._reading:
            grabbed = not self.closing and self._capture.grab()
            grabbed_ns = time.monotonic_ns()
            good, picture = self._capture.retrieve() if grabbed else (False, None)
        if self.closing:
            self.close()
            return None
        return (to_rgb(picture), grabbed_ns) if good and picture is not None else None

    def close(self) -> None:
        """Ask the reader to end, and release the device when it is not being read (or is stuck)."""
        if self._asked_s is None:
            self._asked_s = time.monotonic()
        stuck = self._may_stick and time.monotonic() - self._asked_s > STUCK_S
        if self._reading.acquire(blocking=False):
            try:
                self._capture.release()
            finally:
                self._reading.release()
        elif stuck:
            self._capture.release()


def to_rgb(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a read-only `(H, W, 3)` uint8 RGB copy of what OpenCV decoded: grey, BGR or BGRA."""
    if picture.dtype != np.uint8:
        picture = cv2.convertScaleAbs(picture, alpha=255.0 / np.iinfo(picture.dtype).max)
    channels = 1 if picture.ndim == 2 else picture.shape[2]
    code = {1: cv2.COLOR_GRAY2RGB, 3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGB}[channels]
    return read_only(cv2.cvtColor(picture, code))
