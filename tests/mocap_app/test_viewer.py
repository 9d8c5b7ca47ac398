"""The window, without a screen: it opens, shows, records, tells of errors and closes in the middle of a run."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from mocap_app.config import AppConfig, CaptureConfig, DetectorConfig, EngineConfig, RecordConfig
from mocap_app.errors import ConfigError, SourceError
from mocap_app.session import Event, Session, State

pytest.importorskip("PyQt6", reason="the viewer's library is absent")
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication

from mocap_app.viewer.app import build_window, closed_by_interrupt, run
from mocap_app.viewer.state import Recording, banner_text, status_line
from mocap_app.viewer.window import MainWindow

SYNTHETIC = AppConfig(
    capture=CaptureConfig(source="synthetic", size=(160, 120), realtime=True),
    detector=DetectorConfig(name="synthetic"),
    engine=EngineConfig(name="synthetic"),
    record=RecordConfig(formats=("npz",)),
)


@pytest.fixture(scope="module")
def application() -> QApplication:
    return QApplication.instance() or QApplication(["test"])


@pytest.fixture
def opened(application: QApplication) -> Iterator[Callable[[AppConfig], tuple[MainWindow, Session]]]:
    """Open windows with running sessions; close and join them afterwards."""
    made: list[tuple[MainWindow, Session]] = []

    def open_window(config: AppConfig) -> tuple[MainWindow, Session]:
        made.append(build_window(config))
        made[-1][0].show()
        made[-1][1].start()
        return made[-1]

    yield open_window
    for window, session in made:
        window.close()
        with suppress(SourceError):
            session.join()
        window.deleteLater()


def wait_for(condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
    """Let Qt work until `condition` holds."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "the window did not get there in time"
        QTest.qWait(10)


def test_shows_pictures_with_people_and_closes_during_the_run(
    opened: Callable[[AppConfig], tuple[MainWindow, Session]],
) -> None:
    window, session = opened(SYNTHETIC)
    wait_for(lambda: window.panel.shown is not None and len(window.panel.shown.track_ids) == 1)
    shown = window.panel.shown
    assert shown is not None
    assert shown.image.shape == (120, 160, 3)
    painted = window.panel.grab().toImage()
    colors = {painted.pixel(x, y) for x in range(0, painted.width(), 7) for y in range(0, painted.height(), 7)}
    assert len(colors) > 5
    wait_for(lambda: "1 person" in window.status.text())
    begun = time.monotonic()
    window.close()
    assert time.monotonic() - begun < 1.0, "closing must not wait for the session"
    session.join()
    assert session.state is State.STOPPED


def test_space_begins_and_ends_takes(
    opened: Callable[[AppConfig], tuple[MainWindow, Session]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "takes"
    monkeypatch.chdir(tmp_path)
    window, _ = opened(SYNTHETIC)
    wait_for(lambda: window.panel.shown is not None)
    assert not folder.exists()
    for number in (1, 2):
        QTest.keyClick(window, Qt.Key.Key_Space)
        wait_for(lambda: window._recording().seconds > 0.4)
        QTest.keyClick(window, Qt.Key.Key_Space)
        wait_for(lambda n=number: not window._recording().is_running and len(list(folder.glob("*.npz"))) == n)
    wait_for(lambda: "saved synthetic_2_person1.npz" in window.status.text())
    assert sorted(p.name for p in folder.iterdir()) == ["synthetic_2_person1.npz", "synthetic_person1.npz"]


def test_a_named_folder_records_from_the_start_and_closing_saves(
    opened: Callable[[AppConfig], tuple[MainWindow, Session]], tmp_path: Path
) -> None:
    window, session = opened(replace(SYNTHETIC, record=RecordConfig(folder=str(tmp_path), formats=("npz",))))
    wait_for(lambda: window._recording().seconds > 0.4)
    window.close()
    session.join()
    assert [p.name for p in tmp_path.iterdir()] == ["synthetic_person1.npz"]


def test_mesh_and_skeleton_are_switched_by_keys(opened: Callable[[AppConfig], tuple[MainWindow, Session]]) -> None:
    window, _ = opened(SYNTHETIC)
    QTest.keyClick(window, Qt.Key.Key_M)
    QTest.keyClick(window, Qt.Key.Key_S)
    assert (window._state.show_mesh, window._state.show_skeleton) == (False, False)
    wait_for(lambda: window.panel.shown is not None)
    QTest.keyClick(window, Qt.Key.Key_M)
    assert window._state.show_mesh


def test_an_error_stands_in_the_banner_and_is_raised_at_the_end(application: QApplication, tmp_path: Path) -> None:
    missing = CaptureConfig(source="video", path=str(tmp_path / "missing.mp4"))
    seen: list[str] = []

    def look() -> None:
        window = next(w for w in application.topLevelWidgets() if isinstance(w, MainWindow) and w.isVisible())
        if window.banner.isVisible():
            seen.append(window.banner.text())
            window.close()

    timer = QTimer()
    timer.timeout.connect(look)
    timer.start(20)
    with pytest.raises(SourceError, match=r"missing\.mp4"):
        run(replace(SYNTHETIC, capture=missing))
    timer.stop()
    assert "missing.mp4" in seen[0]


def test_run_returns_zero_and_leaves_no_thread(application: QApplication) -> None:
    QTimer.singleShot(300, application.closeAllWindows)
    assert run(SYNTHETIC) == 0


def test_interrupt_closes_the_window(application: QApplication) -> None:
    window, _ = build_window(SYNTHETIC)
    window.show()
    before = signal.getsignal(signal.SIGINT)
    with closed_by_interrupt(window):
        signal.raise_signal(signal.SIGINT)
        QTest.qWait(50)
    assert not window.isVisible()
    assert signal.getsignal(signal.SIGINT) is before


def test_a_closed_window_hears_nothing_more(application: QApplication) -> None:
    window, session = build_window(SYNTHETIC)
    heard: list[Event] = []
    window.bridge.event_arrived.connect(heard.append)
    window.close()
    session.stop()
    window.bridge._tell(Event(State.STOPPED))
    QTest.qWait(20)
    assert not heard


def test_lines_say_what_is_going_on() -> None:
    assert status_line(State.LOADING, 0, 0, Recording()) == "loading …"
    assert status_line(State.RUNNING, 29.96, 2, Recording()).startswith("30.0 frames/s   2 people   space")
    assert "recording 01:05" in status_line(State.RUNNING, 30, 1, Recording(True, 65.9))
    saved = Recording(False, 0, (Path("takes/a_person1.npz"), Path("takes/a_person1.bvh")))
    assert "saved a_person1.npz, a_person1.bvh in takes" in status_line(State.RUNNING, 30, 1, saved)
    assert banner_text(Event(State.RUNNING)) == ""
    assert banner_text(Event(State.FAILED, error=SourceError("no camera 3"))) == "no camera 3"
    assert "StreamSink" in banner_text(Event(State.RUNNING, "StreamSink", OSError("gone")))


def test_a_linux_without_a_screen_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match="--headless"):
        run(SYNTHETIC)
