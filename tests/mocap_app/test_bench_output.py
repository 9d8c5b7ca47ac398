"""What the measurement is shown as: JSON, Markdown, a chart, a comparison; and the command's flags."""

from __future__ import annotations

import copy
import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import pytest
from bench_material import FLAGS, cell_row, write_walk

from mocap_app import cli
from mocap_app.bench.compare import compare_lines, unlike
from mocap_app.bench.markdown import BEGIN, END, placed, report_markdown
from mocap_app.bench.matrix import compare_choice
from mocap_app.bench.report import SCHEMA, read_report
from mocap_app.errors import ConfigError


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Return the folder and the report of a whole command."""
    folder = tmp_path_factory.mktemp("output")
    video = write_walk(folder / "walk.mp4", 12)
    argv = [
        "bench",
        *FLAGS,
        "--video",
        str(video),
        "--json",
        str(folder / "a.json"),
        "--markdown",
        str(folder / "a.md"),
    ]
    argv += ["--all", "--engines", "synthetic", "--detectors", "", "--people", "1", "--cell-seconds", "0.05"]
    assert cli.run(argv) == 0
    return folder, read_report(folder / "a.json")


@pytest.fixture
def report(measured: tuple[Path, dict[str, Any]]) -> dict[str, Any]:
    """Return a report with rows as a machine with two runtimes would give."""
    report = copy.deepcopy(measured[1])
    absent = {key: value for key, value in cell_row("tensorrt", 1.0).items() if key in ("kind", "name", "runtime")}
    report["matrix"] = [
        cell_row("auto", 11.0), cell_row("torch", 20.0), cell_row("onnxruntime", 10.0), cell_row("torch", 70.0, 4),
        {**absent, "precision": "fp32", "people": 1, "device": "cpu", "reason": "it is not installed"},
    ]  # fmt: skip
    compare_choice(report["matrix"])
    return report


def test_the_file_has_its_layout_and_every_part(measured: tuple[Path, dict[str, Any]]) -> None:
    _, report = measured
    assert report["schema"] == SCHEMA
    assert {"headless", "live", "matrix", "machine", "settings", "video"} <= set(report)
    assert report["headless"]["frames"] == 12
    rows = report["matrix"]
    assert {"kind", "name", "runtime", "precision", "people", "device"} <= set(rows[0])
    assert rows[0]["predict"]["p50_ms"] > 0
    assert len(rows) == 5  # the default choice and four runtimes


def test_the_tables_stand_between_marks(measured: tuple[Path, dict[str, Any]], report: dict[str, Any]) -> None:
    folder, _ = measured
    text = (folder / "a.md").read_text(encoding="utf-8")
    assert text.startswith(BEGIN)
    assert text.rstrip().endswith(END)
    tables = report_markdown(report)
    for expected in (
        "| The whole line, walk, 320x240 | p50 | p95 |", "| recover, ms |", "by its pixels, ms |",
        "| deforhmr | torch fp32 | 1 | 20.0 | 24.0 | 50.0 | encoder 10.0, head 5.0 | 1.5 | 450 |  |",
        "| deforhmr | auto (onnxruntime; 1.10 of onnxruntime fp32) | 1 | 11.0 |", "**10.0**",
        "- deforhmr in tensorrt fp32: it is not installed",
    ):  # fmt: skip
        assert expected in tables
    rows = [line for line in tables.splitlines() if line.startswith("| deforhmr")]
    assert len(rows) == 4
    assert len({line.count("|") for line in rows}) == 1


def test_tables_take_the_place_of_those_before() -> None:
    new = f"{BEGIN}\n\nnew\n\n{END}"
    assert placed(new, f"# Title\n\n{BEGIN}\nold\n{END}\n\nafter\n") == f"# Title\n\n{new}\n\nafter\n"
    assert placed(new, "something else\n") == new + "\n"


def test_a_comparison_marks_what_changed(report: dict[str, Any]) -> None:
    later = copy.deepcopy(report)
    later["matrix"][1]["predict"]["p50_ms"] = 10.0
    later["matrix"][2]["predict"]["p50_ms"] = 10.5
    later["live"]["pixels"]["p95_ms"] *= 1.5
    later["headless"]["frames_per_s"] *= 0.5
    lines = {line.split("  ")[0]: line for line in compare_lines(report, later)}
    assert lines["deforhmr torch fp32, 1 person p50, ms"].endswith("0.50  better")
    assert lines["deforhmr onnxruntime fp32, 1 person p50, ms"].endswith("1.05")
    assert lines["live age by pixels p95, ms"].endswith("1.50  WORSE")
    assert lines["headless frames/s"].endswith("0.50  WORSE")


def test_a_comparison_has_only_what_both_have(report: dict[str, Any]) -> None:
    alone = {key: value for key, value in report.items() if key != "matrix"}
    assert any(line.startswith("only in the first: ") for line in compare_lines(report, alone))
    bare = {key: report[key] for key in ("schema", "machine", "settings")}
    assert "the two reports have no figure in common" in list(compare_lines(bare, bare))


def test_unlike_machines_are_refused_with_a_warning(
    measured: tuple[Path, dict[str, Any]], caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, report = measured
    other = copy.deepcopy(report)
    other["machine"]["cpu"] = "another"
    (folder / "b.json").write_text(json.dumps(other), encoding="utf-8")
    assert unlike(report, other)
    assert not unlike(report, report)
    argv = ["bench", "--compare", str(folder / "a.json"), str(folder / "b.json")]
    assert cli.run(argv) == 0
    assert "another" in caplog.text
    assert "ratio" not in capsys.readouterr().out
    assert cli.run([*argv, "--anyway"]) == 0
    assert "headless frames/s" in capsys.readouterr().out


def test_a_file_of_another_layout_is_refused(tmp_path: Path) -> None:
    old = tmp_path / "old.json"
    old.write_text('{"machine": {}}', encoding="utf-8")
    with pytest.raises(ConfigError, match=f"its layout is none, expected {SCHEMA}"):
        read_report(old)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_report(tmp_path / "absent.json")


@pytest.mark.skipif(find_spec("matplotlib") is None, reason="matplotlib (the extra bench) is not installed")
def test_the_chart_is_a_picture_with_something_in_it(report: dict[str, Any], tmp_path: Path) -> None:
    from mocap_app.bench.plot import limit_of, plot_report

    report["matrix"][1]["predict"] |= {"p50_ms": 900.0, "p95_ms": 950.0}
    assert limit_of(report["matrix"][:3]) == 44.0
    plot_report(report, tmp_path / "chart.png")
    picture = cv2.imread(str(tmp_path / "chart.png"))
    assert picture.shape[0] > 900
    assert len(colours(picture)) > 10
    with pytest.raises(ConfigError, match="nothing to draw"):
        plot_report({"machine": report["machine"]}, tmp_path / "none.png")


def colours(picture: Any) -> set[tuple[int, ...]]:
    return {tuple(pixel) for pixel in picture[::4, ::4].reshape(-1, 3).tolist()}


def test_without_matplotlib_one_line_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("mocap_app.bench.plot.matplotlib_is_here", lambda: False)
    assert cli.run(["bench", *FLAGS, "--plot", "chart.png"]) == 2
    assert 'pip install "mocap-app[bench]"' in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["--matrix", "--live"], "leave one away"),
        (["--people", "1,2"], "needs --matrix"),
        (["--people", "none"], "expected numbers from 1"),
        (["--looped", "0"], "--looped 0"),
        (["--slow-engine", "-1"], "--slow-engine -1"),
        (["--matrix", "--runtimes", "fastest"], "--runtimes: found fastest"),
        (["--people", "9"], "expected 1 to 8"),
    ],
)
def test_flags_that_cannot_be_are_refused(flags: list[str], expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["bench", *FLAGS, *flags]) == 2
    assert expected in capsys.readouterr().err
