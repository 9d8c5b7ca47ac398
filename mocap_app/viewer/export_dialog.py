"""The dialog that exports a recording: for which program, in which formats, whereto; and how far it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QCloseEvent
from PyQt6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from exporters.files import FORMATS
from exporters.presets import PRESETS

from ..library import Recording
from .child import CANCELLED, Child
from .exporting import FORMAT_TITLES, RATES, USUAL, Answer, Choices, arguments, keeps_rate, missing_extra, titles
from .show_in_folder import show_in_folder
from .take_wording import clock, people

COLUMNS = 2


class ExportDialog(QDialog):
    """Exports one recording by a process of its own. Belongs to the window's thread; not modal by itself."""

    def __init__(
        self,
        recording: Recording,
        span_s: tuple[float | None, float | None] = (None, None),
        folder: Path | None = None,
        parent: QWidget | None = None,
        show: Callable[[Path], bool] = show_in_folder,
    ) -> None:
        """Offer to export `recording`.

        Args:
            recording: has somebody readable.
            span_s: in and out points, seconds after its first instant; only that is written, unless unticked.
            folder: where the files go; None for a folder "export" beside the take.
            parent: the window it belongs to.
            show: shows a file in its folder.
        """
        super().__init__(parent)
        self._recording = recording
        self._span_s = span_s
        self._show_file = show
        self.answer = Answer()
        """What the command has told."""
        self.preset = QComboBox()
        self.rate = QComboBox()
        self.formats = {suffix: QCheckBox(title) for suffix, title in FORMAT_TITLES.items() if suffix in FORMATS}
        self.folder = QLineEdit(str(folder or recording.folder / "export"))
        self.span = QCheckBox()
        self.mesh = QCheckBox("Surface of the body")
        self.together = QCheckBox("All files equally long")
        self.bar = QProgressBar()
        self.told = QLabel()
        self.start_button = QPushButton("Export")
        self.cancel_button = QPushButton("Cancel")
        self.show_button = QPushButton("Show in folder")
        self._child = Child(self)
        self._child.line_heard.connect(self._hear)
        self._child.ended.connect(self._end)
        self._fill()
        self._arrange()
        self._connect()
        self._choose_preset(0)

    @property
    def choices(self) -> Choices:
        """What is chosen now."""
        start_s, end_s = self._span_s if self.span.isChecked() else (None, None)
        return Choices(
            tuple(suffix for suffix, box in self.formats.items() if box.isChecked() and box.isEnabled()),
            Path(self.folder.text().strip()).expanduser(),
            str(self.preset.currentData()),
            str(self.rate.currentData()),
            start_s,
            end_s,
            self.mesh.isChecked(),
            self.together.isChecked(),
        )

    @property
    def is_running(self) -> bool:
        """Whether files are being written."""
        return self._child.is_running

    def start(self) -> None:
        """Begin to write the files."""
        choices = self.choices
        if choices.problem:
            self._say(choices.problem, is_error=True)
            return
        self.answer = Answer()
        self._say("Reading the take …")
        self._lock(True)
        self.bar.setRange(0, 0)  # busy, until the first file is told
        self._child.start(arguments(self._recording, choices), choices.folder)

    def cancel(self) -> None:
        """End what is running; else close the dialog."""
        if self.is_running:
            self._child.cancel()
        else:
            self.reject()

    def show_files(self) -> None:
        """Show the first written file in its folder."""
        path = self.answer.files[0] if self.answer.files else self.choices.folder
        if not self._show_file(path):
            self._say(f"Found no file manager to open; the files are in {path.parent}", is_error=True)

    def reject(self) -> None:
        """Close; what is running is ended first."""
        self._break_off()
        super().reject()

    def closeEvent(self, event: QCloseEvent | None) -> None:
        """End what is running."""
        self._break_off()
        super().closeEvent(event)

    def _break_off(self) -> None:
        if self.is_running:
            self._child.end()
            self._end(CANCELLED)

    # While it runs -------------------------------------------------------------------------------------------------

    def _hear(self, line: str) -> None:
        self.answer.hear(line)
        if self.answer.total:
            self.bar.setRange(0, self.answer.total)
            self.bar.setValue(self.answer.done)
            self._say(f"{self.answer.done} of {self.answer.total} files")

    def _end(self, code: int) -> None:
        self._lock(False)
        self.bar.setRange(0, max(self.answer.total, 1))
        self.bar.setValue(self.answer.done)
        if code == CANCELLED:
            self._say(f"Cancelled. {len(self.answer.files)} files were written before.")
        else:
            self._say(self.answer.conclusion(code), is_error=code != 0)
        self.show_button.setVisible(bool(self.answer.files))
        if self.answer.files:
            self.show_button.setFocus()
        self.start_button.setText("Export again")

    def _lock(self, is_running: bool) -> None:
        for widget in (self.preset, self.rate, self.folder, self._browse, self._options, self.start_button):
            widget.setEnabled(not is_running)
        self.cancel_button.setText("Cancel" if is_running else "Close")
        self.show_button.hide()
        self.bar.show()

    def _say(self, text: str, is_error: bool = False) -> None:
        self.told.setObjectName("error" if is_error else "muted")
        self.told.setStyleSheet("color: #e5484d;" if is_error else "")
        self.told.setText(text)
        self.told.setAccessibleName(text)
        self.told.setVisible(bool(text))
        # The words take room of their own, not that of what is above.
        self.resize(self.width(), max(self.height(), self.heightForWidth(self.width()), self.sizeHint().height()))

    # What is offered -----------------------------------------------------------------------------------------------

    def _fill(self) -> None:
        for name, title in titles().items():
            self.preset.addItem(title, name)
            self.preset.setItemData(self.preset.count() - 1, PRESETS[name].summary, Qt.ItemDataRole.ToolTipRole)
        self.rate.addItem(f"As recorded ({self._recording.fps:.4g})", "")
        for rate in RATES:
            self.rate.addItem(f"{rate} fps", rate)
        for suffix, box in self.formats.items():
            extra = missing_extra(suffix)
            box.setEnabled(not extra)
            told = f"Install it first: pip install mocap-app[{extra}]" if extra else FORMATS[suffix].summary
            box.setToolTip(f"<b>{suffix}</b><br>{told}")
            box.setAccessibleDescription(told)
        start_s, end_s = self._span_s
        has_span = self._span_s != (None, None)
        until_s = self._recording.duration_s if end_s is None else end_s
        self.span.setText(f"Only {clock(start_s or 0.0, 1)} to {clock(until_s, 1)}")
        self.span.setVisible(has_span)
        self.span.setChecked(has_span)
        self.mesh.setChecked(True)

    def _choose_preset(self, index: int) -> None:
        usual = USUAL.get(str(self.preset.itemData(index)), (".npz",))
        for suffix, box in self.formats.items():
            box.setChecked(suffix in usual)

    def _choose_rate(self, index: int) -> None:
        """Grey the formats that keep the rate they were recorded at."""
        for suffix, box in self.formats.items():
            box.setEnabled(not missing_extra(suffix) and not (index > 0 and keeps_rate(suffix)))

    def _choose_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Where the files go", self.folder.text())
        if chosen:
            self.folder.setText(chosen)

    # How it looks --------------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        self.preset.currentIndexChanged.connect(self._choose_preset)
        self.rate.currentIndexChanged.connect(self._choose_rate)
        self._browse.clicked.connect(lambda checked: self._choose_folder())
        self.start_button.clicked.connect(lambda checked: self.start())
        self.cancel_button.clicked.connect(lambda checked: self.cancel())
        self.show_button.clicked.connect(lambda checked: self.show_files())

    def _arrange(self) -> None:
        self.setWindowTitle(f"Export {self._recording.name}")
        self.setMinimumWidth(500)
        column = QVBoxLayout(self)
        column.setContentsMargins(22, 20, 22, 18)
        column.setSpacing(14)
        column.addLayout(self._headline())
        self._options = QWidget()
        grid = QGridLayout(self._options)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(12)
        grid.setColumnStretch(1, 1)
        for row, (title, field) in enumerate(self._fields()):
            label = QLabel(title)
            label.setObjectName("muted")
            grid.addWidget(label, row, 0, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight)
            label.setContentsMargins(0, 7 if isinstance(field.layout(), QHBoxLayout) else 2, 0, 0)
            grid.addWidget(field, row, 1)
        column.addWidget(self._options)
        self.told.setWordWrap(True)
        self.told.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress")
        self.bar.setFixedHeight(8)
        for widget in (self.bar, self.told, self.show_button):
            widget.hide()
        column.addStretch(1)
        column.addWidget(self.bar)
        column.addWidget(self.told)
        column.addLayout(self._button_row())

    def _headline(self) -> QVBoxLayout:
        title, told = QLabel(self._recording.name), QLabel()
        font = title.font()
        font.setPixelSize(18)
        font.setBold(True)
        title.setFont(font)
        title.setStyleSheet("font-size: 18px; font-weight: 600;")
        told.setObjectName("muted")
        told.setText(f"{clock(self._recording.duration_s, 1)}  ·  {people(len(self._recording.readable))}")
        lines = QVBoxLayout()
        lines.setSpacing(3)
        lines.addWidget(title)
        lines.addWidget(told)
        return lines

    def _fields(self) -> list[tuple[str, QWidget]]:
        self._browse = QPushButton("Browse …")
        self._browse.setToolTip("Choose the folder for the files.")
        self.preset.setAccessibleName("For which program")
        self.preset.setToolTip("<b>For</b><br>Names of bones, units and T-pose that suit a program.")
        self.rate.setAccessibleName("Frame rate")
        self.rate.setToolTip("<b>Frame rate</b><br>The motion is resampled to exactly this rate.")
        self.folder.setAccessibleName("Folder")
        self.folder.setToolTip("<b>Folder</b><br>Where the files go; it is made if absent. No file is ever replaced.")
        self.span.setToolTip("<b>Only in to out</b><br>Write what lies between the in and out points.")
        self.mesh.setToolTip("<b>Surface</b><br>FBX, glTF and USD hold the body's surface beside its bones.")
        self.together.setToolTip("<b>Equally long</b><br>Files of single people begin and end together.")
        options = _stack(self.span, self.mesh, *([self.together] if len(self._recording.readable) > 1 else []))
        return [
            ("For", _row(self.preset)),
            ("Formats", _grid(list(self.formats.values()))),
            ("Frame rate", _row(self.rate)),
            ("With", options),
            ("Folder", _row(self.folder, self._browse)),
        ]

    def _button_row(self) -> QHBoxLayout:
        self.start_button.setObjectName("primary")
        self.start_button.setDefault(True)
        self.start_button.setToolTip("Write the files. The window stays usable meanwhile.")
        self.cancel_button.setToolTip("End writing, or close this dialog. (Esc)")
        self.show_button.setToolTip("Show the written files in the system's file manager.")
        self.cancel_button.setText("Close")
        row = QHBoxLayout()
        row.addWidget(self.show_button)
        row.addStretch(1)
        row.addWidget(self.cancel_button)
        row.addWidget(self.start_button)
        return row


def _row(*widgets: QWidget) -> QWidget:
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        row.addWidget(widget, stretch=1 if widget is widgets[0] else 0)
    return holder


def _stack(*widgets: QWidget) -> QWidget:
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(7)
    for widget in widgets:
        column.addWidget(widget)
    return holder


def _grid(widgets: list[QCheckBox]) -> QWidget:
    holder = QWidget()
    grid = QGridLayout(holder)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setVerticalSpacing(7)
    rows = -(-len(widgets) // COLUMNS)
    for n, widget in enumerate(widgets):
        grid.addWidget(widget, n % rows, n // rows)
    return holder
