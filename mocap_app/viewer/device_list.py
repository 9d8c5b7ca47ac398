"""The cameras of this machine, asked for by a child process: opening each for a moment takes seconds."""

from __future__ import annotations

import sys

from PyQt6.QtCore import QObject, QProcess, pyqtSignal

from ..errors import ConfigError
from .child import child_environment
from .sources import CameraChoice, read_cameras


class DeviceList(QObject):
    """Asks `mocap-app devices --json`. Belongs to the window's thread and never waits."""

    found = pyqtSignal(object)
    """A tuple of `CameraChoice`."""
    failed = pyqtSignal(str)
    """Why the list could not be had."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._process: QProcess | None = None

    @property
    def is_asking(self) -> bool:
        """Whether an answer is on its way."""
        return self._process is not None

    def ask(self, with_modes: bool) -> None:
        """Begin to ask, unless an answer is on its way already; modes take about a second per camera."""
        if self._process is not None:
            return
        self._process = QProcess(self)
        self._process.setProcessEnvironment(child_environment())
        self._process.finished.connect(self._read)
        self._process.errorOccurred.connect(self._give_up)
        arguments = ["-m", "mocap_app", "devices", "--json", *(["--modes"] if with_modes else [])]
        self._process.start(sys.executable, arguments)

    def stop(self) -> None:
        """End the child, if any; nothing is told any more."""
        process, self._process = self._process, None
        if process is not None:
            process.blockSignals(True)
            process.kill()
            process.waitForFinished(1000)

    def _read(self, code: int) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        text = bytes(process.readAllStandardOutput().data()).decode("utf-8", "replace")
        said = bytes(process.readAllStandardError().data()).decode("utf-8", "replace")
        process.deleteLater()
        try:
            cameras: tuple[CameraChoice, ...] = read_cameras(text)
        except ConfigError as error:
            self.failed.emit(said.strip().splitlines()[-1] if code and said.strip() else str(error))
        else:
            self.found.emit(cameras)

    def _give_up(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart:
            self._process = None
            self.failed.emit("the list of cameras cannot be asked for: this Python does not start again")
