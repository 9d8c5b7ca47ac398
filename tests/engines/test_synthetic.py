"""The engine and detector without weights."""

from __future__ import annotations

import numpy as np
import pytest

from engines import Regions, build_detector, build_engine
from engines.geometry import regions_from_boxes
from engines.synthetic import PARENTS, REST_JOINTS, find_figures


def drawn(boxes: list[tuple[int, int, int, int]]) -> np.ndarray:
    image = np.full((200, 400, 3), 90, np.uint8)
    for x0, y0, x1, y1 in boxes:
        image[y0:y1, x0:x1] = (200, 180, 30)
    return image


def test_detector_finds_every_figure_largest_first() -> None:
    found = build_detector("synthetic").detect(drawn([(20, 60, 50, 120), (200, 20, 260, 180)]))
    np.testing.assert_array_equal(found.boxes_xyxy, [[200, 20, 260, 180], [20, 60, 50, 120]])


def test_plain_picture_has_nobody() -> None:
    image = drawn([])
    assert len(build_detector("synthetic").detect(image)) == 0
    region = Regions(np.array([[100, 100]], np.float32), np.array([80], np.float32), np.zeros(1, np.float32))
    result = build_engine("synthetic").predict(image, region)
    assert result.scores[0] == 0
    np.testing.assert_allclose(result.next_regions.centers_px, region.centers_px)
    np.testing.assert_allclose(result.next_regions.sides_px, region.sides_px)


def test_specks_are_no_figures() -> None:
    mask = np.zeros((100, 300), bool)
    mask[50, 120] = True
    assert len(find_figures(mask)) == 0


def test_region_follows_a_moving_figure() -> None:
    engine, region = build_engine("synthetic"), regions_from_boxes(np.array([[40, 20, 90, 180]], np.float32))
    for left in range(40, 240, 20):
        result = engine.predict(drawn([(left, 20, left + 50, 180)]), region)
        region = result.next_regions
        assert result.scores[0] == 1
        np.testing.assert_allclose(region.centers_px, [[left + 25, 100]], atol=1)


def test_doll_fills_its_region() -> None:
    region = regions_from_boxes(np.array([[150, 20, 210, 180]], np.float32))
    pixels = build_engine("synthetic").predict(drawn([(150, 20, 210, 180)]), region).joints_px[0]
    assert pixels[:, 1].min() == pytest.approx(20, abs=25)
    assert pixels[:, 1].max() == pytest.approx(180, abs=12)
    assert pixels[15, 1] < pixels[0, 1] < pixels[7, 1]  # head, pelvis, ankle
    assert pixels[16, 0] > pixels[17, 0]  # it faces the camera: its left is the picture's right


def test_turned_region_turns_the_doll() -> None:
    region = Regions(np.array([[200, 100]], np.float32), np.array([180], np.float32), np.array([np.pi / 2], np.float32))
    joints = build_engine("synthetic").predict(drawn([(150, 20, 210, 180)]), region).joints[0]
    assert joints[15, 0] > 0.4  # the head points to the picture's right
    assert abs(joints[15, 1]) < 0.1


def test_bones_keep_their_lengths() -> None:
    regions = regions_from_boxes(np.array([[0, 0, 50, 100], [300, 10, 350, 190]], np.float32))
    joints = build_engine("synthetic").predict(drawn([]), regions).joints
    rest = np.linalg.norm(REST_JOINTS[1:] - REST_JOINTS[PARENTS[1:]], axis=1)
    lengths = np.linalg.norm(joints[:, 1:] - joints[:, PARENTS[1:]], axis=2)
    np.testing.assert_allclose(lengths, np.broadcast_to(rest, lengths.shape), atol=1e-5)


def test_faces_point_outwards() -> None:
    engine = build_engine("synthetic")
    region = regions_from_boxes(np.array([[0, 0, 50, 100]], np.float32))
    vertices = engine.predict(drawn([]), region).vertices[0].astype(np.float64)
    a, b, c = (vertices[engine.body_model.faces[:, corner]] for corner in range(3))
    assert np.einsum("fi,fi->", a, np.cross(b, c)) > 0
