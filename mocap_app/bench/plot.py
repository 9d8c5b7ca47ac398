"""A report as a chart, by matplotlib (the extra `bench`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import ConfigError
from .cell import AUTO
from .lines import crowd_text, shown_precision
from .report import Report, write

COLOURS = {"torch": "#d1603d", "onnxruntime": "#3d7ea6", "openvino": "#6a51a3", "tensorrt": "#5b8c3a", AUTO: "#9a9a9a"}
STAGE_COLOURS = {
    "capture": "#b8c4cc", "detect": "#e0a458", "track": "#7f8c8d", "recover": "#3d7ea6", "solve": "#5b8c3a",
}  # fmt: skip
HATCHES = {"fp16": "//"}
INK, GRID = "#2b2f33", "#dfe3e6"
DPI = 150
OUT_OF_SIGHT = 4.0
"""So many times the middle one is too slow to be drawn in full."""


def matplotlib_is_here() -> bool:
    """Say whether a chart can be drawn."""
    from importlib.util import find_spec

    return find_spec("matplotlib") is not None


def plot_report(report: Report, path: Path) -> None:
    """Draw the report into a picture: latencies of the matrix, stages of the line, ages of the live run.

    Raises:
        ConfigError: matplotlib is not installed, or the report holds nothing to draw.
        SinkError: The file cannot be written.
    """
    if not matplotlib_is_here():
        raise ConfigError('--plot: matplotlib is not installed; install it with: pip install "mocap-app[bench]"')
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    cells = [row for row in report.get("matrix", ()) if "predict" in row]
    crowds = sorted({row["people"] for row in cells})
    has_line = "headless" in report or "live" in report
    heights = [2.9] * len(crowds) + [2.3] * has_line
    if not heights:
        raise ConfigError("--plot: there is nothing to draw, expected a cell or a run that was measured")
    figure = Figure(figsize=(9.5, sum(heights) + 1.0), dpi=DPI, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0]
    machine = report["machine"]
    figure.suptitle(
        f"{machine['gpu'] or machine['cpu']}, {machine['cores_usable']} cores, {machine['measured_at'][:10]}",
        fontsize=10, color=INK,
    )  # fmt: skip
    for people, place in zip(crowds, axes, strict=False):
        draw_cells(place, [row for row in cells if row["people"] == people], people)
    if has_line:
        draw_line(axes[-1], report)
    write(path, "--plot", lambda: figure.savefig(path, format="png"))


def draw_cells(axes: Any, cells: list[dict[str, Any]], people: int) -> None:
    """Draw one group of bars per engine: medians, with a whisker up to the 95th percentile."""
    engines = list(dict.fromkeys(row["name"] for row in cells))
    ways = list(dict.fromkeys((row["runtime"], shown_precision(row)) for row in cells))
    width = 0.8 / len(ways)
    limit = limit_of(cells)
    named: set[tuple[str, str]] = set()
    for row in cells:
        way = (row["runtime"], shown_precision(row))
        x = engines.index(row["name"]) + (ways.index(way) - (len(ways) - 1) / 2) * width
        p50, p95 = row["predict"]["p50_ms"], row["predict"]["p95_ms"]
        label = None if way in named else " ".join(way).strip().replace(AUTO, "the default choice")
        named.add(way)
        axes.bar(
            x, min(p50, limit), 0.9 * width, color=COLOURS.get(way[0], INK), hatch=HATCHES.get(way[1], ""),
            edgecolor="white", linewidth=0.5, label=label, zorder=2,
        )  # fmt: skip
        axes.plot((x, x), (min(p50, limit), min(p95, limit)), color=INK, linewidth=1, zorder=3)
        # What goes beyond the axis says so by an arrow.
        text = f"{p50:.1f}" if p95 <= limit else f"{p50:.0f} \u2191"
        axes.text(x, min(p95, limit) + 0.02 * limit, text, ha="center", va="bottom", fontsize=7, color=INK)
    axes.set_xticks(range(len(engines)), engines)
    axes.set_ylim(0, 1.12 * limit)
    axes.set_ylabel("ms per frame", fontsize=8, color=INK)
    _finish(axes, f"predict alone, {crowd_text(people)}: median, whisker to the 95th percentile; lower is better", "y")
    axes.legend(fontsize=7, frameon=False, ncols=1, loc="upper left", bbox_to_anchor=(1.0, 1.0))


def limit_of(cells: list[dict[str, Any]]) -> float:
    """Return where the axis ends: at the slowest cell, or far above what is usual where that would hide the others."""
    medians = sorted(row["predict"]["p50_ms"] for row in cells)
    usual = medians[len(medians) // 2]
    return min(max(row["predict"]["p95_ms"] for row in cells), OUT_OF_SIGHT * usual)


def draw_line(axes: Any, report: Report) -> None:
    """Draw the stages of the line end to end, and the ages of the live run below them."""
    names: list[str] = []
    if "headless" in report:
        names.append("stages, mean")
        left = 0.0
        for stage, spread in report["headless"]["stages"].items():
            axes.barh(0, spread["mean_ms"], left=left, height=0.55, color=STAGE_COLOURS.get(stage, INK), label=stage,
                      edgecolor="white", linewidth=0.5, zorder=2)  # fmt: skip
            left += spread["mean_ms"]
        rate = report["headless"]["frames_per_s"]
        axes.text(left, 0, f"  {left:.1f} ms; {rate:.1f} frames/s", va="center", fontsize=8, color=INK)
    for name, spread in _ages(report):
        row = len(names)
        names.append(name)
        axes.barh(row, spread["p50_ms"], height=0.55, color="#b5838d", zorder=2)
        axes.plot((spread["p50_ms"], spread["p95_ms"]), (row, row), color=INK, linewidth=1, zorder=3)
        axes.text(
            spread["p95_ms"],
            row,
            f"  {spread['p50_ms']:.1f} ms, p95 {spread['p95_ms']:.1f}",
            va="center",
            fontsize=8,
            color=INK,
        )
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlabel("ms", fontsize=8, color=INK)
    axes.margins(x=0.25)
    axes.set_xlim(left=0)
    video = report["video"]
    _finish(axes, f"the whole line, {video['name']} {video['size_wh'][0]}x{video['size_wh'][1]}", "x")
    if "headless" in report:
        axes.legend(fontsize=7, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))


def _ages(report: Report) -> list[tuple[str, dict[str, Any]]]:
    live = report.get("live")
    if live is None:
        return []
    ages = [(f"age at {name}", spread) for name, spread in live["ages"].items()]
    return [*ages, ("age by pixels", live["pixels"])] if live["pixels"] else ages


def _finish(axes: Any, title: str, grid: str) -> None:
    axes.set_title(title, fontsize=9, loc="left", color=INK)
    axes.grid(axis=grid, color=GRID, zorder=0)
    axes.tick_params(labelsize=8, colors=INK, length=0)
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)
