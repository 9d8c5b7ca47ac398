"""mocap-app once more, as a process of its own: long work without a thread."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from PyQt6.QtCore import QObject, QProcess, QProcessEnvironment, pyqtSignal

CANCELLED = -2
"""Exit code of what was cancelled."""
NOT_STARTED = -3


class Child(QObject):
    """One run of a command. Its lines and its end come as signals."""

    line_heard = pyqtSignal(str)
    """A line of the error output."""
    ended = pyqtSignal(int)
    """Exit code, `CANCELLED` or `NOT_STARTED`; -1 for a crash."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._process = QProcess(self)
        self._rest = b""
        self._cancelled = False
        self._process.setProcessEnvironment(_environment())
        self._process.readyReadStandardError.connect(self._read)
        self._process.finished.connect(self._finish)
        self._process.errorOccurred.connect(self._fail)

    @property
    def is_running(self) -> bool:
        """Whether it has begun and not ended."""
        return self._process.state() != QProcess.ProcessState.NotRunning

    def start(self, words: Sequence[str]) -> None:
        """Run `mocap-app` with `words`."""
        self._rest, self._cancelled = b"", False
        # What is printed is not read, and must not fill up.
        self._process.setStandardOutputFile(QProcess.nullDevice())
        self._process.start(sys.executable, ["-m", "mocap_app", *words])

    def cancel(self) -> None:
        """End it at once; files appear whole or not at all, so nothing half written stays."""
        if self.is_running:
            self._cancelled = True
            self._process.kill()

    def _read(self) -> None:
        *lines, self._rest = (self._rest + bytes(self._process.readAllStandardError())).split(b"\n")
        for line in lines:
            self.line_heard.emit(line.decode("utf-8", "replace"))

    def _finish(self, code: int, status: QProcess.ExitStatus) -> None:
        self._read()
        if self._rest:
            self.line_heard.emit(self._rest.decode("utf-8", "replace"))
        crashed = status == QProcess.ExitStatus.CrashExit
        self.ended.emit(CANCELLED if self._cancelled else -1 if crashed else code)

    def _fail(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self.line_heard.emit(f"mocap-app: error: {sys.executable} cannot be started; install the program again")
            self.ended.emit(NOT_STARTED)


def _environment() -> QProcessEnvironment:
    """Return this process's environment, in which Python finds the same mocap-app and speaks UTF-8."""
    environment = QProcessEnvironment.systemEnvironment()
    root = str(Path(__file__).resolve().parents[2])
    paths = [root, *filter(None, [environment.value("PYTHONPATH")])]
    environment.insert("PYTHONPATH", os.pathsep.join(paths))
    environment.insert("PYTHONUTF8", "1")
    return environment
