"""Between the session's threads and Qt: rare events come as a signal, pictures are fetched by a timer."""

from __future__ import annotations

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from ..session import Event, Session
from .sinks import Shown, ShownPictures

REFRESH_MS = 16
STATUS_MS = 500


class SessionBridge(QObject):
    """Belongs to the window's thread. Nothing here waits."""

    picture_taken = pyqtSignal(object)
    """A `Shown`; only sent within the window's thread, by the timer."""
    event_arrived = pyqtSignal(object)
    """A session `Event`, from any thread; Qt queues it for the window's."""
    status_due = pyqtSignal(float)
    """Frames per second over the last interval."""

    def __init__(self, session: Session, pictures: ShownPictures) -> None:
        super().__init__()
        self._session = session
        self._pictures = pictures
        self._frames_before = 0
        self._is_stopped = False
        session.listen(self._tell)
        self._refresh = QTimer(self)
        self._refresh.timeout.connect(self._take_picture)
        self._refresh.start(REFRESH_MS)
        self._status = QTimer(self)
        self._status.timeout.connect(self._take_status)
        self._status.start(STATUS_MS)

    def stop(self) -> None:
        """End the timers, and pass on no more events: Qt's side of this object may be gone before the session ends."""
        self._is_stopped = True
        self._refresh.stop()
        self._status.stop()

    def _tell(self, event: Event) -> None:
        if not self._is_stopped:
            self.event_arrived.emit(event)

    def _take_picture(self) -> None:
        shown: Shown | None = self._pictures.take()
        if shown is not None:
            self.picture_taken.emit(shown)

    def _take_status(self) -> None:
        frames = self._session.stats.frames
        self.status_due.emit((frames - self._frames_before) * 1000 / STATUS_MS)
        self._frames_before = frames
