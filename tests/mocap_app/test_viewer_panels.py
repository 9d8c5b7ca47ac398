"""The panels of settings, live outputs and health: real widgets, driven by keys and clicks; Qt must not complain."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from mocap_app.config import (
    AppConfig,
    CaptureConfig,
    DetectorConfig,
    EngineConfig,
    MotionConfig,
    OscConfig,
    SmoothingConfig,
    TrackingConfig,
    VrchatConfig,
    WebConfig,
    load_config,
    read_user_settings,
    user_file,
)
from mocap_app.pipeline import build_session
from mocap_app.stats import Spread, Summary
from mocap_app.viewer.streams_model import Light, Traffic, address_of, is_on, switched
from mocap_app.viewer.streams_table import BROWSER, STREAMS, VMC, VRCHAT

pytest.importorskip("PyQt6", reason="the viewer's library is absent")
if not os.environ.get("DISPLAY"):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PyQt6.QtCore import QPoint, QPointF, Qt, qInstallMessageHandler
from PyQt6.QtGui import QColor, QGuiApplication, QPalette, QWheelEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLineEdit, QWidget

from mocap_app.viewer.editors import NumberEditor, PathEditor, SeveralEditor, ToggleEditor
from mocap_app.viewer.health import Health
from mocap_app.viewer.health_panel import WELL, HealthPanel
from mocap_app.viewer.machine import Load, Machine
from mocap_app.viewer.settings_panel import SettingsPanel
from mocap_app.viewer.streams_panel import StreamsPanel

PanelT = TypeVar("PanelT", bound=QWidget)


@pytest.fixture(scope="module")
def application() -> QApplication:
    made = QApplication.instance() or QApplication(["test"])
    assert isinstance(made, QApplication)
    return made


@pytest.fixture(autouse=True)
def no_words_of_qt(application: QApplication) -> Iterator[None]:
    """Fail where Qt itself warns, as of a style sheet it cannot read or a widget it cannot reach."""
    heard: list[str] = []
    before = qInstallMessageHandler(lambda kind, context, text: heard.append(text or ""))
    yield
    qInstallMessageHandler(before)
    # Of the machine the tests run on, not of us.
    theirs = ("propagateSizeHints", "fonts", "XDG_RUNTIME_DIR", "This plugin does not support")
    assert [text for text in heard if not any(known in text for known in theirs)] == []


@pytest.fixture
def shown(application: QApplication) -> Iterator[Callable[[PanelT], PanelT]]:
    """Show a panel, active so that keys reach it; take it down afterwards."""
    panels: list[QWidget] = []

    def show(panel: PanelT) -> PanelT:
        panels.append(panel)
        panel.resize(380, 900)
        panel.show()
        panel.activateWindow()
        application.setActiveWindow(panel)
        QTest.qWait(20)
        return panel

    yield show
    for panel in panels:
        panel.close()
        panel.deleteLater()
    QTest.qWait(10)


def heard(panel: SettingsPanel | StreamsPanel) -> list[AppConfig]:
    told: list[AppConfig] = []
    panel.changed.connect(told.append)
    return told


def wait_for(condition: Callable[[], bool]) -> None:
    """Let Qt work until `condition` holds."""
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        QTest.qWait(10)


def test_every_editor_is_reached_by_tab_and_says_its_name(shown: Callable[[SettingsPanel], SettingsPanel]) -> None:
    panel = shown(SettingsPanel(AppConfig()))
    panel.search.setFocus()
    reached: list[QWidget] = []
    for _ in range(200):
        widget = QApplication.focusWidget()
        assert widget is not None
        if widget in reached:
            break
        reached.append(widget)
        QTest.keyClick(widget, Qt.Key.Key_Tab)
    for row in panel.rows.values():
        assert any(row.editor.isAncestorOf(widget) for widget in reached), row.setting.key
    assert {panel.search, panel.save, panel.reset_all} <= set(reached)
    for widget in reached:
        words = widget.accessibleName() or (widget.text() if isinstance(widget, QAbstractButton) else "")
        assert words, type(widget).__name__
        assert widget.toolTip(), words


def test_a_number_is_typed_told_once_and_checked(shown: Callable[[SettingsPanel], SettingsPanel]) -> None:
    panel = shown(SettingsPanel(AppConfig()))
    told = heard(panel)
    editor = panel.rows["tracking.max_people"].editor
    assert isinstance(editor, NumberEditor)
    editor.box.setFocus()
    for _ in range(3):
        QTest.keyClick(editor.box, Qt.Key.Key_Down)
    assert told == [], "not for every step"
    wait_for(lambda: bool(told))
    assert [config.tracking.max_people for config in told] == [5]
    assert panel.config == told[0] == AppConfig(tracking=TrackingConfig(max_people=5))
    editor.box.selectAll()
    QTest.keyClicks(editor.box, "2")
    QTest.keyClick(editor.box, Qt.Key.Key_Return)
    wait_for(lambda: len(told) == 2)
    assert told[1].tracking.max_people == 2


def test_a_toggle_is_a_space_and_holds_what_needs_it(shown: Callable[[SettingsPanel], SettingsPanel]) -> None:
    panel = shown(SettingsPanel(AppConfig()))
    told = heard(panel)
    editor = panel.rows["motion.smoothing.enabled"].editor
    assert isinstance(editor, ToggleEditor)
    QTest.keyClick(editor.switch, Qt.Key.Key_Space)
    assert not panel.rows["motion.smoothing.beta"].isEnabled()
    wait_for(lambda: bool(told))
    assert told == [AppConfig(motion=MotionConfig(SmoothingConfig(enabled=False)))]
    QTest.mouseClick(editor.switch, Qt.MouseButton.LeftButton)
    assert panel.rows["motion.smoothing.beta"].isEnabled()


def test_another_engine_brings_its_own_options(shown: Callable[[SettingsPanel], SettingsPanel]) -> None:
    panel = shown(SettingsPanel(AppConfig(engine=EngineConfig(options={"threads": 2}))))
    told = heard(panel)
    assert "engine.options.threads" in panel.rows
    box = panel.rows["engine.name"].editor.findChild(QComboBox)
    assert box is not None
    box.setFocus()
    QTest.keyClick(box, Qt.Key.Key_End)
    assert "engine.options.threads" not in panel.rows
    focused = QApplication.focusWidget()
    assert focused is not None
    assert panel.rows["engine.name"].isAncestorOf(focused), "the keyboard stays where it was"
    wait_for(lambda: bool(told))
    assert told[0].engine == EngineConfig("synthetic")


def test_a_wrong_value_is_said_beside_the_field_and_not_applied(
    shown: Callable[[SettingsPanel], SettingsPanel],
) -> None:
    panel = shown(SettingsPanel(AppConfig()))
    told = heard(panel)
    row = panel.rows["engine.options.weights"]
    editor = row.editor
    assert isinstance(editor, PathEditor)
    QTest.keyClicks(editor.box, "/nowhere/w.safetensors")
    QTest.keyClick(editor.box, Qt.Key.Key_Return)
    assert row.error.isVisible()
    assert row.error.text() == "There is no such file; check the path."
    assert editor.box.text() == "/nowhere/w.safetensors", "it stays, to be mended"
    QTest.qWait(500)
    assert told == []
    assert panel.config == AppConfig()
    editor.box.clear()
    QTest.keyClick(editor.box, Qt.Key.Key_Return)
    assert not row.error.isVisible()


def test_no_format_at_all_is_refused(shown: Callable[[SettingsPanel], SettingsPanel]) -> None:
    panel = shown(SettingsPanel(AppConfig()))
    row = panel.rows["record.formats"]
    assert isinstance(row.editor, SeveralEditor)
    chips = {chip.text(): chip for chip in row.editor.findChildren(QAbstractButton)}
    QTest.keyClick(chips["fbx"], Qt.Key.Key_Space)
    assert panel.config.record.formats == ("npz", "bvh", "fbx")
    for name in ("npz", "bvh", "fbx"):
        chips[name].click()
    assert "at least one" in row.error.text()
    assert panel.config.record.formats == ("fbx",)


def test_one_setting_or_all_go_back_to_their_defaults(shown: Callable[[SettingsPanel], SettingsPanel]) -> None:
    changed = load_config(overrides=["tracking.max_people=2", "engine.name=fastmetro", "engine.options.threads=1",
                                     "capture.fps=25", "osc.port=4000"])  # fmt: skip
    panel = shown(SettingsPanel(changed))
    told = heard(panel)
    row = panel.rows["tracking.max_people"]
    assert row.reset.isVisible()
    assert not panel.rows["detector.every"].reset.isVisible()
    row.reset.click()
    assert panel.config.tracking.max_people == 8
    assert not row.reset.isVisible()
    panel.reset_all.click()
    assert panel.config.engine.name == "fastmetro", "asked once more first"
    panel.reset_all.click()
    wait_for(lambda: bool(told))
    assert told[-1] == replace(AppConfig(), osc=OscConfig(port=4000)), "the other panel's settings stay"


def test_search_leaves_what_matches(shown: Callable[[SettingsPanel], SettingsPanel]) -> None:
    panel = shown(SettingsPanel(AppConfig()))
    QTest.keyClicks(panel.search, "smoothing calm")
    visible = [key for key, row in panel.rows.items() if row.isVisible()]
    assert visible == ["motion.smoothing.enabled", "motion.smoothing.min_cutoff_hz"]
    panel.search.setText("zebra")
    assert panel.nothing.isVisible()
    panel.search.clear()
    assert all(row.isVisible() for row in panel.rows.values())
    assert not panel.nothing.isVisible()


def test_save_keeps_what_the_panel_shows(
    shown: Callable[[SettingsPanel], SettingsPanel], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    panel = shown(SettingsPanel(load_config(overrides=["tracking.max_people=3", "capture.duration_s=9"])))
    QTest.keyClick(panel.save, Qt.Key.Key_Space)
    assert str(user_file()) in panel.note.text()
    assert read_user_settings() == {"tracking": {"max_people": 3}}
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "mocap-app" / "config.yaml"))
    panel.save.click()
    assert "cannot be written" in panel.note.text()


def test_showing_other_settings_tells_nobody(shown: Callable[[SettingsPanel], SettingsPanel]) -> None:
    panel = shown(SettingsPanel(AppConfig()))
    told = heard(panel)
    every = load_config(overrides=["tracking.max_people=2", "engine.name=synthetic", "capture.size=[800, 600]",
                                   "capture.fps=29.97", "motion.smoothing.enabled=false", "record.formats=[glb]",
                                   "viewer.folder=elsewhere", "motion.focal_px=900"])  # fmt: skip
    panel.show_config(every)
    QTest.qWait(500)
    assert told == []
    assert panel.config == every
    size = panel.rows["capture.size"].editor.findChild(QComboBox)
    assert size is not None
    assert size.currentText() == "800 × 600"
    fps = panel.rows["capture.fps"].editor
    assert isinstance(fps, NumberEditor)
    assert fps.box.text() == "29.97 fps"


def test_the_wheel_scrolls_and_changes_nothing_it_passes_over(shown: Callable[[SettingsPanel], SettingsPanel]) -> None:
    panel = shown(SettingsPanel(AppConfig()))
    panel.search.setFocus()
    editor = panel.rows["detector.every"].editor
    assert isinstance(editor, NumberEditor)
    place, step = QPointF(5, 5), QPoint(0, 120)
    no_buttons, no_keys = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    where = QPointF(editor.box.mapToGlobal(QPoint(5, 5)))
    turn = QWheelEvent(place, where, step, step, no_buttons, no_keys, Qt.ScrollPhase.NoScrollPhase, False)
    QApplication.sendEvent(editor.box, turn)
    assert editor.box.value() == AppConfig().detector.every
    assert panel.config == AppConfig()


@pytest.mark.parametrize("make", [SettingsPanel, StreamsPanel, lambda config: HealthPanel()])
def test_panels_fit_a_narrow_dock_and_follow_the_palette(
    make: Callable[[AppConfig], QWidget], shown: Callable[[QWidget], QWidget], application: QApplication
) -> None:
    before = application.palette()
    panel = shown(make(AppConfig(osc=OscConfig("127.0.0.1"), web=WebConfig("127.0.0.1"))))
    panel.resize(340, 700)
    assert panel.minimumSizeHint().width() <= 340
    dark, light = QPalette(), QPalette()
    for palette, window, text in ((dark, "#202328", "#e6e8eb"), (light, "#f1f2f4", "#1b1d21")):
        palette.setColor(QPalette.ColorRole.Window, QColor(window))
        palette.setColor(QPalette.ColorRole.WindowText, QColor(text))
    sheets = []
    for palette in (dark, light, dark):
        application.setPalette(palette)
        application.setStyleSheet(f"QWidget {{ color: {palette.color(QPalette.ColorRole.WindowText).name()}; }}")
        QTest.qWait(20)
        sheets.append(panel.styleSheet())
        assert not panel.grab().isNull()
    application.setStyleSheet("")
    application.setPalette(before)
    assert sheets[0] == sheets[2] != sheets[1]


def summary(sent: dict[str, int], lost: dict[str, int] | None = None, failed: dict[str, str] | None = None) -> Summary:
    return Summary(10, 1.0, 30.0, {}, {}, {}, sent, lost or {}, failed or {})


def test_lights_of_the_outputs() -> None:
    config = AppConfig(osc=OscConfig("127.0.0.1"), vrchat=VrchatConfig("10.0.0.2"))
    traffic = Traffic()
    assert traffic.flow(config, VMC).light is Light.WAITING
    assert traffic.flow(config, BROWSER).light is Light.OFF
    for moment in range(5):
        failed = {"vrchat": "the wire is cut"} if moment == 4 else {}
        traffic.take(summary({"osc": 31 * moment}, failed=failed), moment / 2)
    assert traffic.flow(config, VMC).words == "62 packets/s to 127.0.0.1:39539"
    assert traffic.flow(config, VMC).light is Light.FLOWING
    assert traffic.flow(config, VRCHAT).words == "Failed: the wire is cut"
    assert traffic.flow(config, VRCHAT).light is Light.FAILED
    for moment in range(5, 10):  # the source stands still
        traffic.take(summary({"osc": 124}), moment / 2)
    assert traffic.flow(config, VMC).light is Light.WAITING
    traffic.take(summary({"osc": 3}), 5.0)  # another session
    traffic.take(summary({"osc": 13}), 5.5)
    assert traffic.flow(config, VMC).words.startswith("20 packets/s")
    traffic.forget()
    assert traffic.flow(config, VMC).light is Light.WAITING


def test_a_network_that_takes_no_packets_is_said() -> None:
    config, traffic = AppConfig(osc=OscConfig("127.0.0.1", 4000)), Traffic()
    for moment in range(4):
        traffic.take(summary({"osc": 30 * moment}, {"osc": 30 * moment}), moment / 2)
    assert traffic.flow(config, VMC).light is Light.WAITING
    assert traffic.flow(config, VMC).words.startswith("127.0.0.1:4000 cannot be reached")


def test_addresses_and_switches() -> None:
    assert address_of(AppConfig()) == "http://127.0.0.1:8765"
    assert address_of(AppConfig(web=WebConfig("::1", 80))) == "http://[::1]:80"
    everywhere = address_of(AppConfig(web=WebConfig("0.0.0.0")))
    assert "0.0.0.0" not in everywhere
    assert everywhere.endswith(":8765")
    on = switched(AppConfig(), "web", "127.0.0.1")
    assert is_on(on, "web")
    assert switched(on, "web", "") == AppConfig()
    assert all(receiver.steps.count("\n") == 1 for stream in STREAMS for receiver in stream.receivers)


def test_an_output_is_switched_on_changed_and_remembers_where_it_went(
    shown: Callable[[StreamsPanel], StreamsPanel],
) -> None:
    panel = shown(StreamsPanel(AppConfig()))
    told = heard(panel)
    card = panel.cards["osc"]
    assert not card.body.isVisible()
    QTest.keyClick(card.switch, Qt.Key.Key_Space)
    assert card.body.isVisible()
    host = card.rows["osc.host"].editor.findChild(QLineEdit)
    assert host is not None
    host.selectAll()
    QTest.keyClicks(host, "10.0.0.9")
    QTest.keyClick(host, Qt.Key.Key_Return)
    wait_for(lambda: bool(told))
    assert told[-1] == AppConfig(osc=OscConfig("10.0.0.9"))
    card.switch.click()
    card.switch.click()
    assert panel.config.osc.host == "10.0.0.9"
    host.clear()
    QTest.keyClick(host, Qt.Key.Key_Return)
    assert card.rows["osc.host"].error.isVisible()
    assert panel.config.osc.host == "10.0.0.9"


def test_two_outputs_changed_at_once_are_told_together(shown: Callable[[StreamsPanel], StreamsPanel]) -> None:
    panel = shown(StreamsPanel(AppConfig()))
    told = heard(panel)
    panel.cards["web"].switch.click()
    panel.cards["vrchat"].switch.click()
    wait_for(lambda: bool(told))
    assert told == [AppConfig(web=WebConfig("127.0.0.1"), vrchat=VrchatConfig("127.0.0.1"))]


def test_lamps_follow_the_traffic_and_can_be_read_aloud(shown: Callable[[StreamsPanel], StreamsPanel]) -> None:
    panel = shown(StreamsPanel(AppConfig(osc=OscConfig("127.0.0.1"))))
    lamp = panel.cards["osc"].lamp
    assert lamp.accessibleName() == "VMC: waiting"
    panel.show_traffic(summary({"osc": 0}))
    QTest.qWait(50)
    panel.show_traffic(summary({"osc": 10}))
    assert lamp.accessibleName() == "VMC: flowing"
    panel.show_traffic(summary({"osc": 10}, failed={"osc": "gone"}))
    assert (lamp.accessibleName(), lamp.toolTip()) == ("VMC: failed", "Failed: gone")
    panel.forget_traffic()
    assert lamp.light is Light.WAITING


def test_the_address_is_copied(shown: Callable[[StreamsPanel], StreamsPanel]) -> None:
    panel = shown(StreamsPanel(AppConfig(web=WebConfig("127.0.0.1", 8080))))
    card = panel.cards["web"]
    QTest.keyClick(card.copy, Qt.Key.Key_Space)
    clipboard = QGuiApplication.clipboard()
    assert clipboard is not None
    assert clipboard.text() == "http://127.0.0.1:8080"


def test_health_shows_plots_bars_and_troubles(shown: Callable[[HealthPanel], HealthPanel]) -> None:
    panel = shown(HealthPanel())
    assert panel.troubles.accessibleDescription() == WELL
    health = Health("deforhmr", True)
    load = Load(1.0, 0.5, 2, 2**29, 2**33, 2**32, 12, 2**30)
    for moment in range(4):
        stages = {"capture": Spread(9, 33, 33, 35), "recover": Spread(9, 20, 20, 30)}
        told = Summary(15 * moment, 1.0, 30.0, stages, {"osc": Spread(9, 40, 40, 60)}, {"capture": 2 * moment})
        panel.show_report(health.update(told, load, "onnxruntime", moment / 2))
    assert [tile.accessibleName() for tile in panel.tiles] == [
        "Frames per second", "Age of a frame", "Processor", "Memory",
    ]  # fmt: skip
    assert panel.tiles[0].accessibleDescription().startswith("30.0")
    assert "recover: 20 / 30 ms" in panel.stages.bars.accessibleDescription()
    assert "capture: 6, now 4.0/s" in panel.drops.bars.accessibleDescription()
    assert "1.0 GB left" in panel.troubles.accessibleDescription()
    assert "Engine deforhmr in onnxruntime, 12 threads on 2 cores" in panel.about.text()
    painted = panel.tiles[2].grab().toImage()
    assert len({painted.pixel(x, y) for x in range(0, painted.width(), 3) for y in range(0, painted.height(), 3)}) > 5


def test_a_real_session_turns_the_lamps_green_and_fills_the_health(
    shown: Callable[[QWidget], QWidget], application: QApplication
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        config = AppConfig(
            capture=CaptureConfig(source="synthetic", size=(160, 120), realtime=True),
            detector=DetectorConfig("synthetic"),
            engine=EngineConfig("synthetic"),
            osc=OscConfig("127.0.0.1", receiver.getsockname()[1]),
        )
        streams, panel = StreamsPanel(config), HealthPanel()
        shown(streams)
        shown(panel)
        health, machine = Health(config.engine.name, True), Machine(Path("takes"))
        session = build_session(config)
        session.start()
        try:
            wait_for(lambda: session.stats.frames > 2)
            for _ in range(3):
                streams.show_traffic(session.stats.summary())
                told = health.update(session.stats.summary(), machine.read(), session.runtime, time.monotonic())
                panel.show_report(told)
                QTest.qWait(500)
        finally:
            session.stop()
            session.join()
        assert streams.cards["osc"].lamp.light is Light.FLOWING
        assert receiver.recv(4096).startswith(b"#bundle")
    assert float(panel.tiles[0].accessibleDescription().split(",")[0]) > 5
    assert "solve" in panel.stages.bars.accessibleDescription()
    assert "osc" in panel.ages.bars.accessibleDescription()
    assert panel.about.text().startswith("Engine synthetic, "), "it has no network, so no runtime"
