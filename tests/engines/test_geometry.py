"""Crops and cameras."""

from __future__ import annotations

import numpy as np
import pytest

from engines.geometry import apply_affine, cut_crops, invert_affine, region_matrices, regions_from_boxes
from engines.types import Regions

SIZE_PX = 64


def crop(image: np.ndarray, center: tuple[float, float], side_px: float, angle_rad: float = 0.0) -> np.ndarray:
    regions = Regions(
        np.array([center], np.float32), np.array([side_px], np.float32), np.array([angle_rad], np.float32)
    )
    return cut_crops(image, region_matrices(regions, SIZE_PX), SIZE_PX)[0]


def ramp(width: int, height: int) -> np.ndarray:
    """A picture whose red is the column and whose green is the row, at their pixels' centres, scaled to a byte."""
    rows, columns = np.mgrid[:height, :width] + 0.5
    return np.stack([columns * 255 / width, rows * 255 / height, 0 * rows], -1).astype(np.uint8)


def test_matrices_put_centres_on_centres_and_invert() -> None:
    regions = regions_from_boxes(np.array([[10, 20, 50, 120], [0, 0, 30, 10]], np.float32), margin=1.0)
    matrices = region_matrices(regions, SIZE_PX)
    middles = apply_affine(matrices, regions.centers_px[:, None])
    np.testing.assert_allclose(middles, SIZE_PX / 2, atol=1e-4)
    np.testing.assert_allclose(apply_affine(invert_affine(matrices), middles)[:, 0], regions.centers_px, atol=1e-3)


@pytest.mark.parametrize("side_px", [40.0, 64.0, 100.0, 128.0, 150.0, 200.0, 300.0, 512.0])
@pytest.mark.parametrize("angle_rad", [0.0, 0.4])
def test_a_crop_of_any_size_lies_where_its_matrix_says(side_px: float, angle_rad: float) -> None:
    width, height = 640, 480
    center = (330.3, 251.7)
    # Up and down: how bytes are cut and means rounded shifts both the same way, a wrong place in opposite ones.
    up, down = (
        crop(image, center, side_px, angle_rad).astype(float)
        for image in (ramp(width, height), 255 - ramp(width, height))
    )
    found = (up - down + 255) / 2
    rows, columns = np.mgrid[:SIZE_PX, :SIZE_PX] + 0.5
    away = np.stack([columns - SIZE_PX / 2, rows - SIZE_PX / 2], -1) * side_px / SIZE_PX
    turn = np.array([[np.cos(angle_rad), -np.sin(angle_rad)], [np.sin(angle_rad), np.cos(angle_rad)]])
    expected = away @ turn.T + center
    inside = ((expected > 8) & (expected < (width - 8, height - 8))).all(-1)
    error = np.abs(found[..., :2] - expected * 255 / (width, height) + 0.5)[inside]  # a byte of the ramp is cut
    assert error.mean() < 0.4
    assert error.max() < 1.2


def test_a_fine_pattern_is_averaged_in_a_large_region() -> None:
    checks = np.indices((400, 400)).sum(0) % 2 * 255
    image = np.repeat(checks[..., None], 3, -1).astype(np.uint8)
    for side_px in (2 * SIZE_PX, 4 * SIZE_PX):
        found = crop(image, (200, 200), side_px)
        assert abs(found.astype(float).mean() - 127.5) < 2
        assert found.std() < 3


def test_outside_the_picture_is_black() -> None:
    white = np.full((101, 103, 3), 255, np.uint8)
    assert not crop(white, (1000, 1000), 50).any()
    assert not crop(white, (1000, 1000), 500).any()
    corner = crop(white, (103, 101), 400)  # the picture ends in the crop's middle
    assert (corner[20:30, 20:30] == 255).all()
    assert not corner[34:].any()
    assert not corner[:, 34:].any()


def test_nobody_gives_no_crops() -> None:
    assert cut_crops(np.zeros((9, 9, 3), np.uint8), np.zeros((0, 2, 3), np.float32), 8).shape == (0, 8, 8, 3)


def test_a_picture_of_one_pixel_is_cropped() -> None:
    found = crop(np.full((1, 1, 3), 200, np.uint8), (0.5, 0.5), 4.0)
    assert found.max() > 100
    assert crop(np.full((1, 1, 3), 200, np.uint8), (0.5, 0.5), 4000.0).shape == (SIZE_PX, SIZE_PX, 3)
