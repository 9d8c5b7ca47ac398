"""The window's application: parts put together, run, and taken down."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from PyQt6.QtWidgets import QApplication

from ..config import AppConfig
from ..errors import ConfigError
from ..pipeline import build_session, metadata
from ..session import Session
from ..sinks import MakeSink, SinkContext
from .sinks import RecordSwitch, ShownPictures, ViewSink
from .state import Recording, ViewState
from .window import MainWindow


def run(config: AppConfig, notice: str = "") -> int:
    """Open the window, run the session until the window is closed, and return the exit code.

    A `notice`, as that the user's own settings are broken, stands in the banner from the start.

    Raises:
        ConfigError: There is no screen.
        Exception: The session's first error, once the window is closed.
    """
    check_screen()
    application = QApplication.instance() or QApplication(["mocap-app"])
    window, session = build_window(config)
    if notice:
        window.show_notice(notice)
    window.show()
    session.start()
    with closed_by_interrupt(window):
        application.exec()
    session.stop()
    session.join()
    return 0


def build_window(config: AppConfig) -> tuple[MainWindow, Session]:
    """Return a window and its session, not started.

    Where a folder is named, recording begins with the first frame; else with the space bar, into `viewer.folder`.
    """
    is_motion = config.capture.source != "images"
    state = ViewState(
        config.viewer.show_mesh,
        config.viewer.show_skeleton,
        wants_recording=is_motion and bool(config.record.folder),
        can_record=is_motion,
    )
    pictures = ShownPictures()
    switches: list[RecordSwitch] = []
    told = metadata(config)
    record = replace(config.record, folder=config.record.folder or config.viewer.folder)

    def make_view(context: SinkContext) -> ViewSink:
        return ViewSink(pictures, state, context)

    def make_switch(context: SinkContext) -> RecordSwitch:
        switches.append(RecordSwitch(state, record, context, told))
        return switches[-1]

    def recording() -> Recording:
        return switches[-1].recording if switches else Recording()

    watchers: list[MakeSink] = [make_view]
    if is_motion:
        config = replace(config, record=replace(config.record, folder=""))
        watchers.append(make_switch)
    session = build_session(config, watchers)
    return MainWindow(session, pictures, state, recording), session


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
