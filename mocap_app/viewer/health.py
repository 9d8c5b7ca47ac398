"""What the measurements of a session mean to whoever sits at the window, in plain words. No Qt."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engines.types import FloatArray

from ..stats import Spread, Summary
from .machine import Load

KEPT = 120
"""Moments in a plot: a minute at two a second."""
STEP_S = 0.45
"""Between two moments: half a second, with what a timer is early."""
SETTLED_FRAMES = 30
"""Fewer frames than this say more about loading than about running."""
SMOOTH_FPS = 24.0
"""A camera slower than this is worth a word; most promise 30."""
STEADY_FPS = 12.0
"""Live motion with fewer poses per second than this looks like steps."""
LATE_MS = 250.0
"""A performer notices a picture that is later than this."""
DROPPED_PART = 0.25
"""Of the pictures: where more are left out, it is worth a word."""
EMPTY_S = 10.0
"""Nobody seen for so long."""
LEAST_DISK_BYTES = 2 * 1024**3
"""A take with video needs up to some hundred megabytes a minute."""
LEAST_MEMORY_BYTES = 512 * 1024**2
EDGE_PX = 2.0
"""A box so near to the picture's edge is cut off by it."""
CUT_S = 3.0
"""Reaching out of the picture for a moment is no reason for a warning."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is not as it should be."""

    words: str
    """What is, and what helps."""
    is_serious: bool = False
    """True where something will be lost."""


@dataclass(frozen=True, slots=True)
class Plot:
    """One number over the last minute."""

    title: str
    value: str
    """The newest, in words."""
    detail: str
    values: tuple[float, ...]
    """The oldest first, at most `KEPT`."""
    top: float
    """The highest that is shown; a round number, so that the scale does not dance."""
    top_words: str


@dataclass(frozen=True, slots=True)
class Report:
    """Everything the panel shows at one moment."""

    summary: Summary
    load: Load
    frames_per_s: float
    """Lately, not since the beginning."""
    drops_per_s: dict[str, float]
    troubles: tuple[Trouble, ...]
    plots: tuple[Plot, ...]
    engine: str
    runtime: str


class Health:
    """Watches one session, told of its measurements about twice a second. Used by the window's thread."""

    def __init__(self, engine: str, is_live: bool) -> None:
        """Begin with nothing measured; a file may be slow, so only a live source (`is_live`) is judged."""
        self._engine, self._is_live = engine, is_live
        self._series: dict[str, deque[float]] = {}
        self._report: Report | None = None
        self._before: Summary | None = None
        self._before_s = 0.0
        self._empty_s: float | None = None
        self._cut_s: float | None = None
        """Since when nobody has been seen, and somebody has been cut off; None where that is not so."""
        self._now_s = 0.0

    def note_people(self, boxes_xyxy: FloatArray, size_wh: tuple[int, int], now_s: float) -> None:
        """Take in who is in the newest picture.

        Args:
            boxes_xyxy: `(N, 4)` pixels.
            size_wh: of the picture, pixels.
            now_s: of any clock that only rises, the same as for `update`.
        """
        self._empty_s = None if len(boxes_xyxy) else self._empty_s if self._empty_s is not None else now_s
        is_cut = is_cut_off(boxes_xyxy, size_wh)
        self._cut_s = None if not is_cut else self._cut_s if self._cut_s is not None else now_s

    def update(self, summary: Summary, load: Load, runtime: str, now_s: float) -> Report:
        """Take in one more moment and return what to show: the same as before where it is too soon for a new one."""
        if self._report is not None and now_s - self._before_s < STEP_S:
            return self._report
        self._report = self._look(summary, load, runtime, now_s)
        return self._report

    def _look(self, summary: Summary, load: Load, runtime: str, now_s: float) -> Report:
        step_s = max(now_s - self._before_s, 1e-3)
        before, self._before, self._before_s, self._now_s = self._before, summary, now_s, now_s
        if before is None:  # nothing to compare with
            return Report(summary, load, 0.0, {}, (), (), self._engine, runtime)
        frames = summary.frames - before.frames
        drops = {n: (c - before.drops.get(n, 0)) / step_s for n, c in summary.drops.items()}
        self._keep("rate", frames / step_s)
        recent = float(np.mean(list(self._series["rate"])[-6:]))
        line = warnings_of(summary, self._is_live, recent, drops)
        troubles = (*self._of_the_picture(), *line, *_of_the_machine(load))
        return Report(
            summary, load, recent, drops, troubles, self._plots(summary, load, recent), self._engine, runtime
        )  # fmt: skip

    def _keep(self, name: str, value: float) -> tuple[float, ...]:
        self._series.setdefault(name, deque(maxlen=KEPT)).append(value)
        return tuple(self._series[name])

    def _plots(self, summary: Summary, load: Load, rate: float) -> tuple[Plot, ...]:
        age_ms = _age_ms(summary)
        ages = self._keep("age", age_ms)
        plots = [
            _plot("Frames per second", f"{rate:.1f}", "whole line", tuple(self._series["rate"]), 30, ""),
            _plot("Age of a frame", f"{age_ms:.0f} ms", "camera to output", ages, 50, " ms"),
        ]
        if load.process_cpu is not None:
            busy = self._keep("cpu", 100 * load.process_cpu / load.cores)
            detail = f"machine: {100 * (load.machine_cpu or 0):.0f} %"
            plots.append(Plot("Processor", f"{busy[-1]:.0f} %", detail, busy, 100, "100 %"))
        if load.memory_bytes is not None:
            used = self._keep("memory", load.memory_bytes / 2**20)
            detail = f"{size_words(load.memory_free_bytes or 0)} free"
            plots.append(_plot("Memory", size_words(load.memory_bytes), detail, used, 512, " MB"))
        if load.gpu_used is not None:
            card = self._keep("gpu", 100 * load.gpu_used)
            detail = f"{load.gpu}, {size_words(load.gpu_memory_bytes or 0)} used"
            plots.append(Plot("Graphics card", f"{card[-1]:.0f} %", detail, card, 100, "100 %"))
        return tuple(plots)

    def _of_the_picture(self) -> list[Trouble]:
        if self._empty_s is not None and self._now_s - self._empty_s >= EMPTY_S:
            return [Trouble("Nobody has been seen for a while: step into the picture, whole and with light on you.")]
        if self._cut_s is not None and self._now_s - self._cut_s >= CUT_S:
            return [
                Trouble("Somebody is cut off by the edge of the picture: step back, or turn the camera, until head "
                         "and feet are in it.")
            ]  # fmt: skip
        return []


def is_cut_off(boxes_xyxy: FloatArray, size_wh: tuple[int, int]) -> bool:
    """Say whether a box of `(N, 4)` pixels touches the picture's edge."""
    if not len(boxes_xyxy):
        return False
    low, high = boxes_xyxy[:, :2], np.array(size_wh) - boxes_xyxy[:, 2:]
    return bool((np.minimum(low, high) <= EDGE_PX).any())


def warnings_of(
    summary: Summary, is_live: bool, frames_per_s: float | None = None, drops_per_s: dict[str, float] | None = None
) -> tuple[Trouble, ...]:
    """Return what is wrong with the line and what to do, most useful first; only live sources are judged.

    Args:
        summary: All measurements.
        is_live: Whether the source cannot wait.
        frames_per_s: Lately; None takes the summary's, since the beginning.
        drops_per_s: Lately, per place; None takes the summary's counts over its time.
    """
    if not is_live or summary.frames < SETTLED_FRAMES:
        return ()
    rate = summary.frames_per_s if frames_per_s is None else frames_per_s
    span_s = summary.elapsed_s or 1.0
    drops = {n: c / span_s for n, c in summary.drops.items()} if drops_per_s is None else drops_per_s
    found = (_slow_camera(summary, drops), _slow_line(summary, rate, drops), _late(summary))
    return tuple(Trouble(text) for text in found if text)


def _slow_camera(summary: Summary, drops: dict[str, float]) -> str:
    # A frame that waited for nothing but the device: without drops, capture's time is the camera's own period.
    capture = summary.stages.get("capture")
    if capture is None or capture.p50_ms * SMOOTH_FPS <= 1000 or drops.get("capture"):
        return ""
    return f"The camera gives {1000 / capture.p50_ms:.0f} fps: more light or a lower resolution helps."


def _slow_line(summary: Summary, rate: float, drops: dict[str, float]) -> str:
    work = {name: spread.mean_ms for name, spread in summary.stages.items() if name != "capture"}
    dropped = drops.get("capture", 0.0)
    if not work or dropped <= DROPPED_PART * (rate + dropped):
        return ""
    name = max(work, key=lambda stage: work[stage])
    longest = f"{name} takes longest ({work[name]:.0f} ms)"
    helps = "fewer people, a lighter engine or a graphics card helps"
    if rate < STEADY_FPS:
        return f"This computer keeps up with {rate:.0f} pictures a second, and {longest}: {helps}."
    part = 100 * dropped / (rate + dropped)
    return f"{part:.0f} % of the camera's pictures are left out; {longest}: {helps}."


def _late(summary: Summary) -> str:
    age_ms = _age_ms(summary)
    if age_ms <= LATE_MS:
        return ""
    return f"The picture is {age_ms / 1000:.1f} s late: close other programs, or choose a lighter engine."


def _plot(title: str, value: str, detail: str, values: tuple[float, ...], least: float, unit: str) -> Plot:
    """Return a plot whose scale is the first of least, twice, four times ... that holds every value."""
    top = least
    while max(values, default=0.0) > top:
        top *= 2
    return Plot(title, value, detail, values, top, f"{top:.0f}{unit}")


def _of_the_machine(load: Load) -> list[Trouble]:
    found = []
    if load.disk_free_bytes is not None and load.disk_free_bytes < LEAST_DISK_BYTES:
        left = size_words(load.disk_free_bytes)
        found.append(Trouble(f"The disk has {left} left: free some space, or choose another folder for takes.", True))
    if load.memory_free_bytes is not None and load.memory_free_bytes < LEAST_MEMORY_BYTES:
        left = size_words(load.memory_free_bytes)
        found.append(Trouble(f"Only {left} of memory are left: close other programs.", True))
    return found


def _age_ms(summary: Summary) -> float:
    """Return how old the newest frames are where they are seen, or else where they leave first; 0 before that."""
    window = summary.ages.get("window")
    ages: Sequence[Spread] = [window] if window else list(summary.ages.values())
    return min((age.p50_ms for age in ages), default=0.0)


def size_words(count: float) -> str:
    """Return bytes in words, as 1.4 GB."""
    for unit in ("B", "KB", "MB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} GB"
