"""The parts of the window beside picture and recording: made here, told here, so that the window knows no more."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, Qt, pyqtSignal
from PyQt6.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from exporters.errors import ExportError

from ..config import AppConfig
from ..errors import MocapError
from ..library import Library, Recording
from ..stats import Summary
from ..wishes import Merge, Swap, Wish
from .export_dialog import ExportDialog
from .health import Health
from .health_panel import HealthPanel
from .machine import Machine
from .people_panel import PeoplePanel
from .scene_panel import ScenePanel
from .settings_panel import SettingsPanel
from .sinks import Shown
from .state import Mode
from .streams_panel import StreamsPanel
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
    completed = pyqtSignal()
    """A panel was built."""
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
        self._is_seen = False
        self._late: dict[str, QVBoxLayout] = {}
        self.settings: SettingsPanel | None = None
        self.streams: StreamsPanel | None = None
        self.health: HealthPanel | None = None
        self._watch: Health | None = None
        self._machine: Machine | None = None
        self.tabs = self._build_tabs()
        self._connect()

    def show_result(self, shown: Shown) -> None:
        """Show the newest result where it belongs."""
        if self.mode is Mode.PLAYBACK or shown.result is None:
            return
        if shown.scene is not None:
            self.scene.show_scene(shown.scene)
        tracks, image = shown.result.tracks, shown.result.frame.image
        if self._watch is not None:
            self._watch.note_people(tracks.boxes_xyxy, (image.shape[1], image.shape[0]), time.monotonic())
        if self.people.isVisible():
            self.people.show_tracks(tracks.track_ids, tracks.scores)

    def complete(self) -> None:
        """Build the panel that is looked at, called once the window is seen; the others are built when they are."""
        self._is_seen = True
        self._build_page(self.tabs.currentIndex())

    def _build_page(self, number: int) -> None:
        title = TABS[number]
        page = self._late.pop(title, None) if self._is_seen else None
        if page is None:
            return
        if title == "Health":
            self.health = HealthPanel()
            page.addWidget(self.health)
        elif title == "Settings":
            self.settings = SettingsPanel(self._config)
            self.settings.changed.connect(self._change_config)
            page.addWidget(self.settings)
        else:
            self.streams = StreamsPanel(self._config)
            self.streams.changed.connect(self._change_config)
            page.addWidget(self.streams)
        self.completed.emit()

    def begin_session(self, config: AppConfig) -> None:
        """Forget what was measured of the session before."""
        is_live = config.capture.source in ("camera", "stream") or config.capture.realtime
        self._watch = Health(config.engine.name, is_live)
        if self.streams is not None:
            self.streams.forget_traffic()
        if self.mode is Mode.LIVE:
            self.people.clear()

    def show_health(self, summary: Summary, runtime: str) -> None:
        """Show measurements, where they can be seen; about twice a second is enough."""
        if self._watch is None:
            return
        if self._machine is None:
            self._machine = Machine(self.takes.library.folder)
        report = self._watch.update(summary, self._machine.read(), runtime, time.monotonic())
        if self.health is not None and self.health.isVisible():
            self.health.show_report(report)
        if self.streams is not None and self.streams.isVisible():
            self.streams.show_traffic(summary)

    def show_config(self, config: AppConfig) -> None:
        """Show the settings that run, unless the panels showed them first."""
        if config is not self._config:
            self._tell_panels(config)

    def show_folder(self, folder: Path) -> None:
        """List the takes of `folder` anew."""
        if Path(folder) != self.takes.library.folder:
            self._machine = None
            self.takes.show_library(Library(Path(folder)))
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

    def play_or_pause(self) -> None:
        """Play or pause the take that is open; open the selected one where none is."""
        if self.mode is Mode.PLAYBACK:
            self.timeline.toggle()
        else:
            self.takes.play()

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
        parts = (self.takes, self.people, *(self._late_page(title) for title in TABS[2:]))
        for title, part in zip(TABS, parts, strict=True):
            tabs.addTab(part, title)
        return tabs

    def _late_page(self, title: str) -> QWidget:
        page = QWidget()
        self._late[title] = QVBoxLayout(page)
        self._late[title].setContentsMargins(0, 0, 0, 0)
        return page

    def _tell_panels(self, config: AppConfig) -> None:
        self._config = config
        for panel in (self.settings, self.streams):
            if panel is not None:
                panel.show_config(config)

    def _connect(self) -> None:
        self.tabs.currentChanged.connect(self._build_page)
        self.takes.chosen.connect(self._open)
        self.takes.export_asked.connect(self._export)
        self.timeline.moved.connect(self._show_moment)
        self.timeline.span_changed.connect(self._keep_span)
        self.people.wished.connect(self._pass_wish)

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
        """Pass changed settings on, and show them in the other panel too."""
        self._tell_panels(config)
        self.config_changed.emit(config)
