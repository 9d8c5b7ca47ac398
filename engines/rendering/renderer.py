"""Meshes to a picture with transparency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..types import FloatArray, Image, IntArray
from .context import create_context
from .normals import VertexNormals
from .shaders import FRAGMENT, VERTEX

if TYPE_CHECKING:
    import moderngl

SKIN = (168, 176, 190)


@dataclass(frozen=True, slots=True)
class Light:
    """Two directional lights and an ambient one; directions point towards the light, camera frame."""

    key_direction: tuple[float, float, float] = (-0.4, -0.6, -0.7)
    key_color: tuple[float, float, float] = (0.75, 0.75, 0.75)
    fill_direction: tuple[float, float, float] = (0.8, -0.1, -0.5)
    fill_color: tuple[float, float, float] = (0.25, 0.25, 0.28)
    ambient: tuple[float, float, float] = (0.22, 0.22, 0.24)


@dataclass(frozen=True, slots=True)
class Surface:
    """How a body looks: colours of its vertices and a pattern that sticks to its rest pose."""

    colors: NDArray[np.uint8]
    """`(V, 3)` uint8 RGB."""
    rest: FloatArray | None = None
    """`(V, 3)` float32 metres, rest-pose positions the pattern follows."""
    pattern: int = 0
    """0 plain, 1 stripes, 2 checks, 3 blotches."""
    frequency: float = 10.0
    """Pattern repeats per metre."""
    strength: float = 0.0
    seed: float = 0.0
    gloss: float = 0.1


class MeshRenderer:
    """Draws bodies that share one set of faces. Belongs to the thread that made it."""

    def __init__(self, faces: IntArray, size_wh: tuple[int, int], samples: int = 4) -> None:
        """Open a context for `(F, 3)` int32 faces and pictures of `size_wh` pixels.

        Raises:
            RuntimeUnavailableError: no OpenGL 3.3 driver.
        """
        self._faces = np.ascontiguousarray(faces, np.int32)
        self.size_wh = size_wh
        self._context = create_context()
        self._program = self._context.program(vertex_shader=VERTEX, fragment_shader=FRAGMENT)
        self._samples = min(samples, self._context.max_samples)
        self._target = self._framebuffer(self._samples)
        self._resolved = self._framebuffer(0) if self._samples else self._target
        self._normals: VertexNormals | None = None
        self._buffer: moderngl.Buffer | None = None
        self._array: moderngl.VertexArray | None = None

    def draw(
        self,
        vertices: FloatArray,
        intrinsics: FloatArray,
        surfaces: list[Surface] | None = None,
        light: Light | None = None,
        normals: FloatArray | None = None,
    ) -> NDArray[np.uint8]:
        """Return `(H, W, 4)` uint8 RGBA (colour premultiplied by coverage, alpha = coverage).

        Args:
            vertices: `(N, V, 3)` float32, metres, camera frame (x right, y down, z forward).
            intrinsics: `(3, 3)` pixels of the picture drawn.
            surfaces: one per body; None takes a plain grey.
            light: None takes the default.
            normals: `(N, V, 3)` unit normals, camera frame, where they are known already.
        """
        self._target.use()
        self._target.clear(0.0, 0.0, 0.0, 0.0)
        self._context.enable_only(self._context.DEPTH_TEST)
        self._set_camera(vertices, intrinsics)
        self._set_light(light or Light())
        for n, body in enumerate(vertices):
            surface = surfaces[n] if surfaces else plain_surface(len(body))
            self._draw_body(body, surface, self.normals(body) if normals is None else normals[n])
        if self._samples:
            self._context.copy_framebuffer(self._resolved, self._target)
        width, height = self.size_wh
        return np.frombuffer(self._resolved.read(components=4), np.uint8).reshape(height, width, 4)

    def normals(self, vertices: FloatArray) -> FloatArray:
        """Return `(V, 3)` float32 unit normals of `(V, 3)` vertices of one body."""
        self._prepare(len(vertices))
        assert self._normals is not None
        return self._normals(vertices)

    def close(self) -> None:
        """Release the context; may be called twice."""
        if self._context is not None:
            self._context.release()
            self._context = None  # type: ignore[assignment]

    def __enter__(self) -> MeshRenderer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _framebuffer(self, samples: int):  # type: ignore[no-untyped-def]
        return self._context.framebuffer(
            self._context.renderbuffer(self.size_wh, 4, samples=samples),
            self._context.depth_renderbuffer(self.size_wh, samples=samples),
        )

    def _set_camera(self, vertices: FloatArray, intrinsics: FloatArray) -> None:
        depths = vertices[..., 2] if vertices.size else np.ones(1, np.float32)
        near = max(float(depths.min()) * 0.9, 0.01)
        self._program["clip"] = (near, max(float(depths.max()) * 1.1, near + 1.0))
        self._program["size"] = self.size_wh
        self._program["lens"] = (intrinsics[0, 0], intrinsics[1, 1], intrinsics[0, 2], intrinsics[1, 2])

    def _set_light(self, light: Light) -> None:
        for name in ("key_direction", "fill_direction"):
            direction = np.asarray(getattr(light, name), float)
            self._program[name] = tuple(direction / max(np.linalg.norm(direction), 1e-9))
        for name in ("key_color", "fill_color", "ambient"):
            self._program[name] = getattr(light, name)

    def _draw_body(self, vertices: FloatArray, surface: Surface, normals: FloatArray) -> None:
        self._prepare(len(vertices))
        assert self._buffer is not None
        assert self._array is not None
        rows = np.empty((len(vertices), 12), np.float32)
        rows[:, 0:3] = vertices
        rows[:, 3:6] = normals
        rows[:, 6:9] = surface.colors * np.float32(1 / 255)
        rows[:, 9:12] = vertices if surface.rest is None else surface.rest
        self._buffer.write(rows)
        self._program["gloss"] = surface.gloss
        self._program["pattern"] = (surface.pattern, surface.frequency, surface.strength, surface.seed)
        self._array.render()

    def _prepare(self, vertex_count: int) -> None:
        """Make the buffers for meshes of this many vertices, once."""
        if self._buffer is not None and self._buffer.size == vertex_count * 48:
            return
        self._normals = VertexNormals(self._faces, vertex_count)
        self._buffer = self._context.buffer(reserve=vertex_count * 48)
        index = self._context.buffer(self._faces.tobytes())
        layout = [(self._buffer, "3f 3f 3f 3f", "position", "normal", "color", "rest")]
        self._array = self._context.vertex_array(self._program, layout, index)


def plain_surface(vertex_count: int, color: tuple[int, int, int] = SKIN) -> Surface:
    """Return one colour for all of `vertex_count` vertices."""
    return Surface(np.broadcast_to(np.array(color, np.uint8), (vertex_count, 3)))


def blend_over(picture: Image, drawing: NDArray[np.uint8], opacity: float = 1.0) -> Image:
    """Return `(H, W, 3)` uint8: the premultiplied `(H, W, 4)` drawing laid over the picture."""
    keep = 1.0 - drawing[..., 3:].astype(np.float32) * np.float32(opacity / 255)
    mixed = picture * keep + drawing[..., :3] * np.float32(opacity)
    return np.clip(mixed, 0, 255).astype(np.uint8)
