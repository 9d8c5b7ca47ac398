"""Everything about the next take: the button, the count-in, the clock, its name and where it goes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PyQt6.QtCore import QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QFocusEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PyQt6.QtWidgets import (
    QAbstractButton,
    QCheckBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ..errors import ConfigError
from .icons import icon
from .state import COUNT_INS_S, Recording, RecordPlan, clock_text
from .take_names import FIELDS, next_name
from .theme import DARK, Theme

BUTTON_PX = 58
NAMED_PX = 720
"""A narrower bar has no room for the name of the next take."""


class RecordButton(QAbstractButton):
    """A big round button: a disc to record, a square to stop, a ring that fills while counting in."""

    def __init__(self) -> None:
        super().__init__()
        self._theme = DARK
        self._is_recording = False
        self._told: tuple[bool, str] | None = None
        self.setFixedSize(BUTTON_PX, BUTTON_PX)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.show_recording(False)

    def show_recording(self, is_recording: bool, reason: str = "") -> None:
        """Show what a press does; `reason` says why nothing can be recorded."""
        if (is_recording, reason) == self._told:  # told often, and each repaint has the whole window composed anew
            return
        self._told = is_recording, reason
        self._is_recording = is_recording
        name = "Stop recording" if is_recording else "Record"
        self.setAccessibleName(name)
        self.setToolTip(reason or f"{name} (space bar)")
        self._is_dull = bool(reason) and not is_recording
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Take over the colours."""
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        """Return the button's size."""
        return QSize(BUTTON_PX, BUTTON_PX)

    def focusInEvent(self, event: QFocusEvent | None) -> None:
        """Show the focus."""
        super().focusInEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint ring and disc or square."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        red = QColor(self._theme.record)
        if self._is_dull:
            red.setAlpha(110)
        ring = self._theme.accent if self.hasFocus() else self._theme.text if self.underMouse() else self._theme.muted
        painter.setPen(QPen(QColor(ring), 3))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(QRectF(self.rect()).adjusted(3, 3, -3, -3))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(red)
        if self._is_recording:
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(19, 19, -19, -19), 4, 4)
        else:
            inset = 10 if not self.isDown() else 12
            painter.drawEllipse(QRectF(self.rect()).adjusted(inset, inset, -inset, -inset))
        painter.end()


class RecordBar(QFrame):
    """Shows how far recording is and changes the plan of the next take. Belongs to the window's thread."""

    pressed = pyqtSignal()
    plan_changed = pyqtSignal(object)
    """A `RecordPlan`."""
    folder_asked = pyqtSignal()

    def __init__(self, plan: RecordPlan) -> None:
        super().__init__()
        self.setObjectName("bar")
        self._plan = plan
        self.button = RecordButton()
        self.button.clicked.connect(self.pressed)
        self.clock = _label("00:00", "clock")
        self.clock.setAccessibleName("Length of the take")
        self.what = _label("Ready", "caption")
        self.count_in = self._build_count_in()
        self.name = QLineEdit(plan.pattern)
        self.name.setAccessibleName("Pattern for names of takes")
        self.name.setToolTip("Fields: " + ", ".join(f"{{{name}}} {tip}" for name, tip in FIELDS.items()))
        self.name.setMinimumWidth(150)
        self.name.setCursorPosition(0)
        self.name.textEdited.connect(self._rename)
        self.next = _label("", "caption")
        self.keep_video = QCheckBox("Keep video")
        self.keep_video.setToolTip("Write the picture beside each take, as .mp4")
        self.keep_video.setChecked(plan.keeps_video)
        self.keep_video.toggled.connect(lambda on: self._change(replace(self._plan, keeps_video=on)))
        self.folder = QToolButton()
        self.folder.setAccessibleName("Folder for takes")
        self.folder.clicked.connect(self.folder_asked)
        self.disk = _label("", "caption")
        self._arrange()
        self.show_plan(plan)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Leave the name away where there is no room for it: a wider window has it again."""
        super().resizeEvent(event)
        is_wide = self.width() >= NAMED_PX
        self.name.setVisible(is_wide)
        self.next.setVisible(is_wide)

    def show_plan(self, plan: RecordPlan) -> None:
        """Show `plan`, and what the next take will be called."""
        self._plan = plan
        if self.name.text() != plan.pattern and not self.name.hasFocus():
            self.name.setText(plan.pattern)
            self.name.setCursorPosition(0)
        self.count_in.setCurrentIndex(max(0, self.count_in.findData(plan.count_in_s)))
        self.keep_video.setChecked(plan.keeps_video)
        self.folder.setToolTip(f"Takes go to {Path(plan.folder).absolute()}. Press to choose another folder.")
        try:
            self._say_next(f"Next: {next_name(plan.pattern, plan.source, plan.folder)}", False)
        except ConfigError as error:
            self._say_next(str(error), True)

    def show_recording(self, recording: Recording, is_on: bool, counting_s: float | None, reason: str) -> None:
        """Show how far recording is; `reason` says why nothing can be recorded, empty where something can."""
        self.button.show_recording(is_on or counting_s is not None, reason)
        self.clock.setText(clock_text(recording.seconds if recording.is_running else 0))
        if counting_s is not None:
            self.what.setText("Get ready…")
        elif recording.is_saving:
            self.what.setText("Saving…")
        elif is_on:
            self.what.setText(f"Recording · {recording.frames} frames")
        else:
            self.what.setText("Space to record" if not reason else "Not yet")

    def show_disk(self, text: str) -> None:
        """Show how much room there is."""
        self.disk.setText(text)

    def set_theme(self, theme: Theme) -> None:
        """Take over the colours."""
        self.button.set_theme(theme)
        self.folder.setIcon(icon("folder", theme.text))

    def _build_count_in(self) -> QComboBox:
        box = QComboBox()
        box.setAccessibleName("Count-in")
        box.setToolTip("Time to walk to your place before recording begins")
        for seconds in COUNT_INS_S:
            box.addItem(f"{seconds} s count-in" if seconds else "No count-in", seconds)
        box.activated.connect(lambda row: self._change(replace(self._plan, count_in_s=box.itemData(row))))
        return box

    def _arrange(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 14, 8)
        row.setSpacing(14)
        row.addWidget(self.button)
        row.addLayout(_column(self.clock, self.what))
        row.addSpacing(6)
        row.addWidget(self.count_in)
        name = QHBoxLayout()
        name.setSpacing(6)
        name.addWidget(self.name, stretch=1)
        name.addWidget(self.folder)
        named = QVBoxLayout()
        named.setSpacing(2)
        named.addLayout(name)
        named.addWidget(self.next)
        row.addLayout(named, stretch=1)
        row.addLayout(_column(self.keep_video, self.disk))
        self.what.setMinimumWidth(130)

    def _say_next(self, text: str, is_wrong: bool) -> None:
        self.next.setText(text)
        self.next.setObjectName("error" if is_wrong else "caption")
        style = self.style()
        if style is not None:
            style.unpolish(self.next)
            style.polish(self.next)

    def _rename(self, pattern: str) -> None:
        self._change(replace(self._plan, pattern=pattern))

    def _change(self, plan: RecordPlan) -> None:
        self.show_plan(plan)
        self.plan_changed.emit(plan)


def _label(text: str, name: str) -> QLabel:
    label = QLabel(text)
    label.setObjectName(name)
    return label


def _column(*parts: QWidget) -> QVBoxLayout:
    column = QVBoxLayout()
    column.setSpacing(2)
    column.addStretch(1)
    for part in parts:
        column.addWidget(part)
    column.addStretch(1)
    return column
