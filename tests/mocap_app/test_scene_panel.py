"""The panel of the 3-D view, on a screen: what mouse and keys do to the picture, and what it says without OpenGL."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("PyQt6", reason="the viewer's library is absent")
if sys.platform == "linux" and not os.environ.get("DISPLAY"):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PyQt6.QtCore import QEvent, QPoint, QPointF, Qt, qInstallMessageHandler
from PyQt6.QtGui import QImage, QKeySequence, QMouseEvent, QShortcut, QWheelEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QHBoxLayout, QLineEdit, QMainWindow, QWidget

from engines.body import load_body
from engines.body.parameters import rest_joints
from mocap_app.viewer.orbit import CLOSEST_M, DEFAULT_CAMERA, EMPTY_CAMERA
from mocap_app.viewer.scene import Scene, SourceCamera
from mocap_app.viewer.scene_canvas import is_software
from mocap_app.viewer.scene_panel import ScenePanel
from mocap_app.viewer.scene_style import THEMES

REPOSITORY = Path(__file__).resolve().parents[2]
XVFB = ["xvfb-run", "-a", "-s", "-screen 0 1280x1024x24"]


@pytest.fixture(scope="module")
def application() -> QApplication:
    return QApplication.instance() or QApplication(["test"])  # type: ignore[return-value]


@pytest.fixture(autouse=True)
def no_qt_warnings() -> Iterator[list[str]]:
    """Fail a test in which Qt warns of anything."""
    said: list[str] = []
    before = qInstallMessageHandler(lambda kind, context, text: said.append(text or ""))
    yield said
    qInstallMessageHandler(before)
    # The offscreen platform says so of every window that is given the keys.
    said[:] = [text for text in said if "propagateSizeHints" not in text]
    assert not said


@pytest.fixture
def panel(application: QApplication) -> Iterator[ScenePanel]:
    """An open panel of 360 x 300; skips where this process has no OpenGL."""
    opened = ScenePanel()
    if opened.canvas is None:
        pytest.skip("Qt has no OpenGL in this process: test_on_a_virtual_screen runs these tests in one that has")
    opened.resize(360, 300)
    opened.show()
    opened.activateWindow()
    opened.setFocus()
    settle(opened)
    yield opened
    close(opened)


def close(widget: QWidget) -> None:
    widget.close()
    widget.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QTest.qWait(10)


def settle(panel: ScenePanel) -> None:
    """Wait until nothing is drawn any more."""
    assert panel.canvas is not None
    QTest.qWait(30)
    while panel.canvas._still.isActive():
        QTest.qWait(20)
    QTest.qWait(60)


def picture(panel: ScenePanel) -> np.ndarray:
    """Return `(H, W, 3)` int of what stands on the screen."""
    settle(panel)
    assert panel.canvas is not None
    image = panel.canvas.grabFramebuffer().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits().asstring(image.sizeInBytes()), np.uint8)  # type: ignore[union-attr]
    return rows.reshape(image.height(), image.bytesPerLine())[:, : 3 * image.width()].reshape(
        image.height(), image.width(), 3
    ).astype(int)  # fmt: skip


def people(*places: tuple[float, float, float]) -> Scene:
    body = load_body()
    floor = np.array((0, body.template[:, 1].min(), 0), np.float32)
    moved = np.array(places, np.float32).reshape(-1, 1, 3) - floor
    lens = np.array([[900, 0, 640], [0, 900, 360], [0, 0, 1]], np.float32)
    camera = SourceCamera(
        np.array((0, 1.2, 4), np.float32), np.diag((1, -1, -1)).astype(np.float32), lens, (1280, 720)
    )  # fmt: skip
    return Scene(
        body.template + moved, body.faces, (rest_joints(body) + moved).astype(np.float32), body.parents,
        np.arange(1, len(places) + 1), camera,
    )  # fmt: skip


def drag(
    panel: ScenePanel, button: Qt.MouseButton, way: tuple[int, int], keys: Qt.KeyboardModifier | None = None
) -> None:
    keys = keys or Qt.KeyboardModifier.NoModifier
    start, window = QPoint(180, 150), panel.window().windowHandle()
    QTest.mousePress(window, button, keys, start)
    for part in (0.5, 1.0):
        place = QPointF(start) + QPointF(*way) * part
        moved = QMouseEvent(QEvent.Type.MouseMove, place, panel.mapToGlobal(place), button, button, keys)
        QApplication.sendEvent(window, moved)
    QTest.mouseRelease(window, button, keys, start + QPoint(*way))


def turn_wheel(panel: ScenePanel, notches: float) -> None:
    place, none = QPointF(180, 150), Qt.KeyboardModifier.NoModifier
    event = QWheelEvent(
        place, panel.mapToGlobal(place), QPoint(), QPoint(0, round(120 * notches)), Qt.MouseButton.NoButton, none,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(panel.window().windowHandle(), event)  # Qt takes it to the widget below


def test_people_are_framed_drawn_and_the_empty_floor_differs(panel: ScenePanel) -> None:
    empty = picture(panel)
    assert np.ptp(empty.reshape(-1, 3), axis=0).min() > 15, "floor"
    panel.show_scene(people((0, 0, 0), (1, 0, 0)))
    shown = picture(panel)
    columns = np.flatnonzero((np.abs(shown - empty).max(axis=2) > 60).any(axis=0))
    assert columns.min() < 0.35 * shown.shape[1]
    assert columns.max() > 0.65 * shown.shape[1]
    assert panel.camera.yaw_rad == DEFAULT_CAMERA.yaw_rad
    panel.show_scene(Scene(camera=people((0, 0, 0)).camera))
    assert (picture(panel) != shown).any()


def test_until_it_is_turned_the_view_keeps_people_in_the_picture(panel: ScenePanel) -> None:
    panel.show_scene(people((0, 0, 0)))
    near = panel.camera
    panel.show_scene(people((0.05, 0, 0)))
    assert panel.camera == near, "a small step does not move the view"
    panel.show_scene(people((3, 0, 0)))
    assert panel.camera.distance_m > near.distance_m
    assert panel.camera.sees(people((0, 0, 0), (3, 0, 0)).joints.reshape(-1, 3), 1.2)
    QTest.keyClick(panel, Qt.Key.Key_Left)
    turned = panel.camera
    panel.show_scene(people((9, 0, 0)))
    assert panel.camera == turned


def test_drags_turn_and_move_and_the_picture_follows(panel: ScenePanel) -> None:
    panel.show_scene(people((0, 0, 0)))
    start, before = panel.camera, picture(panel)
    drag(panel, Qt.MouseButton.LeftButton, (60, -20))
    turned, after = panel.camera, picture(panel)
    assert turned.yaw_rad < start.yaw_rad
    assert turned.pitch_rad < start.pitch_rad
    assert turned.target == start.target
    assert (np.abs(after - before).max(axis=2) > 20).mean() > 0.02
    drag(panel, Qt.MouseButton.MiddleButton, (60, 30))
    moved = panel.camera
    assert (moved.yaw_rad, moved.pitch_rad) == (turned.yaw_rad, turned.pitch_rad)
    view = turned.view() @ [*moved.target, 1]
    assert view[0] < 0 < view[1], "what is taken hold of goes with the mouse"
    drag(panel, Qt.MouseButton.LeftButton, (-60, -30), Qt.KeyboardModifier.ShiftModifier)
    np.testing.assert_allclose(panel.camera.target, turned.target, atol=1e-6)


def test_wheel_zooms_within_limits_and_double_click_resets(panel: ScenePanel) -> None:
    panel.show_scene(people((0, 0, 0)))
    start = panel.camera
    turn_wheel(panel, 1)
    assert panel.camera.distance_m == pytest.approx(0.88 * start.distance_m)
    turn_wheel(panel, 99)
    assert panel.camera.distance_m == CLOSEST_M
    drag(panel, Qt.MouseButton.LeftButton, (50, 50))
    QTest.mouseDClick(panel.windowHandle(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(100, 100))
    assert panel.camera == start


def test_keys_give_views_and_only_with_the_focus(panel: ScenePanel, application: QApplication) -> None:
    panel.show_scene(people((0, 0, 0)))
    pictures = []
    for key, axis in ((Qt.Key.Key_1, (0, 0, 1)), (Qt.Key.Key_2, (1, 0, 0)), (Qt.Key.Key_3, (0, 1, 0))):
        QTest.keyClick(panel, key)
        np.testing.assert_allclose(panel.camera.axes[:, 2], axis, atol=1e-9)
        pictures.append(picture(panel))
    assert all((a != b).any() for a, b in pairwise(pictures))
    QTest.keyClick(panel, Qt.Key.Key_Home)
    start = panel.camera
    for key in (Qt.Key.Key_Left, Qt.Key.Key_Up, Qt.Key.Key_Plus):
        QTest.keyClick(panel, key)
    QTest.keyClick(panel, Qt.Key.Key_Up, Qt.KeyboardModifier.ShiftModifier)
    assert panel.camera.distance_m < start.distance_m
    assert panel.camera.target[1] > start.target[1]
    QTest.keyClick(panel, Qt.Key.Key_F)
    assert panel.camera.sees(panel.scene.points, 1.2)
    window = QMainWindow()
    body = QWidget()
    row = QHBoxLayout(body)
    line = QLineEdit()
    row.addWidget(line)
    row.addWidget(panel)
    window.setCentralWidget(body)
    window.show()
    QTest.qWait(100)
    line.setFocus()
    before = panel.camera
    QTest.keyClick(line, Qt.Key.Key_1)
    assert (line.text(), panel.camera) == ("1", before)
    row.removeWidget(panel)
    panel.setParent(None)
    close(window)


def test_a_key_that_means_nothing_here_goes_on_to_the_window(panel: ScenePanel) -> None:
    heard: list[int] = []

    class Window(QMainWindow):
        def keyPressEvent(self, event: object) -> None:
            heard.append(event.key())  # type: ignore[attr-defined]

    window = Window()
    window.setCentralWidget(panel)
    window.show()
    QTest.qWait(50)
    taken: list[str] = []
    for keys in ("F", "Ctrl+Q"):
        QShortcut(QKeySequence(keys), window, lambda keys=keys: taken.append(keys))
    window.activateWindow()
    panel.setFocus()
    QTest.qWait(50)
    QTest.keyClick(panel, Qt.Key.Key_Q, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(panel, Qt.Key.Key_F)
    assert taken == ["Ctrl+Q"], "keys of the view are the view's while it has the focus"
    QTest.keyClick(panel, Qt.Key.Key_Space)
    QTest.keyClick(panel, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(panel, Qt.Key.Key_F)
    assert [key for key in heard if key != Qt.Key.Key_Control] == [Qt.Key.Key_Space, Qt.Key.Key_F]
    window.takeCentralWidget()
    close(window)


def test_modes_trails_and_themes_show(panel: ScenePanel) -> None:
    scene = people((0, 0, 0))
    way = np.linspace((-2, 1, 0), scene.joints[0, 0], 40).astype(np.float32)
    panel.show_scene(replace(scene, trails=(way,)))
    seen = [picture(panel)]
    panel.set_trail(False)
    seen.append(picture(panel))
    for mode in ("skeleton", "both", "mesh"):
        panel.set_mode(mode)  # type: ignore[arg-type]
        seen.append(picture(panel))
    panel.set_theme("light")
    seen.append(picture(panel))
    for before, after in pairwise(seen):
        assert (np.abs(before - after).max(axis=2) > 12).any()
    assert (seen[4] == seen[1]).all()
    np.testing.assert_allclose(seen[-1][0].mean(axis=0) / 255, THEMES["light"].top, atol=0.02)
    with pytest.raises(ValueError, match="mesh, skeleton, both"):
        panel.set_mode("wires")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="dark, light"):
        panel.set_theme("pink")  # type: ignore[arg-type]


def test_the_view_lives_on_in_another_window_and_after_hiding(panel: ScenePanel) -> None:
    panel.show_scene(people((0, 0, 0)))
    before = picture(panel)
    window = QMainWindow()
    window.setCentralWidget(panel)
    window.resize(500, 400)
    window.show()
    assert picture(panel).shape != before.shape
    panel.hide()
    QTest.qWait(20)
    panel.show()
    assert np.ptp(picture(panel)) > 60
    window.takeCentralWidget()
    panel.setParent(None)
    panel.resize(360, 300)
    panel.show()
    settle(panel)
    assert np.abs(picture(panel).mean(axis=(0, 1)) - before.mean(axis=(0, 1))).max() < 3
    close(window)


def test_everything_is_released_with_the_panel(application: QApplication, panel: ScenePanel) -> None:
    for _ in range(3):
        other = ScenePanel()
        other.show()
        other.show_scene(people((0, 0, 0)))
        settle(other)
        canvas = other.canvas
        assert canvas is not None
        assert canvas._drawing is not None
        close(other)
    panel.show_scene(people((0, 0, 0)))
    assert np.ptp(picture(panel)) > 60, "this one is still alive"


def test_pixels_are_those_of_the_screen(panel: ScenePanel) -> None:
    assert panel.canvas is not None
    ratio = panel.canvas.devicePixelRatioF()
    height, width = picture(panel).shape[:2]
    assert (width, height) == (round(panel.canvas.width() * ratio), round(panel.canvas.height() * ratio))
    if os.environ.get("QT_SCALE_FACTOR"):
        assert ratio == float(os.environ["QT_SCALE_FACTOR"])
        panel.show_scene(people((0, 0, 0)))
        lower = picture(panel)[height // 2 :, width // 2 :]
        assert np.ptp(lower) > 60, "all of the picture is drawn, not a quarter"


def test_a_driver_that_gives_up_is_told_and_nothing_dies(panel: ScenePanel) -> None:
    assert panel.canvas is not None
    panel.canvas._fail(OSError("the device was removed"))
    QTest.qWait(50)
    assert panel.canvas is None
    assert "the device was removed" in panel.sentence.text()
    assert panel.sentence.isVisible()
    panel.show_scene(people((0, 0, 0)))
    QTest.keyClick(panel, Qt.Key.Key_1)


def test_names_for_those_who_do_not_see(application: QApplication) -> None:
    panel = ScenePanel()
    assert panel.accessibleName() == "3-D view"
    assert "Shift" in panel.accessibleDescription()
    assert panel.focusPolicy() == Qt.FocusPolicy.StrongFocus
    assert panel.camera == EMPTY_CAMERA
    close(panel)


def test_software_is_known_by_name() -> None:
    assert is_software("llvmpipe (LLVM 15.0.6, 256 bits)")
    assert is_software("Google SwiftShader")
    assert not is_software("NVIDIA GeForce RTX 4070/PCIe/SSE2")
    assert not is_software("Apple M2")


WITHOUT_OPENGL = """
from PyQt6.QtCore import qInstallMessageHandler
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication
said = []
qInstallMessageHandler(lambda kind, context, text: said.append(text))
application = QApplication(["test"])
from mocap_app.viewer.scene import Scene
from mocap_app.viewer.scene_panel import ScenePanel
panel = ScenePanel()
panel.show()
panel.show_scene(Scene())
panel.set_theme("light")
QTest.qWait(50)
assert panel.canvas is None
assert panel.sentence.isVisible()
print(panel.sentence.text())
panel.close()
assert not [text for text in said if "propagateSizeHints" not in text], said
"""


def test_without_opengl_a_sentence_stands_there() -> None:
    environment = {k: v for k, v in os.environ.items() if k != "DISPLAY"} | {"QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_OPENGL], env=environment, cwd=REPOSITORY, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "needs OpenGL 3.3" in done.stdout
    assert "Everything else works" in done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have a screen of their own")
@pytest.mark.parametrize("scale", ["", "2"])
def test_on_a_virtual_screen(application: QApplication, scale: str) -> None:
    """Run this file where Qt has OpenGL, if it has none here, and once more with four pixels for one."""
    if os.environ.get("SCENE_PANEL_INSIDE"):
        pytest.skip("this is that run")
    if not scale and application.platformName() == "xcb":
        pytest.skip("this process has a screen: the tests above have run")
    if shutil.which("xvfb-run") is None:
        pytest.skip("no virtual screen can be had: xvfb-run is absent (on Debian: apt-get install xvfb)")
    environment = {k: v for k, v in os.environ.items() if k not in ("QT_QPA_PLATFORM", "PYTEST_XDIST_WORKER")}
    environment |= {"SCENE_PANEL_INSIDE": "1"} | ({"QT_SCALE_FACTOR": scale} if scale else {})
    chosen = ["-k", "pixels_are or drags or framed"] if scale else []
    command = [
        *XVFB,
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        *chosen,
        __file__,
    ]
    done = subprocess.run(command, env=environment, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "Qt has no OpenGL" not in done.stdout, done.stdout[-3000:]
