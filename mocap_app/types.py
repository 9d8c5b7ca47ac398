"""Value types of the application. Conventions: see `engines.types` and `exporters.types`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engines.types import MeshResult, check_array
from exporters.types import Pose


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a source."""

    image: NDArray[np.uint8]
    """`(H, W, 3)` uint8 RGB, read-only."""
    index: int
    """Counts what the source produced, so gaps show drops."""
    timestamp_ns: int
    """Monotonic clock at the grab for a live source, presentation time for a file."""
    grabbed_ns: int = 0
    """`time.monotonic_ns()` when the picture arrived in this process; for latency alone."""

    def __post_init__(self) -> None:
        check_array("image", self.image, (None, None, 3), np.uint8)


@dataclass(frozen=True, slots=True)
class Tracks:
    """People followed over time."""

    track_ids: NDArray[np.int64]
    """`(N,)` int64, from 1, never reused in a session."""
    boxes_xyxy: NDArray[np.float32]
    """`(N, 4)` float32, pixels of the picture."""
    scores: NDArray[np.float32]
    """`(N,)` float32, 0 to 1."""

    def __post_init__(self) -> None:
        n = len(self.track_ids)
        check_array("track_ids", self.track_ids, (n,), np.int64)
        check_array("boxes_xyxy", self.boxes_xyxy, (n, 4), np.float32)
        check_array("scores", self.scores, (n,), np.float32)

    def __len__(self) -> int:
        return len(self.track_ids)


@dataclass(frozen=True, slots=True)
class FrameResult:
    """Everything known of one frame; row n of `tracks`, `meshes` and `poses` is the same person."""

    frame: Frame
    tracks: Tracks
    meshes: MeshResult
    poses: tuple[Pose, ...]
    """N filtered poses in the world frame."""
    stage_ms: dict[str, float]
    """Milliseconds of each stage: capture, detect, track, recover, solve, filter."""
    floor_y_m: float = 0.0
    """Height of the poses' floor relative to the camera, metres; the estimate moves while it is learnt."""
