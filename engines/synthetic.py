"""An engine and a detector without weights: exact, fast, deterministic, NumPy alone.

A figure is whatever differs from the colour of the picture's border, as in the drawn source of the
application. The body is a jointed doll whose pose is a fixed function of the region it is asked for, so that
every later stage can be tested against known numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .geometry import BOX_MARGIN, default_intrinsics, project, regions_from_boxes
from .types import BodyModel, Detections, FloatArray, Image, IntArray, MeshResult, Regions, Sighting

# name, parent, rest position in metres: x to the body's left, y up, z forward, pelvis at the origin
_JOINTS: tuple[tuple[str, int, tuple[float, float, float]], ...] = (
    ("pelvis", -1, (0.0, 0.0, 0.0)),
    ("left_hip", 0, (0.09, -0.08, 0.0)),
    ("right_hip", 0, (-0.09, -0.08, 0.0)),
    ("spine1", 0, (0.0, 0.11, 0.0)),
    ("left_knee", 1, (0.10, -0.47, 0.0)),
    ("right_knee", 2, (-0.10, -0.47, 0.0)),
    ("spine2", 3, (0.0, 0.25, 0.0)),
    ("left_ankle", 4, (0.10, -0.87, -0.03)),
    ("right_ankle", 5, (-0.10, -0.87, -0.03)),
    ("spine3", 6, (0.0, 0.31, 0.0)),
    ("left_foot", 7, (0.11, -0.92, 0.10)),
    ("right_foot", 8, (-0.11, -0.92, 0.10)),
    ("neck", 9, (0.0, 0.51, 0.0)),
    ("left_collar", 9, (0.07, 0.43, 0.0)),
    ("right_collar", 9, (-0.07, 0.43, 0.0)),
    ("head", 12, (0.0, 0.62, 0.02)),
    ("left_shoulder", 13, (0.18, 0.45, 0.0)),
    ("right_shoulder", 14, (-0.18, 0.45, 0.0)),
    ("left_elbow", 16, (0.44, 0.45, 0.0)),
    ("right_elbow", 17, (-0.44, 0.45, 0.0)),
    ("left_wrist", 18, (0.69, 0.45, 0.0)),
    ("right_wrist", 19, (-0.69, 0.45, 0.0)),
    ("left_hand", 20, (0.78, 0.45, 0.0)),
    ("right_hand", 21, (-0.78, 0.45, 0.0)),
)
JOINT_NAMES = tuple(name for name, _, _ in _JOINTS)
PARENTS = np.array([parent for _, parent, _ in _JOINTS], np.int32)
REST_JOINTS = np.array([position for _, _, position in _JOINTS], np.float32)
SHAPE_SIZE = 10
STATURE_M = 1.75
CENTRE_ABOVE_PELVIS_M = -0.07
"""Height of the figure's middle over its pelvis."""
_BONE_RADIUS_M = 0.045
_BORDER_CONTRAST = 40
"""A pixel differs from the border where any channel is further from it than this, of 255."""
# Six corners of a spindle (two tips and a square round the middle) and its eight outward faces.
_SPINDLE_FACES = np.array(
    [(0, 2, 3), (0, 3, 4), (0, 4, 5), (0, 5, 2), (1, 3, 2), (1, 4, 3), (1, 5, 4), (1, 2, 5)], np.int32
)


@dataclass(frozen=True, slots=True)
class SyntheticOptions:
    """Settings of the synthetic engine: it has none."""


@dataclass(frozen=True, slots=True)
class SyntheticDetectorOptions:
    """Settings of the synthetic detector."""

    min_score: float = 0.5
    """Figures scored lower are left out; every figure scores 1."""


class SyntheticDetector:
    """Finds figures on a plain background: one box per run of columns that is not background."""

    def __init__(self, options: SyntheticDetectorOptions, device: str = "cpu") -> None:
        self._options = options

    def detect(self, image: Image) -> Detections:
        """Return the figures of `(H, W, 3)` uint8 RGB `image`, the largest first."""
        boxes = find_figures(differs_from_border(image))
        if self._options.min_score > 1 or not len(boxes):
            return Detections.empty()
        areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
        order = np.argsort(-areas, kind="stable")
        return Detections(boxes[order], np.ones(len(boxes), np.float32))

    def close(self) -> None:
        """Nothing is held."""


class SyntheticEngine:
    """Recovers the doll in the region's pose; score 0 where the region shows only background."""

    runtime = ""
    """It has no network."""

    def __init__(self, options: SyntheticOptions, device: str = "cpu") -> None:
        template, self._bone_of_vertex, faces = _make_template()
        self._template = template
        directions = np.zeros((len(JOINT_NAMES), 3, SHAPE_SIZE), np.float32)
        directions[:, :, 0] = 0.1 * REST_JOINTS
        self.body_model = BodyModel("synthetic", JOINT_NAMES, PARENTS, REST_JOINTS, directions, faces)

    def see(self, image: Image, regions: Regions, intrinsics: FloatArray | None = None) -> Sighting:
        """Place the doll in every region: upright in the region's own up direction, as tall as its box."""
        height, width = image.shape[:2]
        camera = default_intrinsics(width, height) if intrinsics is None else intrinsics
        rotations, joints = pose_of_regions(regions, width)
        translation = _place(regions, camera)
        boxes, scores = _look(image, regions)
        return Sighting(
            joints_px=project(joints + translation[:, None], camera),
            confidence=np.ones(joints.shape[:2], np.float32) * scores[:, None],
            scores=scores,
            intrinsics=camera.astype(np.float32),
            next_regions=regions_from_boxes(boxes),
            evidence=(rotations, joints, translation),
        )

    def recover(self, sighting: Sighting) -> MeshResult:
        """Return the dolls of what was seen."""
        rotations, joints, translation = sighting.evidence
        bones = self._template - REST_JOINTS[self._bone_of_vertex]
        moved = np.einsum("nvij,vj->nvi", rotations[:, self._bone_of_vertex], bones)
        vertices = moved + joints[:, self._bone_of_vertex]
        return MeshResult(
            vertices=vertices.astype(np.float32),
            joints=joints,
            translation=translation,
            global_rotations=rotations,
            shape=np.zeros((len(sighting), SHAPE_SIZE), np.float32),
            joints_px=sighting.joints_px,
            confidence=sighting.confidence,
            scores=sighting.scores,
            intrinsics=sighting.intrinsics,
            next_regions=sighting.next_regions,
        )

    def predict(self, image: Image, regions: Regions, intrinsics: FloatArray | None = None) -> MeshResult:
        """Return the doll in every region."""
        return self.recover(self.see(image, regions, intrinsics))

    def close(self) -> None:
        """Nothing is held."""


def differs_from_border(image: Image) -> np.ndarray:
    """Return `(H, W)` bool: the pixel is not of the border's median colour."""
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    colour = np.median(border, axis=0).astype(np.int16)
    return (np.abs(image.astype(np.int16) - colour) > _BORDER_CONTRAST).any(axis=2)


def find_figures(mask: np.ndarray) -> FloatArray:
    """Return `(N, 4)` xyxy boxes in pixels, one per run of non-empty columns of `(H, W)` bool `mask`."""
    columns = np.concatenate([[False], mask.any(axis=0), [False]]).astype(np.int8)
    starts, ends = np.flatnonzero(np.diff(columns) == 1), np.flatnonzero(np.diff(columns) == -1)
    smallest = max(2, mask.shape[1] // 100)
    boxes = []
    for start, end in zip(starts, ends, strict=True):
        rows = np.flatnonzero(mask[:, start:end].any(axis=1))
        if end - start >= smallest and len(rows) >= smallest:
            boxes.append((start, rows[0], end, rows[-1] + 1))
    return np.array(boxes, np.float32).reshape(-1, 4)


def pose_of_regions(regions: Regions, width_px: int) -> tuple[FloatArray, FloatArray]:
    """Return `(N, 24, 3, 3)` global rotations and `(N, 24, 3)` joints: camera axes, metres from the pelvis.

    The doll faces the camera; arms and legs swing with the region's place across the picture.
    """
    phase = 2 * np.pi * regions.centers_px[:, 0].astype(np.float64) / max(width_px, 1)
    local = np.tile(np.eye(3), (len(regions), len(JOINT_NAMES), 1, 1))
    lowered = np.deg2rad(50 + 20 * np.sin(phase))
    swing = np.deg2rad(25 * np.sin(phase))
    for side, sign in (("left", 1.0), ("right", -1.0)):
        local[:, JOINT_NAMES.index(f"{side}_shoulder")] = _rotation("z", -sign * lowered)
        local[:, JOINT_NAMES.index(f"{side}_hip")] = _rotation("x", sign * swing)
        local[:, JOINT_NAMES.index(f"{side}_knee")] = _rotation("x", np.abs(swing))
    root = _rotation("z", regions.angles_rad.astype(np.float64)) @ np.diag((1.0, -1.0, -1.0))
    rotations, joints = np.empty_like(local), np.zeros((len(regions), len(JOINT_NAMES), 3))
    rotations[:, 0] = root @ local[:, 0]
    for joint, parent in enumerate(PARENTS[1:], start=1):
        rotations[:, joint] = rotations[:, parent] @ local[:, joint]
        bone = REST_JOINTS[joint] - REST_JOINTS[parent]
        joints[:, joint] = joints[:, parent] + rotations[:, parent] @ bone
    return rotations.astype(np.float32), joints.astype(np.float32)


def _rotation(axis: str, angles_rad: np.ndarray) -> np.ndarray:
    """Return `(N, 3, 3)` right-handed rotations about `axis`."""
    first, second = {"x": (1, 2), "z": (0, 1)}[axis]
    matrices = np.tile(np.eye(3), (len(angles_rad), 1, 1))
    matrices[:, first, first] = matrices[:, second, second] = np.cos(angles_rad)
    matrices[:, first, second], matrices[:, second, first] = -np.sin(angles_rad), np.sin(angles_rad)
    return matrices


def _place(regions: Regions, camera: FloatArray) -> FloatArray:
    """Return `(N, 3)` pelvis positions in metres: the doll fills its region as a box fills its square."""
    heights_px = np.maximum(regions.sides_px.astype(np.float64), 1.0) / BOX_MARGIN
    depth = camera[1, 1] * STATURE_M / heights_px
    up = np.stack([np.sin(regions.angles_rad), -np.cos(regions.angles_rad)], axis=1)
    pelvis_px = regions.centers_px - up * (CENTRE_ABOVE_PELVIS_M / STATURE_M * heights_px)[:, None]
    sideways = (pelvis_px - camera[:2, 2]) / (camera[0, 0], camera[1, 1]) * depth[:, None]
    return np.concatenate([sideways, depth[:, None]], axis=1).astype(np.float32)


def _look(image: Image, regions: Regions) -> tuple[FloatArray, FloatArray]:
    """Return the `(N, 4)` box of the figure nearest to each region's centre, and `(N,)` scores 0 or 1."""
    half = regions.sides_px[:, None] / 2
    boxes = np.concatenate([regions.centers_px - half, regions.centers_px + half], axis=1)
    scores = np.zeros(len(regions), np.float32)
    inner = half / BOX_MARGIN  # an empty region stays where it is
    found = np.concatenate([regions.centers_px - inner, regions.centers_px + inner], axis=1)
    if not len(regions):
        return found.astype(np.float32), scores
    mask = differs_from_border(image)
    limits = np.array(image.shape[1::-1] * 2)
    for row, (x0, y0, x1, y1) in enumerate(np.clip(boxes, 0, limits).astype(int)):
        figures = find_figures(mask[y0:y1, x0:x1]) + np.array((x0, y0, x0, y0), np.float32)
        if len(figures):
            distance = np.abs(figures[:, [0, 2]].mean(axis=1) - regions.centers_px[row, 0])
            found[row], scores[row] = figures[distance.argmin()], 1.0
    return found.astype(np.float32), scores


def _make_template() -> tuple[FloatArray, IntArray, IntArray]:
    """Return `(V, 3)` rest vertices in metres, `(V,)` joints followed, `(F, 3)` faces: a spindle per bone."""
    vertices, owners, faces = [], [], []
    for joint, parent in enumerate(PARENTS[1:], start=1):
        start, end = REST_JOINTS[parent], REST_JOINTS[joint]
        along = (end - start) / np.linalg.norm(end - start)
        across = np.cross(along, np.eye(3)[np.abs(along).argmin()])
        across /= np.linalg.norm(across)
        round_middle = [across, np.cross(along, across), -across, -np.cross(along, across)]
        faces.append(_SPINDLE_FACES + 6 * (joint - 1))
        vertices += [end, start, *((start + end) / 2 + _BONE_RADIUS_M * side for side in round_middle)]
        owners += [parent] * 6
    return np.array(vertices, np.float32), np.array(owners, np.int32), np.concatenate(faces).astype(np.int32)
