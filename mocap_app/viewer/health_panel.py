"""The panel of health: rates and loads over the last minute, where the time goes, and what to do about troubles."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFrame, QGridLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from .health import Report, Trouble, size_words
from .panel_style import Panel, set_part, small
from .plots import Bar, Bars, PlotTile, bars_of

WELL = "Everything runs well."
STAGES = """capture: waiting for the camera or reading the file
detect: looking for people, on every k-th frame
track: telling who is who
recover: the network that recovers the bodies
solve: from bodies to smooth motion in the room"""


class HealthPanel(Panel):
    """Shows the newest report. Belongs to the window's thread."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Health of the session")
        self.setMinimumWidth(260)
        self.troubles = Troubles()
        self.tiles: list[PlotTile] = []
        self._grid = QGridLayout()
        self.stages = Section("Where the time goes", "median / 95 of 100 frames stay below", "Time of each stage")
        self.ages = Section("Age of a frame", "when it leaves: median / 95 of 100 stay below", "Age at each output")
        self.drops = Section("Left out", "frames that were replaced by newer ones", "Frames left out")
        self.about = small(QLabel())
        self.stages.setToolTip(STAGES)
        self._arrange()

    def show_report(self, report: Report) -> None:
        """Show one more moment: call it about twice a second with what `Health.update` returned."""
        self.troubles.show_troubles(report.troubles)
        while len(self.tiles) < len(report.plots):
            self.tiles.append(PlotTile())
            number = len(self.tiles) - 1
            # One that is left over takes the whole line.
            span = 2 if number == len(report.plots) - 1 and number % 2 == 0 else 1
            self._grid.addWidget(self.tiles[-1], number // 2, number % 2, 1, span)
        for number, tile in enumerate(self.tiles):
            tile.setVisible(number < len(report.plots))
            if number < len(report.plots):
                tile.show_plot(report.plots[number])
        self.stages.show_bars(bars_of(report.summary.stages, quiet=("capture",)))
        self.ages.show_bars(bars_of(report.summary.ages))
        self.drops.show_bars([
            Bar(place, f"{count}, now {report.drops_per_s.get(place, 0.0):.1f}/s", count, count)
            for place, count in report.summary.drops.items() if count
        ])  # fmt: skip
        self.about.setText(about(report))

    def _arrange(self) -> None:
        inside = QWidget()
        inside.setProperty("part", "column")
        column = QVBoxLayout(inside)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(12)
        self._grid.setSpacing(8)
        self._grid.setColumnStretch(0, 1)
        self._grid.setColumnStretch(1, 1)
        column.addWidget(self.troubles)
        column.addLayout(self._grid)
        for section in (self.stages, self.ages, self.drops):
            column.addWidget(section)
        self.about.setToolTip("What recovers the bodies, and what runs its networks.")
        column.addWidget(self.about)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidget(inside)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setAccessibleName("Health of the session")
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scroll)


class Troubles(QFrame):
    """What is not as it should be, in plain words; one quiet line where all is well."""

    def __init__(self) -> None:
        super().__init__()
        self.labels: list[QLabel] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(12, 8, 12, 8)
        self._column.setSpacing(6)
        self._shown: tuple[Trouble, ...] | None = None
        self.show_troubles(())

    def show_troubles(self, troubles: tuple[Trouble, ...]) -> None:
        """Show these; nothing is touched where they are those shown, so that a selection or a reader is not cut off."""
        if troubles == self._shown:
            return
        self._shown = troubles
        for label in self.labels:
            self._column.removeWidget(label)
            label.deleteLater()
        texts = [f"●  {trouble.words}" for trouble in troubles] or [f"✓  {WELL}"]
        self.labels = [QLabel(text) for text in texts]
        for label in self.labels:
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._column.addWidget(label)
        serious = any(trouble.is_serious for trouble in troubles)
        set_part(self, "alarm" if serious else "warning" if troubles else "well")
        self.setAccessibleName("Troubles")
        self.setAccessibleDescription(" ".join(trouble.words for trouble in troubles) or WELL)


class Section(QWidget):
    """Bars below a heading; nothing at all while there is nothing to show."""

    def __init__(self, title: str, detail: str, name: str) -> None:
        super().__init__()
        heading = QLabel(title)
        heading.setProperty("part", "group")
        told = small(QLabel(detail))
        self.bars = Bars(name)
        frame = QFrame()
        frame.setProperty("part", "card")
        inside = QVBoxLayout(frame)
        inside.setContentsMargins(12, 8, 12, 8)
        inside.addWidget(self.bars)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        for widget in (heading, told, frame):
            column.addWidget(widget)
        column.insertSpacing(2, 4)
        self.hide()

    def show_bars(self, bars: list[Bar]) -> None:
        """Show these."""
        self.bars.show_bars(bars)
        self.setVisible(bool(bars))


def about(report: Report) -> str:
    """Return what runs here, in one line."""
    load = report.load
    runs = f" in {report.runtime}" if report.runtime else ""
    disk = f", {size_words(load.disk_free_bytes)} free on the disk" if load.disk_free_bytes is not None else ""
    return f"Engine {report.engine}{runs}, {load.threads} threads on {load.cores} cores{disk}."
