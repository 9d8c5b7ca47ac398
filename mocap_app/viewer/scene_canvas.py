"""The part of the 3-D view that is OpenGL: a Qt widget that draws a scene."""

from __future__ import annotations

from dataclasses import replace
from types import TracebackType
from typing import Any

import moderngl
from PyQt6.QtCore import Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QOffscreenSurface, QOpenGLContext, QSurfaceFormat
from PyQt6.QtOpenGLWidgets import QOpenGLWidget

from .orbit import OrbitCamera
from .scene import Scene, rehearsal
from .scene_drawing import SceneDrawing
from .scene_style import MODES, Look

SAMPLES = 4
STILL_MS = 160
REHEARSAL_MS = 200
"""After the first picture, while the engine loads: a driver compiles what is drawn when it is first drawn, which in
software takes a fifth of a second, in the middle of the first movement."""
MOST_SMOOTHED_PX = 2_500_000
"""A larger picture is not smoothed by a processor: it would stop the window for half a second."""
SOFTWARE = ("llvmpipe", "softpipe", "swiftshader", "swrast", "gdi generic", "basic render", "software")
TROUBLE = (moderngl.Error, ValueError, KeyError, RuntimeError, OSError)
"""What moderngl raises where a driver cannot do what is asked."""


class SceneCanvas(QOpenGLWidget):
    """Draws the newest scene. Belongs to the window's thread.

    Edges are smooth where a graphics card does it for nothing. With software OpenGL, where it takes five times as
    long, they are smooth once nothing has moved for a moment.
    """

    failed = pyqtSignal(str)
    """OpenGL has given up, and why; nothing is drawn from then on."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormat(core_format())
        # What the mouse does is the panel's affair.
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.scene = Scene()
        self.camera = OrbitCamera()
        self.look = Look()
        self.frames = 0
        """How many pictures were drawn."""
        self.renderer = ""
        """Name of the driver, once it is open."""
        self.smooths_moving = True
        """Whether edges are smooth in motion, too."""
        self._is_still = False
        self._has_failed = False
        self._context: moderngl.Context | None = None
        self._drawing: SceneDrawing | None = None
        self._targets: _Targets | None = None
        self._still = QTimer(self)
        self._still.setSingleShot(True)
        self._still.setInterval(STILL_MS)
        self._still.timeout.connect(self._come_to_rest)
        self._rehearsal = QTimer(self)
        self._rehearsal.setSingleShot(True)
        self._rehearsal.timeout.connect(self._rehearse)
        self._rehearses = False

    def redraw(self) -> None:
        """Draw anew with Qt's next turn: something has moved."""
        self._is_still = False
        self._still.start()
        self.update()

    def initializeGL(self) -> None:
        """Make programs and buffers in the context that is current."""
        qt_context = self.context()
        assert qt_context is not None
        functions: Any = _Functions(qt_context)
        try:
            self._context = moderngl.create_context(require=330, context=functions)
            self._drawing = SceneDrawing(self._context)
            self._targets = _Targets(self._context)
            self.renderer = str(self._context.info["GL_RENDERER"])
            self.smooths_moving = not is_software(self.renderer)
            # Qt makes a new context when the widget moves to another window.
            qt_context.aboutToBeDestroyed.connect(self.release)
            self._rehearsal.start(REHEARSAL_MS)
        except TROUBLE as error:
            self._fail(error)

    def paintGL(self) -> None:
        """Draw the scene."""
        if self._drawing is None or self._targets is None or self._has_failed:
            return
        ratio = self.devicePixelRatioF()
        size_wh = max(round(self.width() * ratio), 1), max(round(self.height() * ratio), 1)
        is_smooth = self.smooths_moving or (self._is_still and size_wh[0] * size_wh[1] <= MOST_SMOOTHED_PX)
        try:
            window = self._targets.window(self.defaultFramebufferObject(), size_wh)
            target = self._targets.smooth(size_wh) if is_smooth else window
            if self._rehearses:
                self._rehearses = False
                self._draw_rehearsal(window, size_wh, ratio)
            self._drawing.draw(self.scene, self.camera, target, size_wh, self.look, ratio)
            if target is not window:
                assert self._context is not None
                self._context.copy_framebuffer(window, target)
                window.use()
            self.frames += 1
        except TROUBLE as error:
            self._fail(error)

    def _rehearse(self) -> None:
        self._rehearses = True
        self.update()

    def _draw_rehearsal(self, window: moderngl.Framebuffer, size_wh: tuple[int, int], ratio: float) -> None:
        """Draw everything once in every way, to be drawn over at once."""
        assert self._drawing is not None
        assert self._targets is not None
        for target in (self._targets.smooth(size_wh), window):
            for mode in MODES:
                look = replace(self.look, mode=mode, trail=True)
                self._drawing.draw(rehearsal(), self.camera, target, size_wh, look, ratio)

    def release(self) -> None:
        """Release what is held on the graphics card; may be called twice."""
        if self._context is None:
            return
        self.makeCurrent()
        for part in (self._drawing, self._targets):
            if part is not None:
                part.close()
        self._drawing = self._targets = self._context = None
        self.doneCurrent()

    def _come_to_rest(self) -> None:
        self._is_still = True
        if not self.smooths_moving:
            self.update()

    def _fail(self, error: Exception) -> None:
        self._has_failed = True
        text = str(error) or type(error).__name__
        QTimer.singleShot(0, lambda: self.failed.emit(text))  # not while Qt paints


class _Targets:
    """What is drawn into: the window, or a buffer with several samples per pixel that is brought there."""

    def __init__(self, context: moderngl.Context) -> None:
        self._context = context
        self._samples = min(SAMPLES, context.max_samples)
        self._window: tuple[tuple[int, tuple[int, int]], moderngl.Framebuffer] | None = None
        self._smooth: moderngl.Framebuffer | None = None

    def window(self, number: int, size_wh: tuple[int, int]) -> moderngl.Framebuffer:
        """Return Qt's framebuffer of this number."""
        if self._window is None or self._window[0] != (number, size_wh):
            found = self._context.detect_framebuffer(number)
            self._window = (number, size_wh), found
        return self._window[1]

    def smooth(self, size_wh: tuple[int, int]) -> moderngl.Framebuffer:
        if self._smooth is None or self._smooth.size != size_wh:
            self._free()
            self._smooth = self._context.framebuffer(
                self._context.renderbuffer(size_wh, 4, samples=self._samples),
                self._context.depth_renderbuffer(size_wh, samples=self._samples),
            )
        return self._smooth

    def close(self) -> None:
        self._free()
        self._window = None

    def _free(self) -> None:
        if self._smooth is not None:
            for attachment in (*self._smooth.color_attachments, self._smooth.depth_attachment):
                attachment.release()
            self._smooth.release()
            self._smooth = None


class _Functions:
    """Tells moderngl where OpenGL's functions are: Qt knows on every system, whichever way it came to its context."""

    def __init__(self, context: QOpenGLContext) -> None:
        self._context = context

    def load(self, name: str) -> int:
        return int(self._context.getProcAddress(name.encode()) or 0)

    load_opengl_function = load

    def release(self) -> None:
        """The context is Qt's."""

    def __enter__(self) -> _Functions:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Nothing is to be given back."""


def ask_for_core_profile() -> None:
    """Make every OpenGL context of the application a core one; to be called before there is a QApplication.

    On macOS a window shares its context with the canvas in it, and there old and new ones do not share.
    """
    QSurfaceFormat.setDefaultFormat(core_format())


def core_format() -> QSurfaceFormat:
    """Return what is asked of Qt: OpenGL 3.3 core, without several samples, which are the canvas' own affair."""
    wanted = QSurfaceFormat()
    wanted.setVersion(3, 3)
    wanted.setProfile(QSurfaceFormat.OpenGLContextProfile.CoreProfile)
    wanted.setDepthBufferSize(24)
    return wanted


def opengl_problem() -> str:
    """Return why a canvas cannot be had on this screen; empty where it can."""
    context = QOpenGLContext()
    context.setFormat(core_format())
    if not context.create():
        return "no OpenGL driver could be opened"
    surface = QOffscreenSurface()
    surface.setFormat(context.format())
    surface.create()
    if not context.makeCurrent(surface):
        return "the OpenGL driver does not let itself be used"
    version = context.format().version()
    context.doneCurrent()
    return "" if version >= (3, 3) else f"the driver has OpenGL {version[0]}.{version[1]}"


def is_software(renderer: str) -> bool:
    """Say whether the driver named `renderer` draws with the processor."""
    return any(name in renderer.lower() for name in SOFTWARE)
