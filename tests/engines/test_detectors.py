"""Detectors: decoding on known numbers, and real pictures where they are at hand."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from engines import Detections, WeightsError, build_detector
from engines.detectors import yolo_weights
from engines.detectors.alignment import regions_from_detections
from engines.detectors.blazepose import View, find_people, look, tiles
from engines.detectors.blazepose_network import decode as decode_person
from engines.detectors.blazepose_network import person_anchors
from engines.detectors.boxes import letterbox, overlap, suppress
from engines.detectors.candidates import Candidates, merge_weighted
from engines.detectors.onnx_file import choose_decoder, decode_end_to_end, decode_yolo, decode_yolox, yolox_grid
from engines.detectors.options import BlazePoseDetectorOptions
from engines.evaluation.datasets import read_line


@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("shape", [(100, 400), (400, 100), (50, 50)])
def test_letterbox_and_back(shape: tuple[int, int], centred: bool) -> None:
    image = np.zeros((*shape, 3), np.uint8)
    image[shape[0] // 2 :, shape[1] // 2 :] = 255
    boxed = letterbox(image, (200, 200), 114, centred)
    rows, columns = np.nonzero((boxed.image == 255).all(axis=2))
    corner = boxed.to_picture(np.array([columns.min(), rows.min()], np.float32))
    np.testing.assert_allclose(corner, (shape[1] // 2, shape[0] // 2), atol=2 / boxed.scale)


def test_overlap_and_suppression() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [20, 0, 30, 10]], np.float32)
    np.testing.assert_allclose(overlap(boxes[0], boxes), [1, 90 / 110, 0], atol=1e-6)
    np.testing.assert_array_equal(suppress(boxes, np.array([0.5, 0.9, 0.1], np.float32), 0.5), [1, 2])
    assert len(suppress(boxes[:0], np.zeros(0, np.float32), 0.5)) == 0


def test_decode_yolo_takes_the_person_class() -> None:
    output = np.zeros((84, 3), np.float32)
    output[:5, 1] = (100, 50, 20, 40, 0.8)
    output[5, 2] = 0.9  # a bicycle
    boxes, scores = decode_yolo(output)
    np.testing.assert_allclose(boxes[1], (90, 30, 110, 70))
    np.testing.assert_allclose(scores, (0, 0.8, 0), atol=1e-6)


def test_decode_end_to_end_leaves_other_classes_out() -> None:
    output = np.array([[1, 2, 3, 4, 0.9, 0], [5, 6, 7, 8, 0.8, 2]], np.float32)
    boxes, scores = decode_end_to_end(output)
    np.testing.assert_allclose(boxes, [[1, 2, 3, 4]])
    np.testing.assert_allclose(scores, [0.9])


def test_decode_yolox_on_its_grid() -> None:
    grid = yolox_grid((416, 416))
    assert grid.shape == (3549, 3)
    output = np.zeros((3549, 85), np.float32)
    output[53, :6] = (0.5, 0.25, np.log(4), np.log(2), 0.5, 0.8)  # row 1, column 1 of stride 8
    boxes, scores = decode_yolox(output, grid)
    np.testing.assert_allclose(boxes[53], (12 - 16, 10 - 8, 12 + 16, 10 + 8), atol=1e-4)
    assert scores[53] == pytest.approx(0.4)


def test_layouts_are_told_apart_by_shape() -> None:
    def chosen(shape: tuple[int, ...], side: int) -> tuple[str, bool]:
        decoder, is_yolox = choose_decoder(shape, (side, side), Path("m.onnx"))
        return decoder.__name__, is_yolox

    assert chosen((1, 84, 8400), 640) == ("decode_yolo", False)
    assert chosen((1, 300, 6), 640) == ("decode_end_to_end", False)
    assert chosen((1, 3549, 85), 416)[1]
    with pytest.raises(WeightsError, match=r"output of shape \(1, 1000\).*expected"):
        chosen((1, 1000), 224)


def test_absent_and_damaged_onnx_files(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no such file"):
        build_detector("yolo", {"weights": str(tmp_path / "none.onnx")})
    (tmp_path / "bad.onnx").write_bytes(b"not a network")
    with pytest.raises(WeightsError, match="onnxruntime cannot read it"):
        build_detector("yolo", {"weights": str(tmp_path / "bad.onnx")})


def test_named_weights_that_cannot_be_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(yolo_weights, "PROBE_URL", "http://127.0.0.1:9")  # the discard port: nobody listens
    monkeypatch.setattr(yolo_weights, "cache_folder", lambda: tmp_path)
    with pytest.raises(WeightsError, match=r"cannot be fetched.*expected.*yolo11n\.pt.*choose"):
        yolo_weights.find_or_fetch("yolo11n.pt")
    (tmp_path / "yolo11n.pt").write_bytes(b"x")
    assert yolo_weights.find_or_fetch("yolo11n.pt") == tmp_path / "yolo11n.pt"


def test_auto_says_what_it_chose(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setitem(sys.modules, "ultralytics", None)
    monkeypatch.setattr("engines.detectors.auto.find_spec", lambda name: None)
    with caplog.at_level(logging.INFO, logger="engines.detectors.auto"):
        build_detector("auto").close()
    assert [r.getMessage() for r in caplog.records] == ["detector: blazepose (ultralytics is not installed)"]


# The shipped detector's own steps, with a network that is a known function.


def person(x: float, y: float, radius: float, score: float, angle: float = 0.0) -> Candidates:
    top = (x + radius * np.sin(angle), y - radius * np.cos(angle))
    half = radius / 4
    head = np.array([[x - half, y - radius - half, x + half, y - radius + half]], np.float32)
    return Candidates(head, np.array([[(x, y), top, (x, y), top]], np.float32), np.array([score], np.float32))


def test_anchors_cover_the_picture() -> None:
    anchors = person_anchors()
    assert anchors.shape == (2254, 2)
    np.testing.assert_allclose(anchors[[0, 1, 2]], [[4, 4], [4, 4], [12, 4]])
    np.testing.assert_allclose(anchors[-1], [208, 208])


def test_decode_of_one_anchor() -> None:
    values = np.array([[1, 2, 10, 20, 0, 0, 0, -50, 3, 3, 4, 4]], np.float32)
    boxes, points, scores = decode_person(values, np.array([0], np.float32), np.array([[100, 60]], np.float32))
    np.testing.assert_allclose(boxes, [[96, 52, 106, 72]])
    np.testing.assert_allclose(points[0, :2], [[100, 60], [100, 10]])
    np.testing.assert_allclose(scores, [0.5])


@pytest.mark.parametrize("turns", range(4))
def test_view_goes_back_to_the_picture(turns: int) -> None:
    image = np.zeros((60, 100, 3), np.uint8)
    image[17, 42] = 255
    view = View(20, 10, 50, 40, turns)
    row, column = np.argwhere(view.cut(image)[..., 0])[0]
    np.testing.assert_allclose(view.to_picture(np.array([column + 0.5, row + 0.5])), (42.5, 17.5))


@pytest.mark.parametrize("size", [(1280, 720), (720, 1280), (500, 500), (2000, 700)])
def test_tiles_cover_the_picture(size: tuple[int, int]) -> None:
    seen = np.zeros((size[1], size[0]), bool)
    for tile in tiles(*size):
        assert tile.left_px + tile.width_px <= size[0]
        assert tile.top_px + tile.height_px <= size[1]
        seen[tile.top_px : tile.top_px + tile.height_px, tile.left_px : tile.left_px + tile.width_px] = True
    assert seen.all()


@pytest.mark.parametrize("size", [(1, 1), (900, 10), (40, 40)])
def test_no_tiles_of_a_sliver(size: tuple[int, int]) -> None:
    assert list(tiles(*size)) == []


def test_region_follows_how_the_person_lies() -> None:
    points = np.zeros((2, 4, 3), np.float32)
    points[:, 0, :2] = (100, 80)
    points[0, 1, :2] = (100, 30)  # upright
    points[1, 1, :2] = (140, 80)  # the head points to the picture's right
    boxes = np.tile(np.array([60, 40, 140, 120], np.float32), (2, 1))
    regions = regions_from_detections(Detections(boxes, np.ones(2, np.float32), points))
    np.testing.assert_allclose(regions.centers_px, [[100, 80], [100, 80]])
    np.testing.assert_allclose(regions.sides_px, [125, 100])
    np.testing.assert_allclose(regions.angles_rad, [0, np.pi / 2], atol=1e-6)
    upright = regions_from_detections(Detections(boxes, np.ones(2, np.float32)))
    np.testing.assert_allclose(upright.angles_rad, 0)


def test_one_person_is_merged_and_neighbours_are_not() -> None:
    parts = [person(100, 100, 50, 0.9), person(104, 100, 50, 0.6), person(150, 100, 50, 0.7)]
    merged = merge_weighted(
        Candidates(*(np.concatenate([getattr(p, f) for p in parts]) for f in ("heads_xyxy", "points_px", "scores")))
    )
    assert len(merged) == 2
    np.testing.assert_allclose(merged.scores, [0.9, 0.7])
    np.testing.assert_allclose(merged.points_px[0, 0], (101.6, 100), atol=1e-3)


def test_turned_picture_is_looked_at_when_nobody_is_found() -> None:
    def network(image: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        upright = image[:112].mean() > image[112:].mean()  # the bright half is the head's
        found = person(112, 112, 60, 0.9 if upright else 0.01)
        return found.heads_xyxy, found.points_px, found.scores

    image = np.zeros((224, 224, 3), np.uint8)
    image[112:] = 200
    options = BlazePoseDetectorOptions(min_score=0.3, tiles=False)
    found = find_people(image, network, options)
    assert len(found) == 1
    np.testing.assert_allclose(found.points_px[0, :2], [[112, 112], [112, 172]], atol=0.5)
    assert len(look(image, View(0, 0, 224, 224), network, 0.3)) == 0


def test_glances_take_turns_over_the_picture_and_find_what_all_looks_find(monkeypatch: pytest.MonkeyPatch) -> None:
    bright = np.zeros((240, 480, 3), np.uint8)
    bright[150:180, 400:430] = 255

    looks: list[int] = []

    def network(image: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        rows, columns = np.nonzero(image[..., 0] > 128)
        looks.append(len(rows))
        is_large = len(rows) > 500  # only the part that shows it enlarged finds it
        found = person(float(columns.mean()), float(rows.mean()), 40, 0.9) if is_large else person(0, 0, 40, 0.0)
        return found.heads_xyxy, found.points_px, found.scores

    monkeypatch.setattr("engines.detectors.blazepose.PersonNetwork", lambda device: network)
    detector = build_detector("blazepose")
    everything = detector.detect(bright)
    assert len(everything) == 1
    looks.clear()
    found = [detector.glance(bright) for _ in range(2 * len(list(tiles(480, 240))))]
    assert len(looks) == len(found)
    assert [len(glance) for glance in found].count(1) == 1
    best = max(found, key=len)
    np.testing.assert_allclose(best.boxes_xyxy, everything.boxes_xyxy, atol=1)
    assert best.keypoints.shape == (1, 4, 3)


# Real pictures.


def test_yolox_file_finds_people(shared: Path) -> None:
    detector = build_detector("yolo", {"weights": str(shared / "data" / "weights" / "yolox_nano.onnx")})
    (item,) = read_line(shared / "data", "balancing_cam01", 1)
    found = detector.detect(item.image)
    boxes = found.boxes_xyxy
    inside = [((item.labels_px > box[:2]) & (item.labels_px < box[2:])).all(axis=1).mean() for box in boxes]
    assert found.scores[0] > 0.6
    assert max(inside) > 0.9


def test_shipped_detector_finds_nearly_everybody_in_sport(shared: Path) -> None:
    detector = build_detector("blazepose")
    found = [regions_from_detections(detector.detect(item.image)) for item in read_line(shared / "data", "lspet", 30)]
    good = 0
    for item, regions in zip(read_line(shared / "data", "lspet", 30), found, strict=True):
        labels = item.labels_px[item.labelled]
        apart = np.abs(labels[None] - regions.centers_px[:, None]).max(axis=2)
        good += bool(((apart < 0.75 * regions.sides_px[:, None]).mean(axis=1) > 0.85).any())
    assert good >= 28


def test_shipped_detector_finds_two_people(shared: Path) -> None:
    capture = cv2.VideoCapture(str(shared / "data" / "videos" / "mmhuman3d_two_people.mp4"))
    image = capture.read()[1][..., ::-1]
    capture.release()
    found = build_detector("blazepose").detect(np.ascontiguousarray(image))
    assert (found.scores > 0.5).sum() >= 2
    centers = regions_from_detections(found).centers_px[:2]
    assert np.linalg.norm(centers[0] - centers[1]) > 100


def test_person_filling_the_picture_comes_first(shared: Path) -> None:
    folder = shared / "data" / "images3d"
    entries = json.loads((folder / "ground_truth.json").read_text(encoding="utf-8"))["images"]
    detector = build_detector("blazepose")
    for entry in entries:
        image = np.ascontiguousarray(cv2.imread(str(folder / entry["file"]))[..., ::-1])
        labels = np.array(entry["joints2d_px"], np.float32)[:, :2]
        box = detector.detect(image).boxes_xyxy[0]
        assert ((labels > box[:2] - 20) & (labels < box[2:] + 20)).all(axis=1).mean() > 0.6, entry["file"]


def test_a_yolo_model_is_exported_by_its_own_library(tmp_path: Path) -> None:
    """Random weights: what counts is that the file is read by the detector for ONNX files, and nothing lies about."""
    pytest.importorskip("ultralytics")
    from engines.detectors.onnx_file import OnnxFileDetector
    from engines.detectors.ultralytics_guard import import_ultralytics, settings_kept
    from engines.detectors.yolo_export import export_yolo

    with settings_kept():
        import_ultralytics().YOLO("yolo11n.yaml").save(tmp_path / "random.pt")
    written = export_yolo(tmp_path / "random.pt", tmp_path / "random.onnx", image_size_px=320)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["random.onnx", "random.pt"]
    OnnxFileDetector(written, 0.35, 0.6, 320).detect(np.zeros((100, 200, 3), np.uint8))
    (tmp_path / "damaged.pt").write_bytes(b"no model")
    with pytest.raises(WeightsError, match="ultralytics cannot export it"):
        export_yolo(tmp_path / "damaged.pt", tmp_path / "damaged.onnx")
