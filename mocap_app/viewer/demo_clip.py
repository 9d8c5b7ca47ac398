"""The demo actor as a video: rendered once by a child process, then kept for the next time."""

from __future__ import annotations

import sys
from pathlib import Path

from PyQt6.QtCore import QObject, QProcess, QStandardPaths, pyqtSignal

SECONDS = 12


class DemoClip(QObject):
    """Renders `mocap-app demo --render-only`. Belongs to the window's thread and never waits."""

    ready = pyqtSignal(object)
    """The video's `Path`."""
    failed = pyqtSignal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._process: QProcess | None = None

    @property
    def path(self) -> Path:
        """Where the video is kept."""
        folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.GenericCacheLocation)
        return Path(folder) / "mocap-app" / "demo" / "demo.mp4"

    @property
    def is_there(self) -> bool:
        """Whether it was rendered before."""
        return self.path.is_file() and not self.is_rendering

    @property
    def is_rendering(self) -> bool:
        """Whether a child is at work."""
        return self._process is not None

    def render(self) -> None:
        """Begin to render, unless a child is at work already."""
        if self._process is not None:
            return
        self._process = QProcess(self)
        self._process.finished.connect(self._finish)
        folder = str(self.path.parent)
        arguments = ["-m", "mocap_app", "demo", "--render-only", "--quiet", "--duration", str(SECONDS)]
        self._process.start(sys.executable, [*arguments, "--output", folder])

    def stop(self) -> None:
        """End the child, if any; an unfinished video is rendered anew the next time."""
        process, self._process = self._process, None
        if process is not None:
            process.blockSignals(True)
            process.kill()
            process.waitForFinished(1000)
            self.path.unlink(missing_ok=True)

    def _finish(self, code: int) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        said = bytes(process.readAllStandardError().data()).decode("utf-8", "replace").strip()
        process.deleteLater()
        if code == 0 and self.path.is_file():
            self.ready.emit(self.path)
        else:
            self.failed.emit(said.splitlines()[-1] if said else "the demo actor could not be rendered")
