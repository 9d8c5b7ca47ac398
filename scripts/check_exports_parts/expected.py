"""Where joints and surface must be, worked out without any writer, and how far a reader's report is from that."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from exporters import forward_kinematics, rest_joints
from exporters.kinematics import world_rotations
from exporters.resample import resample
from exporters.rotations import rotate
from exporters.types import SkinnedMesh, Take

from .cases import WITH_SURFACE, Case
from .material import Performer

FPS_TOLERANCE = 0.01
LIMIT_MM = 1.0


@dataclass(frozen=True)
class Finding:
    """What one reader makes of one file."""

    joint_mm: float | None = None
    """The farthest joint, over all frames."""
    box_mm: float | None = None
    """The farthest side of the surface's bounding box, over all frames."""
    wrong: tuple[str, ...] = ()
    """What else is not as it must be."""

    @property
    def is_bad(self) -> bool:
        """Whether the table must not be published."""
        # Asked this way round, what is no number is bad too.
        return bool(self.wrong) or not all(mm <= LIMIT_MM for mm in (self.joint_mm, self.box_mm) if mm is not None)


@dataclass(frozen=True)
class Expected:
    """One performer on the grid of frames of one rate."""

    take: Take
    joints_m: np.ndarray
    """`(T, J, 3)`."""
    boxes_m: np.ndarray | None
    """`(T, 2, 3)`: least and greatest corner."""


def expect(performer: Performer, rate: str) -> Expected:
    """Return where everything is at k / rate seconds after the first instant."""
    take = resample(performer.take, rate).take
    joints = forward_kinematics(take.skeleton, take.rotations_wxyz, take.root_translation)
    return Expected(take, joints, None if performer.mesh is None else surface_boxes(take, joints, performer.mesh))


def surface_boxes(take: Take, joints_m: np.ndarray, mesh: SkinnedMesh) -> np.ndarray:
    """Return `(T, 2, 3)` metres of the surface by linear blend skinning."""
    turns, rest = world_rotations(take.skeleton, take.rotations_wxyz), rest_joints(take.skeleton)
    boxes = np.empty((len(take), 2, 3))
    for t in range(len(take)):
        local = mesh.vertices[:, None] - rest[mesh.joints]
        moved = rotate(turns[t][mesh.joints], local) + joints_m[t][mesh.joints]
        surface = (mesh.weights[..., None] * moved).sum(axis=1)
        boxes[t] = surface.min(axis=0), surface.max(axis=0)
    return boxes


def compare(report: dict[str, Any], case: Case, expected: Expected) -> Finding:
    """Return how far a reader's report is from what must be."""
    count, wrong = len(expected.take) + case.lead, []
    if report["frame_count"] != count or len(report["frames"]) != count:
        return Finding(wrong=(f"{report['frame_count']} frames for {count}",))
    if abs(report["fps"] - case.fps) > FPS_TOLERANCE:
        wrong.append(f"{report['fps']:g} fps for {case.fps:g}")
    columns = [expected.take.skeleton.joint_names.index(joint) for joint in case.joints]
    names = _as_read(list(case.joints.values()), report["joints"])
    if missing := sorted(set(names) - set(report["joints"])):
        return Finding(wrong=(f"no joint {missing[0]}",))
    read = _y_up(np.array([[report["frames"][str(t)][name] for name in names] for t in range(count)]), case)
    joint_m = np.linalg.norm(read[case.lead :] - expected.joints_m[:, columns], axis=-1).max()
    if case.lead:
        joint_m = max(joint_m, _t_pose_error_m(read[0], expected.take, columns))
    box_mm = _box_error_mm(report, expected)
    if box_mm is None and expected.boxes_m is not None and case.suffix in WITH_SURFACE:
        wrong.append("no surface")
    return Finding(1000 * float(joint_m), box_mm, tuple(wrong))


def _as_read(names: list[str], told: list[str]) -> list[str]:
    """Return names as a reader keeps them: three.js drops the marks that its paths are made of."""
    return names if set(names) <= set(told) else [re.sub(r"[\[\].:/]", "", name) for name in names]


def _y_up(read: np.ndarray, case: Case) -> np.ndarray:
    """Return positions with y up; the readers of a BVH hand on a file's own axes."""
    return np.stack([read[..., 0], read[..., 2], -read[..., 1]], axis=-1) if case.up == "z" else read


def _t_pose_error_m(read: np.ndarray, take: Take, columns: list[int]) -> float:
    return float(np.linalg.norm(read - rest_joints(take.skeleton)[columns], axis=-1).max())


def _box_error_mm(report: dict[str, Any], expected: Expected) -> float | None:
    boxes = report.get("mesh_bbox")
    if expected.boxes_m is None or not boxes or not any(boxes.values()):
        return None
    name = _surface_name(report, boxes["0"])
    read = np.array([boxes[str(t)][name] for t in range(len(expected.boxes_m))])
    return 1000 * float(np.abs(read - expected.boxes_m).max())


def _surface_name(report: dict[str, Any], boxes: dict[str, Any]) -> str:
    """Return which mesh is the surface: Blender adds a shape of its own for bones, so what has most vertices."""
    if len(boxes) == 1:
        return next(iter(boxes))
    return max(report["skin"], key=lambda skin: skin["vertices"])["mesh"]
