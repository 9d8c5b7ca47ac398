"""From motion to pictures: performers in the room, frame by frame, and into a video."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.rendering import Light, MeshRenderer, Surface
from engines.types import FloatArray, Image
from exporters import Take

from ..sinks.video import VideoFile
from .actor import Actor
from .camera import DemoCamera
from .choreography import FPS, STOOL_XZ
from .clip import make_clip
from .costume import COSTUMES, dress
from .room import cast_shadow, draw_room
from .truth import Truth, measure_truth

Array = NDArray[Any]
FINER = 2
"""Bodies are drawn so much larger and then reduced: with software GL this smooths edges for less than half the time
of multisampling (12 against 30 ms of CPU for a 512x640 tile)."""
MAX_PEOPLE = 8
APART_M = 0.95
LIGHT = Light(
    key_direction=(-0.45, -0.8, -0.55), key_color=(0.66, 0.65, 0.62), fill_direction=(0.8, -0.1, -0.5),
    fill_color=(0.16, 0.17, 0.2), ambient=(0.36, 0.36, 0.38),
)  # fmt: skip
SHAPES = ((0.0, 0.0), (-0.9, 0.8), (0.7, -0.6), (-0.3, -0.9), (1.1, 0.6), (-1.3, -0.2), (0.3, 1.2), (-0.6, 0.3))
"""First two shape numbers of each performer."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Who plays what, seen by which camera."""

    actors: tuple[Actor, ...]
    takes: tuple[Take, ...]
    camera: DemoCamera
    offsets: tuple[tuple[float, float, float], ...]
    """Metres by which each performer, and its stool, stands away from the choreography's place."""

    @property
    def truths(self) -> tuple[Truth, ...]:
        """What is known of each performer."""
        pairs = zip(self.actors, self.takes, strict=True)
        return tuple(measure_truth(take, actor.betas, self.camera) for actor, take in pairs)


def make_scene(people: int = 1, size_wh: tuple[int, int] = (1280, 720), duration_s: float | None = None) -> Scene:
    """Return 1 to 8 performers of different build, side by side, all in the same clip.

    Raises:
        ValueError: There is no room for so many people, or the duration holds no frame.
    """
    if not 1 <= people <= MAX_PEOPLE:
        raise ValueError(f"people: found {people}, expected 1 to {MAX_PEOPLE}")
    actors = tuple(_actor(n) for n in range(people))
    offsets = tuple(_offset(n, people) for n in range(people))
    takes = []
    for actor, offset in zip(actors, offsets, strict=True):
        take = make_clip(actor.performer, duration_s)
        takes.append(replace(take, root_translation=take.root_translation + np.array(offset, np.float32)))
    return Scene(actors, tuple(takes), DemoCamera(size_wh), offsets)


def _actor(number: int) -> Actor:
    betas = np.zeros(10, np.float32)
    betas[:2] = SHAPES[number]
    return Actor(betas)


def _offset(number: int, people: int) -> tuple[float, float, float]:
    """Return where performer `number` stands; the more there are, the further back."""
    aside = (number - (people - 1) / 2) * APART_M
    return (aside, 0.0, -0.28 * (people - 1) if people > 1 else 0.0)


def draw_frames(scene: Scene) -> Iterator[Image]:
    """Yield `(H, W, 3)` uint8 RGB, one per time of the takes."""
    stools = [(STOOL_XZ[0] + x, STOOL_XZ[1] + z) for x, _, z in scene.offsets]
    room = draw_room(scene.camera, stools)
    surfaces = [dress(actor.body, COSTUMES[n % len(COSTUMES)]) for n, actor in enumerate(scene.actors)]
    tile_wh = _tile_size(scene)
    skins = zip(*(a.skins(t) for a, t in zip(scene.actors, scene.takes, strict=True)), strict=True)
    finer_wh = (FINER * tile_wh[0], FINER * tile_wh[1])
    with MeshRenderer(scene.actors[0].body.faces, finer_wh, samples=0) as renderer:
        for bodies in skins:
            yield _draw_frame(room, np.stack(bodies), scene.camera, renderer, surfaces)


def _draw_frame(
    room: Image, bodies: FloatArray, camera: DemoCamera, renderer: MeshRenderer, surfaces: list[Surface]
) -> Image:
    """Draw the bodies `(N, V, 3)`, world frame, over the room; only the tile that holds them goes through GL."""
    picture = cast_shadow(room, camera, bodies.reshape(-1, 3))
    width, height = (s // FINER for s in renderer.size_wh)
    x0, y0 = _tile_corner(camera, bodies, (width, height))
    lens = camera.intrinsics.copy()
    lens[:2, 2] -= (x0, y0)
    lens[:2] *= FINER
    drawing = renderer.draw(camera.to_camera(bodies), lens, surfaces, LIGHT)
    drawing = cv2.resize(drawing, (width, height), interpolation=cv2.INTER_AREA)
    _lay_over(picture[y0 : y0 + height, x0 : x0 + width], drawing)
    return picture


def _lay_over(tile: Image, drawing: NDArray[np.uint8]) -> None:
    """Lay a premultiplied `(h, w, 4)` drawing over the tile, in place, in whole numbers for speed."""
    keep = cv2.cvtColor(255 - drawing[..., 3], cv2.COLOR_GRAY2RGB)
    below = cv2.multiply(tile, keep, scale=1 / 255)
    tile[:] = cv2.add(below, np.ascontiguousarray(drawing[..., :3]))


def _tile_size(scene: Scene) -> tuple[int, int]:
    """Return the size of a window that holds the bodies in every frame, at most the picture."""
    if len(scene.takes) > 1:
        return scene.camera.size_wh
    truth = scene.truths[0]
    extent = (truth.joints_px.max(1) - truth.joints_px.min(1)).max(0)
    margin = 2 * 0.22 * scene.camera.focal_px / truth.joints_camera_m[..., 2].min()
    size = (np.ceil((extent + margin) / 32) * 32).astype(int)
    return tuple(int(s) for s in np.minimum(size, scene.camera.size_wh))  # type: ignore[return-value]


def _tile_corner(camera: DemoCamera, bodies: FloatArray, size_wh: tuple[int, int]) -> tuple[int, int]:
    pixels = camera.to_pixels(bodies.reshape(-1, 3))
    middle = (pixels.min(0) + pixels.max(0)) / 2
    room_left = np.array(camera.size_wh) - size_wh
    x, y = np.clip(np.round(middle - np.array(size_wh) / 2), 0, room_left).astype(int)
    return int(x), int(y)


def render_clip(
    path: Path,
    people: int = 1,
    size: tuple[int, int] = (1280, 720),
    duration_s: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Scene:
    """Render the clip into a video file at 30 frames/s and return what was played.

    Args:
        path: where to write, `.mp4` (MPEG-4, which every OpenCV writes and ordinary players open); replaced if there.
        people: 1 to 8 performers.
        size: width and height in pixels.
        duration_s: the first so many seconds; None is the whole clip.
        progress: told frames done and frames in all.

    Raises:
        SinkError: The file cannot be written.
    """
    scene = make_scene(people, size, duration_s)
    count = len(scene.takes[0])
    video = VideoFile(path, FPS, size)
    try:
        for done, picture in enumerate(draw_frames(scene), start=1):
            video.add(picture, int(scene.takes[0].timestamps_ns[done - 1]))
            if progress is not None:
                progress(done, count)
    finally:
        video.close()
    return scene
