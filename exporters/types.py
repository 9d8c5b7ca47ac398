"""Value types and protocols of the motion library.

Conventions: world frame right-handed, y up, metres, floor at y = 0, a performer who faces the camera faces +z;
rotations are unit quaternions `wxyz`, parent-relative, acting on column vectors (`p_parent = R p_child + t`);
time is int nanoseconds. J joints, T times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int32]
TimeArray = NDArray[np.int64]


def check_array(name: str, array: np.ndarray, shape: tuple[int | None, ...], dtype: type) -> None:
    """Raise ValueError unless `array` has `shape` (None = any length) and `dtype`."""
    if not isinstance(array, np.ndarray):
        raise ValueError(f"{name}: found {type(array).__name__}, expected a numpy array of shape {shape}")
    fits = len(array.shape) == len(shape) and all(w is None or w == s for s, w in zip(array.shape, shape, strict=True))
    if not fits:
        raise ValueError(f"{name}: found shape {array.shape}, expected {shape} (None = any length)")
    if array.dtype != dtype:
        raise ValueError(f"{name}: found dtype {array.dtype}, expected {np.dtype(dtype)}")


@dataclass(frozen=True, slots=True)
class Skeleton:
    """Bones of a performer in the rest pose: a T-pose, y up, facing +z, every joint's rest rotation identity."""

    name: str
    joint_names: tuple[str, ...]
    parents: IntArray
    """`(J,)` int32, -1 for the root (index 0); a parent comes before its children."""
    offsets: FloatArray
    """`(J, 3)` float32, metres, from the parent's joint in rest pose. The root's offset is the rest position of
    the root above the floor point below it (0, hip height, 0)."""

    def __post_init__(self) -> None:
        j = len(self.joint_names)
        check_array("parents", self.parents, (j,), np.int32)
        check_array("offsets", self.offsets, (j, 3), np.float32)
        if not np.isfinite(self.offsets).all():
            raise ValueError("offsets: found numbers that are not finite, expected metres")
        if j == 0 or self.parents[0] != -1 or not all(0 <= p < i for i, p in enumerate(self.parents) if i):
            raise ValueError(f"parents: found {self.parents.tolist()}, expected -1 first and parents before children")


@dataclass(frozen=True, slots=True)
class Pose:
    """One performer at one instant."""

    rotations_wxyz: FloatArray
    """`(J, 4)` float32 unit quaternions, relative to the parent; the root's relative to the world."""
    root_translation: FloatArray
    """`(3,)` float32, metres, world frame: where the root joint is."""
    timestamp_ns: int
    subject: int
    """Number of the performer, from 1."""

    def __post_init__(self) -> None:
        check_array("rotations_wxyz", self.rotations_wxyz, (None, 4), np.float32)
        check_array("root_translation", self.root_translation, (3,), np.float32)


@dataclass(frozen=True, slots=True)
class Observations:
    """What was measured while a take was captured, as parallel arrays over the take's T instants."""

    frame_index: TimeArray
    """`(T,)` int64, number of the source's frame."""
    joints_camera_m: FloatArray
    """`(T, J, 3)` float32, metres, camera frame: x right, y down, z forward."""
    joints_px: FloatArray
    """`(T, J, 2)` float32, pixels of the picture."""
    confidence: FloatArray
    """`(T, J)` float32, 0 to 1."""
    box_xyxy: FloatArray
    """`(T, 4)` float32, pixels of the picture."""
    betas: FloatArray
    """`(S,)` float32, shape numbers of the performer over the whole take."""
    intrinsics: FloatArray
    """`(3, 3)` float32, pixels."""

    def __post_init__(self) -> None:
        t = len(self.frame_index)
        check_array("frame_index", self.frame_index, (t,), np.int64)
        check_array("joints_camera_m", self.joints_camera_m, (t, None, 3), np.float32)
        j = self.joints_camera_m.shape[1]
        check_array("joints_px", self.joints_px, (t, j, 2), np.float32)
        check_array("confidence", self.confidence, (t, j), np.float32)
        check_array("box_xyxy", self.box_xyxy, (t, 4), np.float32)
        check_array("betas", self.betas, (None,), np.float32)
        check_array("intrinsics", self.intrinsics, (3, 3), np.float32)


@dataclass(frozen=True, slots=True)
class Take:
    """One performer over time."""

    skeleton: Skeleton
    rotations_wxyz: FloatArray
    """`(T, J, 4)` float32 unit quaternions, relative to the parent; the root's relative to the world."""
    root_translation: FloatArray
    """`(T, 3)` float32, metres, world frame."""
    timestamps_ns: TimeArray
    """`(T,)` int64, strictly rising."""
    subject: int = 1
    name: str = "take"
    metadata: dict[str, Any] = field(default_factory=dict)
    """JSON-able: versions, engine, sha256 of the weights, source, `source_fps`."""
    observations: Observations | None = None
    """What was measured, or None for motion that was not captured."""

    def __post_init__(self) -> None:
        t, j = len(self.timestamps_ns), len(self.skeleton.joint_names)
        check_array("timestamps_ns", self.timestamps_ns, (t,), np.int64)
        check_array("rotations_wxyz", self.rotations_wxyz, (t, j, 4), np.float32)
        check_array("root_translation", self.root_translation, (t, 3), np.float32)
        if t > 1 and not (np.diff(self.timestamps_ns) > 0).all():
            raise ValueError("timestamps_ns: found times that do not rise, expected strictly rising nanoseconds")
        if self.observations is not None and len(self.observations.frame_index) != t:
            raise ValueError(f"observations: found {len(self.observations.frame_index)} rows, expected {t}")

    def __len__(self) -> int:
        return len(self.timestamps_ns)


@dataclass(frozen=True, slots=True)
class SkinnedMesh:
    """A performer's surface in the rest pose of a skeleton, bound to its joints."""

    vertices: FloatArray
    """`(V, 3)` float32, metres, y up, facing +z, standing on the floor: the root joint is at the skeleton's own
    `offsets[0]`."""
    faces: IntArray
    """`(F, 3)` int32, counter-clockwise seen from outside."""
    joints: IntArray
    """`(V, 4)` int32, numbers of the joints that move each vertex."""
    weights: FloatArray
    """`(V, 4)` float32, their shares; rows sum to 1, the largest comes first, unused ones are 0."""
    name: str = "body"

    def __post_init__(self) -> None:
        v = len(self.vertices)
        check_array("vertices", self.vertices, (v, 3), np.float32)
        check_array("faces", self.faces, (None, 3), np.int32)
        check_array("joints", self.joints, (v, 4), np.int32)
        check_array("weights", self.weights, (v, 4), np.float32)


@dataclass(frozen=True, slots=True)
class Picture:
    """The N people found in one picture, best first; N = 0 is legal."""

    joint_names: tuple[str, ...]
    parents: IntArray
    """`(J,)` int32, -1 for the root."""
    offsets: FloatArray
    """`(N, J, 3)` float32, metres: rest offsets of each person, as in `Skeleton`."""
    rotations_wxyz: FloatArray
    """`(N, J, 4)` float32 unit quaternions, relative to the parent; the root's relative to the world."""
    root_translation: FloatArray
    """`(N, 3)` float32, metres, world frame."""
    joints_camera_m: FloatArray
    """`(N, J, 3)` float32, metres, camera frame: x right, y down, z forward."""
    joints_px: FloatArray
    """`(N, J, 2)` float32, pixels of the picture."""
    confidence: FloatArray
    """`(N, J)` float32, 0 to 1."""
    box_xyxy: FloatArray
    """`(N, 4)` float32, pixels of the picture."""
    betas: FloatArray
    """`(N, S)` float32."""
    intrinsics: FloatArray
    """`(3, 3)` float32, pixels."""
    frame_index: int = 0
    timestamp_ns: int = 0
    metadata: dict[str, Any] = field(default_factory=dict)
    """JSON-able, as a take's."""

    def __post_init__(self) -> None:
        n, j = len(self.rotations_wxyz), len(self.joint_names)
        check_array("parents", self.parents, (j,), np.int32)
        check_array("offsets", self.offsets, (n, j, 3), np.float32)
        check_array("rotations_wxyz", self.rotations_wxyz, (n, j, 4), np.float32)
        check_array("root_translation", self.root_translation, (n, 3), np.float32)
        check_array("joints_camera_m", self.joints_camera_m, (n, j, 3), np.float32)
        check_array("joints_px", self.joints_px, (n, j, 2), np.float32)
        check_array("confidence", self.confidence, (n, j), np.float32)
        check_array("box_xyxy", self.box_xyxy, (n, 4), np.float32)
        check_array("betas", self.betas, (n, None), np.float32)
        check_array("intrinsics", self.intrinsics, (3, 3), np.float32)

    def __len__(self) -> int:
        return len(self.rotations_wxyz)


class PoseStream(Protocol):
    """A live output, opened for one skeleton. Never blocks for long; loss is allowed."""

    @property
    def sent(self) -> int:
        """Packets or messages handed over so far; it stands still where nothing is to be sent or nobody listens."""

    @property
    def lost(self) -> int:
        """Packets that could not be handed over, as without a network; who listens at the other end is not known."""

    def send(self, poses: Sequence[Pose]) -> None:
        """Send what every performer does at one instant; an empty sequence says that nobody is tracked."""

    def close(self) -> None:
        """Say goodbye to the receiver and release the socket; may be called twice."""
