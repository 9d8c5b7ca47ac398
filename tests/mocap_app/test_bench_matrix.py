"""The matrix of engines and runtimes: real cells in processes of their own, and rows that say why not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from bench_material import SYNTHETIC, cell_row

from engines.errors import UnknownEngineError
from engines.runtime.present import absence
from mocap_app.bench.cell import AUTO, Cell, crops_of, picture_of_one, role_of
from mocap_app.bench.lines import matrix_lines
from mocap_app.bench.matrix import Plan, compare_choice, least_disturbed, run_cell, run_matrix, why_not
from mocap_app.config import AppConfig, EngineConfig
from mocap_app.errors import ConfigError

SYNTHETIC_CELL = Cell("engine", "synthetic", AUTO, AUTO, 3, seconds=0.1)
FIGURES = {
    "predict", "frames_per_s", "load_s", "first_ms", "bare_rss_mb", "peak_rss_mb", "gpu_mb", "networks_p50_ms",
    "ran_in",
}  # fmt: skip


def test_a_real_cell_has_every_figure() -> None:
    cell = Cell("engine", "deforhmr", "onnxruntime", "fp32", 2, options={"runtime": "onnxruntime"}, seconds=0.2)
    row = run_cell(cell)
    assert set(row) == FIGURES, row
    assert row["predict"]["count"] >= 3
    assert 0 < row["predict"]["p50_ms"] <= row["predict"]["p95_ms"]
    assert row["ran_in"] == {"encoder": "onnxruntime", "head": "onnxruntime"}
    assert 0 < row["networks_p50_ms"]["encoder"] < row["predict"]["p50_ms"]
    assert row["load_s"] > 0
    assert row["gpu_mb"] is None
    if row["peak_rss_mb"] is not None:
        assert row["bare_rss_mb"] < 150 < row["peak_rss_mb"] < 5000  # torch alone takes more, and is part of the load


def test_a_matrix_has_a_row_for_everything_that_was_asked_for() -> None:
    plan = Plan(("synthetic",), (), ("torch", "openvino"), (1, 3), ("fp32", "fp16"), seconds=0.05)
    told: list[str] = []
    rows = run_matrix(plan, SYNTHETIC, told.append)
    assert len(rows) == len(told) == 2 * (1 + 2 * 2)
    assert told[0] == "synthetic, auto, 1 person"
    measured = [row for row in rows if "predict" in row]
    assert [(row["runtime"], row["people"]) for row in measured] == [(AUTO, 1), (AUTO, 3)]
    assert all(row["predict"]["p50_ms"] > 0 for row in measured)
    assert all(row["reason"] for row in rows if row not in measured)
    text = "\n".join(matrix_lines(rows))
    assert "no network to run" in text
    assert "frames/s" in text


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (Cell("engine", "deforhmr", "torch", "fp16", 1), "fp32 alone"),
        (Cell("detector", "blazepose", "onnxruntime", "fp16", 1), "has no fp16"),
        (Cell("engine", "deforhmr", "openvino", "fp32", 1, device="cuda:0"), absence("openvino", "cuda:0")),
        (Cell("engine", "deforhmr", "torch", "fp32", 1), ""),
        (SYNTHETIC_CELL, ""),
    ],
)
def test_what_cannot_be_tried_says_why(cell: Cell, expected: str) -> None:
    reason = why_not(cell)
    assert expected in reason if expected else not reason


def test_a_cell_that_fails_is_a_row_and_no_exception() -> None:
    unknown = run_cell(replace(SYNTHETIC_CELL, options={"colour": "red"}))
    assert "colour" in unknown["reason"]
    broken = run_cell(replace(SYNTHETIC_CELL, people="many"))
    assert "ended with" in broken["reason"]
    absent = run_cell(Cell("engine", "deforhmr", AUTO, AUTO, 1, options={"weights": "absent.safetensors"}))
    assert "absent.safetensors" in absent["reason"]


def test_an_impossible_plan_is_refused_before_anything_is_loaded() -> None:
    with pytest.raises(UnknownEngineError, match="deforhmr"):
        Plan(engines=("deforhrm",)).check()
    with pytest.raises(ConfigError, match="--runtimes: found onnx"):
        Plan(runtimes=("onnx",)).check()
    with pytest.raises(ConfigError, match="--rounds: found 0"):
        Plan(rounds=0).check()
    with pytest.raises(ConfigError, match="--precision: found int8"):
        Plan(precisions=("int8",)).check()


def test_options_of_the_settings_reach_their_engine_alone() -> None:
    config = replace(
        AppConfig(), engine=EngineConfig("deforhmr", options={"threads": 1, "runtime": "torch", "body": "b.npz"})
    )
    plan = Plan(("deforhmr", "fastmetro"), (), ("onnxruntime",), (1,))
    options = {(cell.name, cell.runtime): cell.options for cell in plan.cells(config)}
    assert options["deforhmr", AUTO] == {"threads": 1, "body": "b.npz"}
    assert options["deforhmr", "onnxruntime"] == {"threads": 1, "body": "b.npz", "runtime": "onnxruntime"}
    assert options["fastmetro", AUTO] == {"threads": 1}


def test_the_default_choice_is_compared_with_the_best_of_its_place() -> None:
    rows = [
        cell_row("auto", 12.0),
        cell_row("torch", 20.0),
        cell_row("onnxruntime", 10.0),
        cell_row("openvino", 5.0, 4),
    ]
    compare_choice(rows)
    assert rows[0]["best"] == "onnxruntime fp32"
    assert rows[0]["ratio_to_best"] == pytest.approx(1.2)


def test_of_several_rounds_the_least_disturbed_is_kept() -> None:
    failed = {key: value for key, value in cell_row("torch", 1.0).items() if key != "predict"} | {"reason": "it broke"}
    kept = least_disturbed([cell_row("torch", 14.0), cell_row("torch", 11.0), failed])
    assert kept["predict"]["p50_ms"] == 11.0
    assert kept["p50_ms_of_rounds"] == [14.0, 11.0]
    assert least_disturbed([failed, failed])["reason"] == "it broke"
    rows = run_matrix(Plan(("synthetic",), (), (), (1,), seconds=0.05, rounds=2), SYNTHETIC)
    assert len(rows) == 1
    assert len(rows[0]["p50_ms_of_rounds"]) == 2


def test_people_are_regions_of_the_shipped_crops() -> None:
    image, regions = crops_of(6)
    assert image.shape[0] == 256
    assert len(regions) == 6
    assert (regions.centers_px[4] == regions.centers_px[0]).all()
    assert picture_of_one().shape == (1920, 1080, 3)


def test_networks_are_named_by_their_part() -> None:
    assert role_of("blazepose-full") == "encoder"
    assert role_of("blazepose-detection") == "detector"
    assert role_of("deforhmr-0123") == "head"
