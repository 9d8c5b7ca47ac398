"""A stage with known people on it, and a detector and an engine that see it: the pictures carry the frame's number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from engines.geometry import BOX_MARGIN, default_intrinsics, project, regions_from_boxes
from engines.synthetic import REST_JOINTS, SyntheticEngine, SyntheticOptions
from engines.types import Detections, FloatArray, Image, MeshResult, Regions, Sighting
from mocap_app.types import Frame

SIZE_WH = (640, 480)
FACING = np.diag((1.0, -1.0, -1.0))


@dataclass(frozen=True, slots=True)
class Person:
    """Where somebody stands in one frame."""

    x_px: float
    y_px: float = 240.0
    height_px: float = 200.0
    is_seen: bool = True
    is_detected: bool = True
    score: float = 1.0

    @property
    def box_xyxy(self) -> list[float]:
        half, width = self.height_px / 2, self.height_px / 4
        return [self.x_px - width, self.y_px - half, self.x_px + width, self.y_px + half]


Cast = Callable[[int], dict[int, Person]]
"""Frame number -> who is on stage; the key is the person's own number, found again in `shape[:, 0]`."""


def frame(index: int, fps: float = 30.0) -> Frame:
    image = np.zeros((SIZE_WH[1], SIZE_WH[0], 3), np.uint8)
    image[0, 0] = (index % 256, index // 256, 0)
    image.flags.writeable = False
    return Frame(image, index, round(index * 1e9 / fps))


def index_of(image: Image) -> int:
    return int(image[0, 0, 0]) + 256 * int(image[0, 0, 1])


@dataclass
class StageDetector:
    cast: Cast
    calls: list[int] = field(default_factory=list)
    closed: int = 0

    def detect(self, image: Image) -> Detections:
        self.calls.append(index_of(image))
        people = [p for p in self.cast(index_of(image)).values() if p.is_detected]
        boxes = np.array([p.box_xyxy for p in people], np.float32).reshape(-1, 4)
        return Detections(boxes, np.full(len(people), 0.9, np.float32))

    def close(self) -> None:
        self.closed += 1


@dataclass
class StageEngine:
    """Gives the person nearest to each region's centre, if that is within a quarter of the region's side."""

    cast: Cast
    calls: list[tuple[int, Regions]] = field(default_factory=list)
    poisoned: Callable[[int], bool] = lambda index: False
    closed: int = 0

    def __post_init__(self) -> None:
        self.body_model = SyntheticEngine(SyntheticOptions()).body_model

    def see(self, image: Image, regions: Regions, intrinsics: FloatArray | None = None) -> Sighting:
        meshes = self._meshes(image, regions, intrinsics)
        evidence = meshes.vertices, meshes.joints, meshes.translation, meshes.global_rotations, meshes.shape
        return Sighting(
            meshes.joints_px, meshes.confidence, meshes.scores, meshes.intrinsics, meshes.next_regions, evidence
        )

    def recover(self, sighting: Sighting) -> MeshResult:
        seen = sighting.joints_px, sighting.confidence, sighting.scores, sighting.intrinsics, sighting.next_regions
        return MeshResult(*sighting.evidence, *seen)  # type: ignore[misc]

    def predict(self, image: Image, regions: Regions, intrinsics: FloatArray | None = None) -> MeshResult:
        return self.recover(self.see(image, regions, intrinsics))

    def _meshes(self, image: Image, regions: Regions, intrinsics: FloatArray | None) -> MeshResult:
        index = index_of(image)
        self.calls.append((index, regions))
        camera = default_intrinsics(*SIZE_WH) if intrinsics is None else intrinsics
        found = [self._nearest(index, regions, row) for row in range(len(regions))]
        meshes = stage_meshes(found, regions, camera)
        if self.poisoned(index):
            meshes.joints[:], meshes.translation[:] = np.nan, np.inf
        return meshes

    def close(self) -> None:
        self.closed += 1

    def _nearest(self, index: int, regions: Regions, row: int) -> tuple[int, Person] | None:
        centre, reach = regions.centers_px[row], regions.sides_px[row] / 4
        near = [
            (float(np.hypot(p.x_px - centre[0], p.y_px - centre[1])), number, p)
            for number, p in self.cast(index).items()
            if p.is_seen
        ]
        near = [entry for entry in near if entry[0] <= reach]
        return min(near)[1:] if near else None


def stage_meshes(found: list[tuple[int, Person] | None], regions: Regions, camera: FloatArray) -> MeshResult:
    n, j = len(found), len(REST_JOINTS)
    joints = np.tile((REST_JOINTS @ FACING.T).astype(np.float32), (n, 1, 1))
    translation = np.tile(np.array((0, 0, 4), np.float32), (n, 1))
    shape, scores = np.zeros((n, 10), np.float32), np.zeros(n, np.float32)
    boxes = np.zeros((n, 4), np.float32)
    for row, entry in enumerate(found):
        if entry is None:
            centre, half = regions.centers_px[row], regions.sides_px[row] / 2 / BOX_MARGIN
            boxes[row] = [*(centre - half), *(centre + half)]
            continue
        number, person = entry
        depth = camera[0, 0] * 1.75 / person.height_px
        aim = (np.array((person.x_px, person.y_px)) - camera[:2, 2]) / camera[0, 0] * depth
        translation[row] = (*aim, depth)
        shape[row, 0], scores[row], boxes[row] = number, person.score, person.box_xyxy
    return MeshResult(
        vertices=joints.copy(),
        joints=joints,
        translation=translation,
        global_rotations=np.tile(FACING.astype(np.float32), (n, j, 1, 1)),
        shape=shape,
        joints_px=project(joints + translation[:, None], camera),
        confidence=np.repeat(scores[:, None], j, axis=1),
        scores=scores,
        intrinsics=camera,
        next_regions=regions_from_boxes(boxes),
    )
