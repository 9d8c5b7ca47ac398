"""What an engine saw, row for row: which rows to believe, where they lie, and rows taken and merged. No state."""

from __future__ import annotations

import numpy as np

from engines.types import FloatArray, Image, MeshResult, Regions, Sighting

from .tracking import Sight

MIN_REGION_PX = 8.0
MAX_REGION_SIDES = 4.0
"""Largest region, in longer sides of the picture."""
BOX_JOINT_MARGIN = 0.08
"""Flesh beyond the outermost joints, on each side, in sizes of the joints' box."""
REGION_REACH = 1.2
"""A body reaches no further than this from its region's centre, in half sides: raised arms, and a turned region."""


def sane(regions: Regions, image: Image) -> np.ndarray:
    """Return `(N,)` bool: finite, neither tiny nor huge, and some of it in the `(H, W, 3)` picture."""
    size = np.array((image.shape[1], image.shape[0]), np.float32)
    numbers = pack(regions)
    finite = np.isfinite(numbers).all(axis=1)
    centers, half = np.nan_to_num(regions.centers_px), np.nan_to_num(regions.sides_px)[:, None] / 2
    inside = ((centers + half > 0) & (centers - half < size)).all(axis=1)
    largest = MAX_REGION_SIDES * max(float(size.max()), MIN_REGION_PX)
    return finite & inside & (half[:, 0] * 2 >= MIN_REGION_PX) & (half[:, 0] * 2 <= largest)


def finite_rows(found: Sighting | MeshResult) -> np.ndarray:
    """Return `(N,)` bool: every number of the body is finite."""
    arrays: tuple[FloatArray, ...] = (found.joints_px, found.confidence, found.scores, pack(found.next_regions))
    if isinstance(found, Sighting):
        arrays += found.evidence
    else:
        arrays += (found.vertices, found.joints, found.translation, found.global_rotations, found.shape)
    # A sum is finite unless a number is not (or float32 overflows, which no body does), and much faster to make.
    with np.errstate(invalid="ignore", over="ignore"):
        sums = [a.sum(axis=tuple(range(1, a.ndim))) for a in arrays]
    return np.logical_and.reduce([np.isfinite(total) for total in sums])


def see(sighting: Sighting, image: Image) -> Sight:
    """Return where the bodies lie in the `(H, W, 3)` picture.

    Boxes are those of the joints with a margin, as far as they lie in the region of the person and in the picture:
    legs that are out of sight may be anywhere.
    """
    regions = np.nan_to_num(pack(sighting.next_regions), posinf=0.0, neginf=0.0)
    if not len(sighting):
        return Sight(sighting.joints_px, np.zeros((0, 4), np.float32), regions)
    joints_px = np.nan_to_num(sighting.joints_px, posinf=0.0, neginf=0.0)
    low, high = joints_px.min(axis=1), joints_px.max(axis=1)
    margin = BOX_JOINT_MARGIN * (high - low).max(axis=1, keepdims=True)
    reach = REGION_REACH * regions[:, 2:3] / 2
    low = np.clip(low - margin, regions[:, :2] - reach, regions[:, :2] + reach)
    high = np.clip(high + margin, regions[:, :2] - reach, regions[:, :2] + reach)
    boxes = np.clip(np.concatenate([low, high], axis=1), 0, np.array(image.shape[1::-1] * 2))
    return Sight(joints_px, boxes.astype(np.float32), regions)


def take_rows(sighting: Sighting, rows: list[int]) -> Sighting:
    """Return the people asked for."""
    if rows == list(range(len(sighting))):
        return sighting
    index = np.array(rows, np.intp)
    return Sighting(
        sighting.joints_px[index],
        sighting.confidence[index],
        sighting.scores[index],
        sighting.intrinsics,
        take_regions(sighting.next_regions, index),
        tuple(array[index] for array in sighting.evidence),
    )


def take_bodies(meshes: MeshResult, rows: np.ndarray) -> MeshResult:
    """Return the bodies asked for."""
    return MeshResult(
        vertices=meshes.vertices[rows],
        joints=meshes.joints[rows],
        translation=meshes.translation[rows],
        global_rotations=meshes.global_rotations[rows],
        shape=meshes.shape[rows],
        joints_px=meshes.joints_px[rows],
        confidence=meshes.confidence[rows],
        scores=meshes.scores[rows],
        intrinsics=meshes.intrinsics,
        next_regions=take_regions(meshes.next_regions, rows),
    )


def merge_rows(first: Sighting, second: Sighting, is_second: np.ndarray) -> Sighting:
    """Return for each row the person of `second` where `(N,)` bool says so, else that of `first`."""
    if is_second.all():
        return second

    def pick(a: FloatArray, b: FloatArray) -> FloatArray:
        return np.where(is_second.reshape(-1, *[1] * (a.ndim - 1)), b, a)

    return Sighting(
        pick(first.joints_px, second.joints_px),
        pick(first.confidence, second.confidence),
        pick(first.scores, second.scores),
        second.intrinsics,
        unpack(list(pick(pack(first.next_regions), pack(second.next_regions)))),
        tuple(pick(a, b) for a, b in zip(first.evidence, second.evidence, strict=True)),
    )


def take_regions(regions: Regions, rows: np.ndarray) -> Regions:
    """Return the regions asked for."""
    return Regions(regions.centers_px[rows], regions.sides_px[rows], regions.angles_rad[rows])


def pack(regions: Regions) -> FloatArray:
    """Return `(N, 4)`: centre x, y, side, angle."""
    return np.concatenate([regions.centers_px, regions.sides_px[:, None], regions.angles_rad[:, None]], axis=1)


def unpack(rows: list[FloatArray]) -> Regions:
    """Return the regions of `(4,)` rows: centre x, y, side, angle."""
    numbers = np.array(rows, np.float32).reshape(-1, 4)
    return Regions(numbers[:, :2], numbers[:, 2], numbers[:, 3])
