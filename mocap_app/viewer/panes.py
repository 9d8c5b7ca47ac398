"""The parts of the window beside picture and recording: made here, told here, so that the window knows no more."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import QObject, Qt, pyqtSignal
from PyQt6.QtWidgets import QLabel, QTabWidget, QWidget

from ..config import AppConfig
from ..stats import Summary
from .sinks import Shown
from .state import Mode
from .theme import Theme

TABS = ("Takes", "People", "Streams", "Settings", "Health")


class Panes(QObject):
    """3-D view, timeline and the column of tabs. Belongs to the window's thread."""

    config_changed = pyqtSignal(object)
    """An `AppConfig` that settings or streams were changed to."""
    mode_changed = pyqtSignal(object)
    """A `Mode`: a take was opened, or the live view asked for."""
    failed = pyqtSignal(str)
    """Something could not be done, in words."""

    def __init__(self, config: AppConfig, folder: Path) -> None:
        super().__init__()
        self._config = config
        self.mode = Mode.LIVE
        self.scene: QWidget = _placeholder("3-D view")
        self.timeline: QWidget = _placeholder("Timeline")
        self.timeline.setFixedHeight(72)
        self.tabs = QTabWidget()
        self.tabs.setUsesScrollButtons(False)
        self.tabs.setElideMode(Qt.TextElideMode.ElideNone)
        self.tabs.setAccessibleName("Takes, people, streams, settings, health")
        for title in TABS:
            self.tabs.addTab(_placeholder(title), title)

    def show_result(self, shown: Shown) -> None:
        """Show the newest result where it belongs."""

    def show_health(self, summary: Summary, frames_per_s: float) -> None:
        """Show measurements, where they can be seen."""

    def show_config(self, config: AppConfig) -> None:
        """Show the settings that run."""
        self._config = config

    def show_folder(self, folder: Path) -> None:
        """List the takes of `folder` anew."""

    def play(self, take: Path) -> None:
        """Open a take and play it."""
        self.set_mode(Mode.PLAYBACK)

    def set_mode(self, mode: Mode) -> None:
        """Change between the live view and a take."""
        if mode is not self.mode:
            self.mode = mode
            self.mode_changed.emit(mode)

    def set_theme(self, theme: Theme) -> None:
        """Take over the colours."""

    def close(self) -> None:
        """End what these parts have running."""


def _placeholder(text: str) -> QLabel:
    label = QLabel(text)
    label.setObjectName("muted")
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    return label
