"""A report as lines for a reader."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .cell import AUTO
from .headless import INFERENCE_STAGES
from .report import Report


def report_lines(report: Report) -> Iterator[str]:
    """Yield the whole report."""
    yield from machine_lines(report["machine"])
    if "video" in report:
        video = report["video"]
        yield f"{video['name']}: {video['size_wh'][0]}x{video['size_wh'][1]}, {video['fps']:.2f} frames/s"
    if "headless" in report:
        yield from headless_lines(report["headless"])
    if "live" in report:
        yield from live_lines(report["live"])
    if "matrix" in report:
        yield from matrix_lines(report["matrix"])


def machine_lines(machine: dict[str, Any]) -> Iterator[str]:
    """Yield what it was measured on."""
    threads = ", ".join(f"{name} {count}" for name, count in machine["threads"].items())
    gpu = f", {machine['gpu']}" if machine["gpu"] else ""
    yield f"{machine['cpu']}, {machine['cores_usable']} of {machine['cores']} cores, {machine['device']}{gpu}"
    yield ", ".join(f"{name} {number}" for name, number in machine["versions"].items()) + f"; threads: {threads}"


def headless_lines(figures: dict[str, Any]) -> Iterator[str]:
    """Yield the run at full speed."""
    yield f"ready after {figures['ready_s']:.1f} s"
    yield f"headless: {figures['frames_per_s']:.1f} frames/s over {figures['frames']} frames ({figures['outputs']})"
    for name, spread in figures["stages"].items():
        yield f"  {name:<8} {spread_text(spread)}   mean {spread['mean_ms']:6.1f} ms"
    busy_ms = sum(spread["mean_ms"] for name, spread in figures["stages"].items() if name in INFERENCE_STAGES)
    stages, processor_ms = " + ".join(INFERENCE_STAGES), figures["cpu_ms_per_frame"]
    yield f"  {stages}: mean {busy_ms:.1f} ms; processor {processor_ms:.1f} ms/frame"
    yield memory_line(figures["memory"])


def live_lines(figures: dict[str, Any]) -> Iterator[str]:
    """Yield the run behind a camera's pace."""
    slowed = f", the engine slowed by {figures['slower_ms']:g} ms" if figures["slower_ms"] else ""
    yield f"live: {figures['frames']} frames at {figures['frames_per_s']:.1f} frames/s{slowed}"
    for name, spread in figures["ages"].items():
        yield f"  age of the frame at {name}, from its grab: {spread_text(spread)} ms"
    if figures["pixels"]:
        yield f"  age of the picture at the receiver, by its pixels: {spread_text(figures['pixels'])} ms"
    else:
        yield "  age of the picture at the receiver: nothing arrived, for nobody was seen"
    drops = ", ".join(f"{count} at {place}" for place, count in figures["drops"].items()) or "none"
    longest = ", ".join(f"{name} {count}" for name, count in figures["longest_mailboxes"].items())
    yield f"  dropped: {drops}; most that ever waited: {longest}; packets received: {figures['packets']}"
    yield memory_line(figures["memory"])


def memory_line(samples: list[dict[str, Any]]) -> str:
    """Return how the memory went."""
    known = [sample for sample in samples if sample["rss_mb"] is not None]
    if not known:
        return '  memory: not told by this system; pip install "mocap-app[bench]"'
    first, last = known[0], known[-1]
    most = max(sample["rss_mb"] for sample in known)
    return (
        f"  memory: {first['rss_mb']:.0f} MB at the start, at most {most:.0f} MB in {len(known)} looks, "
        f"{last['rss_mb']:.0f} MB when all was released"
    )


def matrix_lines(rows: list[dict[str, Any]]) -> Iterator[str]:
    """Yield one line per cell."""
    yield f"{'':<10} {'runtime':<12} {'':<5} {'people':>6}   predict, ms; networks' medians, ms"
    for row in rows:
        head = f"{row['name']:<10} {row['runtime']:<12} {shown_precision(row):<5} {row['people']:>6}"
        yield f"{head}   {row['reason']}" if "reason" in row else f"{head}   {cell_text(row)}"


def cell_text(row: dict[str, Any]) -> str:
    """Return the figures of a cell that was measured."""
    networks = ", ".join(f"{role} {ms:.1f}" for role, ms in row["networks_p50_ms"].items())
    parts = [spread_text(row["predict"]), f"{row['frames_per_s']:6.1f} frames/s", networks]
    parts.append(f"load {row['load_s']:.1f} s")
    if row["peak_rss_mb"] is not None:
        parts.append(f"peak {row['peak_rss_mb']:.0f} MB")
    if row["gpu_mb"] is not None:
        parts.append(f"card {row['gpu_mb']:.0f} MB")
    if "ratio_to_best" in row:
        chosen = "/".join(dict.fromkeys(row["ran_in"].values()))
        parts.append(f"took {chosen}: {row['ratio_to_best']:.2f} of {row['best']}, the best here")
    return "; ".join(part for part in parts if part)


def crowd_text(people: int) -> str:
    """Return how many people."""
    return "1 person" if people == 1 else f"{people} people"


def shown_precision(row: dict[str, Any]) -> str:
    """Return the precision, or nothing where it is not ours to say."""
    return "" if row["runtime"] == AUTO else str(row["precision"])


def spread_text(spread: dict[str, Any]) -> str:
    """Return median and 95th percentile."""
    return f"p50 {spread['p50_ms']:6.1f}   p95 {spread['p95_ms']:6.1f}"
