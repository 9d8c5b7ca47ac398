"""Where sources are asked for: cameras are looked for, files and addresses opened, the first one chosen."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtWidgets import QFileDialog, QInputDialog, QWidget

from ..config import CaptureConfig
from ..errors import ConfigError
from . import layout
from .device_list import DeviceList
from .source_bar import SourceBar
from .sources import VIDEO_SUFFIXES, CameraChoice, capture_of_camera, capture_of_path, capture_of_stream
from .state import Phase
from .studio import Studio
from .welcome_card import WelcomeCard
from .wording import Notice


class SourceDesk(QObject):
    """Carries wishes for sources to the studio. Belongs to the window's thread."""

    leaves_picture = pyqtSignal()
    """Another source was chosen: what is shown belongs to the one before."""

    def __init__(self, studio: Studio, bar: SourceBar, card: WelcomeCard, window: QWidget) -> None:
        super().__init__(window)
        self._studio = studio
        self._bar = bar
        self._card = card
        self._window = window
        self._chooses = False
        self._restarts_camera = False
        self._lists_later = False
        self.cameras: tuple[CameraChoice, ...] = ()
        """Those that were found."""
        self.devices = DeviceList(self)
        self.devices.found.connect(self._show_cameras)
        self.devices.failed.connect(self._miss_cameras)
        bar.capture_chosen.connect(self.choose)

    def begin(self, chooses: bool) -> None:
        """Start what was asked for; `chooses` takes the first camera there is, or the demo actor."""
        self._chooses = chooses
        if not chooses:
            # Later: a camera that is being opened cannot be asked who it is.
            self._lists_later = self._studio.capture.source != "synthetic"
            self._studio.start()
            return
        known = layout.known_cameras()
        if not known:  # no time is lost by waiting for what probably is not there
            self.show_demo()
        self._search(with_modes=not any(camera.modes for camera in known))

    def stop(self) -> None:
        """Look for cameras no longer."""
        self.devices.stop()

    def look(self) -> None:
        """Go on where the studio was waited for; called often."""
        phase = self._studio.phase
        if self._restarts_camera and phase in (Phase.ENDED, Phase.FAILED):
            self._search(with_modes=True)
        elif self._lists_later and phase in (Phase.RUNNING, Phase.FAILED):
            self._lists_later = False
            self._search(with_modes=False)

    def choose(self, capture: CaptureConfig) -> None:
        """Change to another source."""
        before = self._studio.capture
        if (capture.source, capture.path, capture.device) != (before.source, before.path, before.device):
            self.leaves_picture.emit()
        self._card.hide()
        self._studio.notice = None
        self._studio.choose(capture)

    def show_demo(self) -> None:
        """Play the demo actor."""
        self.leaves_picture.emit()
        self._studio.start_demo()

    def open_path(self, path: Path) -> None:
        """Show a video, or a folder of pictures."""
        try:
            capture = capture_of_path(self._studio.capture, path)
        except ConfigError as error:
            self._studio.notice = Notice("error", "This cannot be opened", str(error))
        else:
            self.choose(capture)

    def open_video(self) -> None:
        """Let the user choose a video."""
        patterns = " ".join(f"*{suffix}" for suffix in VIDEO_SUFFIXES)
        path, _ = QFileDialog.getOpenFileName(self._window, "Open a video", "", f"Videos ({patterns});;All files (*)")
        if path:
            self.open_path(Path(path))

    def open_folder(self) -> None:
        """Let the user choose a folder of pictures."""
        path = QFileDialog.getExistingDirectory(self._window, "Open a folder of pictures")
        if path:
            self.open_path(Path(path))

    def open_stream(self) -> None:
        """Let the user type the address of a stream."""
        url, is_given = QInputDialog.getText(
            self._window, "Open a network stream", "Address, as rtsp://camera.local/live"
        )
        if not (is_given and url.strip()):
            return
        try:
            self.choose(capture_of_stream(self._studio.capture, url))
        except ConfigError as error:
            self._studio.notice = Notice("error", "This is no stream", str(error))

    def refresh_cameras(self) -> None:
        """Look for cameras; one that runs is let go for the moment, for it could not be asked for its modes."""
        studio = self._studio
        if studio.is_recording:
            studio.notice = Notice("note", "Cameras are not looked for while a take is recorded", "End the take first.")
        elif studio.capture.source == "camera" and studio.phase in (Phase.LOADING, Phase.RUNNING):
            self._restarts_camera = True
            studio.stop()
        else:
            self._search(with_modes=True)

    def _search(self, with_modes: bool) -> None:
        if self.devices.is_asking:
            return
        self._bar.show_searching(True)
        self.devices.ask(with_modes)

    def _show_cameras(self, cameras: tuple[CameraChoice, ...]) -> None:
        self._bar.show_searching(False)
        self.cameras = layout.read_modes(cameras)
        layout.keep_modes(self.cameras)
        self._bar.show_cameras(self.cameras)
        chooses, self._chooses = self._chooses, False
        if self._restarts_camera:
            self._restarts_camera = False
            self._studio.start()
        elif cameras and (chooses or self._card.isVisible()):
            self.choose(capture_of_camera(self._studio.capture, cameras[0].index))
        elif chooses:
            self._card.show()
            if not self._studio.is_demo:
                self.show_demo()
        elif not cameras and self._studio.is_demo:
            self._studio.notice = Notice("note", "Still no camera found", "Check its cable and that it is switched on.")

    def _miss_cameras(self, text: str) -> None:
        self._show_cameras(())
        self._studio.notice = Notice("warning", "Cameras cannot be looked for", text)
