"""The list of recordings, and what can be done with one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QModelIndex, QPoint, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QAction, QKeySequence, QShowEvent
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QListView, QMenu, QStackedLayout, QVBoxLayout, QWidget

from ..errors import SinkError
from ..library import Library, Recording
from ..wishes import Merge, Swap
from .child import Child
from .exporting import Answer
from .glyphs import GlyphButton, glyph_icon
from .show_in_folder import show_in_folder
from .take_model import RECORDING, TakeDelegate, TakeModel
from .take_strip import Strip
from .thumbnails import Thumbnails

LOOK_MS = 1500
"""How often the folder is looked at while the list is visible."""
EMPTY = """<h3>No takes yet</h3>
<p>Record one: press Space or the record button while somebody is in view, and once more to end it.</p>
<p>It appears here, to be played, trimmed and exported. Takes go to<br><b>{folder}</b></p>"""
Span = tuple[float | None, float | None]

ACTIONS = {
    "play": ("Play", "Show the take in the viewer and play it.", "Return"),
    "rename": ("Rename", "Give all files of the recording another name.", "F2"),
    "trim": ("Trim to in and out", "Write what lies between in and out as a new recording; this one stays.", "Ctrl+T"),
    "export": ("Export …", "Write the recording for Blender, Unity, Unreal and others.", "Ctrl+E"),
    "folder": ("Show in folder", "Show the files in the system's file manager.", "Ctrl+Shift+R"),
    "delete": ("Delete", "Put the recording away. Undo brings it back until the program ends.", "Del"),
}
"""Sign -> name, explanation and key, in the order of the buttons."""


class TakeList(QWidget):
    """Recordings of a `Library`, the newest first. Belongs to the window's thread."""

    chosen = pyqtSignal(object)
    """A `Recording` is to be played."""
    selected = pyqtSignal(object)
    """Another `Recording` is selected, None for none."""
    export_asked = pyqtSignal(object)
    """A `Recording` is to be exported."""
    renamed = pyqtSignal(str, str)
    """A recording's old and new name."""
    failed = pyqtSignal(str)
    """Something could not be done; the words are shown in the list as well."""

    def __init__(self, library: Library, show: Callable[[Path], bool] = show_in_folder) -> None:
        """List what `library` holds; `show` shows a file in its folder."""
        super().__init__()
        self.library = library
        self._show_file = show
        self._spans: dict[str, Span] = {}
        self._wanted: list[Recording] = []
        self.thumbnails = Thumbnails()
        self.model = TakeModel(self.rename)
        self.view = QListView()
        self.empty = QLabel()
        self.strip = Strip()
        self._delegate = TakeDelegate(self.thumbnails, self._want)
        self._acts = self._make_actions()
        self._buttons = {name: GlyphButton(name, *told) for name, told in ACTIONS.items()}
        self._child = Child(self)
        self._answer, self._printed, self._title = Answer(), "", ""
        self._child.line_heard.connect(lambda line: self._answer.hear(line))
        self._child.line_printed.connect(self._print)
        self._child.ended.connect(self._end_writing)
        self._arrange()
        self._look = QTimer(self)
        self._look.timeout.connect(self._look_again)
        self._look.start(LOOK_MS)
        self._drawing = QTimer(self)
        self._drawing.timeout.connect(self._draw_next)
        self.strip.undo_asked.connect(self.undo)
        self.refresh()

    @property
    def current(self) -> Recording | None:
        """The selected recording."""
        found = self.view.currentIndex().data(RECORDING)
        return found if isinstance(found, Recording) else None

    def refresh(self) -> None:
        """Look at the folder; the selection stays where its recording is still there."""
        try:
            recordings = self.library.recordings()
        except SinkError as error:
            self._complain(str(error))
            recordings = ()
        name = self.current.name if self.current else ""
        if self.model.show_recordings(recordings):
            self._wanted.clear()
            self.select(name)
        self._stack.setCurrentIndex(0 if recordings else 1)
        self._show_what_can_be_done()

    def show_recorded(self, name: str) -> None:
        """Note which recording is being made just now; empty for none."""
        if name != self._delegate.being_recorded:
            self._delegate.being_recorded = name
            self._viewport().update()

    def show_library(self, library: Library) -> None:
        """List another folder from now on; what was deleted in the one before is removed for good."""
        self.library.empty()
        self.library = library
        self.empty.setText(EMPTY.format(folder=library.folder))
        self.strip.hide()
        self.refresh()

    def _look_again(self) -> None:
        """Refresh, unless nobody sees it or a name is being typed."""
        if self.isVisible() and self.view.state() != QListView.State.EditingState:
            self.refresh()

    def select(self, name: str) -> None:
        """Select a recording by name; the newest where there is none of that name."""
        row = max(self.model.row_of(name), 0)
        self.view.setCurrentIndex(self.model.index(row))

    def show_span(self, name: str, start_s: float | None, end_s: float | None) -> None:
        """Note the in and out points of the recording `name`, for trim; None where there is none."""
        self._spans = {name: (start_s, end_s)}
        self._show_what_can_be_done()

    def span_of(self, recording: Recording) -> Span:
        """Return the in and out points of a recording, seconds or None."""
        return self._spans.get(recording.name, (None, None))

    # What can be done ----------------------------------------------------------------------------------------------

    def play(self) -> None:
        """Ask for the selected recording to be played."""
        if self.current and self.current.readable:
            self.chosen.emit(self.current)

    def begin_rename(self) -> None:
        """Open the field for the selected recording's name."""
        if self.current:
            self.view.edit(self.view.currentIndex())

    def rename(self, recording: Recording, name: str) -> None:
        """Rename a recording; its in and out points go along."""
        before = recording.name

        def said(new: str) -> str:
            self._spans = {new if of == before else of: span for of, span in self._spans.items()}
            self.renamed.emit(before, new)
            return f"Renamed {before} to {new}."

        self._do(lambda: self.library.rename(recording, name), said)

    def trim(self) -> None:
        """Write what lies between in and out of the selected recording as a new one."""
        recording = self.current
        if recording:
            start_s, end_s = self.span_of(recording)
            start, end = ("" if t is None else f"{t:.6f}" for t in (start_s, end_s))
            self._write(recording, "trim", [f"--span={start}:{end}"])

    def repair(self, recording: Recording, wish: Swap | Merge, at_s: float = 0.0) -> None:
        """Swap (from an instant on) or merge two people of a recording, as a new recording."""
        if isinstance(wish, Merge):
            self._write(recording, "merge", ["--people", str(wish.a), str(wish.into)])
        else:
            self._write(recording, "swap", ["--people", str(wish.a), str(wish.b), f"--at={at_s:.6f}"])

    def end(self) -> None:
        """End what is being written, and remove for good what was deleted. Call it when the program ends."""
        self._look.stop()
        self._drawing.stop()
        self._child.end()
        self.library.empty()

    @property
    def is_writing(self) -> bool:
        """Whether a new recording is being written."""
        return self._child.is_running

    def export(self) -> None:
        """Ask for the selected recording to be exported."""
        if self.current:
            self.export_asked.emit(self.current)

    def show_files(self) -> None:
        """Show the selected recording's files."""
        if self.current and not self._show_file(self.current.files[0]):
            self._complain(f"Found no file manager to open; the files are in {self.current.folder}")

    def delete(self) -> None:
        """Put the selected recording away; the next one is selected."""
        recording = self.current
        if recording:
            rows = self.model.recordings
            row = self.view.currentIndex().row()
            following = rows[row + 1].name if row + 1 < len(rows) else rows[row - 1].name if row else ""
            self._do(lambda: self.library.delete(recording), lambda done: f"Deleted {recording.name}.", following)

    def undo(self) -> None:
        """Take the last change back."""
        if self.library.undoable:
            self._do(self.library.undo, lambda title: f"Undone: {title}.")

    def _do(self, act: Callable[[], str | None], said: Callable[[str], str], then: str | None = None) -> None:
        """Change something, say so, and select what came of it (or `then`)."""
        try:
            answer = act()
        except SinkError as error:
            self._complain(str(error))
            return
        self.refresh()
        if then is not None or (answer and self.model.row_of(answer) >= 0):
            self.select(then if then is not None else str(answer))
        self.strip.say(said(answer or ""), bool(self.library.undoable))

    def _write(self, recording: Recording, what: str, words: list[str]) -> None:
        """Have a new recording written by a process of its own: takes may be long."""
        if self.is_writing:
            self._complain("A recording is being written; wait for it and try again.")
            return
        self._answer, self._printed = Answer(), ""
        self._title = f"{what} {recording.name}"
        self.strip.say(f"Writing … ({self._title})", False)
        self._child.start(["take", what, str(recording.folder / recording.name), *words, "--quiet"], recording.folder)
        self._show_what_can_be_done()

    def _print(self, line: str) -> None:
        self._printed = Path(line).name

    def _end_writing(self, code: int) -> None:
        if code != 0 or not self._printed:
            self._complain(self._answer.conclusion(code or -1))
        else:
            self.library.adopt(self._printed, self._title)
            self.refresh()
            self.select(self._printed)
            self.strip.say(f"Wrote {self._printed}; the original stays.", True)
        self._show_what_can_be_done()

    def _complain(self, text: str) -> None:
        self.strip.complain(text)
        self.failed.emit(text)

    # Pictures ------------------------------------------------------------------------------------------------------

    def _want(self, recording: Recording) -> None:
        if recording not in self._wanted:
            self._wanted.append(recording)
            self._drawing.start(0)

    def _draw_next(self) -> None:
        """Make one picture, so that the window stays awake between two."""
        if self._wanted:
            self.thumbnails.make(self._wanted.pop(0))
            self._viewport().update()
        else:
            self._drawing.stop()

    # How it looks --------------------------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent | None) -> None:
        """Look at the folder at once."""
        super().showEvent(event)
        self.refresh()

    def _viewport(self) -> QWidget:
        viewport = self.view.viewport()
        assert viewport is not None
        return viewport

    def _make_actions(self) -> dict[str, QAction]:
        does = {
            "play": self.play, "rename": self.begin_rename, "trim": self.trim, "export": self.export,
            "folder": self.show_files, "delete": self.delete,
        }  # fmt: skip
        made = {}
        for name, (title, told, key) in ACTIONS.items():
            action = QAction(title, self)
            action.setStatusTip(told)
            # The view's own key for choosing is Return, and it tells us by `activated`.
            action.setShortcut(QKeySequence() if name == "play" else QKeySequence(key))
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            action.triggered.connect(lambda checked, act=does[name]: act())
            self.addAction(action)
            made[name] = action
        undo = QAction("Undo", self)
        undo.setShortcut(QKeySequence.StandardKey.Undo)
        undo.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        undo.triggered.connect(lambda checked: self.undo())
        self.addAction(undo)
        return made

    def _arrange(self) -> None:
        self._set_up_view()
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)
        self.empty.setMargin(18)
        self.empty.setText(EMPTY.format(folder=self.library.folder))
        row = QHBoxLayout()
        row.setSpacing(2)
        for name, button in self._buttons.items():
            button.clicked.connect(partial(self._press, name))
            row.addWidget(button)
            if name in ("play", "folder"):
                row.addStretch(1)
        self._stack = QStackedLayout()
        self._stack.addWidget(self.view)
        self._stack.addWidget(self.empty)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(self._stack, stretch=1)
        column.addWidget(self.strip)
        column.addLayout(row)

    def _set_up_view(self) -> None:
        view = self.view
        view.setModel(self.model)
        view.setItemDelegate(self._delegate)
        view.setMouseTracking(True)
        view.setDragDropMode(QListView.DragDropMode.DragOnly)
        view.setFrameShape(QListView.Shape.NoFrame)
        view.setSelectionMode(QListView.SelectionMode.SingleSelection)
        view.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        view.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        view.setUniformItemSizes(True)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        view.setAccessibleName("Takes")
        view.setAccessibleDescription("Recordings, the newest first. Enter plays, F2 renames, Del deletes.")
        view.activated.connect(lambda index: self.play())
        view.customContextMenuRequested.connect(self._open_menu)
        selection = view.selectionModel()
        assert selection is not None
        selection.currentChanged.connect(self._change_current)

    def _press(self, name: str, checked: bool = False) -> None:
        self._acts[name].trigger()

    def _change_current(self, now: QModelIndex, before: QModelIndex) -> None:
        self._show_what_can_be_done()
        self.selected.emit(self.current)

    def _show_what_can_be_done(self) -> None:
        recording = self.current
        is_whole = recording is not None and bool(recording.readable) and not recording.is_open
        can = dict.fromkeys(ACTIONS, is_whole)
        can["folder"] = can["rename"] = can["delete"] = recording is not None
        has_span = recording is not None and self.span_of(recording) != (None, None)
        can["trim"] = is_whole and has_span and not self.is_writing
        for name, is_possible in can.items():
            self._acts[name].setEnabled(is_possible)
            self._buttons[name].setEnabled(is_possible)

    def menu(self) -> QMenu:
        """Return the menu for the selected recording."""
        menu = QMenu(self)
        for name, action in self._acts.items():
            action.setIcon(glyph_icon(name, self.palette(), 16))
            if name == "delete":
                menu.addSeparator()
            menu.addAction(action)
        return menu

    def _open_menu(self, place: QPoint) -> None:
        if self.view.indexAt(place).isValid():
            menu = self.menu()
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.popup(self._viewport().mapToGlobal(place))
