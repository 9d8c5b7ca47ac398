"""Times of frames in files."""

from __future__ import annotations


class RisingTimes:
    """Presentation times as a file gives them, made strictly rising."""

    def __init__(self, fps: float) -> None:
        """Bridge times that are absent or go back by the interval of `fps`."""
        self._interval_ns = round(1e9 / fps)
        self._last_ns: int | None = None

    def next(self, time_ms: float) -> int:
        """Return nanoseconds for the frame the file puts at `time_ms`."""
        time_ns = round(time_ms * 1e6)
        if self._last_ns is not None and time_ns <= self._last_ns:
            time_ns = self._last_ns + self._interval_ns
        self._last_ns = time_ns
        return time_ns
