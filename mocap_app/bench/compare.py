"""Two reports side by side: every figure with its ratio, and a mark where it changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .lines import crowd_text, shown_precision
from .report import Report

CHANGED = 0.10
"""What differs by more than this part is marked."""
SAME_MACHINE = ("cpu", "cores", "cores_usable", "gpu", "device", "threads")


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a report."""

    value: float
    more_is_better: bool = False


def unlike(a: Report, b: Report) -> list[str]:
    """Return in words how the machines of two reports differ in what figures depend on; empty where they do not."""
    ours, theirs = a["machine"], b["machine"]
    return [f"{key}: {ours[key]} against {theirs[key]}" for key in SAME_MACHINE if ours[key] != theirs[key]]


def differences(a: Report, b: Report) -> list[str]:
    """Return in words what else was not the same: video, engine, detector."""
    keys = [key for key in ("video", "settings") if key in a and key in b and a[key] != b[key]]
    return [f"{key}: {a[key]} against {b[key]}" for key in keys]


def compare_lines(a: Report, b: Report) -> Iterator[str]:
    """Yield a table of the figures that both reports have."""
    ours, theirs = figures(a), figures(b)
    shared = [name for name in ours if name in theirs]
    width = max((len(name) for name in shared), default=0)
    if shared:
        yield f"{'':<{width}} {'first':>10} {'second':>10}   ratio"
    for name in shared:
        before, after = ours[name], theirs[name]
        yield f"{name:<{width}} {before.value:10.2f} {after.value:10.2f}   {ratio_text(before, after)}".rstrip()
    for title, missing in (("only in the first", ours.keys() - theirs), ("only in the second", theirs.keys() - ours)):
        if missing:
            yield f"{title}: {len(missing)} figures"
    if not shared:
        yield "the two reports have no figure in common"


def ratio_text(before: Figure, after: Figure) -> str:
    """Return the ratio, and a mark where it is far from 1: better or worse."""
    if before.value <= 0:
        return ""
    ratio = after.value / before.value
    if abs(ratio - 1) <= CHANGED:
        return f"{ratio:5.2f}"
    return f"{ratio:5.2f}  {'better' if (ratio > 1) == before.more_is_better else 'WORSE'}"


def figures(report: Report) -> dict[str, Figure]:
    """Return the comparable figures of a report by their names."""
    found: dict[str, Figure] = {}
    for part in ("headless", "live"):
        if part in report:
            found |= _line_figures(part, report[part])
    for row in report.get("matrix", ()):
        if "predict" in row:
            found |= _cell_figures(row)
    return found


def _line_figures(part: str, measured: dict[str, Any]) -> dict[str, Figure]:
    found = {f"{part} frames/s": Figure(measured["frames_per_s"], more_is_better=True)}
    spreads = dict(measured["stages"])
    if part == "live":  # where the time of capture is a wait; and at full speed an age is that of a queue
        del spreads["capture"]
        spreads |= {f"age at {name}": age for name, age in measured["ages"].items()}
        spreads |= {"age by pixels": measured["pixels"]} if measured["pixels"] else {}
    for name, spread in spreads.items():
        found |= {f"{part} {name} {p}, ms": Figure(spread[f"{p}_ms"]) for p in ("p50", "p95")}
    found[f"{part} processor, ms/frame"] = Figure(measured["cpu_ms_per_frame"])
    looks = [sample["rss_mb"] for sample in measured["memory"] if sample["rss_mb"] is not None]
    if looks:
        found[f"{part} memory at most, MB"] = Figure(max(looks))
    return found


def _cell_figures(row: dict[str, Any]) -> dict[str, Figure]:
    way = f"{row['runtime']} {shown_precision(row)}".strip()
    name = f"{row['name']} {way}, {crowd_text(row['people'])}"
    found = {f"{name} {p}, ms": Figure(row["predict"][f"{p}_ms"]) for p in ("p50", "p95")}
    found[f"{name} load, s"] = Figure(row["load_s"])
    if row["peak_rss_mb"] is not None:
        found[f"{name} peak, MB"] = Figure(row["peak_rss_mb"])
    return found
