"""Where the picture comes from: camera and its mode, files, streams, the demo actor; mirror and rotation."""

from __future__ import annotations

from dataclasses import replace

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtGui import QAction, QActionGroup
from PyQt6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QLabel, QMenu, QToolButton, QWidget

from ..config import ROTATIONS, CaptureConfig
from .icons import icon
from .sources import CameraChoice, CameraMode, capture_of_camera, is_demo, source_title
from .theme import Theme

OTHERS = {
    "open_video": "Open a video…",
    "open_folder": "Open a folder of pictures…",
    "open_stream": "Open a network stream…",
    "demo": "Demo actor",
}
"""What the list offers beside cameras, by the name of the action it asks for."""
AS_IT_COMES = "Camera's own size"


class SourceBar(QFrame):
    """Shows the source and asks for another. Belongs to the window's thread."""

    capture_chosen = pyqtSignal(object)
    """A `CaptureConfig`."""
    asked = pyqtSignal(str)
    """A key of OTHERS, or "refresh"."""

    def __init__(self, capture: CaptureConfig) -> None:
        super().__init__()
        self.setObjectName("bar")
        self._capture = capture
        self._cameras: tuple[CameraChoice, ...] = ()
        self._has_source = False
        self.sources = _list("Source", "What is filmed or read: a camera, a video, pictures, a stream", 220)
        self.sources.activated.connect(self._choose_source)
        self.modes = _list("Size and rate of the camera", "Sizes and rates this camera offers", 170)
        self.modes.activated.connect(self._choose_mode)
        self.refresh = _button("Look for cameras again (F5)")
        self.refresh.clicked.connect(lambda: self.asked.emit("refresh"))
        self.mirror = _button("Mirror the picture, left to right (Ctrl+M)")
        self.mirror.setCheckable(True)
        self.mirror.clicked.connect(self._choose_mirror)
        self.rotate = _button("Turn the picture, for a camera that lies on its side (Ctrl+R)")
        self.rotate.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._turns = self._build_turns()
        self._sign = QLabel()
        self._arrange()
        self._list_sources()

    def show_cameras(self, cameras: tuple[CameraChoice, ...]) -> None:
        """Offer `cameras`."""
        self._cameras = cameras
        self._list_sources()
        self._list_modes()

    def show_source(self, capture: CaptureConfig, has_source: bool) -> None:
        """Show what runs; `has_source` is False where nothing was chosen yet."""
        if capture == self._capture and has_source == self._has_source:
            return
        self._capture, self._has_source = capture, has_source
        self._list_sources()
        self._list_modes()
        self.mirror.setChecked(capture.mirror)
        for action in self._turns:
            action.setChecked(action.data() == capture.rotation)

    def show_searching(self, is_searching: bool) -> None:
        """Say that cameras are looked for."""
        self.refresh.setEnabled(not is_searching)
        self.refresh.setToolTip("Looking for cameras…" if is_searching else "Look for cameras again (F5)")

    def set_theme(self, theme: Theme) -> None:
        """Take over the colours."""
        for button, name in ((self.refresh, "refresh"), (self.mirror, "mirror"), (self.rotate, "rotate")):
            button.setIcon(icon(name, theme.text))
        self._sign.setPixmap(icon("camera", theme.muted).pixmap(22, 22))

    def turn_further(self) -> None:
        """Turn the picture by another quarter."""
        self.capture_chosen.emit(replace(self._capture, rotation=(self._capture.rotation + 90) % 360))

    def _build_turns(self) -> list[QAction]:
        menu, group = QMenu(self.rotate), QActionGroup(self)
        turns = []
        for degrees in ROTATIONS:
            action = QAction(f"{degrees}°" + (" clockwise" if degrees else "  as it comes"), self)
            action.setCheckable(True)
            action.setChecked(degrees == self._capture.rotation)
            action.setData(degrees)
            action.triggered.connect(lambda _, turn=degrees: self._turn_to(turn))
            group.addAction(action)
            menu.addAction(action)
            turns.append(action)
        self.rotate.setMenu(menu)
        return turns

    def _arrange(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 8, 8)
        row.setSpacing(8)
        parts: tuple[QWidget, ...] = (self._sign, self.sources, self.modes, self.refresh, self.mirror, self.rotate)
        for part in parts:
            row.addWidget(part)
        row.addStretch(1)

    def _list_sources(self) -> None:
        """Fill the list: cameras, what is open beside them, what can be opened."""
        self.sources.clear()
        for camera in self._cameras:
            self.sources.addItem(camera.title, camera)
        if not self._is_listed():
            title = source_title(self._capture, self._cameras) if self._has_source else "Choose a source"
            self.sources.addItem(title, None)
        self.sources.insertSeparator(self.sources.count())
        for name, title in OTHERS.items():
            self.sources.addItem(title, name)
        self.sources.setCurrentIndex(self._current())

    def _is_listed(self) -> bool:
        is_camera = self._has_source and self._capture.source == "camera"
        plays_demo = self._has_source and is_demo(self._capture)
        return plays_demo or (is_camera and any(c.index == self._capture.device for c in self._cameras))

    def _current(self) -> int:
        rows = range(self.sources.count())
        return next((row for row in rows if self._is_current(row)), 0)

    def _is_current(self, row: int) -> bool:
        held = self.sources.itemData(row)
        if not self._is_listed():
            return held is None and bool(self.sources.itemText(row))
        if isinstance(held, CameraChoice):
            return self._capture.source == "camera" and held.index == self._capture.device
        return held == "demo" and is_demo(self._capture)

    def _list_modes(self) -> None:
        camera = next((c for c in self._cameras if c.index == self._capture.device), None)
        is_camera = self._has_source and self._capture.source == "camera"
        self.modes.setVisible(is_camera)
        self.modes.clear()
        self.modes.addItem(AS_IT_COMES, None)
        for mode in camera.modes if camera else ():
            self.modes.addItem(mode.title, mode)
            if mode.size_wh == self._capture.size:
                self.modes.setCurrentIndex(self.modes.count() - 1)

    def _choose_source(self, row: int) -> None:
        held = self.sources.itemData(row)
        self.sources.setCurrentIndex(self._current())  # what runs is shown until another does
        if isinstance(held, CameraChoice):
            self.capture_chosen.emit(capture_of_camera(self._capture, held.index))
        elif isinstance(held, str):
            self.asked.emit(held)

    def _choose_mode(self, row: int) -> None:
        mode: CameraMode | None = self.modes.itemData(row)
        if isinstance(self._capture.device, int):
            self.capture_chosen.emit(capture_of_camera(self._capture, self._capture.device, mode))

    def _choose_mirror(self, is_on: bool) -> None:
        self.capture_chosen.emit(replace(self._capture, mirror=is_on))

    def _turn_to(self, degrees: int) -> None:
        self.capture_chosen.emit(replace(self._capture, rotation=degrees))


def _list(name: str, tip: str, width_px: int) -> QComboBox:
    box = QComboBox()
    box.setAccessibleName(name)
    box.setToolTip(tip)
    box.setMinimumWidth(width_px)
    return box


def _button(tip: str) -> QToolButton:
    button = QToolButton()
    button.setObjectName("flat")
    button.setToolTip(tip)
    button.setAccessibleName(tip)
    return button
