"""A report as Markdown: the tables of the README are made by this."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from .lines import machine_lines, memory_line, shown_precision
from .report import Report

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"


def report_markdown(report: Report) -> str:
    """Return the tables, between two marks by which they can be replaced."""
    parts = [BEGIN, "\n".join(machine_lines(report["machine"])) + f"\nMeasured at {report['machine']['measured_at']}."]
    if "headless" in report or "live" in report:
        parts.append(line_text(report))
    if "matrix" in report:
        parts += [matrix_table(report["matrix"]), *absent_text(report["matrix"])]
    return "\n\n".join([*parts, END])


def placed(tables: str, text: str) -> str:
    """Return `text` with `tables` in place of what stands between its marks; the tables alone where it has none."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    return before + tables + after if begin and end else tables + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def line_text(report: Report) -> str:
    """Return the table of the whole line, and the memory below it."""
    video = report["video"]
    name = f"{video['name']}, {video['size_wh'][0]}x{video['size_wh'][1]}"
    rows = [*headless_rows(report.get("headless")), *live_rows(report.get("live"))]
    memory = [
        f"{part}: {memory_line(report[part]['memory']).strip().removeprefix('memory: ')}"
        for part in ("headless", "live")
        if part in report
    ]
    return (
        table((f"The whole line, {name}", "p50", "p95"), rows) + "\n\n" + "Resident memory. " + "; ".join(memory) + "."
    )


def headless_rows(figures: dict[str, Any] | None) -> Iterator[tuple[str, str, str]]:
    """Yield the rows of the run at full speed."""
    if figures is None:
        return
    yield (
        f"headless, {figures['outputs']}: frames/s over {figures['frames']} frames",
        _number(figures["frames_per_s"]),
        "",
    )
    for name, spread in figures["stages"].items():
        yield f"{name}, ms", *_spread(spread)
    yield "processor time per frame, ms", _number(figures["cpu_ms_per_frame"]), ""
    yield "first result after, s", _number(figures["ready_s"]), ""


def live_rows(figures: dict[str, Any] | None) -> Iterator[tuple[str, str, str]]:
    """Yield the rows of the live run."""
    if figures is None:
        return
    slowed = f", engine slowed by {figures['slower_ms']:g} ms" if figures["slower_ms"] else ""
    for name, spread in figures["ages"].items():
        yield f"live{slowed}: age of the frame at {name}, from its grab, ms", *_spread(spread)
    if figures["pixels"]:
        yield f"live{slowed}: age of the picture at the receiver, by its pixels, ms", *_spread(figures["pixels"])
    drops = figures["drops"].get("capture", 0)
    seen = figures["frames"] + drops
    yield f"live{slowed}: frames dropped at capture, of {seen}", str(drops), ""


def matrix_table(rows: list[dict[str, Any]]) -> str:
    """Return the table of the cells that were measured; the fastest of its kind is bold."""
    measured = [row for row in rows if "predict" in row]
    fastest = {id(min(same, key=_p50)) for same in _by_place(measured)}
    head = (
        "engine",
        "runtime",
        "people",
        "predict p50",
        "p95",
        "frames/s",
        "networks p50",
        "load, s",
        "peak MB",
        "card MB",
    )
    return table(head, (_cells(row, id(row) in fastest) for row in measured))


def absent_text(rows: list[dict[str, Any]]) -> Iterator[str]:
    """Yield why the other cells were not measured, each reason once."""
    reasons: dict[str, list[str]] = {}
    for row in rows:
        if "reason" in row:
            what = f"{row['name']} in {row['runtime']} {shown_precision(row)}".strip()
            reasons.setdefault(row["reason"], []).append(what)
    if reasons:
        yield "Not measured:"
        yield "\n".join(f"- {', '.join(dict.fromkeys(names))}: {reason}" for reason, names in reasons.items())


def _cells(row: dict[str, Any], is_fastest: bool) -> list[str]:
    bold = "**" if is_fastest else ""
    way = f"{row['runtime']} {shown_precision(row)}".strip()
    if "ratio_to_best" in row:
        way += f" ({'/'.join(dict.fromkeys(row['ran_in'].values()))}; {row['ratio_to_best']:.2f} of {row['best']})"
    networks = ", ".join(f"{role} {ms:.1f}" for role, ms in row["networks_p50_ms"].items())
    times = _spread(row["predict"])
    figures = [_number(row["frames_per_s"]), networks, _number(row["load_s"])]
    memory = [_number(row[key], 0) for key in ("peak_rss_mb", "gpu_mb")]
    return [row["name"], way, str(row["people"]), f"{bold}{times[0]}{bold}", times[1], *figures, *memory]


def _by_place(rows: list[dict[str, Any]]) -> Iterable[list[dict[str, Any]]]:
    places: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        places.setdefault((row["kind"], row["name"], row["people"]), []).append(row)
    return places.values()


def _p50(row: dict[str, Any]) -> float:
    return float(row["predict"]["p50_ms"])


def _spread(spread: dict[str, Any]) -> tuple[str, str]:
    return _number(spread["p50_ms"]), _number(spread["p95_ms"])


def _number(value: float | None, digits: int = 1) -> str:
    return "" if value is None else f"{value:.{digits}f}"
