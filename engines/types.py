"""Value types and protocols of the perception library.

Conventions: images are `(H, W, 3)` uint8 RGB; boxes are xyxy float32 pixels of the full image; the camera
frame is x right, y down, z forward, metres; rotations are matrices acting on column vectors,
`p_parent = R p_child + t`. N people, J joints, V vertices, F faces, K keypoints, S shape numbers.
N = 0 is always legal, with arrays of zero rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int32]
Image = NDArray[np.uint8]


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
class Detections:
    """People found in one image, sorted by score, best first."""

    boxes_xyxy: FloatArray
    """`(N, 4)` float32, pixels of the image, top-left origin."""
    scores: FloatArray
    """`(N,)` float32, 0 to 1."""
    keypoints: FloatArray | None = None
    """`(N, K, 3)` float32: x px, y px, score 0 to 1; None where the detector has none."""

    def __post_init__(self) -> None:
        check_array("boxes_xyxy", self.boxes_xyxy, (None, 4), np.float32)
        n = len(self.boxes_xyxy)
        check_array("scores", self.scores, (n,), np.float32)
        if self.keypoints is not None:
            check_array("keypoints", self.keypoints, (n, None, 3), np.float32)

    def __len__(self) -> int:
        return len(self.scores)

    @classmethod
    def empty(cls) -> Detections:
        """Nobody."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))


@dataclass(frozen=True, slots=True)
class Regions:
    """Rotated squares of one image, each holding one person; what an engine looks at."""

    centers_px: FloatArray
    """`(N, 2)` float32, x and y, pixels of the full image."""
    sides_px: FloatArray
    """`(N,)` float32, length of the square's side."""
    angles_rad: FloatArray
    """`(N,)` float32, the turn of the square's up direction, positive clockwise as seen in the picture
    (0: the person's up is the picture's up; +pi/2: the person's head points to the picture's right)."""

    def __post_init__(self) -> None:
        check_array("centers_px", self.centers_px, (None, 2), np.float32)
        n = len(self.centers_px)
        check_array("sides_px", self.sides_px, (n,), np.float32)
        check_array("angles_rad", self.angles_rad, (n,), np.float32)

    def __len__(self) -> int:
        return len(self.sides_px)

    @classmethod
    def empty(cls) -> Regions:
        """No region."""
        return cls(np.zeros((0, 2), np.float32), np.zeros(0, np.float32), np.zeros(0, np.float32))


@dataclass(frozen=True, slots=True)
class BodyModel:
    """What is fixed about the body an engine recovers."""

    name: str
    joint_names: tuple[str, ...]
    parents: IntArray
    """`(J,)` int32, -1 for the root; a parent comes before its children."""
    rest_joints: FloatArray
    """`(J, 3)` float32, metres, T-pose of the mean shape, y up, facing +z."""
    rest_joint_directions: FloatArray
    """`(J, 3, S)` float32, metres: rest_joints of shape b = rest_joints + rest_joint_directions @ b."""
    faces: IntArray
    """`(F, 3)` int32, counter-clockwise seen from outside."""

    def __post_init__(self) -> None:
        j = len(self.joint_names)
        check_array("parents", self.parents, (j,), np.int32)
        check_array("rest_joints", self.rest_joints, (j, 3), np.float32)
        check_array("rest_joint_directions", self.rest_joint_directions, (j, 3, None), np.float32)
        check_array("faces", self.faces, (None, 3), np.int32)


@dataclass(frozen=True, slots=True)
class MeshResult:
    """Bodies recovered from one image; row n belongs to input region n.

    `vertices` and `joints` are in camera axes, relative to `translation`:
    a point in the camera frame is `vertices[n, v] + translation[n]`. The numbers are always finite; a body
    that could not be recovered has score 0.
    """

    vertices: FloatArray
    """`(N, V, 3)` float32, metres, camera axes, relative to translation (the pelvis joint)."""
    joints: FloatArray
    """`(N, J, 3)` float32, metres, camera axes, relative to translation (the pelvis joint)."""
    translation: FloatArray
    """`(N, 3)` float32, metres, camera frame: the pelvis joint."""
    global_rotations: FloatArray
    """`(N, J, 3, 3)` float32, joint axes -> camera axes; the rest pose's joint axes are x to the body's left,
    y up, z forward (so a person upright and facing the camera has diag(1, -1, -1))."""
    shape: FloatArray
    """`(N, S)` float32, shape numbers of the body model."""
    joints_px: FloatArray
    """`(N, J, 2)` float32, pixels of the full image: where the joints are in the picture, as measured there where
    the engine measures them, else projected with `intrinsics`."""
    confidence: FloatArray
    """`(N, J)` float32, 0 to 1: how surely each joint is seen."""
    scores: FloatArray
    """`(N,)` float32, 0 to 1: is there a person in the region at all."""
    intrinsics: FloatArray
    """`(3, 3)` float32, pixels: the camera matrix used."""
    next_regions: Regions
    """N regions, made from the recovered bodies: where to look for the same people in the next frame."""

    def __post_init__(self) -> None:
        check_array("vertices", self.vertices, (None, None, 3), np.float32)
        n, j = self.joints.shape[:2] if self.joints.ndim == 3 else (0, 0)
        check_array("joints", self.joints, (len(self.vertices), None, 3), np.float32)
        check_array("translation", self.translation, (n, 3), np.float32)
        check_array("global_rotations", self.global_rotations, (n, j, 3, 3), np.float32)
        check_array("shape", self.shape, (n, None), np.float32)
        check_array("joints_px", self.joints_px, (n, j, 2), np.float32)
        check_array("confidence", self.confidence, (n, j), np.float32)
        check_array("scores", self.scores, (n,), np.float32)
        check_array("intrinsics", self.intrinsics, (3, 3), np.float32)
        if len(self.next_regions) != n:
            raise ValueError(f"next_regions: found {len(self.next_regions)} rows, expected {n}")

    def __len__(self) -> int:
        return len(self.scores)


@dataclass(frozen=True, slots=True)
class Sighting:
    """People seen in one image, their bodies not yet recovered; row n belongs to input region n.

    What is common to this and `MeshResult` is described there, and is the same in both.
    """

    joints_px: FloatArray
    """`(N, J, 2)` float32, pixels of the full image."""
    confidence: FloatArray
    """`(N, J)` float32, 0 to 1."""
    scores: FloatArray
    """`(N,)` float32, 0 to 1."""
    intrinsics: FloatArray
    """`(3, 3)` float32, pixels."""
    next_regions: Regions
    """N regions: where to look for the same people in the next frame."""
    evidence: tuple[FloatArray, ...] = ()
    """Arrays of N rows that the engine alone understands: what it will make the bodies of."""

    def __post_init__(self) -> None:
        n, j = self.confidence.shape if self.confidence.ndim == 2 else (0, 0)
        check_array("confidence", self.confidence, (n, j), np.float32)
        check_array("joints_px", self.joints_px, (n, j, 2), np.float32)
        check_array("scores", self.scores, (n,), np.float32)
        check_array("intrinsics", self.intrinsics, (3, 3), np.float32)
        rows = {len(self.next_regions), *(len(array) for array in self.evidence)}
        if rows != {n}:
            raise ValueError(f"next_regions and evidence: found {sorted(rows)} rows, expected {n}")

    def __len__(self) -> int:
        return len(self.scores)


@dataclass(frozen=True, slots=True)
class Configuration:
    """One of the sizes that a family of networks comes in."""

    summary: str
    parameters: int
    """Numbers that its weights hold."""
    licence: str
    """Of the weights."""
    weights: str
    """The file's name, in the package or in the user's weights folder."""
    source: str = ""
    """Where weights that are not shipped come from."""


class Detector(Protocol):
    """Finds people. Used by one thread at a time."""

    def detect(self, image: Image) -> Detections:
        """Return the people in `(H, W, 3)` uint8 RGB `image`, best first; does not change the image."""

    def close(self) -> None:
        """Release what the detector holds; may be called twice."""


class MeshEngine(Protocol):
    """Recovers bodies, in two steps that two threads may take: the next picture is looked at while the bodies of the
    last one are recovered. Keeps no state between calls; either step is used by one thread at a time.
    """

    body_model: BodyModel

    @property
    def runtime(self) -> str:
        """What runs its networks, as "onnxruntime" or "onnxruntime, torch"; empty where it has none. It changes where
        a runtime fails and another takes over."""

    def see(self, image: Image, regions: Regions, intrinsics: FloatArray | None = None) -> Sighting:
        """Look at one region of `(H, W, 3)` uint8 RGB `image` per person, in the order of the regions.

        `intrinsics` is `(3, 3)` pixels; None takes `engines.geometry.default_intrinsics`. N = 0 costs nothing,
        regions may leave the image, the same input gives the same result twice.
        """

    def recover(self, sighting: Sighting) -> MeshResult:
        """Return the bodies of what `see` returned, row for row."""

    def predict(self, image: Image, regions: Regions, intrinsics: FloatArray | None = None) -> MeshResult:
        """Do both, one after the other."""

    def close(self) -> None:
        """Release what the engine holds; may be called twice."""
