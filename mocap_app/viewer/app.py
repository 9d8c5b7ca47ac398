"""The window's application: parts put together, run, and taken down."""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PyQt6.QtCore import QCoreApplication, QDir, QEvent, QTimer
from PyQt6.QtWidgets import QApplication

from ..config import AppConfig
from ..errors import ConfigError
from .icons import write_sheet_icons
from .sinks import Shown
from .studio import Studio
from .theme import ICONS, THEMES
from .window import MainWindow
from .wording import Notice

logger = logging.getLogger(__name__)


def run(config: AppConfig, notice: str = "", chooses_source: bool = False) -> int:
    """Open the window, run until it is closed, and return the exit code.

    Args:
        config: The settings.
        notice: Stands in the banner from the start, as that the user's own settings are broken.
        chooses_source: Nobody named a source: take the first camera there is, or the demo actor.

    Raises:
        ConfigError: There is no screen.
        Exception: What the last session failed of, once the window is closed.
    """
    check_screen()
    application = make_application()
    window = MainWindow(Studio(config), chooses_source)
    if notice:
        window.say(Notice("warning", "Something to know first", notice))
    window.show()
    told = Times(window)
    QTimer.singleShot(0, told.note_visible)
    QTimer.singleShot(0, window.begin)
    with closed_by_interrupt(window):
        application.exec()
    studio = window.studio
    take_down(window)
    studio.join()
    return 0


def take_down(window: MainWindow) -> None:
    """Destroy a closed window while there is an application: after it, OpenGL's views have nothing to end in."""
    window.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def make_application() -> QApplication:
    """Return the one application, made now if there is none yet."""
    found = QApplication.instance()
    application = found if isinstance(found, QApplication) else QApplication(["mocap-app"])
    application.setApplicationName("mocap-app")
    application.setApplicationDisplayName("mocap-app")
    # One style everywhere: a style sheet over three different ones cannot look right.
    application.setStyle("Fusion")
    if not QDir.searchPaths(ICONS):
        folder = Path(tempfile.mkdtemp(prefix="mocap-app-icons-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        for name, theme in THEMES.items():
            write_sheet_icons(folder / name, theme)
        QDir.addSearchPath(ICONS, str(folder))
    return application


class Times:
    """Tells the log, once each, when the window became visible and when the first picture was shown."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self.visible_s: float | None = None
        """Seconds from the start of the program."""
        self.first_frame_s: float | None = None
        self.first_result_s: float | None = None
        """The first picture with what the engine found in it."""
        window.bridge.picture_taken.connect(self._note_picture)

    def note_visible(self) -> None:
        """Call from the event loop, once the window was shown."""
        self.visible_s = since_start_s()
        logger.debug("window visible %.2f s after the start", self.visible_s)

    def _note_picture(self, shown: Shown) -> None:
        if self.first_frame_s is None:
            self.first_frame_s = since_start_s()
            logger.debug("first picture %.2f s after the start", self.first_frame_s)
        if shown.result is not None:
            self.first_result_s = since_start_s()
            logger.debug("first result %.2f s after the start", self.first_result_s)
            self._window.bridge.picture_taken.disconnect(self._note_picture)


def since_start_s() -> float:
    """Return seconds since this process was started, where the system tells; else since Python was ready."""
    try:
        with open("/proc/self/stat", encoding="ascii", errors="replace") as file:
            ticks = int(file.read().rpartition(")")[2].split()[19])
        return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError, ValueError):  # not on Linux
        return time.perf_counter()


def check_screen() -> None:
    """Raise ConfigError on a Linux without a screen, where Qt would end the process without a word to catch."""
    named = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if sys.platform == "linux" and not any(os.environ.get(name) for name in named):
        raise ConfigError(
            "there is no screen: neither DISPLAY nor WAYLAND_DISPLAY is set; a window needs one; "
            "start mocap-app in a desktop session, or do without a window: --headless"
        )


@contextmanager
def closed_by_interrupt(window: MainWindow) -> Iterator[None]:
    """Let Ctrl-C close the window; the window's timers give Python its turn to notice."""
    before = signal.signal(signal.SIGINT, lambda number, frame: window.close())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
