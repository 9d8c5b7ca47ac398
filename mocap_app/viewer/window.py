"""The main window: puts the parts together and carries what one says to the others."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from PyQt6.QtCore import Qt, QTimer, QUrl
from PyQt6.QtGui import QCloseEvent, QDesktopServices, QDragEnterEvent, QDropEvent
from PyQt6.QtWidgets import (
    QFileDialog,
    QMessageBox,
)  # fmt: skip

from .. import __version__
from .actions import SpaceForButtons, build_menus
from .help_sheet import HelpSheet
from .sinks import Shown
from .sources import source_title
from .state import Mode, Phase, RecordPlan, disk_text
from .status_words import panel_text, status_text
from .studio import Studio
from .theme import THEMES
from .window_frame import WindowFrame
from .wording import Notice

DISK_MS = 2000


class MainWindow(WindowFrame):
    """One window with one studio behind it. Closing it asks the studio to stop and waits for nothing."""

    def __init__(self, studio: Studio, chooses_source: bool = False) -> None:
        """Show `studio`, which is not started yet.

        Args:
            studio: What runs.
            chooses_source: Nobody named a source: take the first camera there is, or the demo actor.
        """
        super().__init__(studio)
        self._chooses_source = chooses_source
        self._plan_shown: RecordPlan | None = None
        self._sessions = 0
        self._was_recording = False
        self._disk_timer = QTimer(self)
        self._build_menus()
        self._connect()
        self._space = SpaceForButtons(self)
        self._space.guard(self)
        self.setFocus()

    # Putting together

    def _build_menus(self) -> None:
        counts = {f"count_in_{s}": lambda s=s: self._plan(replace(self.studio.plan, count_in_s=s)) for s in (0, 3, 5)}
        tabs = {f"tab_{n}": lambda n=n: self._show_tab(n) for n in range(5)}
        self.actions_by_name = build_menus(self, {
            "open_video": self.desk.open_video, "open_folder": self.desk.open_folder,
            "open_stream": self.desk.open_stream,
            "demo": self.desk.show_demo, "refresh": self.desk.refresh_cameras, "choose_folder": self.choose_folder,
            "show_folder": self._show_folder, "quit": self.close, "record": self.studio.toggle_recording,
            "keep_video": lambda: self._plan(replace(self.studio.plan, keeps_video=not self.studio.plan.keeps_video)),
            "mesh": lambda: self._show_over(mesh=not self.studio.view.show_mesh),
            "skeleton": lambda: self._show_over(skeleton=not self.studio.view.show_skeleton),
            "mirror": self.source_bar.mirror.click, "rotate": self.source_bar.turn_further,
            "live": self.panes.go_live, "play": self.panes.play_or_pause, "column": self.toggle_column,
            "theme": self.toggle_theme, "full_screen": self.toggle_full_screen, "help": self.show_help,
            "about": self._about, **counts, **tabs,
        })  # fmt: skip

    def _connect(self) -> None:
        self.bridge.picture_taken.connect(self._show_picture)
        self.bridge.moved_on.connect(self._show_studio)
        self.bridge.status_due.connect(self._show_status)
        self.banner.acted.connect(self._act)
        self.banner.closed.connect(self._dismiss)
        self.card.asked.connect(self._ask)
        self.source_bar.asked.connect(self._ask)
        self.record_bar.pressed.connect(self.studio.toggle_recording)
        self.record_bar.plan_changed.connect(self._plan)
        self.record_bar.folder_asked.connect(self.choose_folder)
        self.panes.config_changed.connect(self.studio.apply)
        self.panes.mode_changed.connect(self._show_mode)
        self.panes.completed.connect(lambda: self._space.guard(self.panes.tabs))
        self.panes.wished.connect(self.studio.ask)
        self.panes.failed.connect(lambda text: self.say(Notice("error", "That did not work", text)))
        self.desk.leaves_picture.connect(self._leave_picture)
        self.panel.resized.connect(self._resize_pictures)
        self.mesh_switch.clicked.connect(lambda on: self._show_over(mesh=on))
        self.skeleton_switch.clicked.connect(lambda on: self._show_over(skeleton=on))
        self.theme_button.clicked.connect(self.toggle_theme)
        self.help_button.clicked.connect(self.show_help)
        self.live_button.clicked.connect(self._go_live)
        self._disk_timer.timeout.connect(self._show_disk)
        self._disk_timer.start(DISK_MS)

    # Beginning and end

    def begin(self) -> None:
        """Start what was asked for, or look for a camera; called once the window can be seen."""
        self._show_disk()
        self.desk.begin(self._chooses_source)
        self.panes.complete()
        self.panes.show_folder(self.studio.plan.folder)

    def closeEvent(self, event: QCloseEvent | None) -> None:
        """Ask everything to stop and close at once."""
        self.keep_layout()
        self.bridge.stop()
        self._disk_timer.stop()
        self.studio.close()
        self.desk.stop()
        self.panes.close()
        if event is not None:
            event.accept()

    # Dropped files

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:
        """Take files from the desktop."""
        mime = event.mimeData() if event is not None else None
        if event is not None and mime is not None and any(url.isLocalFile() for url in mime.urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent | None) -> None:
        """Open what was dropped."""
        mime = event.mimeData() if event is not None else None
        files = [url.toLocalFile() for url in mime.urls() if url.isLocalFile()] if mime is not None else []
        if files:
            self.desk.open_path(Path(files[0]))

    # Showing what is new

    def say(self, notice: Notice) -> None:
        """Put `notice` into the banner."""
        self.studio.notice = notice
        self.banner.show_notice(notice)

    def _leave_picture(self) -> None:
        self.panel.show_picture(None)
        self.panes.go_live()

    def _show_picture(self, shown: Shown) -> None:
        if self.studio.phase in (Phase.RUNNING, Phase.LOADING, Phase.ENDED):
            self.panel.show_picture(shown)
            if shown.result is not None:
                self.panes.show_result(shown)

    def _show_studio(self) -> None:
        """Look at the studio and let every part show it."""
        studio = self.studio
        self.banner.show_notice(studio.notice)
        self.source_bar.show_source(studio.capture, studio.phase is not Phase.EMPTY)
        if studio.sessions != self._sessions:
            self._sessions = studio.sessions
            self.panes.begin_session(studio.config)
        if studio.plan is not self._plan_shown:
            self._plan_shown = studio.plan
            self.record_bar.show_plan(studio.plan)
            self.panes.show_folder(studio.plan.folder)
        counting_s, reason = studio.count_in_left_s, studio.why_not_record
        self.record_bar.show_recording(studio.recording, studio.is_recording, counting_s, reason)
        self.panel.show_text(panel_text(studio, self.panel.shown, self.desk.devices.is_asking))
        if studio.is_recording and not self._was_recording:
            self.panes.go_live()
        self._was_recording = studio.is_recording
        self.panes.takes.show_recorded(studio.recording.name if studio.is_recording else "")
        if studio.new_takes:
            studio.new_takes.clear()
            self.panes.show_folder(studio.plan.folder)
            self._plan_shown = None
        self.desk.look()

    def _show_status(self, frames_per_s: float) -> None:
        studio = self.studio
        title = source_title(studio.capture, self.desk.cameras) if studio.phase is not Phase.EMPTY else ""
        self.picture_pane.note.setText(title)
        self.status.setText(status_text(studio, self.panel.shown, frames_per_s))
        summary = studio.summary
        if summary is not None and summary.frames:
            self.panes.show_health(summary, studio.runtime)
        self.panes.show_config(studio.config)

    def _show_disk(self) -> None:
        folder = Path(self.studio.plan.folder).absolute()
        there = next((path for path in (folder, *folder.parents) if path.is_dir()), None)
        if there is not None:
            self.record_bar.show_disk(disk_text(shutil.disk_usage(there).free, self.studio.plan.keeps_video))

    def _show_mode(self, mode: Mode, name: str) -> None:
        self.live_button.setChecked(mode is Mode.LIVE)
        self.scene_pane.note.setText(name)
        self.timeline_pane.note.setText(name or "Choose a take to play it")

    def _go_live(self) -> None:
        self.panes.go_live()
        self.live_button.setChecked(True)

    def _resize_pictures(self, width: int, height: int) -> None:
        self.studio.view.panel_wh = (width, height)
        self.place_card()

    # What the user does

    def choose_folder(self) -> None:
        """Let the user choose where takes go."""
        folder = QFileDialog.getExistingDirectory(self, "Folder for takes", str(self.studio.plan.folder))
        if folder:
            self._plan(replace(self.studio.plan, folder=Path(folder)))
            self.panes.show_folder(Path(folder))

    def show_help(self) -> None:
        """Open the sheet with all keys."""
        sheet = HelpSheet(list(self.actions_by_name.values()), self)
        sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        sheet.open()

    def toggle_theme(self) -> None:
        """Change between dark and light."""
        self.theme = THEMES["light" if self.theme.name == "dark" else "dark"]
        self.dress()

    def _plan(self, plan: RecordPlan) -> None:
        self.studio.plan = plan
        self._show_disk()

    def _show_over(self, mesh: bool | None = None, skeleton: bool | None = None) -> None:
        view = self.studio.view
        view.show_mesh = view.show_mesh if mesh is None else mesh
        view.show_skeleton = view.show_skeleton if skeleton is None else skeleton
        self.mesh_switch.setChecked(view.show_mesh)
        self.skeleton_switch.setChecked(view.show_skeleton)

    def _ask(self, name: str) -> None:
        self.actions_by_name[name].trigger()

    def _act(self, action: str) -> None:
        take = next(iter(self.studio.recording.written), None) or self._last_take()
        self._dismiss()
        if action in ("try_again", "play_again"):
            self.studio.try_again()
        elif action == "choose_folder":
            self.choose_folder()
        elif action == "show_demo":
            self.desk.show_demo()
        elif action == "play_take" and take is not None:
            self.panes.play(take)

    def _last_take(self) -> Path | None:
        takes = sorted(Path(self.studio.plan.folder).glob("*.npz"), key=lambda path: path.stat().st_mtime)
        return takes[-1] if takes else None

    def _dismiss(self) -> None:
        self.studio.notice = None
        self.banner.show_notice(None)

    def _show_tab(self, number: int) -> None:
        self.side_pane.show()
        self.panes.tabs.setCurrentIndex(number)

    def _show_folder(self) -> None:
        folder = Path(self.studio.plan.folder).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

    def _about(self) -> None:
        QMessageBox.about(
            self, "About mocap-app",
            f"<b>mocap-app {__version__}</b><p>Motion capture from one ordinary camera.</p>"
            "<p>Apache-2.0. What is installed beside it, and under which licences: mocap-app licenses.</p>",
        )  # fmt: skip
