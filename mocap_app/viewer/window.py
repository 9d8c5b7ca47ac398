"""The main window: picture, banner, status line, keys."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QCloseEvent, QKeyEvent
from PyQt6.QtWidgets import QLabel, QMainWindow, QVBoxLayout, QWidget

from ..session import Event, Session, State
from .bridge import SessionBridge
from .sinks import Shown, ShownPictures
from .state import Recording, ViewState, banner_text, status_line
from .video_panel import VideoPanel

ERROR_STYLE = "background: #8c2f2f; color: white; padding: 8px;"
NOTE_STYLE = "background: #3a4048; color: white; padding: 8px;"


class MainWindow(QMainWindow):
    """Shows a running session. Closing it asks the session to stop and waits for nothing."""

    def __init__(
        self, session: Session, pictures: ShownPictures, state: ViewState, recording: Callable[[], Recording]
    ) -> None:
        """Watch `session`, which is not started yet; `recording` tells how far recording is."""
        super().__init__()
        self._session = session
        self._state = state
        self._recording = recording
        self.panel = VideoPanel(state)
        self.banner = QLabel()
        self.banner.setWordWrap(True)
        self.banner.hide()
        self.status = QLabel("loading …")
        self._arrange()
        self.bridge = SessionBridge(session, pictures)
        self.bridge.picture_taken.connect(self._show_picture)
        self.bridge.event_arrived.connect(self._hear)
        self.bridge.status_due.connect(self._refresh_status)

    def toggle_recording(self) -> None:
        """Begin or end a take with the next frame."""
        if self._state.can_record:
            self._state.wants_recording = not self._state.wants_recording

    def show_notice(self, text: str) -> None:
        """Say something in the banner that is no error of the session."""
        self.banner.setStyleSheet(NOTE_STYLE)
        self.banner.setText(text)
        self.banner.show()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Act on a key; what it does stands in the status line."""
        if event is None or event.isAutoRepeat():
            return
        if event.key() == Qt.Key.Key_Space:
            self.toggle_recording()
        elif event.key() == Qt.Key.Key_M:
            self._state.show_mesh = not self._state.show_mesh
        elif event.key() == Qt.Key.Key_S:
            self._state.show_skeleton = not self._state.show_skeleton
        elif event.key() == Qt.Key.Key_Escape:
            self.close()
        self.panel.update()

    def closeEvent(self, event: QCloseEvent | None) -> None:
        """Ask the session to stop and close at once."""
        self._session.stop()
        self.bridge.stop()
        if event is not None:
            event.accept()

    def _arrange(self) -> None:
        self.setWindowTitle("mocap-app")
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 4)
        column.addWidget(self.banner)
        column.addWidget(self.panel, stretch=1)
        column.addWidget(self.status)
        self.setCentralWidget(body)

    def _show_picture(self, shown: Shown) -> None:
        self.panel.show_picture(shown)

    def _hear(self, event: Event) -> None:
        text = banner_text(event)
        if text:
            failed = event.detached or event.state is State.FAILED
            self.banner.setStyleSheet(ERROR_STYLE if failed else NOTE_STYLE)
            self.banner.setText(text)
            self.banner.show()

    def _refresh_status(self, frames_per_s: float) -> None:
        shown = self.panel.shown
        people = 0 if shown is None else len(shown.track_ids)
        self.status.setText(status_line(self._session.state, frames_per_s, people, self._recording()))
