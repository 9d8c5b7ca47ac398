"""Open the window with the demo actor alone and write a picture of each of its states, dark and light.

    scripts/screenshots pictures                          every state, in the folder pictures
    scripts/screenshots pictures --only health settings   some of them
    scripts/screenshots pictures --size 1100x700          a smaller window
    scripts/screenshots --list                            the states by name

No camera and no settings of the user are touched. Without a screen: xvfb-run -a -s "-screen 0 1920x1200x24"
scripts/screenshots pictures. A further state is one more line of STATES: what to do, and when it is there.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from PyQt6.QtCore import QSettings
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QDialog, QWidget

from mocap_app.config import AppConfig, OscConfig, ViewerConfig, WebConfig
from mocap_app.viewer.app import make_application
from mocap_app.viewer.panes import TABS
from mocap_app.viewer.sources import demo_of
from mocap_app.viewer.state import Mode, Phase
from mocap_app.viewer.studio import Studio
from mocap_app.viewer.window import MainWindow

PATIENCE_S = 60.0
THEMES = ("dark", "light")


def nothing(window: MainWindow) -> None:
    """For a state that is there by itself."""


def at_once(window: MainWindow) -> bool:
    """For a state that is there when it was asked for."""
    return True


@dataclass(frozen=True, slots=True)
class State:
    """One line of the table; states follow one another in one window."""

    name: str
    act: Callable[[MainWindow], object] = nothing
    is_there: Callable[[MainWindow], bool] = at_once
    pause_s: float = 0.5
    """For what moves to come to rest."""


def tab(name: str) -> Callable[[MainWindow], object]:
    """Return what opens the tab of that name."""
    return lambda window: window.actions_by_name[f"tab_{TABS.index(name)}"].trigger()


def is_seen(window: MainWindow) -> bool:
    """Say whether somebody is in the picture."""
    shown = window.panel.shown
    running = window.studio.phase is Phase.RUNNING
    return running and shown is not None and shown.result is not None and len(shown.result.tracks.track_ids) > 0


def stream_out(window: MainWindow) -> None:
    """Send by VMC and to browsers; nobody receives it."""
    tab("Streams")(window)
    outputs = {"osc": OscConfig("127.0.0.1"), "web": WebConfig("127.0.0.1")}
    window.studio.apply(replace(window.studio.config, **outputs))


def search(words: str) -> Callable[[MainWindow], object]:
    """Return what searches the settings."""

    def act(window: MainWindow) -> None:
        tab("Settings")(window)
        assert window.panes.settings is not None
        window.panes.settings.search.setText(words)

    return act


def is_recorded(window: MainWindow) -> bool:
    """Say whether there is a take."""
    return bool(list(Path(window.studio.plan.folder).glob("*.npz"))) and not window.studio.is_recording


def play(window: MainWindow) -> None:
    """Play the take."""
    tab("Takes")(window)
    window.panes.play(next(Path(window.studio.plan.folder).glob("*.npz")))


def size(width: int, height: int) -> Callable[[MainWindow], object]:
    """Return what makes the window so large."""
    return lambda window: window.resize(width, height)


STATES = (
    State("live", is_there=is_seen, pause_s=3.0),
    State("people", tab("People")),
    State("settings", tab("Settings")),
    State("settings_search", search("smooth")),
    State("streams", stream_out, is_seen, 4.0),
    State("health", tab("Health"), pause_s=8.0),
    State("recording", lambda window: window.studio.toggle_recording(), lambda window: window.studio.is_recording, 2.0),
    State("take", play, lambda window: window.panes.mode is Mode.PLAYBACK, 2.0),
    State("help", lambda window: window.show_help()),
    State("small", size(940, 620), pause_s=1.0),
)


def wait(window: MainWindow, until: Callable[[MainWindow], bool]) -> bool:
    """Let the window work until something holds; return whether it did in time."""
    deadline = time.monotonic() + PATIENCE_S
    while not until(window) and time.monotonic() < deadline:
        QTest.qWait(20)
    return until(window)


def take_pictures(window: MainWindow, state: State, folder: Path) -> None:
    """Write the window as it is, in both themes; a dialog over it is a picture of its own."""
    for theme in THEMES:
        if window.theme.name != theme:
            window.toggle_theme()
        QTest.qWait(300)
        target = folder / f"{state.name}_{theme}.png"
        if not topmost(window).grab().save(str(target)):
            raise SystemExit(f"{target}: cannot be written; choose another folder")
        print(target)


def topmost(window: MainWindow) -> QWidget:
    """Return the dialog that is open, or the window."""
    dialogs = [w for w in QApplication.topLevelWidgets() if isinstance(w, QDialog) and w.isVisible()]
    return dialogs[-1] if dialogs else window


def close_dialogs() -> None:
    for widget in QApplication.topLevelWidgets():
        if isinstance(widget, QDialog):
            widget.close()


@contextmanager
def opened(config: AppConfig, size_wh: tuple[int, int]) -> Iterator[MainWindow]:
    """Open the window, and take it down afterwards; the user's own window stays as it is."""
    with tempfile.TemporaryDirectory() as folder:
        QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, folder)
        application = make_application()
        window = MainWindow(Studio(replace(config, viewer=ViewerConfig(folder=f"{folder}/takes"))))
        window.resize(*size_wh)
        window.show()
        window.begin()
        try:
            yield window
        finally:
            close_dialogs()
            window.close()
            application.processEvents()
            window.studio.join()


def parse_size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    return int(width), int(height)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("screenshots"), help="default: screenshots")
    parser.add_argument("--only", nargs="+", metavar="STATE", choices=[state.name for state in STATES])
    parser.add_argument("--size", type=parse_size, default=(1500, 900), metavar="WxH", help="default: 1500x900")
    parser.add_argument("--list", action="store_true", help="print the states and end")
    args = parser.parse_args()
    if args.list:
        print("\n".join(state.name for state in STATES))
        return 0
    args.folder.mkdir(parents=True, exist_ok=True)
    missed = []
    with opened(demo_of(AppConfig()), args.size) as window:
        wait(window, is_seen)
        for state in STATES:
            if args.only and state.name not in args.only:
                continue
            close_dialogs()
            state.act(window)
            if not wait(window, state.is_there):
                missed.append(state.name)
                continue
            QTest.qWait(round(state.pause_s * 1000))
            take_pictures(window, state, args.folder)
            if state.name == "recording":
                wait(window, is_recorded)
    if missed:
        print(f"not reached within {PATIENCE_S:.0f} s: {', '.join(missed)}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
