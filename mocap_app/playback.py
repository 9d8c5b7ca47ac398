"""Takes on disk, seen again: the scene at any moment of a recording. No Qt, no torch."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from engines.types import FloatArray
from exporters.errors import TakeFileError
from exporters.files import read_take
from exporters.kinematics import joint_positions, rest_joints, world_rotations
from exporters.resample import take_rate
from exporters.rotations import matrix_from_quaternion, slerp
from exporters.types import SkinnedMesh, Take

from .export.plan import Source
from .export.surfaces import surface_of_take
from .motion.world import world_from_camera
from .viewer.scene import TRAIL_POINTS, TRAIL_S, TRAIL_STEP_M, Scene, SourceCamera

LONGEST_GAP_NS = 500_000_000
"""Somebody who was out of sight for longer is out of sight in between."""
AT_INSTANT = 1e-3
"""So near to an instant, as a part of the step, no interpolation is needed: 33 microseconds at 30 frames a second."""


class Playback:
    """The performers of one recording. Belongs to one thread, apart from that it holds nothing but arrays.

    Time is in seconds from the recording's first instant. Whoever is not seen at a moment is not in its scene.
    """

    def __init__(self, takes: Sequence[Take]) -> None:
        """Take performers who share a clock and a skeleton's joints.

        Raises:
            TakeFileError: There is no instant to be seen, or the takes do not belong together.
        """
        self.takes = tuple(take for take in takes if len(take))
        if not self.takes:
            raise TakeFileError("the takes are empty, expected at least one instant; open another take")
        _check_joints(self.takes)
        self._start_ns = min(int(take.timestamps_ns[0]) for take in self.takes)
        self._end_ns = max(int(take.timestamps_ns[-1]) for take in self.takes)
        self.fps = max(float(take_rate(take)) for take in self.takes)
        """Frames per second of the source."""
        self.camera = next((c for c in map(camera_of_take, self.takes) if c is not None), None)
        """What the recording was made with; None where the takes do not tell."""

    @classmethod
    def open(cls, paths: Sequence[Path | str]) -> Playback:
        """Read takes of one recording.

        Raises:
            TakeFileError: A file is absent, damaged or no take, or the takes do not belong together.
        """
        return cls([read_take(path) for path in paths])

    @property
    def people(self) -> int:
        """How many performers there are in all."""
        return len(self.takes)

    @property
    def duration_s(self) -> float:
        """Seconds from the first instant to the last."""
        return (self._end_ns - self._start_ns) / 1e9

    @cached_property
    def has_surfaces(self) -> bool:
        """Whether the bodies of all performers are known; else bones are all that is shown."""
        return all(surface is not None for surface in self._surfaces)

    def scene_at(self, seconds: float) -> Scene:
        """Return who is there and in which pose, between instants by SLERP; `seconds` may lie outside."""
        time_ns = self._start_ns + round(min(max(seconds, 0.0), self.duration_s) * 1e9)
        seen = [(n, pose) for n, take in enumerate(self.takes) if (pose := pose_at(take, time_ns)) is not None]
        joints, vertices, trails = [], [], []
        for n, (rotations, root) in seen:
            take = self.takes[n]
            turns = world_rotations(take.skeleton, rotations)
            joints.append(joint_positions(take.skeleton, turns, root))
            trails.append(_trail(take, time_ns, joints[-1][0]))
            surface = self._surfaces[n] if self.has_surfaces else None
            if surface is not None:
                vertices.append(surface(turns, joints[-1]))
        return Scene(
            vertices=np.array(vertices, np.float32).reshape(len(vertices), -1, 3) if vertices else _NO_VERTICES,
            faces=self._faces,
            joints=np.array(joints, np.float32).reshape(len(seen), -1, 3) if seen else self._nobody,
            parents=self.takes[0].skeleton.parents,
            track_ids=np.array([self.takes[n].subject for n, _ in seen], np.int64),
            camera=self.camera,
            trails=tuple(trails),
        )

    @cached_property
    def _surfaces(self) -> tuple[PosedSurface | None, ...]:
        meshes = [surface_of_take(take) for take in self.takes]
        pairs = zip(self.takes, meshes, strict=True)
        return tuple(None if mesh is None else PosedSurface(mesh, rest_joints(take.skeleton)) for take, mesh in pairs)

    @cached_property
    def _faces(self) -> np.ndarray:
        first = self._surfaces[0]
        return np.zeros((0, 3), np.int32) if first is None or not self.has_surfaces else first.faces

    @property
    def _nobody(self) -> FloatArray:
        return np.zeros((0, len(self.takes[0].skeleton.parents), 3), np.float32)


_NO_VERTICES = np.zeros((0, 0, 3), np.float32)


class PosedSurface:
    """A skinned surface that takes on poses, by linear blend skinning, in half a millisecond."""

    def __init__(self, mesh: SkinnedMesh, rest: FloatArray) -> None:
        """Bind `mesh` to the skeleton whose `(J, 3)` rest joints it was made for."""
        self.faces = mesh.faces
        self._rest = rest.astype(np.float64)
        # One plane per axis and per bound joint; and no matrix product, whose threads wait for each other on a busy
        # machine, for eight milliseconds now and then.
        self._planes = np.ascontiguousarray(mesh.vertices.T)
        used = mesh.weights.any(axis=0)
        self._bound = [
            (np.ascontiguousarray(mesh.joints[:, k], np.intp), np.ascontiguousarray(mesh.weights[:, k]))
            for k in np.flatnonzero(used)
        ]

    def __call__(self, turns_wxyz: np.ndarray, joints: FloatArray) -> FloatArray:
        """Return `(V, 3)` float32 metres, world, for `(J, 4)` rotations joint -> world and `(J, 3)` joints."""
        turns = matrix_from_quaternion(turns_wxyz)
        shifts = joints - np.einsum("jab,jb->ja", turns, self._rest)
        rows = np.concatenate([turns, shifts[..., None]], axis=2).reshape(-1, 12).T.astype(np.float32)
        blended = sum(rows.take(joint, axis=1) * weight for joint, weight in self._bound)
        blended = np.asarray(blended).reshape(3, 4, -1)
        x, y, z = self._planes
        moved = blended[:, 0] * x + blended[:, 1] * y + blended[:, 2] * z + blended[:, 3]
        return np.ascontiguousarray(moved.T)


def takes_of_recording(path: Path | str) -> tuple[Path, ...]:
    """Return the files of everybody who was recorded together with the take at `path`, in order of their numbers."""
    source = Source(Path(path))
    return tuple(other.path for other in _others(source)) or (source.path,)


def pose_at(take: Take, time_ns: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Return `(J, 4)` parent-relative rotations and the `(3,)` root at a time of the take's clock.

    None outside the take, and in gaps of more than half a second.
    """
    times = take.timestamps_ns
    after = int(np.searchsorted(times, time_ns, side="left"))
    if after == len(times) or (after == 0 and times[0] != time_ns):
        return None
    before = after if times[after] == time_ns else after - 1
    step_ns = int(times[after] - times[before])
    fraction = 0.0 if step_ns == 0 else float(time_ns - times[before]) / step_ns
    for instant, is_near in ((before, fraction < AT_INSTANT), (after, fraction > 1 - AT_INSTANT)):
        if is_near:
            return take.rotations_wxyz[instant], take.root_translation[instant]
    if step_ns > LONGEST_GAP_NS:
        return None
    rotations = slerp(take.rotations_wxyz[before], take.rotations_wxyz[after], np.array(fraction))
    root = (1 - fraction) * take.root_translation[before] + fraction * take.root_translation[after]
    return rotations, root


def camera_of_take(take: Take) -> SourceCamera | None:
    """Return the camera a take was captured with, or None where it does not tell.

    The camera stands where the joints that were measured in its frame lead to the roots in the world.
    """
    seen, size = take.observations, take.metadata.get("source_size_wh")
    if seen is None or not size or seen.intrinsics[0, 0] <= 1 or not seen.joints_camera_m.any():
        return None
    settings = take.metadata.get("settings") or {}
    axes = world_from_camera(float(settings.get("motion.camera_pitch_deg", 0.0))).astype(np.float32)
    position = np.median(take.root_translation - seen.joints_camera_m[:, 0] @ axes.T, axis=0).astype(np.float32)
    return SourceCamera(position, axes, seen.intrinsics, (int(size[0]), int(size[1])))


def _check_joints(takes: Sequence[Take]) -> None:
    first = takes[0].skeleton
    for take in takes[1:]:
        skeleton = take.skeleton
        if skeleton.joint_names != first.joint_names or not np.array_equal(skeleton.parents, first.parents):
            raise TakeFileError(
                f"{take.name} has {len(skeleton.parents)} joints of another skeleton than {takes[0].name}, expected "
                "takes of one recording; open it on its own"
            )


def _trail(take: Take, time_ns: int, root: FloatArray) -> FloatArray:
    """Return `(K, 3)`: the root's way of the last seconds up to `root`, without what lies before a gap."""
    end = int(np.searchsorted(take.timestamps_ns, time_ns, side="right"))
    begin = int(np.searchsorted(take.timestamps_ns, time_ns - round(TRAIL_S * 1e9), side="left"))
    gaps = np.flatnonzero(np.diff(take.timestamps_ns[begin:end]) > LONGEST_GAP_NS)
    begin += int(gaps[-1]) + 1 if len(gaps) else 0
    way = take.root_translation[begin : end : 1 + (end - begin) // TRAIL_POINTS]
    # As in `Trails`: points in one place say nothing, and a way of many dots is not smooth.
    passed = np.r_[0.0, np.linalg.norm(np.diff(way, axis=0), axis=1).cumsum()] if len(way) else np.zeros(0)
    way = way[np.unique(np.floor(passed / TRAIL_STEP_M), return_index=True)[1]]
    return np.concatenate([way, root[None]]).astype(np.float32)


def _others(source: Source) -> list[Source]:
    folder, stem = source.recording
    found = [Source(path) for path in folder.glob(f"*{source.path.suffix}")]
    return sorted(
        (other for other in found if other.recording == (folder, stem)), key=lambda other: (len(other.stem), other.stem)
    )
