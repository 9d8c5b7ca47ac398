"""The parts of the window beside picture and recording: made here, told here, so that the window knows no more."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, Qt, pyqtSignal
from PyQt6.QtWidgets import QLabel, QTabWidget, QWidget

from exporters.errors import ExportError

from ..config import AppConfig
from ..errors import MocapError
from ..library import Library, Recording
from ..stats import Summary
from ..wishes import Merge, Swap, Wish
from .export_dialog import ExportDialog
from .people_panel import PeoplePanel
from .scene_panel import ScenePanel
from .settings_panel import SettingsPanel
from .sinks import Shown
from .state import Mode
from .take_list import TakeList
from .theme import Theme
from .timeline import Timeline

if TYPE_CHECKING:
    from ..playback import Playback

TABS = ("Takes", "People", "Streams", "Settings", "Health")


class Panes(QObject):
    """3-D view, timeline and the column of tabs. Belongs to the window's thread."""

    config_changed = pyqtSignal(object)
    """An `AppConfig` that settings or streams were changed to."""
    mode_changed = pyqtSignal(object, str)
    """A `Mode`, and the name of the take that is played; empty for the live view."""
    wished = pyqtSignal(object)
    """A `Wish` about people in view."""
    failed = pyqtSignal(str)
    """Something could not be done, in words."""

    def __init__(self, config: AppConfig, folder: Path, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._config = config
        self._playback: Playback | None = None
        self._recording: Recording | None = None
        self.mode = Mode.LIVE
        self.scene = ScenePanel()
        self.timeline = Timeline()
        self.takes = TakeList(Library(folder))
        self.people = PeoplePanel()
        self.settings = SettingsPanel(config)
        self.tabs = self._build_tabs()
        self._connect()

    def show_result(self, shown: Shown) -> None:
        """Show the newest result where it belongs."""
        if self.mode is Mode.PLAYBACK or shown.result is None:
            return
        if shown.scene is not None:
            self.scene.show_scene(shown.scene)
        tracks = shown.result.tracks
        if self.people.isVisible():
            self.people.show_tracks(tracks.track_ids, tracks.scores)

    def show_health(self, summary: Summary, frames_per_s: float) -> None:
        """Show measurements, where they can be seen."""

    def show_config(self, config: AppConfig) -> None:
        """Show the settings that run, unless the panels showed them first."""
        if config is self._config:
            return
        self._config = config
        if config != self.settings.config:
            self.settings.show_config(config)

    def show_folder(self, folder: Path) -> None:
        """List the takes of `folder` anew."""
        if Path(folder) != self.takes.library.folder:
            self.takes.library.empty()
            self.takes.library = Library(Path(folder))
        self.takes.refresh()

    def play(self, take: Path) -> None:
        """Open the recording that a take's file belongs to, and play it."""
        self.takes.refresh()
        name = take.stem.rpartition("_person")[0] or take.stem
        recording = self.takes.library.find(name)
        if recording is None:
            self.failed.emit(f"{name}: there is no such take any more.")
            return
        self.takes.select(name)
        self._open(recording)

    def go_live(self) -> None:
        """Leave the take and show what is filmed."""
        if self.mode is Mode.LIVE:
            return
        self.mode = Mode.LIVE
        self._playback = self._recording = None
        self.timeline.playhead.pause()
        self.timeline.show_recording(None)
        self.people.clear()
        self.mode_changed.emit(Mode.LIVE, "")

    def set_theme(self, theme: Theme) -> None:
        """Take over the colours."""
        self.scene.set_theme(theme.name)

    def close(self) -> None:
        """Remove for good what was deleted."""
        self.takes.library.empty()

    def _build_tabs(self) -> QTabWidget:
        tabs = QTabWidget()
        tabs.setUsesScrollButtons(False)
        tabs.setElideMode(Qt.TextElideMode.ElideNone)
        tabs.setAccessibleName("Takes, people, streams, settings, health")
        parts = (self.takes, self.people, _placeholder("Streams"), self.settings, _placeholder("Health"))
        for title, part in zip(TABS, parts, strict=True):
            tabs.addTab(part, title)
        return tabs

    def _connect(self) -> None:
        self.takes.chosen.connect(self._open)
        self.takes.export_asked.connect(self._export)
        self.timeline.moved.connect(self._show_moment)
        self.timeline.span_changed.connect(self._keep_span)
        self.people.wished.connect(self._pass_wish)
        self.settings.changed.connect(self._change_config)

    def _open(self, recording: Recording) -> None:
        """Play a recording from its beginning."""
        from ..playback import Playback

        try:
            self._playback = Playback.open([person.path for person in recording.readable])
        except (MocapError, ExportError, OSError) as error:
            self.failed.emit(str(error))
            return
        self._recording = recording
        self.mode = Mode.PLAYBACK
        self.people.show_recording(recording)
        self.timeline.show_recording(recording)
        self.mode_changed.emit(Mode.PLAYBACK, recording.name)
        self._show_moment(0.0)
        self.timeline.playhead.play()

    def _show_moment(self, seconds: float) -> None:
        if self.mode is Mode.PLAYBACK and self._playback is not None:
            self.scene.show_scene(self._playback.scene_at(seconds))

    def _keep_span(self, start_s: float | None, end_s: float | None) -> None:
        if self._recording is not None:
            self.takes.show_span(self._recording.name, start_s, end_s)

    def _export(self, recording: Recording) -> None:
        dialog = ExportDialog(recording, self.takes.span_of(recording), parent=self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show()

    def _pass_wish(self, wish: Wish) -> None:
        if self.mode is Mode.LIVE:
            self.wished.emit(wish)
        elif self._recording is not None and isinstance(wish, (Swap, Merge)):
            self.takes.repair(self._recording, wish, self.timeline.playhead.time_s)

    def _change_config(self, config: AppConfig) -> None:
        self._config = config
        self.config_changed.emit(config)


def _placeholder(text: str) -> QLabel:
    label = QLabel(text)
    label.setObjectName("muted")
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    return label
