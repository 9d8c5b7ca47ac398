"""The people in view, or of a take: a chip for each, to pin, swap and merge."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from ..library import Recording
from ..wishes import Wish
from .people import People
from .person_chip import PersonChip

NOBODY_LIVE = """<p><b>Nobody in view</b></p>
<p>Step in front of the camera, from head to feet, in good light. Each person gets a colour and a number here.</p>"""
NOBODY_IN_TAKE = "<p><b>Nobody in this take</b></p><p>Its files cannot be read, or another program wrote them.</p>"


class PeoplePanel(QWidget):
    """Shows performers. Belongs to the window's thread."""

    wished = pyqtSignal(object)
    """A `Pin`, `Swap` or `Merge`: for `Session.ask`, or of a take for `TakeList.repair` with the playhead's time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Show nobody yet; `clock` tells seconds."""
        super().__init__()
        self._clock = clock
        self.people = People()
        self._chips: dict[int, PersonChip] = {}
        self._order: tuple[int, ...] = ()
        self.empty = QLabel(NOBODY_LIVE)
        self._arrange()

    @property
    def chips(self) -> tuple[PersonChip, ...]:
        """The chips, in the order shown."""
        return tuple(self._chips[number] for number in self._order)

    def show_tracks(self, track_ids: Iterable[int], scores: Iterable[float]) -> None:
        """Show who is in view now; cheap enough for every frame.

        Args:
            track_ids: N numbers.
            scores: N, 0 to 1.
        """
        if not self.people.is_live:
            self.clear()
        self.people.see(track_ids, scores, self._clock())
        self._refresh()

    def show_recording(self, recording: Recording | None) -> None:
        """Show the people of a take, None for an empty panel."""
        self.clear(is_live=False)
        if recording is not None:
            self.people.show_recording(recording)
        self._refresh()

    def clear(self, is_live: bool = True) -> None:
        """Show nobody: another session begins, or a take is to be shown."""
        self.people.clear(is_live)
        for number in list(self._chips):
            self._drop(number)
        self.empty.setText(NOBODY_LIVE if is_live else NOBODY_IN_TAKE)
        self._refresh()

    def _hear(self, wish: Wish) -> None:
        if self.people.is_live:
            self.people.grant(wish)
            self._refresh()
        self.wished.emit(wish)

    def _refresh(self) -> None:
        shown, numbers = self.people.shown, self.people.numbers
        if numbers != self._order:
            self._rebuild(numbers)
        self.empty.setVisible(not numbers)
        for person in shown:
            self._chips[person.number].show_person(person, numbers)

    def _rebuild(self, numbers: tuple[int, ...]) -> None:
        """Put the chips in this order; those that stay keep focus and state."""
        for number in [n for n in self._chips if n not in numbers]:
            self._drop(number)
        for place, number in enumerate(numbers):
            if number not in self._chips:
                self._chips[number] = chip = PersonChip(number, self.people.is_live)
                chip.wished.connect(self._hear)
            self._column.insertWidget(place, self._chips[number])
        self._order = numbers

    def _drop(self, number: int) -> None:
        chip = self._chips.pop(number)
        self._order = tuple(n for n in self._order if n != number)
        self._column.removeWidget(chip)
        chip.hide()
        # Later: it may be in the middle of telling a wish.
        chip.deleteLater()

    def _arrange(self) -> None:
        self.setAccessibleName("People")
        holder = QWidget()
        self._column = QVBoxLayout(holder)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self.empty.setWordWrap(True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setMargin(14)
        self._column.addWidget(self.empty)
        self._column.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(holder)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(area)
