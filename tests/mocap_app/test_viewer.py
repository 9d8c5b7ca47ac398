"""The window on a screen: it opens, shows, records, changes engines, tells of errors and closes during a run."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from studio_material import SYNTHETIC, with_pulled_camera

from mocap_app.config import AppConfig, CaptureConfig, DetectorConfig, EngineConfig, RecordConfig
from mocap_app.errors import ConfigError, MocapError, SourceError
from mocap_app.viewer.state import Mode, Phase
from mocap_app.viewer.studio import Studio

pytest.importorskip("PyQt6", reason="the viewer's library is absent")
if not os.environ.get("DISPLAY"):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PyQt6.QtCore import QMimeData, QPointF, QSettings, Qt, QTimer, QUrl, qInstallMessageHandler
from PyQt6.QtGui import QDropEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLineEdit

from mocap_app.viewer.app import check_screen, closed_by_interrupt, make_application, run
from mocap_app.viewer.export_dialog import ExportDialog
from mocap_app.viewer.help_sheet import HelpSheet
from mocap_app.viewer.loop_meter import LoopMeter
from mocap_app.viewer.sources import DEMO_CLIP, CameraChoice, CameraMode, demo_of
from mocap_app.viewer.window import MainWindow

OF_THE_MACHINE = ("propagateSizeHints", "fonts", "XDG_RUNTIME_DIR", "This plugin does not support")
Open = Callable[..., MainWindow]


@pytest.fixture(scope="module")
def application() -> QApplication:
    return make_application()


@pytest.fixture(autouse=True)
def memory_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the user's remembered window out of the tests, and the tests' takes out of the current folder."""
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(tmp_path / "memory"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def no_words_of_qt(application: QApplication) -> Iterator[None]:
    """Fail where Qt itself warns."""
    heard: list[str] = []
    before = qInstallMessageHandler(lambda kind, context, text: heard.append(text or ""))
    yield
    qInstallMessageHandler(before)
    assert [text for text in heard if not any(known in text for known in OF_THE_MACHINE)] == []


@pytest.fixture
def opened(application: QApplication) -> Iterator[Open]:
    """Open windows and begin; close and join them afterwards."""
    made: list[MainWindow] = []

    def open_window(studio: Studio | AppConfig, chooses: bool = False, begins: bool = True) -> MainWindow:
        window = MainWindow(studio if isinstance(studio, Studio) else Studio(studio), chooses)
        made.append(window)
        window.show()
        window.activateWindow()
        QTest.qWaitForWindowActive(window, 2000)
        if begins:
            window.begin()
        return window

    yield open_window
    for window in made:
        window.close()
        with suppress(MocapError):
            window.studio.join()
        window.deleteLater()
    QTest.qWait(10)


def wait_for(condition: Callable[[], object], timeout_s: float = 20.0) -> None:
    """Let Qt work until `condition` holds."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "the window did not get there in time"
        QTest.qWait(10)


def has_result(window: MainWindow) -> bool:
    return window.panel.shown is not None and window.panel.shown.result is not None


def record(window: MainWindow, seconds: float = 0.5) -> None:
    """Record a take by the space bar, and wait until it is listed."""
    before = len(window.panes.takes.library.recordings())
    QTest.keyClick(window, Qt.Key.Key_Space)
    wait_for(lambda: window.studio.recording.is_running and window.studio.recording.seconds > seconds)
    assert window.panel.text.recording or seconds < 0.1
    wait_for(lambda: window.panes.takes._delegate.being_recorded == window.studio.recording.name)
    QTest.keyClick(window, Qt.Key.Key_Space)
    wait_for(lambda: len(window.panes.takes.library.recordings()) == before + 1)
    wait_for(lambda: window.banner.isVisible())


def test_shows_a_person_in_picture_and_scene_and_closes_during_the_run(opened: Open) -> None:
    window = opened(SYNTHETIC)
    wait_for(lambda: has_result(window))
    wait_for(lambda: "1 person" in window.status.text())
    wait_for(lambda: len(window.panes.scene.scene) == 1)
    painted = window.panel.grab().toImage()
    colors = {painted.pixel(x, y) for x in range(0, painted.width(), 7) for y in range(0, painted.height(), 7)}
    assert len(colors) > 5
    begun = time.monotonic()
    window.close()
    assert time.monotonic() - begun < 1.0, "closing must not wait for the session"
    window.studio.join()


def test_space_records_takes_that_are_listed_and_played(opened: Open, tmp_path: Path) -> None:
    window = opened(SYNTHETIC)
    wait_for(lambda: has_result(window))
    record(window)
    record(window)
    assert len(list((tmp_path / "takes").glob("*.npz"))) == 2
    assert window.banner.action.text() == "Play the take"
    window.banner.action.click()
    assert window.panes.mode is Mode.PLAYBACK
    assert not window.live_button.isChecked()
    wait_for(lambda: window.panes.timeline.playhead.time_s > 0.1)
    window.actions_by_name["live"].trigger()
    assert window.panes.mode is Mode.LIVE


def test_the_space_bar_presses_the_button_that_tab_reached_and_types_into_fields(opened: Open) -> None:
    window = opened(SYNTHETIC)
    wait_for(lambda: has_result(window))
    window.activateWindow()
    window.mesh_switch.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(window.mesh_switch, Qt.Key.Key_Space)
    assert not window.studio.view.show_mesh
    assert not window.studio.is_recording
    name = window.record_bar.name
    name.setFocus()
    name.selectAll()
    QTest.keyClicks(name, "a b")
    assert name.text() == "a b"
    assert window.studio.plan.pattern == "a b"
    assert not window.studio.is_recording
    QTest.keyClicks(name, "?")
    wait_for(lambda: "cannot hold" in window.record_bar.next.text())
    assert window.studio.why_not_record


def test_a_count_in_is_shown_large_before_recording(opened: Open) -> None:
    window = opened(SYNTHETIC)
    wait_for(lambda: has_result(window))
    window.actions_by_name["count_in_3"].trigger()
    wait_for(lambda: window.record_bar.count_in.currentData() == 3)
    window.record_bar.button.click()
    wait_for(lambda: window.panel.text.count_in == "3")
    window.record_bar.button.click()
    wait_for(lambda: not window.panel.text.count_in)
    assert not window.studio.is_recording


def test_a_named_folder_records_from_the_start_and_closing_saves(opened: Open, tmp_path: Path) -> None:
    window = opened(replace(SYNTHETIC, record=RecordConfig(folder=str(tmp_path / "named"), formats=("npz",))))
    wait_for(lambda: window.studio.recording.seconds > 0.4)
    window.close()
    window.studio.join()
    assert len(list((tmp_path / "named").glob("*_person1.npz"))) == 1


def test_engine_and_source_are_changed_while_the_window_lives(opened: Open) -> None:
    window = opened(SYNTHETIC)
    wait_for(lambda: has_result(window))
    window.actions_by_name["tab_3"].trigger()
    settings = window.panes.settings
    assert settings is not None
    settings.changed.emit(replace(SYNTHETIC, detector=DetectorConfig(name="synthetic", every=2)))
    wait_for(lambda: window.studio.sessions == 2 and window.studio.phase is Phase.RUNNING)
    window.source_bar.turn_further()
    wait_for(lambda: window.studio.sessions == 3 and window.studio.phase is Phase.RUNNING)
    wait_for(lambda: has_result(window) and window.studio.context.size_wh == (120, 160))  # type: ignore[union-attr]
    assert window.studio.config.detector.every == 2


def test_a_pulled_camera_stands_in_the_banner_and_is_tried_again(opened: Open) -> None:
    window = opened(Studio(SYNTHETIC, with_pulled_camera(20)))
    wait_for(lambda: window.banner.isVisible() and window.studio.phase is Phase.FAILED)
    assert "plugged in" in window.banner.text.text()
    assert window.banner.action.text() == "Try again"
    window.banner.action.click()
    wait_for(lambda: window.studio.sessions == 2 and window.studio.phase is Phase.RUNNING)
    assert not window.banner.isVisible()


def test_without_a_camera_the_demo_actor_plays_and_a_card_says_what_to_do(opened: Open) -> None:
    window = opened(AppConfig(), chooses=True)
    wait_for(lambda: window.card.isVisible() or window.desk.cameras, 30)
    if window.desk.cameras:
        pytest.skip("this machine has a camera")
    assert window.studio.is_demo
    assert "Plug one in" in window.card.accessibleName()
    wait_for(lambda: has_result(window), 60)
    assert window.source_bar.sources.currentText() == "Demo actor"
    wait_for(lambda: window.panel.text.badge == "DEMO")


def short_clip(frames: int) -> Path:
    """Write the beginning of the demo actor's clip into the current folder."""
    import cv2

    short = Path("short.mp4").absolute()
    video = cv2.VideoCapture(str(DEMO_CLIP))
    writer = cv2.VideoWriter(str(short), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"mp4v"), 30, (960, 540))
    for _ in range(frames):
        writer.write(video.read()[1])
    writer.release()
    video.release()
    return short


def test_a_dropped_video_runs_through_the_shipped_engine_and_is_recorded_whole(opened: Open) -> None:
    window = opened(AppConfig(record=RecordConfig(formats=("npz",))), begins=False)
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(short_clip(12)))])
    button, modifier = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, mime, button, modifier))
    assert (window.studio.capture.source, window.studio.capture.loop) == ("video", True)
    wait_for(lambda: has_result(window) and window.panel.shown.labels, 60)  # type: ignore[union-attr]
    assert window.panel.text.badge in ("", "PREVIEW")
    window.record_bar.button.click()
    wait_for(lambda: window.panes.takes.library.recordings(), 60)
    wait_for(lambda: window.studio.phase is Phase.ENDED)
    recording = window.panes.takes.library.recordings()[0]
    assert recording.people[0].frames == 12, "every frame of the file, not those that came in time"
    wait_for(lambda: window.studio.phase is Phase.ENDED)
    window.banner.action.click()
    wait_for(lambda: len(window.panes.scene.scene.vertices) == 1 or window.panes.scene.canvas is None)


def test_a_video_is_recorded_played_trimmed_and_exported_for_another_program(opened: Open, tmp_path: Path) -> None:
    """What an animator does in an afternoon, with the shipped engine; three.js reads the file at the end."""
    config = AppConfig(
        capture=CaptureConfig(source="video", path=str(short_clip(45)), realtime=True, loop=True),
        record=RecordConfig(formats=("npz",)),
    )
    window = opened(config)
    wait_for(lambda: has_result(window) and window.panel.shown.labels, 60)  # type: ignore[union-attr]
    window.record_bar.button.click()
    takes = window.panes.takes
    wait_for(lambda: takes.library.recordings(), 90)
    wait_for(lambda: window.studio.phase is Phase.ENDED)
    whole = takes.library.recordings()[0]
    window.banner.action.click()
    assert window.panes.mode is Mode.PLAYBACK
    wait_for(lambda: window.panes.timeline.playhead.time_s > 0.2)
    playhead = window.panes.timeline.playhead
    window.panes.timeline.pause()
    playhead.seek(0.5)
    window.panes.timeline.press(Qt.Key.Key_I)
    playhead.seek(1.0)
    window.panes.timeline.press(Qt.Key.Key_O)
    takes.select(whole.name)
    takes._acts["trim"].trigger()
    wait_for(lambda: takes.library.find(f"{whole.name}_trim") is not None and not takes.is_writing)
    trimmed = takes.library.find(f"{whole.name}_trim")
    assert trimmed is not None
    window.panes._export(trimmed)
    dialog = window.findChild(ExportDialog)
    assert dialog is not None
    for suffix, box in dialog.formats.items():
        box.setChecked(suffix == ".bvh")
    dialog.start_button.click()
    wait_for(lambda: not dialog.is_running, 60)
    (file,) = takes.library.folder.rglob("*.bvh")
    dialog.close()
    frames = trimmed.people[0].frames
    assert 12 <= frames <= 17
    assert frames_in_three_js(file) in (frames, None)


def frames_in_three_js(file: Path) -> int | None:
    """Return how many frames the independent reader finds; None where it is not at hand."""
    reader = Path(__file__).resolve().parents[3] / "shared" / "readers" / "bvh_three.mjs"
    folder = os.environ.get("MOCAP_READERS_NODE")
    if not folder or not shutil.which("node") or not reader.is_file():
        return None
    environment = os.environ | {"THREE_DIR": str(Path(folder) / "node_modules" / "three")}
    done = subprocess.run(
        ["node", str(reader), str(file), "--frames", "all"], env=environment, capture_output=True, text=True, check=True
    )
    return len(json.loads(done.stdout)["frames"])


def test_what_is_no_video_is_refused_in_words(opened: Open, tmp_path: Path) -> None:
    window = opened(SYNTHETIC)
    (tmp_path / "song.mp3").touch()
    window.desk.open_path(tmp_path / "song.mp3")
    wait_for(lambda: "no video" in window.banner.text.text())
    window.banner.dismiss.click()
    assert not window.banner.isVisible()


def test_cameras_and_their_modes_are_offered(opened: Open) -> None:
    window = opened(replace(SYNTHETIC, capture=CaptureConfig(device=1)), begins=False)
    window.studio.start = lambda config=None: setattr(window.studio, "_next", config)  # type: ignore[method-assign, assignment]
    modes = (CameraMode((640, 480), 30.0), CameraMode((1280, 720), 60.0))
    window.desk._show_cameras((CameraChoice(0, "Built-in"), CameraChoice(1, "Desk cam", modes)))
    window.source_bar.show_source(window.studio.capture, True)
    assert window.source_bar.sources.currentText() == "Desk cam"
    assert [window.source_bar.modes.itemText(n) for n in range(3)][1:] == [mode.title for mode in modes]
    window.source_bar.modes.activated.emit(2)
    assert (window.studio.capture.size, window.studio.capture.fps) == ((1280, 720), 60.0)
    window.source_bar.sources.activated.emit(0)
    assert (window.studio.capture.device, window.studio.capture.size) == (0, None)


def test_theme_tab_and_plan_are_remembered(opened: Open) -> None:
    window = opened(SYNTHETIC)
    window.actions_by_name["theme"].trigger()
    window.actions_by_name["tab_3"].trigger()
    window.actions_by_name["count_in_5"].trigger()
    window.close()
    again = opened(SYNTHETIC, begins=False)
    assert again.theme.name == "light"
    assert again.panes.tabs.currentIndex() == 3
    assert again.studio.plan.count_in_s == 5


def test_everything_has_a_name_and_is_reached_by_tab(opened: Open) -> None:
    window = opened(SYNTHETIC)
    nameless = [
        widget
        for kind in (QAbstractButton, QComboBox, QLineEdit)
        for widget in window.findChildren(kind)
        if widget.isVisible() and not (widget.accessibleName() or getattr(widget, "text", str)())
    ]
    assert not [w for w in nameless if w.parent() is not None and "qt_" not in w.objectName()]
    for part in (window.source_bar, window.record_bar):
        for button in part.findChildren(QAbstractButton):
            assert button.focusPolicy() & Qt.FocusPolicy.TabFocus


def test_the_help_sheet_lists_the_keys(opened: Open, application: QApplication) -> None:
    window = opened(SYNTHETIC)
    QTest.keyClick(window, Qt.Key.Key_F1)
    sheets = [w for w in application.topLevelWidgets() if isinstance(w, HelpSheet) and w.isVisible()]
    assert len(sheets) == 1
    sheets[0].reject()


def test_keys_are_given_once(opened: Open) -> None:
    window = opened(SYNTHETIC, begins=False)
    keys = [key.toString() for action in window.actions_by_name.values() for key in action.shortcuts()]
    assert len(keys) == len(set(keys))


def test_an_error_stands_in_the_banner_and_is_raised_at_the_end(application: QApplication, tmp_path: Path) -> None:
    missing = CaptureConfig(source="video", path=str(tmp_path / "missing.mp4"))
    seen: list[str] = []

    def look() -> None:
        window = next(w for w in application.topLevelWidgets() if isinstance(w, MainWindow) and w.isVisible())
        if window.banner.isVisible():
            seen.append(window.banner.text.text())
            timer.stop()
            window.close()

    timer = QTimer()
    timer.timeout.connect(look)
    timer.start(20)
    with pytest.raises(SourceError, match=r"missing\.mp4"):
        run(replace(SYNTHETIC, capture=missing))
    assert "missing.mp4" in seen[0]


def test_run_returns_zero_and_leaves_no_thread(application: QApplication) -> None:
    QTimer.singleShot(600, application.closeAllWindows)
    assert run(SYNTHETIC) == 0


def test_interrupt_closes_the_window(opened: Open) -> None:
    window = opened(SYNTHETIC)
    before = signal.getsignal(signal.SIGINT)
    with closed_by_interrupt(window):
        signal.raise_signal(signal.SIGINT)
        QTest.qWait(50)
    assert not window.isVisible()
    assert signal.getsignal(signal.SIGINT) is before


def test_the_meter_finds_who_makes_the_window_wait(application: QApplication) -> None:
    meter = LoopMeter()
    meter.start()
    QTest.qWait(80)
    time.sleep(0.2)
    QTest.qWait(30)
    meter.stop()
    assert 190 < meter.largest_ms < 400
    assert meter.gaps().p50_ms < 60


def test_the_window_keeps_turning_while_sessions_run_and_change(opened: Open) -> None:
    window = opened(SYNTHETIC)
    wait_for(lambda: has_result(window))
    meter = LoopMeter()
    meter.start()
    window.studio.choose(replace(SYNTHETIC.capture, mirror=True))
    wait_for(lambda: window.studio.sessions == 2 and window.studio.phase is Phase.RUNNING)
    QTest.qWait(500)
    meter.stop()
    # Far above what is measured (p95 below 30 ms), for machines that do other things meanwhile.
    assert meter.gaps().p95_ms < 250


REPOSITORY = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "onnxruntime", "cv2", "openvino", "tensorrt")


def test_nothing_heavy_is_loaded_before_the_window_is_visible(tmp_path: Path) -> None:
    code = f"""
import sys
from PyQt6.QtCore import QSettings, QTimer
from mocap_app.config import AppConfig
from mocap_app.viewer.app import make_application
from mocap_app.viewer.studio import Studio
from mocap_app.viewer.window import MainWindow
QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, {str(tmp_path)!r})
application = make_application()
window = MainWindow(Studio(AppConfig()))
window.show()
application.processEvents()
print("loaded:", [name for name in {HEAVY!r} if name in sys.modules], window.isVisible())
window.close()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=REPOSITORY)
    assert "loaded: [] True" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0, done.stderr


def test_a_linux_without_a_screen_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match="--headless"):
        check_screen()


def test_the_demo_is_seen_by_the_camera_it_was_rendered_with() -> None:
    from mocap_app.demo.camera import DemoCamera

    camera = DemoCamera((960, 540))
    motion = demo_of(replace(SYNTHETIC, engine=EngineConfig())).motion
    assert (motion.camera_pitch_deg, motion.focal_px) == (camera.pitch_deg, camera.focal_px)
