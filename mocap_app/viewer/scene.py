"""What there is to be seen in three dimensions at one moment. No Qt, no OpenGL.

Everything is in the world frame of `exporters.types`: right-handed, y up, metres, floor at y = 0.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from engines.types import BodyModel, FloatArray, IntArray, check_array
from exporters.kinematics import forward_kinematics
from exporters.types import Pose, Skeleton

from ..motion.world import world_from_camera
from ..types import FrameResult

TRAIL_S = 4.0
"""How long a root's way is remembered."""
TRAIL_STEP_M = 0.02
"""A root that moved less adds no point to its way."""
TRAIL_POINTS = 600
"""At most, per person, whatever the frame rate."""


@dataclass(frozen=True, slots=True)
class SourceCamera:
    """The camera that the people were captured with."""

    position: FloatArray
    """`(3,)` float32, metres, world frame."""
    rotation: FloatArray
    """`(3, 3)` float32, camera axes (x right, y down, z forward) -> world axes."""
    intrinsics: FloatArray
    """`(3, 3)` float32, pixels."""
    size_wh: tuple[int, int]
    """Of the picture, pixels."""

    def __post_init__(self) -> None:
        check_array("position", self.position, (3,), np.float32)
        check_array("rotation", self.rotation, (3, 3), np.float32)
        check_array("intrinsics", self.intrinsics, (3, 3), np.float32)

    def to_world(self, points: np.ndarray) -> FloatArray:
        """Return `(..., 3)` float32 world points of points in the camera's frame, metres."""
        return (points @ self.rotation.T + self.position).astype(np.float32)

    def corners(self, depth_m: float) -> FloatArray:
        """Return `(4, 3)` float32 world points: the picture's corners, clockwise from top left, at this depth."""
        width, height = self.size_wh
        pixels = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
        focal = self.intrinsics[(0, 1), (0, 1)]
        rays = np.concatenate([(pixels - self.intrinsics[:2, 2]) / focal, np.ones((4, 1))], axis=1)
        return self.to_world(rays * depth_m)


def _nothing(*shape: int) -> FloatArray:
    return np.zeros(shape, np.float32)


@dataclass(frozen=True, slots=True)
class Scene:
    """N people at one moment; N = 0 is an empty floor. Row n of every array is the same person."""

    vertices: FloatArray = field(default_factory=lambda: _nothing(0, 0, 3))
    """`(N, V, 3)` float32, metres, world; `(0, V, 3)` where surfaces are unknown and bones are all there is."""
    faces: IntArray = field(default_factory=lambda: np.zeros((0, 3), np.int32))
    """`(F, 3)` int32, counter-clockwise seen from outside."""
    joints: FloatArray = field(default_factory=lambda: _nothing(0, 0, 3))
    """`(N, J, 3)` float32, metres, world."""
    parents: IntArray = field(default_factory=lambda: np.zeros(0, np.int32))
    """`(J,)` int32, -1 for the root."""
    track_ids: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    """`(N,)` int64, from 1; they give the colours."""
    camera: SourceCamera | None = None
    trails: tuple[FloatArray, ...] = ()
    """Where each root came from: N arrays `(K, 3)` float32, metres, world, oldest first; or none at all."""

    def __post_init__(self) -> None:
        check_array("joints", self.joints, (None, None, 3), np.float32)
        people, joints = self.joints.shape[:2]
        check_array("parents", self.parents, (joints,), np.int32)
        check_array("faces", self.faces, (None, 3), np.int32)
        check_array("vertices", self.vertices, (people if len(self.vertices) else 0, None, 3), np.float32)
        check_array("track_ids", self.track_ids, (people,), np.int64)
        if len(self.trails) not in (0, people):
            raise ValueError(f"trails: found {len(self.trails)}, expected {people} or none")

    def __len__(self) -> int:
        return len(self.track_ids)

    @property
    def points(self) -> FloatArray:
        """`(K, 3)` float32: what must be in the picture for the people to be."""
        return (self.vertices if len(self.vertices) else self.joints).reshape(-1, 3)


def rehearsal() -> Scene:
    """Return a scene with a little of everything that can be drawn, far below the floor."""
    corners = np.array([(0, 0, 0), (0.1, 0, 0), (0, 0.1, 0), (0, 0, 0.1)], np.float32) - (0, 50, 0)
    faces = np.array([(0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3)], np.int32)
    points = corners[None].astype(np.float32)
    return Scene(
        points, faces, points[:, :2], np.array([-1, 0], np.int32), np.ones(1, np.int64), trails=(points[0, :3],)
    )


def scene_of(result: FrameResult, body_model: BodyModel, camera_pitch_deg: float = 0.0) -> Scene:
    """Return what one live result shows.

    Joints are those of the filtered poses, so what is seen is what is recorded and streamed; the surface is the
    engine's own, turned into the world and moved to the filtered root. Bodies that were not recovered are left out.

    Args:
        result: One frame of a session.
        body_model: Of the engine that gave it.
        camera_pitch_deg: The setting `motion.camera_pitch_deg`, which the poses were made with.
    """
    shown = np.flatnonzero(result.meshes.scores > 0)
    meshes = result.meshes
    axes = world_from_camera(camera_pitch_deg).astype(np.float32)
    roots = np.array([result.poses[n].root_translation for n in shown], np.float32).reshape(-1, 3)
    # Not a matrix product: its threads wait for each other on a busy machine, and the window would with them.
    vertices = np.einsum("nvj,ij->nvi", meshes.vertices[shown], axes) + roots[:, None]
    joints = [_posed_joints(body_model, meshes.joints[n], meshes.global_rotations[n], result.poses[n]) for n in shown]
    return Scene(
        vertices,
        body_model.faces,
        np.array(joints, np.float32).reshape(-1, len(body_model.parents), 3),
        body_model.parents,
        result.tracks.track_ids[shown],
        live_camera(result, axes),
    )


def live_camera(result: FrameResult, axes: np.ndarray) -> SourceCamera:
    """Return the camera of a live result, whose axes turn into the world's by the `(3, 3)` rotation `axes`."""
    height, width = result.frame.image.shape[:2]
    position = np.array((0.0, -result.floor_y_m, 0.0), np.float32)
    return SourceCamera(position, axes.astype(np.float32), result.meshes.intrinsics.astype(np.float32), (width, height))


def _posed_joints(body_model: BodyModel, joints: FloatArray, rotations: FloatArray, pose: Pose) -> FloatArray:
    """Return `(J, 3)` world joints of `pose`, with the bones of the `(J, 3)` joints that were recovered."""
    above = np.maximum(body_model.parents, 0)
    offsets = np.einsum("jki,jk->ji", rotations[above], joints - joints[above])
    skeleton = Skeleton(body_model.name, body_model.joint_names, body_model.parents, offsets.astype(np.float32))
    return forward_kinematics(skeleton, pose.rotations_wxyz, pose.root_translation)


class Trails:
    """Collects the way of each person's root, of bounded length. Belongs to one thread."""

    def __init__(self, seconds: float = TRAIL_S) -> None:
        """Remember this many seconds."""
        self._seconds = seconds
        self._ways: dict[int, deque[tuple[float, FloatArray]]] = {}

    def clear(self) -> None:
        """Forget everything, as after a jump in time."""
        self._ways.clear()

    def with_trails(self, scene: Scene, seconds: float) -> Scene:
        """Take a scene of the time `seconds` and return it with the ways of its people.

        Time that goes backwards forgets what lies ahead; whoever is gone for longer than is remembered is forgotten.
        """
        roots = scene.joints[:, 0] if scene.joints.shape[1] else _nothing(0, 3)
        for number, root in zip(scene.track_ids, roots, strict=True):
            self._add(self._ways.setdefault(int(number), deque(maxlen=TRAIL_POINTS)), root, seconds)
        for way in self._ways.values():
            self._forget(way, seconds)
        self._ways = {number: way for number, way in self._ways.items() if way}
        return replace(scene, trails=tuple(self._points(int(number)) for number in scene.track_ids))

    def _add(self, way: deque[tuple[float, FloatArray]], root: FloatArray, seconds: float) -> None:
        while way and way[-1][0] >= seconds:
            way.pop()
        if not way or float(np.linalg.norm(way[-1][1] - root)) >= TRAIL_STEP_M:
            way.append((seconds, root.copy()))

    def _forget(self, way: deque[tuple[float, FloatArray]], seconds: float) -> None:
        while way and seconds - way[0][0] > self._seconds:
            way.popleft()

    def _points(self, number: int) -> FloatArray:
        return _stacked(point for _, point in self._ways.get(number, ()))


def _stacked(points: Iterable[FloatArray]) -> FloatArray:
    return np.array(list(points), np.float32).reshape(-1, 3)
