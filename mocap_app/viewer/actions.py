"""Everything the window can do, as menus with keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PyQt6.QtCore import QEvent, QObject, Qt
from PyQt6.QtGui import QAction, QKeyEvent, QKeySequence
from PyQt6.QtWidgets import QAbstractButton, QMainWindow, QWidget


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a menu; an empty title is a separator."""

    name: str
    title: str
    keys: str = ""
    """Several, separated by spaces."""
    can_check: bool = False
    tip: str = ""


SEPARATOR = Entry("", "")
MENUS: dict[str, tuple[Entry, ...]] = {
    "&File": (
        Entry("open_video", "Open a &video…", "Ctrl+O"),
        Entry("open_folder", "Open a folder of &pictures…", "Ctrl+Shift+O"),
        Entry("open_stream", "Open a network &stream…", "Ctrl+U"),
        Entry("demo", "&Demo actor", "Ctrl+D"),
        SEPARATOR,
        Entry("refresh", "Look for &cameras", "F5"),
        SEPARATOR,
        Entry("choose_folder", "&Folder for takes…", "Ctrl+Shift+F"),
        Entry("show_folder", "Sho&w the takes' folder", "Ctrl+Shift+T"),
        SEPARATOR,
        Entry("quit", "&Quit", "Ctrl+Q"),
    ),
    "&Record": (
        Entry("record", "&Record or stop", "Space"),
        SEPARATOR,
        Entry("count_in_0", "&No count-in", "Ctrl+0", can_check=True),
        Entry("count_in_3", "Count-in of &3 s", "Ctrl+3", can_check=True),
        Entry("count_in_5", "Count-in of &5 s", "Ctrl+5", can_check=True),
        SEPARATOR,
        Entry("keep_video", "Keep the picture as a &video", "Ctrl+K", can_check=True),
    ),
    "&View": (
        Entry("mesh", "&Mesh over the picture", "M", can_check=True),
        Entry("skeleton", "&Skeleton over the picture", "S", can_check=True),
        SEPARATOR,
        Entry("mirror", "Mi&rror the picture", "Ctrl+M"),
        Entry("rotate", "&Turn the picture by 90°", "Ctrl+R"),
        SEPARATOR,
        Entry("play", "Pla&y or pause the take", "K"),
        Entry("live", "&Live view", "Esc"),
        SEPARATOR,
        Entry("tab_0", "&Takes", "Alt+1"),
        Entry("tab_1", "&People", "Alt+2"),
        Entry("tab_2", "Str&eams", "Alt+3"),
        Entry("tab_3", "Sett&ings", "Alt+4"),
        Entry("tab_4", "&Health", "Alt+5"),
        Entry("column", "Side &column", "Ctrl+B", can_check=True),
        SEPARATOR,
        Entry("theme", "&Dark or light", "Ctrl+L"),
        Entry("full_screen", "F&ull screen", "F11"),
    ),
    "&Help": (
        Entry("help", "&Keys and first steps", "F1 ?"),
        Entry("about", "&About mocap-app"),
    ),
}


def build_menus(window: QMainWindow, does: dict[str, Callable[[], object]]) -> dict[str, QAction]:
    """Give `window` its menus; `does` says what each name calls. Return the actions by name."""
    actions: dict[str, QAction] = {}
    bar = window.menuBar()
    assert bar is not None
    for title, entries in MENUS.items():
        menu = bar.addMenu(title)
        assert menu is not None
        menu.setToolTipsVisible(True)
        for entry in entries:
            if not entry.title:
                menu.addSeparator()
                continue
            action = QAction(entry.title, window)
            action.setCheckable(entry.can_check)
            action.setShortcuts([QKeySequence(key) for key in entry.keys.split()])
            action.setAutoRepeat(False)
            action.triggered.connect(lambda _, call=does[entry.name]: call())
            menu.addAction(action)
            actions[entry.name] = action
    return actions


class SpaceForButtons(QObject):
    """Lets the space bar press the button that was reached by Tab, and record from everywhere else."""

    def guard(self, window: QWidget) -> None:
        """Take care of all buttons below `window`: a click does not give them the keyboard, Tab does."""
        for button in window.findChildren(QAbstractButton):
            if button.focusPolicy() != Qt.FocusPolicy.NoFocus:
                button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
                button.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Keep the space bar for a button that has the keyboard."""
        is_override = event is not None and event.type() == QEvent.Type.ShortcutOverride
        if is_override and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Space:
            event.accept()
            return True
        return False
