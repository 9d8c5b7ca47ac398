"""mocap-app once more, as a process of its own: long work without a thread."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from PyQt6.QtCore import QObject, QProcess, QProcessEnvironment, pyqtSignal

CANCELLED = -2
"""Exit code of what was cancelled."""
NOT_STARTED = -3


class Child(QObject):
    """One run of a command. Its lines and its end come as signals."""

    line_heard = pyqtSignal(str)
    """A line of the error output: what is told."""
    line_printed = pyqtSignal(str)
    """A line of the output: what came of it."""
    ended = pyqtSignal(int)
    """Exit code, `CANCELLED` or `NOT_STARTED`; -1 for a crash."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._process = QProcess(self)
        self._heard = self._printed = b""
        """Lines that are not whole yet."""
        self._cancelled = False
        self._folder = Path()
        self._pid = 0
        self._process.setProcessEnvironment(child_environment())
        self._process.readyReadStandardError.connect(self._hear)
        self._process.readyReadStandardOutput.connect(self._read)
        self._process.finished.connect(self._finish)
        self._process.errorOccurred.connect(self._fail)

    @property
    def is_running(self) -> bool:
        """Whether it has begun and not ended."""
        return self._process.state() != QProcess.ProcessState.NotRunning

    def start(self, words: Sequence[str], folder: Path) -> None:
        """Run `mocap-app` with `words`, which writes into `folder`."""
        self._heard = self._printed = b""
        self._cancelled = False
        self._folder = folder
        self._process.start(sys.executable, ["-m", "mocap_app", *words])
        self._pid = self._process.processId()

    def cancel(self) -> None:
        """End it at once; files appear whole or not at all, so nothing half written stays."""
        if self.is_running:
            self._cancelled = True
            self._process.kill()

    def end(self) -> None:
        """End it without a signal, and wait for that, some milliseconds: whoever listens is closing."""
        self._process.blockSignals(True)
        self.cancel()
        self._process.waitForFinished(2000)
        self._process.blockSignals(False)
        self._sweep()

    def _hear(self) -> None:
        lines, self._heard = _lines(self._heard + bytes(self._process.readAllStandardError()))
        for line in lines:
            self.line_heard.emit(line)

    def _read(self) -> None:
        lines, self._printed = _lines(self._printed + bytes(self._process.readAllStandardOutput()))
        for line in lines:
            self.line_printed.emit(line)

    def _finish(self, code: int, status: QProcess.ExitStatus) -> None:
        self._hear()
        self._read()
        if self._cancelled:
            self._sweep()
        crashed = status == QProcess.ExitStatus.CrashExit
        self.ended.emit(CANCELLED if self._cancelled else -1 if crashed else code)

    def _sweep(self) -> None:
        """Remove the file that was being written: see `exporters.writing.write_atomically`."""
        if self._cancelled and self._folder.is_dir():
            for path in self._folder.glob(f".*.{self._pid}.tmp"):
                with suppress(OSError):
                    path.unlink()

    def _fail(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self.line_heard.emit(f"mocap-app: error: {sys.executable} cannot be started; install the program again")
            self.ended.emit(NOT_STARTED)


def _lines(data: bytes) -> tuple[list[str], bytes]:
    """Return the whole lines in `data`, and what is left."""
    *lines, rest = data.split(b"\n")
    return [line.decode("utf-8", "replace").rstrip("\r") for line in lines], rest


def child_environment() -> QProcessEnvironment:
    """Return this process's environment, in which Python finds the same mocap-app and speaks UTF-8."""
    environment = QProcessEnvironment.systemEnvironment()
    root = str(Path(__file__).resolve().parents[2])
    paths = [root, *filter(None, [environment.value("PYTHONPATH")])]
    environment.insert("PYTHONPATH", os.pathsep.join(paths))
    environment.insert("PYTHONUTF8", "1")
    return environment
