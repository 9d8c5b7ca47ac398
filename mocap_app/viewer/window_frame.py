"""The main window's frame: its parts, where they are, how they look, and what of that is remembered."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QResizeEvent, QShowEvent
from PyQt6.QtWidgets import QApplication, QLabel, QMainWindow, QSplitter, QToolButton, QVBoxLayout, QWidget

from . import layout
from .banner import Banner
from .bridge import StudioBridge
from .icons import icon
from .pane import Pane
from .panes import Panes
from .record_bar import RecordBar
from .source_bar import SourceBar
from .source_desk import SourceDesk
from .studio import Studio
from .theme import THEMES, Theme, palette_of, style_of
from .video_panel import VideoPanel
from .welcome_card import WelcomeCard


class WindowFrame(QMainWindow):
    """Holds the parts; what they say to one another is `MainWindow`'s. Belongs to the window's thread."""

    def __init__(self, studio: Studio) -> None:
        """Put the parts together around `studio`, as they were left the last time."""
        super().__init__()
        self.studio = studio
        self._kept = layout.read_layout()
        studio.plan = layout.read_plan(studio.plan)
        self.theme = THEMES[self._kept.theme]
        dress_application(self.theme)  # before there is anything to dress: each part is then polished once
        self._build_parts()
        self._arrange()
        self._give_theme()
        self._restore()

    def dress(self) -> None:
        """Change to the colours of the theme."""
        dress_application(self.theme)
        self._give_theme()

    def place_card(self) -> None:
        """Put the welcome card over the lower middle of the picture."""
        width = min(440, max(self.panel.width() - 40, 240))
        self.card.setFixedWidth(width)
        self.card.adjustSize()
        self.card.move((self.panel.width() - width) // 2, max(8, self.panel.height() - self.card.height() - 24))

    def keep_layout(self) -> None:
        """Remember sizes, looks and how takes are recorded."""
        tab, shows_column = self.panes.tabs.currentIndex(), not self.side_pane.isHidden()
        geometry, panes, columns = self.saveGeometry(), self.views.saveState(), self.columns.saveState()
        layout.keep_layout(layout.Layout(geometry, panes, columns, tab, self.theme.name, shows_column))
        layout.keep_plan(self.studio.plan)

    def toggle_column(self) -> None:
        """Show or hide the column of tabs."""
        self.side_pane.setVisible(self.side_pane.isHidden())

    def toggle_full_screen(self) -> None:
        """Take the whole screen, or give it back."""
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def showEvent(self, event: QShowEvent | None) -> None:
        """Lay the card out when the window appears."""
        super().showEvent(event)
        self.place_card()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Keep the card in its place."""
        super().resizeEvent(event)
        self.place_card()

    def _build_parts(self) -> None:
        self.panel = VideoPanel()
        self.banner = Banner()
        self.card = WelcomeCard()
        self.source_bar = SourceBar(self.studio.capture)
        self.record_bar = RecordBar(self.studio.plan)
        self.panes = Panes(self.studio.config, self.studio.plan.folder, self)
        self.bridge = StudioBridge(self.studio)
        self.desk = SourceDesk(self.studio, self.source_bar, self.card, self)
        self.mesh_switch = _switch("Mesh over the picture (M)", self.studio.view.show_mesh)
        self.skeleton_switch = _switch("Skeleton over the picture (S)", self.studio.view.show_skeleton)
        self.theme_button = _switch("Dark or light (Ctrl+L)", None)
        self.help_button = _switch("Keys and first steps (F1)", None)
        self.live_button = QToolButton()
        self.live_button.setText("Live")
        self.live_button.setToolTip("Show what is filmed now (Esc)")
        self.live_button.setCheckable(True)
        self.live_button.setChecked(True)
        self.status = QLabel()

    def _arrange(self) -> None:
        self.setWindowTitle("mocap-app")
        self.setAcceptDrops(True)
        self.setMinimumSize(940, 620)
        self.picture_pane = Pane("Picture", self.panel)
        self.picture_pane.add_switch(self.mesh_switch)
        self.picture_pane.add_switch(self.skeleton_switch)
        self.scene_pane = Pane("3-D view", self.panes.scene)
        self.scene_pane.add_switch(self.live_button)
        views = self._splitter(Qt.Orientation.Horizontal, self.picture_pane, self.scene_pane)
        self.timeline_pane = Pane("Timeline", self.panes.timeline, margin_px=6)
        work = QWidget()
        column = QVBoxLayout(work)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(views, stretch=1)
        column.addWidget(self.record_bar)
        column.addWidget(self.timeline_pane)
        self.side_pane = Pane("", self.panes.tabs, margin_px=6)
        self.side_pane.title.hide()
        self.side_pane.note.hide()
        self.views = views
        self.columns = self._splitter(Qt.Orientation.Horizontal, work, self.side_pane)
        self.columns.setStretchFactor(0, 1)
        self.columns.setStretchFactor(1, 0)
        self.columns.setSizes([1140, 380])
        views.setSizes([600, 520])
        bar = self.source_bar.layout()
        assert bar is not None
        bar.addWidget(self.theme_button)
        bar.addWidget(self.help_button)
        body = QWidget()
        outer = QVBoxLayout(body)
        outer.setContentsMargins(10, 4, 10, 4)
        outer.setSpacing(8)
        outer.addWidget(self.source_bar)
        outer.addWidget(self.banner)
        outer.addWidget(self.columns, stretch=1)
        self.setCentralWidget(body)
        self.card.setParent(self.panel)
        bottom = self.statusBar()
        assert bottom is not None
        bottom.setSizeGripEnabled(False)
        bottom.setContentsMargins(14, 0, 10, 0)
        bottom.addWidget(self.status, 1)

    def _splitter(self, direction: Qt.Orientation, *parts: QWidget) -> QSplitter:
        splitter = QSplitter(direction)
        splitter.setChildrenCollapsible(False)
        splitter.setHandleWidth(8)
        for part in parts:
            splitter.addWidget(part)
        return splitter

    def _give_theme(self) -> None:
        """Give the parts that paint for themselves the colours of the theme."""
        for part in (self.panel, self.banner, self.card, self.source_bar, self.record_bar, self.panes):
            part.set_theme(self.theme)
        self.mesh_switch.setIcon(icon("mesh", self.theme.text))
        self.skeleton_switch.setIcon(icon("skeleton", self.theme.text))
        self.theme_button.setIcon(icon("sun" if self.theme.name == "dark" else "moon", self.theme.text))
        self.help_button.setIcon(icon("help", self.theme.text))

    def _restore(self) -> None:
        self.resize(1500, 900)
        if not self._kept.geometry.isEmpty():
            self.restoreGeometry(self._kept.geometry)
        if not self._kept.panes.isEmpty():
            self.views.restoreState(self._kept.panes)
            self.columns.restoreState(self._kept.columns)
        self.panes.tabs.setCurrentIndex(min(self._kept.tab, self.panes.tabs.count() - 1))
        self.side_pane.setVisible(self._kept.shows_column)


def dress_application(theme: Theme) -> None:
    """Give the whole application the palette and the style sheet of `theme`."""
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    application.setPalette(palette_of(theme))
    application.setStyleSheet(style_of(theme))


def _switch(tip: str, is_on: bool | None) -> QToolButton:
    """Return a flat button, one that stays down where `is_on` is given."""
    button = QToolButton()
    button.setObjectName("flat")
    button.setToolTip(tip)
    button.setAccessibleName(tip)
    if is_on is not None:
        button.setCheckable(True)
        button.setChecked(is_on)
    return button
