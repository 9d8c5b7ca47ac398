"""What is known of a rendered clip: where every joint truly was, in the world, before the camera and in the picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.types import FloatArray
from exporters import SMPL_JOINT_NAMES, Take, forward_kinematics
from exporters.kinematics import world_rotations
from exporters.rotations import matrix_from_quaternion

from .camera import DemoCamera


@dataclass(frozen=True, slots=True)
class Truth:
    """One performer of a rendered clip. T times, 24 joints in SMPL order."""

    timestamps_ns: NDArray[np.int64]
    """`(T,)`."""
    joints_world_m: FloatArray
    """`(T, 24, 3)`, world frame: y up, the floor at 0, the camera over the origin."""
    joints_camera_m: FloatArray
    """`(T, 24, 3)`, camera frame: x right, y down, z forward."""
    joints_px: FloatArray
    """`(T, 24, 2)`, pixels of the picture."""
    rotations_wxyz: FloatArray
    """`(T, 24, 4)`, parent-relative; the root's relative to the world."""
    rotations_camera: FloatArray
    """`(T, 24, 3, 3)`, joint -> camera axes."""
    betas: FloatArray
    """`(S,)`."""
    intrinsics: FloatArray
    """`(3, 3)` pixels."""

    def __len__(self) -> int:
        return len(self.timestamps_ns)

    def visible(self) -> NDArray[np.bool_]:
        """Return `(T,)`: at least half of the joints lie in the picture (its centre is the principal point)."""
        size_wh = 2.0 * self.intrinsics[:2, 2]
        inside = ((self.joints_px >= 0) & (self.joints_px < size_wh)).all(-1)
        return inside.mean(axis=1) >= 0.5


def measure_truth(take: Take, betas: FloatArray, camera: DemoCamera) -> Truth:
    """Return where the joints of `take` are for `camera`."""
    world = forward_kinematics(take.skeleton, take.rotations_wxyz, take.root_translation)
    turned = matrix_from_quaternion(world_rotations(take.skeleton, take.rotations_wxyz))
    return Truth(
        take.timestamps_ns,
        world,
        camera.to_camera(world),
        camera.to_pixels(world),
        take.rotations_wxyz,
        (camera.axes @ turned).astype(np.float32),
        np.asarray(betas, np.float32),
        camera.intrinsics,
    )


def write_truth(truth: Truth, path: Path) -> None:
    """Write the truth as `.npz`, one array per field and the joint names."""
    arrays: dict[str, Any] = {name: getattr(truth, name) for name in Truth.__dataclass_fields__}
    np.savez_compressed(path, joint_names=np.array(SMPL_JOINT_NAMES), **arrays)


def read_truth(path: Path) -> Truth:
    """Return what `write_truth` wrote."""
    with np.load(path, allow_pickle=False) as arrays:
        return Truth(**{name: arrays[name] for name in Truth.__dataclass_fields__})
