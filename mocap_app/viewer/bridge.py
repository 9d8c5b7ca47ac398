"""Between the studio and Qt: timers look at it, and tell the window what is new. Nothing here waits."""

from __future__ import annotations

import time

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from .studio import Studio

REFRESH_MS = 16
STATUS_MS = 250


class StudioBridge(QObject):
    """Belongs to the window's thread. Sessions' threads never come here: they leave what is new where it is found."""

    picture_taken = pyqtSignal(object)
    """A `Shown`."""
    moved_on = pyqtSignal()
    """The studio was looked at, and may stand elsewhere now."""
    status_due = pyqtSignal(float)
    """Frames per second over the last second or so."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._studio = studio
        self._counts: list[tuple[float, int]] = []
        """When, and how many frames there were: a busy window is asked late."""
        self._refresh = QTimer(self)
        self._refresh.timeout.connect(self._look)
        self._refresh.start(REFRESH_MS)
        self._status = QTimer(self)
        self._status.timeout.connect(self._tell_status)
        self._status.start(STATUS_MS)

    def stop(self) -> None:
        """End the timers."""
        self._refresh.stop()
        self._status.stop()

    def _look(self) -> None:
        self._studio.poll()
        shown = self._studio.pictures.take()
        if shown is not None:
            self.picture_taken.emit(shown)
        self.moved_on.emit()

    def _tell_status(self) -> None:
        now_s, frames = time.monotonic(), self._studio.frames
        if self._counts and frames < self._counts[-1][1]:  # another session
            self._counts.clear()
        self._counts = [*self._counts[-4:], (now_s, frames)]
        begun_s, before = self._counts[0]
        self.status_due.emit((frames - before) / (now_s - begun_s) if now_s > begun_s else 0.0)
