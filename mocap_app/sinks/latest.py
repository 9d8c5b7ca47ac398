"""The newest result, for a screen that draws when it likes."""

from __future__ import annotations

import threading

from ..mailbox import Keep
from ..types import FrameResult


class LatestResult:
    """Holds the newest result; `take` may be called from any thread and never waits."""

    keep: Keep = "latest"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._result: FrameResult | None = None

    def write(self, result: FrameResult) -> None:
        """Replace the held result."""
        with self._lock:
            self._result = result

    def take(self) -> FrameResult | None:
        """Return the newest result once, or None when there is nothing new."""
        with self._lock:
            result, self._result = self._result, None
            return result

    def close(self) -> None:
        """Do nothing: the last result stays for whoever draws it."""
