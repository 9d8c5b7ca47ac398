"""Metrics on cases whose answer is known, the protocol, and the readers of the test pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engines.evaluation.items import LIMB_JOINTS, Item, torso_length
from engines.evaluation.metrics import align_similarity, mpjpe, pa_mpjpe, within
from engines.evaluation.predictions import collect, load_predictions
from engines.evaluation.rows import format_table, split_rows
from engines.evaluation.scoring import MISSED_MM, score_item, summarise
from engines.evaluation.systems import EngineSystem


def rotation(angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]) @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def labelled_item(labels_px: np.ndarray, labels_m: np.ndarray | None, name: str = "images3d/a.jpg") -> Item:
    labels_px = labels_px.astype(np.float32)
    return Item(name, np.zeros((8, 8, 3), np.uint8), labels_px, labels_m, torso_length(labels_px))


def test_alignment_undoes_any_similarity(rng: np.random.Generator) -> None:
    target = rng.normal(size=(12, 3))
    moved = 2.5 * target @ rotation(2.0).T + (1, -2, 3)
    np.testing.assert_allclose(align_similarity(moved, target), target, atol=1e-9)
    assert pa_mpjpe(moved, target) < 1e-9


def test_alignment_never_mirrors(rng: np.random.Generator) -> None:
    target = rng.normal(size=(12, 3))
    assert pa_mpjpe(target * (-1, 1, 1), target) > 0.1


def test_alignment_beats_neighbouring_similarities(rng: np.random.Generator) -> None:
    points, target = rng.normal(size=(12, 3)), rng.normal(size=(12, 3))
    best = ((align_similarity(points, target) - target) ** 2).sum()
    aligned = align_similarity(points, target)
    centre = target.mean(0)
    for factor, angle in ((1.01, 0), (0.99, 0), (1, 0.01), (1, -0.01)):
        other = factor * (aligned - centre) @ rotation(angle).T + centre
        assert ((other - target) ** 2).sum() > best


def test_mpjpe_forgets_the_place_alone() -> None:
    target = np.arange(36, dtype=np.float64).reshape(12, 3)
    assert mpjpe(target + 5, target, (0, 1)) == pytest.approx(0)
    assert mpjpe(2 * target, target, (0, 1)) > 1


def test_within_is_inclusive() -> None:
    points = np.array([[3, 4], [3, 4.1]], np.float32)
    np.testing.assert_array_equal(within(points, np.zeros((2, 2), np.float32), 5.0), [True, False])


@pytest.fixture
def labels_px() -> np.ndarray:
    """Joints on a grid of 100 px; the torso (right shoulder to left hip) is 412 px long."""
    return np.stack([np.arange(12) % 2 * 100, np.arange(12) // 2 * 133.0], axis=1).astype(np.float32)


def test_nearest_person_is_scored(labels_px: np.ndarray, rng: np.random.Generator) -> None:
    labels_m = rng.normal(size=(12, 3)).astype(np.float32)
    item = labelled_item(labels_px, labels_m)
    near, far = labels_px + 2, labels_px + 500
    found = collect([(item.name, far, -labels_m), (item.name, near, 3 * labels_m), ("images3d/b", near, labels_m)])
    score = score_item(item, found)
    assert score.found
    assert score.pa_mpjpe_mm == pytest.approx(0, abs=1e-3)
    assert (score.right, score.labelled) == (12, 12)
    assert score.error_px == pytest.approx(np.sqrt(8), abs=1e-4)


def test_pck_limit_is_a_fifth_of_the_torso(labels_px: np.ndarray) -> None:
    limit = 0.2 * torso_length(labels_px)
    shifted = labels_px.copy()
    shifted[:4, 0] += limit * 0.99
    shifted[4:, 0] += limit * 1.01
    item = labelled_item(labels_px, None)
    assert score_item(item, collect([(item.name, shifted, np.zeros((12, 3), np.float32))])).right == 4


def test_missed_person_costs_all(labels_px: np.ndarray) -> None:
    nobody = collect([])
    hidden = labels_px.copy()
    hidden[2] = np.nan
    score = score_item(labelled_item(hidden, np.zeros((12, 3), np.float32)), nobody)
    assert (score.found, score.pa_mpjpe_mm, score.right, score.labelled) == (False, MISSED_MM, 0, 11)
    line = summarise("images3d", [score])
    assert (line.missed, line.pa_mpjpe_mm, line.pck_percent) == (1, MISSED_MM, 0)


def test_table_has_a_row_per_picture_with_metres(labels_px: np.ndarray) -> None:
    items = [labelled_item(labels_px, np.zeros((12, 3), np.float32), f"images3d/{n}.jpg") for n in "ab"]
    rows = split_rows("images3d", [score_item(item, collect([])) for item in items])
    rows += split_rows("lspet", [score_item(labelled_item(labels_px, None, "lspet/c.jpg"), collect([]))])
    table = format_table(["ours", "theirs"], [rows, rows]).splitlines()
    assert [row.split()[0] for row in table] == ["line", "a", "b", "lspet"]
    assert "PCK" in table[3]
    assert "200.0 mm" in table[1]


def test_predictions_survive_the_file(tmp_path: Path, labels_px: np.ndarray) -> None:
    found = collect([("lspet/a", labels_px, np.ones((12, 3), np.float32))])
    found.save(tmp_path / "one.npz")
    again = load_predictions(tmp_path / "one.npz", tmp_path / "one.npz")
    assert again.items == ("lspet/a", "lspet/a")
    np.testing.assert_array_equal(again.joints_px[1], labels_px)


def test_engine_system_follows_in_a_video() -> None:
    from engines import build_detector, build_engine

    system = EngineSystem(build_detector("synthetic"), build_engine("synthetic"))
    system.begin(is_video=True)
    for left in (20, 28, 36, 44):
        image = np.full((100, 200, 3), 90, np.uint8)
        image[10:90, left : left + 30] = 255
        ((pixels, metres),) = system.see(image)
        assert pixels.shape == (12, 2)
        assert pixels[:, 0].mean() == pytest.approx(left + 15, abs=12)
        assert metres.shape == (12, 3)


# The readers, on the test material where it is at hand.


def test_balancing_labels_lie_on_the_person(shared: Path) -> None:
    from engines.evaluation.datasets import read_line

    for line in ("balancing_cam01", "balancing_cam02"):
        (item,) = read_line(shared / "data", line, 1)
        pixels = dict(zip(LIMB_JOINTS, item.labels_px, strict=True))
        assert (item.labels_px > 0).all()
        assert (item.labels_px < item.image.shape[1::-1]).all()
        assert pixels["left_shoulder"][1] < pixels["left_hip"][1] < pixels["left_ankle"][1]
        assert item.labels_m is not None
        assert 0.3 < np.linalg.norm(item.labels_m[0] - item.labels_m[2]) < 0.5  # a thigh, in metres


def test_images3d_reprojects(shared: Path) -> None:
    from engines.evaluation.datasets import read_line

    items = list(read_line(shared / "data", "images3d"))
    assert len(items) == 4
    for item in items:
        assert item.labels_m is not None
        assert item.labelled.all()
        assert 0.3 < np.linalg.norm(item.labels_m[1] - item.labels_m[3]) < 0.6


def test_lspet_hides_what_is_not_labelled(shared: Path) -> None:
    from engines.evaluation.datasets import read_line

    items = list(read_line(shared / "data", "lspet", 20))
    assert len(items) == 20
    assert items[0].name == "lspet/im00001.jpg"
    assert any(not item.labelled.all() for item in items)
    for item in items:
        known = item.labels_px[item.labelled]
        assert ((known > -30) & (known < np.array(item.image.shape[1::-1]) + 30)).all()
