"""The 3-D view: a scene that can be turned with mouse and keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np
from PyQt6.QtCore import QEasingCurve, QEvent, QPointF, QSize, Qt, QVariantAnimation
from PyQt6.QtGui import (
    QColor,
    QFocusEvent,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PyQt6.QtWidgets import QLabel, QStyle, QVBoxLayout, QWidget

from .orbit import DEFAULT_CAMERA, EMPTY_CAMERA, OrbitCamera
from .scene import Scene
from .scene_canvas import SceneCanvas, opengl_problem
from .scene_style import MODES, THEMES, Look, Mode, ThemeName

Side = Literal["front", "side", "top"]

RADIANS_PER_PIXEL = 0.008
ZOOM_PER_NOTCH = 0.88
NOTCH = 120.0
"""What Qt calls one step of a mouse wheel."""
KEY_RADIANS = float(np.deg2rad(10.0))
KEY_SHIFT = 0.05
"""Of the picture's height."""
NAME = "3-D view"
HELP = (
    "Drag to turn, Shift-drag or drag with the middle button to move, wheel to zoom, double-click to reset.\n"
    "1 front, 2 side, 3 top, F frames the people, arrow keys turn (with Shift: move), + and − zoom, Home resets."
)
NO_OPENGL = (
    "The 3-D view needs OpenGL 3.3, which is not to be had here: {problem}. Everything else works. "
    "Install or update the graphics driver; on Debian or Ubuntu, software rendering comes with: "
    "apt-get install libgl1-mesa-dri"
)


class ScenePanel(QWidget):
    """Shows the newest scene. Belongs to the window's thread; without OpenGL it says so instead."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._is_untouched = True
        self._dragged_from: QPointF | None = None
        self._extent: np.ndarray | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(NAME)
        self.setAccessibleDescription(HELP)
        self.setToolTip(HELP)
        self.setMinimumSize(160, 120)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(1, 1, 1, 1)
        self._scene, self._camera, self._look = Scene(), EMPTY_CAMERA, Look()
        self._canvas: SceneCanvas | None = None
        self._left = self._camera
        self._glide = QVariantAnimation(self)
        self._glide.setStartValue(0.0)
        self._glide.setEndValue(1.0)
        self._glide.setEasingCurve(QEasingCurve.Type.OutCubic)
        self._glide.valueChanged.connect(self._refresh)
        self.sentence = QLabel()
        """What is said where nothing can be drawn."""
        self._open()

    @property
    def canvas(self) -> SceneCanvas | None:
        """What draws; None where OpenGL is not to be had."""
        return self._canvas

    @property
    def scene(self) -> Scene:
        """What is shown."""
        return self._scene

    @property
    def camera(self) -> OrbitCamera:
        """Where it is seen from, or will be in a moment: the view glides there."""
        return self._camera

    @property
    def look(self) -> Look:
        """What of the scene is shown, and in which theme."""
        return self._look

    def show_scene(self, scene: Scene) -> None:
        """Show `scene` from now on. Until somebody turns the view, it keeps the people in the picture."""
        self._scene = scene
        if self._is_untouched and len(scene):
            self._keep_in_picture()
        self._refresh()

    def set_mode(self, mode: Mode) -> None:
        """Show surfaces, bones or both.

        Raises:
            ValueError: There is no such mode.
        """
        if mode not in MODES:
            raise ValueError(f'mode: found "{mode}", expected one of {", ".join(MODES)}')
        self._change_look(replace(self._look, mode=mode))

    def set_trail(self, shown: bool) -> None:
        """Show where each root came from, or not."""
        self._change_look(replace(self._look, trail=shown))

    def set_theme(self, theme: ThemeName) -> None:
        """Draw on a dark or a light ground.

        Raises:
            ValueError: There is no such theme.
        """
        if theme not in THEMES:
            raise ValueError(f'theme: found "{theme}", expected one of {", ".join(THEMES)}')
        self._change_look(replace(self._look, theme=theme))

    def set_camera(self, camera: OrbitCamera, glides: bool = False) -> None:
        """Look from `camera`; the view follows the people no more."""
        self._is_untouched = False
        self._move_to(camera, glides)

    def view_from(self, side: Side) -> None:
        """Look from the front, the side (the performer's left) or the top, at the same point."""
        turned = {"front": self._camera.front, "side": self._camera.side, "top": self._camera.top}[side]()
        self.set_camera(turned.framing(self._scene.points, self._aspect) if self._is_untouched else turned, glides=True)

    def frame_people(self) -> None:
        """Bring everybody into the picture, seen from the same direction."""
        self.set_camera(self._camera.framing(self._scene.points, self._aspect), glides=True)

    def reset_view(self) -> None:
        """Look as at the beginning."""
        start = DEFAULT_CAMERA if len(self._scene) else EMPTY_CAMERA
        self.set_camera(start.framing(self._scene.points, self._aspect), glides=True)
        self._is_untouched, self._extent = True, None

    def sizeHint(self) -> QSize:
        """Ask for a size; the user may give another."""
        return QSize(640, 540)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Take hold of the view."""
        if event is not None:
            self._dragged_from = event.position()

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        """Turn or move the view."""
        if event is None or self._dragged_from is None:
            return
        way, self._dragged_from = event.position() - self._dragged_from, event.position()
        is_pan = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if event.buttons() & Qt.MouseButton.MiddleButton or (is_pan and event.buttons() & Qt.MouseButton.LeftButton):
            height = max(self.height(), 1)
            self.set_camera(self._camera.panned(-way.x() / height, way.y() / height))
        elif event.buttons() & Qt.MouseButton.LeftButton:
            self.set_camera(self._camera.orbited(-way.x() * RADIANS_PER_PIXEL, way.y() * RADIANS_PER_PIXEL))

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        """Let go."""
        self._dragged_from = None

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:
        """Look as at the beginning."""
        self.reset_view()

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Come nearer or go away."""
        if event is not None:
            self.set_camera(self._camera.zoomed(ZOOM_PER_NOTCH ** (event.angleDelta().y() / NOTCH)))
            event.accept()

    def event(self, event: QEvent | None) -> bool:
        """Claim the keys that mean something here, before a shortcut of the window's takes them."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride and self._act_of(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Act on a key; others go on to the window."""
        act = None if event is None else self._act_of(event)
        if act is not None:
            act()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent | None) -> None:
        """Show the frame of what has the keys."""
        self.update()
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent | None) -> None:
        """Hide that frame."""
        self.update()
        super().focusOutEvent(event)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Keep the people in the picture, as long as nobody has turned it."""
        super().resizeEvent(event)
        if self._is_untouched:
            self._move_to(self._camera.framing(self._scene.points, self._aspect), glides=False)

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Let go."""
        self._dragged_from = None
        super().hideEvent(event)

    def changeEvent(self, event: QEvent | None) -> None:
        """Draw anew when the window is enabled or moved to a screen of other pixels."""
        self._refresh()
        super().changeEvent(event)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the frame; the canvas covers all else."""
        theme = THEMES[self._look.theme]
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor.fromRgbF(*(theme.focus if self.hasFocus() else theme.bottom)))
        if self._canvas is None:
            painter.fillRect(self.rect().adjusted(1, 1, -1, -1), QColor.fromRgbF(*theme.bottom))
        painter.end()

    def _open(self) -> None:
        problem = opengl_problem()
        if problem:
            self._give_up(problem)
            return
        self._canvas = SceneCanvas()
        self._canvas.failed.connect(self._give_up)
        self._column.addWidget(self._canvas)
        self._refresh()

    def _give_up(self, problem: str) -> None:
        """Say why there is no picture."""
        if self._canvas is not None:
            self._column.removeWidget(self._canvas)
            self._canvas.hide()
            self._canvas.deleteLater()
            self._canvas = None
        self.sentence.setText(NO_OPENGL.format(problem=problem))
        self.sentence.setWordWrap(True)
        self.sentence.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.sentence.setMargin(24)
        self._column.addWidget(self.sentence)
        self.sentence.show()
        self._refresh()

    @property
    def _aspect(self) -> float:
        return max(self.width(), 1) / max(self.height(), 1)

    def _keep_in_picture(self) -> None:
        """Frame all that the people have taken up so far, once they leave the picture."""
        ends = self._scene.points.min(axis=0), self._scene.points.max(axis=0)
        if self._extent is None:
            self._camera = DEFAULT_CAMERA.framing(self._scene.points, self._aspect)
            self._extent = np.array(ends)
            return
        self._extent = np.array([np.minimum(self._extent[0], ends[0]), np.maximum(self._extent[1], ends[1])])
        if not self._camera.sees(self._scene.joints.reshape(-1, 3), self._aspect):
            corners = np.array(np.meshgrid(*self._extent.T)).reshape(3, -1).T
            self._move_to(self._camera.framing(corners, self._aspect), glides=True)

    def _move_to(self, camera: OrbitCamera, glides: bool) -> None:
        self._left = self._shown_camera()
        self._camera = camera
        style = self.style()
        duration_ms = style.styleHint(QStyle.StyleHint.SH_Widget_Animation_Duration) if style is not None else 0
        self._glide.stop()
        if glides and duration_ms > 0 and self.isVisible():  # some people have animations switched off
            self._glide.setDuration(duration_ms)
            self._glide.start()
        self._refresh()

    def _shown_camera(self) -> OrbitCamera:
        if self._glide.state() != QVariantAnimation.State.Running:
            return self._camera
        return self._left.towards(self._camera, float(self._glide.currentValue()))

    def _act_of(self, event: QKeyEvent) -> Callable[[], None] | None:
        """Return what a key means here, if anything."""
        shift, keypad = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.KeypadModifier
        if event.modifiers() & ~(shift | keypad):
            return None
        is_shift = bool(event.modifiers() & shift)
        camera, step = self._camera, KEY_SHIFT if is_shift else KEY_RADIANS
        move = camera.panned if is_shift else camera.orbited
        acts: dict[int, Callable[[], None]] = {
            Qt.Key.Key_1: lambda: self.view_from("front"),
            Qt.Key.Key_2: lambda: self.view_from("side"),
            Qt.Key.Key_3: lambda: self.view_from("top"),
            Qt.Key.Key_F: self.frame_people,
            Qt.Key.Key_Home: self.reset_view,
            Qt.Key.Key_Left: lambda: self.set_camera(move(-step, 0.0)),
            Qt.Key.Key_Right: lambda: self.set_camera(move(step, 0.0)),
            Qt.Key.Key_Up: lambda: self.set_camera(move(0.0, step)),
            Qt.Key.Key_Down: lambda: self.set_camera(move(0.0, -step)),
            Qt.Key.Key_Plus: lambda: self.set_camera(camera.zoomed(ZOOM_PER_NOTCH)),
            Qt.Key.Key_Equal: lambda: self.set_camera(camera.zoomed(ZOOM_PER_NOTCH)),
            Qt.Key.Key_Minus: lambda: self.set_camera(camera.zoomed(1 / ZOOM_PER_NOTCH)),
        }
        return acts.get(event.key())

    def _change_look(self, look: Look) -> None:
        self._look = look
        self._refresh()
        self.update()

    def _refresh(self) -> None:
        if self._canvas is not None:
            self._canvas.scene, self._canvas.camera, self._canvas.look = self._scene, self._shown_camera(), self._look
            self._canvas.redraw()
        else:
            color = "#d6dae2" if self._look.theme == "dark" else "#2b303a"
            self.sentence.setStyleSheet(f"color: {color}; background: transparent;")
