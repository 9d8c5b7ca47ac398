"""The timeline below a take: play, step, loop, speed, in and out, and the ruler to scrub on."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PyQt6.QtCore import Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QFontDatabase, QKeyEvent, QResizeEvent
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QMenu, QToolButton, QVBoxLayout, QWidget

from ..library import Recording
from .glyphs import GlyphButton
from .playhead import SPEEDS, Playhead
from .ruler import Presence, Ruler
from .take_wording import clock

REFRESH_MS = 16
RESTING_MS = 150
"""How often a playhead that stands is looked at: somebody else may move it."""


FRAMED_PX = 660
"""A narrower timeline has room for the time alone."""


class Timeline(QWidget):
    """Shows and moves a `Playhead`. Belongs to the window's thread.

    Keys, while the focus is in it (or passed on by `press`): K or Enter play and pause, left and right step (with Shift
    ten frames), I and O set in and out, X the whole take, L loop, Home and End. Space is left to recording.
    """

    moved = pyqtSignal(float)
    """The playhead stands elsewhere, seconds; at display rate while it plays, by a timer of the window's thread."""
    played = pyqtSignal(bool)
    """Play began or ended."""
    span_changed = pyqtSignal(object, object)
    """In and out points, seconds or None."""

    def __init__(self, playhead: Playhead | None = None) -> None:
        """Show `playhead`, or one of its own without a take."""
        super().__init__()
        self.playhead = playhead or Playhead()
        self._was_playing = False
        self._told_s = -1.0
        self.ruler = Ruler(self.playhead)
        self.time_label = QLabel()
        self.frame_label = QLabel()
        self.speed_button = QToolButton()
        self._make_buttons()
        self._arrange()
        self.setAccessibleName("Playback")
        self.ruler.scrubbed.connect(self.refresh)
        self.ruler.span_dragged.connect(self._tell_span)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.refresh)
        self._timer.start(RESTING_MS)
        self.show_take(self.playhead.duration_s, self.playhead.fps, {})

    def show_take(self, duration_s: float, fps: float, presence: Presence) -> None:
        """Begin with another take.

        Args:
            duration_s: 0 for none: everything is greyed.
            fps: frames per second.
            presence: person's number -> from when to when they are there, seconds.
        """
        self.playhead.load(duration_s, fps)
        self.ruler.show_people(presence)
        for button in (*self._buttons.values(), self.speed_button, self.ruler):
            button.setEnabled(duration_s > 0)
        self._tell_span()

    def show_recording(self, recording: Recording | None) -> None:
        """Begin with a recording, None for none."""
        if recording is None:
            self.show_take(0.0, 30.0, {})
        else:
            self.show_take(recording.duration_s, recording.fps, recording.presence_s)

    def refresh(self) -> None:
        """Show where the playhead is and tell it; for the timer, and for whoever moved the playhead itself."""
        head = self.playhead
        time_s, is_playing = head.time_s, head.is_playing
        if is_playing != self._was_playing:
            self._was_playing = is_playing
            self._show_playing(is_playing)
            self.played.emit(is_playing)
        whole = f" / {clock(head.duration_s, 2)}" if self.width() >= FRAMED_PX else ""
        self.time_label.setText(f"{clock(time_s, 2)}{whole}")
        self.frame_label.setText(f"Frame {head.frame}" if head.duration_s else "")
        if time_s != self._told_s:
            self._told_s = time_s
            self.ruler.update()
            self.moved.emit(time_s)

    def press(self, key: int, shift: bool = False) -> bool:
        """Do what a key stands for; return whether it stands for anything."""
        act = self._key_acts(10 if shift else 1).get(key)
        if act is None or not self.playhead.duration_s:
            return False
        act()
        return True

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Leave the number of the frame and the length away where the time needs the room."""
        super().resizeEvent(event)
        self.frame_label.setVisible(self.width() >= FRAMED_PX)
        self.refresh()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Act on a key; leave others to whoever holds the timeline."""
        if event is None:
            return
        plain = event.modifiers() & ~(Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier)
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if plain != Qt.KeyboardModifier.NoModifier or not self.press(event.key(), shift):
            super().keyPressEvent(event)

    # What the buttons do -------------------------------------------------------------------------------------------

    def toggle(self) -> None:
        """Play or pause."""
        self.playhead.toggle()
        self.refresh()

    def play(self) -> None:
        """Play from here."""
        self.playhead.play()
        self.refresh()

    def pause(self) -> None:
        """Stop here."""
        self.playhead.pause()
        self.refresh()

    def step(self, frames: int) -> None:
        """Go so many frames on."""
        self.playhead.step(frames)
        self.refresh()

    def set_in(self) -> None:
        """Put the in point here."""
        self.playhead.set_in()
        self._tell_span()

    def set_out(self) -> None:
        """Put the out point here."""
        self.playhead.set_out()
        self._tell_span()

    def clear_span(self) -> None:
        """Choose the whole take."""
        self.playhead.clear_span()
        self._tell_span()

    def set_loop(self, loop: bool) -> None:
        """Begin again at the end, or not."""
        self.playhead.loop = loop
        self._buttons["loop"].setChecked(loop)

    def _home(self) -> None:
        self.playhead.home()
        self.refresh()

    def _end(self) -> None:
        self.playhead.end()
        self.refresh()

    def set_speed(self, speed: float) -> None:
        """Play so many times as fast, 0.25 to 2."""
        self.playhead.set_speed(speed)
        self.speed_button.setText(f"{speed:g}×")

    def _tell_span(self) -> None:
        head = self.playhead
        self._buttons["whole"].setEnabled(head.in_s is not None or head.out_s is not None)
        self.ruler.update()
        self.span_changed.emit(head.in_s, head.out_s)
        self.refresh()

    def _show_playing(self, is_playing: bool) -> None:
        button = self._buttons["play"]
        button.show_glyph("pause" if is_playing else "play")
        button.say("Pause" if is_playing else "Play", "Play the take from here, or stop it here.", "K or Enter")
        self._timer.start(REFRESH_MS if is_playing else RESTING_MS)

    def _key_acts(self, frames: int) -> Mapping[int, Callable[[], None]]:
        key = Qt.Key
        return {
            key.Key_K: self.toggle, key.Key_Return: self.toggle, key.Key_Enter: self.toggle,
            key.Key_Left: lambda: self.step(-frames), key.Key_Right: lambda: self.step(frames),
            key.Key_I: self.set_in, key.Key_O: self.set_out, key.Key_X: self.clear_span,
            key.Key_L: lambda: self.set_loop(not self.playhead.loop), key.Key_Home: self._home, key.Key_End: self._end,
        }  # fmt: skip

    # How it looks --------------------------------------------------------------------------------------------------

    def _make_buttons(self) -> None:
        made = {
            "home": GlyphButton("home", "To the in point", "Go to the in point, and then to the beginning.", "Home"),
            "back": GlyphButton("back", "Step back", "Go one frame back; ten with Shift.", "Left"),
            "play": GlyphButton("play", "Play", "Play the take from here, or stop it here.", "K or Enter", 26),
            "forward": GlyphButton("forward", "Step on", "Go one frame on; ten with Shift.", "Right"),
            "end": GlyphButton("end", "To the out point", "Go to the out point, and then to the end.", "End"),
            "loop": GlyphButton("loop", "Loop", "Begin again at the in point when the out point is reached.", "L"),
            "in": GlyphButton("in", "Set in", "What is played, trimmed and exported begins here.", "I"),
            "out": GlyphButton("out", "Set out", "What is played, trimmed and exported ends here.", "O"),
            "whole": GlyphButton("whole", "Whole take", "Take the in and out points away.", "X"),
        }
        acts: dict[str, Callable[[], None]] = {
            "home": self._home, "back": lambda: self.step(-1), "play": self.toggle, "forward": lambda: self.step(1),
            "end": self._end, "in": self.set_in, "out": self.set_out, "whole": self.clear_span,
        }  # fmt: skip
        for name, act in acts.items():
            made[name].clicked.connect(lambda checked, act=act: act())
        made["loop"].setCheckable(True)
        made["loop"].toggled.connect(self.set_loop)
        for name in ("back", "forward"):
            made[name].setAutoRepeat(True)
        self._buttons = made

    def _arrange(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(2)
        self.time_label.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.time_label.setToolTip("Where the playhead is, and how long the take is, in minutes and seconds")
        self.frame_label.setObjectName("muted")
        self.frame_label.setToolTip("Number of the frame shown, from 0")
        for name in ("home", "back", "play", "forward", "end"):
            row.addWidget(self._buttons[name])
        row.addSpacing(10)
        row.addWidget(self.time_label)
        row.addSpacing(12)
        row.addWidget(self.frame_label)
        row.addStretch(1)
        for name in ("in", "out", "whole"):
            row.addWidget(self._buttons[name])
        row.addSpacing(14)
        row.addWidget(self._buttons["loop"])
        row.addWidget(self._make_speed_button())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.ruler)
        column.addLayout(row)

    def _make_speed_button(self) -> QToolButton:
        button, menu = self.speed_button, QMenu(self)
        for speed in SPEEDS:
            action = menu.addAction(f"{speed:g}×")
            assert action is not None
            action.triggered.connect(lambda checked, speed=speed: self.set_speed(speed))
        button.setMenu(menu)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setObjectName("flat")
        button.setAutoRaise(True)
        button.setMinimumWidth(56)
        button.setAccessibleName("Speed")
        button.setToolTip("<b>Speed</b><br>How fast the take is played; the take itself stays as it is.")
        self.set_speed(self.playhead.speed)
        return button
