"""Draws a scene with OpenGL 3.3 into a framebuffer that somebody else owns. No Qt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import moderngl
import numpy as np

from engines.rendering.normals import VertexNormals
from engines.types import FloatArray

from . import scene_shaders as shaders
from .orbit import OrbitCamera
from .scene import Scene
from .scene_shapes import ball, bone_rows, frustum_rows, joint_rows, octahedron, shadow_rows, trail_rows
from .scene_style import BONE_PALENESS, FILL_DIRECTION, GLOSS, KEY_DIRECTION, THEMES, Look, Theme, colors_of
from .shading import are_same, shading_of

SQUARE = np.array([(-1, -1), (1, -1), (-1, 1), (1, 1)], np.float32)
STRIP = np.array([(0, -1), (0, 1), (1, -1), (1, 1)], np.float32)
GRID_M = 1.0
DISC_PER_DISTANCE = 2.4
"""Radius of the floor, per metre that the camera is away."""
SMALLEST_DISC_M = 6.0
LINE_PX = 1.6
TRAIL_PX = 2.6
LIGHTS = ("key_color", "fill_color", "sky", "bounce", "rim_color")


class SceneDrawing:
    """Programs and buffers in one OpenGL context. Every call, `close` too, needs that context to be current."""

    def __init__(self, context: moderngl.Context) -> None:
        """Compile the programs for an OpenGL 3.3 core context."""
        self._context = context
        self._background = self._program(shaders.BACKGROUND_VERTEX, shaders.BACKGROUND_FRAGMENT)
        self._floor = self._program(shaders.FLOOR_VERTEX, shaders.FLOOR_FRAGMENT)
        self._shadow = self._program(shaders.SHADOW_VERTEX, shaders.SHADOW_FRAGMENT)
        self._mesh = self._program(shaders.MESH_VERTEX, shaders.MESH_FRAGMENT)
        self._solid = self._program(shaders.SOLID_VERTEX, shaders.SOLID_FRAGMENT)
        self._line = self._program(shaders.LINE_VERTEX, shaders.LINE_FRAGMENT)
        self._background_array = context.vertex_array(self._background, [])
        square, strip = context.buffer(SQUARE), context.buffer(STRIP)
        self._floor_array = context.vertex_array(self._floor, [(square, "2f", "corner")])
        bone, joint = context.buffer(octahedron()), context.buffer(ball())
        solid = ("3f 3f 1f 3f", "start", "end", "radius", "tint")
        line = ("3f 3f 4f 4f", "start", "end", "start_color", "end_color")
        self._shadows = _Instances(context, self._shadow, (square, "2f", "corner"), ("4f", "blob"))
        self._bones = _Instances(context, self._solid, (bone, "3f 3f", "corner", "corner_normal"), solid)
        self._joints = _Instances(context, self._solid, (joint, "3f 3f", "corner", "corner_normal"), solid)
        self._frustum = _Instances(context, self._line, (strip, "2f", "corner"), line)
        self._trails = _Instances(context, self._line, (strip, "2f", "corner"), line)
        self._surfaces = _Surfaces(context, self._mesh)
        self._stage = _Stage(context)
        self._held: list[Any] = [
            self._background_array, self._floor_array, self._shadows, self._bones, self._joints, self._frustum,
            self._trails, self._surfaces, self._stage, self._background, self._floor, self._shadow, self._mesh,
            self._solid, self._line, square, strip, bone, joint,
        ]  # fmt: skip

    def draw(
        self,
        scene: Scene,
        camera: OrbitCamera,
        target: moderngl.Framebuffer,
        size_wh: tuple[int, int],
        look: Look | None = None,
        pixel_ratio: float = 1.0,
    ) -> None:
        """Draw all of `target`.

        Args:
            scene: What there is.
            camera: Where it is seen from.
            target: Has colour and depth; its alpha is 1 everywhere afterwards.
            size_wh: Its size in pixels.
            look: What of the scene is shown, and in which theme.
            pixel_ratio: Pixels per unit of the window system, so that lines are equally thick everywhere.
        """
        look = look or Look()
        theme = THEMES[look.theme]
        clip_from_world = camera.projection(size_wh[0] / size_wh[1]) @ camera.view()
        for program in (self._floor, self._shadow, self._mesh, self._solid, self._line):
            _set_matrix(program, "clip_from_world", clip_from_world)
        context = self._context
        # The alpha of what is drawn mixes colours alone: the window behind must not shine through.
        context.blend_func = (context.SRC_ALPHA, context.ONE_MINUS_SRC_ALPHA, context.ZERO, context.ONE)  # type: ignore
        self._stage.show(target, size_wh, (camera, look.theme), lambda: self._draw_stage(camera, theme))
        self._draw_shadows(scene, theme)
        self._set_light(camera, theme)
        self._draw_people(scene, look, theme)
        self._draw_lines(scene, look, theme, size_wh, pixel_ratio)

    def close(self) -> None:
        """Release everything; may be called twice."""
        for part in self._held:
            part.release()
        self._held = []

    def _program(self, vertex: str, fragment: str) -> moderngl.Program:
        return self._context.program(vertex_shader=vertex, fragment_shader=fragment)

    def _draw_stage(self, camera: OrbitCamera, theme: Theme) -> None:
        """Draw what is there without people."""
        context = self._context
        context.enable_only(context.NOTHING)
        self._background["bottom"], self._background["top"] = theme.bottom, theme.top
        self._background_array.render(context.TRIANGLES, vertices=3)
        context.enable_only(context.BLEND)
        radius = max(SMALLEST_DISC_M, DISC_PER_DISTANCE * camera.distance_m)
        self._floor["disc"] = (camera.target[0], camera.target[2], radius, GRID_M)
        for name in ("ground", "line", "x_axis", "z_axis"):
            self._floor[name] = getattr(theme, name)
        self._floor_array.render(context.TRIANGLE_STRIP)

    def _draw_shadows(self, scene: Scene, theme: Theme) -> None:
        # Floor and shadows hide nothing: a foot that sinks in is something to be seen.
        context = self._context
        context.enable_only(context.BLEND)
        self._shadow["shade"] = theme.shade
        self._shadows.render(shadow_rows(scene), context.TRIANGLE_STRIP)

    def _set_light(self, camera: OrbitCamera, theme: Theme) -> None:
        axes, eye = camera.axes, tuple(float(x) for x in camera.position)
        directions = {"key_direction": axes @ _unit(KEY_DIRECTION), "fill_direction": axes @ _unit(FILL_DIRECTION)}
        for program in (self._mesh, self._solid):
            program["eye"] = eye
            for name, direction in directions.items():
                program[name] = tuple(float(x) for x in direction)
            for name in LIGHTS:
                program[name] = getattr(theme, name)

    def _draw_people(self, scene: Scene, look: Look, theme: Theme) -> None:
        context = self._context
        context.enable_only(context.DEPTH_TEST | context.CULL_FACE)
        colors = colors_of(scene.track_ids, theme.depth)
        has_surface = bool(len(scene.vertices)) and look.mode != "skeleton"
        if has_surface:
            self._mesh["gloss"] = GLOSS
            self._surfaces.render(scene, colors)
        if look.mode == "mesh" and has_surface:
            return
        if has_surface:
            colors = colors + BONE_PALENESS * (1 - colors)
        self._solid["in_front"] = float(has_surface)
        self._bones.render(bone_rows(scene, colors), context.TRIANGLES)
        self._joints.render(joint_rows(scene, colors), context.TRIANGLES)

    def _draw_lines(self, scene: Scene, look: Look, theme: Theme, size_wh: tuple[int, int], pixel_ratio: float) -> None:
        context = self._context
        context.enable_only(context.DEPTH_TEST | context.BLEND)
        self._line["size"] = size_wh
        if scene.camera is not None:
            self._line["width"] = LINE_PX * pixel_ratio
            self._frustum.render(frustum_rows(scene.camera, theme.frustum), context.TRIANGLE_STRIP)
        if look.trail and scene.trails:
            self._line["width"] = TRAIL_PX * pixel_ratio
            rows = trail_rows(scene.trails, colors_of(scene.track_ids, theme.depth))
            self._trails.render(rows, context.TRIANGLE_STRIP)


class _Stage:
    """Background and floor: with software GL they cost as much as the people, and stay while the camera does."""

    def __init__(self, context: moderngl.Context) -> None:
        self._context = context
        self._seen: tuple[Any, ...] = ()
        self._kept: tuple[Any, ...] = ()
        self._copy: moderngl.Framebuffer | None = None

    def show(
        self, target: moderngl.Framebuffer, size_wh: tuple[int, int], what: tuple[Any, ...], draw: Callable[[], None]
    ) -> None:
        """Begin drawing into `target`, with what `draw` draws; `what` tells when that is something else."""
        what = (*what, size_wh)
        if what != self._seen:  # the camera moves: a copy would be of no use
            self._seen = what
            self._begin(target, size_wh)
            draw()
            return
        if what != self._kept:
            self._keep(size_wh)
            draw()
            self._kept = what
        self._begin(target, size_wh)
        assert self._copy is not None
        self._context.copy_framebuffer(target, self._copy)

    def release(self) -> None:
        if self._copy is not None:
            self._copy.color_attachments[0].release()
            self._copy.release()
        self._copy, self._kept = None, ()

    def _begin(self, target: moderngl.Framebuffer, size_wh: tuple[int, int]) -> None:
        target.use()
        target.viewport = (0, 0, *size_wh)
        target.clear(0.0, 0.0, 0.0, 1.0)

    def _keep(self, size_wh: tuple[int, int]) -> None:
        if self._copy is None or self._copy.size != size_wh:
            self.release()
            self._copy = self._context.framebuffer(self._context.renderbuffer(size_wh, 4))
        self._begin(self._copy, size_wh)


class _Instances:
    """One shape drawn many times, each with a row of numbers of its own."""

    def __init__(
        self, context: moderngl.Context, program: moderngl.Program, shape: tuple[Any, ...], row: tuple[str, ...]
    ) -> None:
        self._context, self._program = context, program
        self._shape, self._row = shape, row
        self._buffer: moderngl.Buffer | None = None
        self._array: moderngl.VertexArray | None = None

    def render(self, rows: FloatArray, kind: int) -> None:
        if not len(rows):
            return
        if self._buffer is None or self._buffer.size < rows.nbytes:
            self.release()
            self._buffer = self._context.buffer(reserve=2 * rows.nbytes)
            content = [self._shape, (self._buffer, f"{self._row[0]} /i", *self._row[1:])]
            self._array = self._context.vertex_array(self._program, content)
        assert self._array is not None
        self._buffer.orphan()
        self._buffer.write(np.ascontiguousarray(rows))
        self._array.render(kind, instances=len(rows))

    def release(self) -> None:
        for part in (self._array, self._buffer):
            if part is not None:
                part.release()
        self._array = self._buffer = None


class _Surfaces:
    """Bodies that share one set of faces."""

    def __init__(self, context: moderngl.Context, program: moderngl.Program) -> None:
        self._context, self._program = context, program
        self._faces: np.ndarray | None = None
        self._normals: VertexNormals
        self._parts: list[Any] = []

    def render(self, scene: Scene, colors: FloatArray) -> None:
        self._prepare(scene)
        places, normals, *_, array = self._parts
        for vertices, color in zip(scene.vertices, colors, strict=True):
            places.orphan()
            places.write(np.ascontiguousarray(vertices))
            normals.orphan()
            normals.write(self._normals(vertices))
            self._program["color"] = tuple(float(x) for x in color)
            array.render(self._context.TRIANGLES)

    def release(self) -> None:
        for part in reversed(self._parts):
            part.release()
        self._parts, self._faces = [], None

    def _prepare(self, scene: Scene) -> None:
        """Make buffers for these faces, once."""
        count = scene.vertices.shape[1]
        before = self._faces
        if before is not None and self._parts[0].size == 12 * count and are_same(before, scene.faces):
            return
        self.release()
        shading = shading_of(scene)
        self._faces, self._normals = scene.faces, shading.normals
        places, normals = (self._context.buffer(reserve=12 * count) for _ in range(2))
        index = self._context.buffer(np.ascontiguousarray(scene.faces, np.int32))
        folds = self._context.buffer(shading.folds)
        content = [(places, "3f", "position"), (normals, "3f", "normal"), (folds, "1f", "openness")]
        array = self._context.vertex_array(self._program, content, index)
        self._parts = [places, normals, folds, index, array]


def _set_matrix(program: moderngl.Program, name: str, matrix: FloatArray) -> None:
    uniform: Any = program[name]
    uniform.write(np.ascontiguousarray(matrix.T, np.float32).tobytes())  # OpenGL keeps columns together


def _unit(direction: tuple[float, float, float]) -> np.ndarray:
    vector = np.array(direction)
    return vector / np.linalg.norm(vector)
