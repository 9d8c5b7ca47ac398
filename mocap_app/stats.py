"""What a session measured: stage times, age of frames at each output, drops."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np

KEPT = 4096
"""Latest measurements kept per name: two minutes at 30 frames per second."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How one measured time spreads."""

    count: int
    """How many times it was measured in all."""
    mean_ms: float
    p50_ms: float
    p95_ms: float

    @classmethod
    def of(cls, values_ms: Collection[float], count: int | None = None) -> Spread:
        """Return how the values spread, of which there is one at least; `count` where there were more of them."""
        values = np.fromiter(values_ms, float)
        p50, p95 = np.percentile(values, (50, 95))
        return cls(len(values) if count is None else count, float(values.mean()), float(p50), float(p95))


@dataclass(frozen=True, slots=True)
class Summary:
    """The measurements of a session at one moment."""

    frames: int
    """Frames that went through the whole line."""
    elapsed_s: float
    """From the first finished frame to the last."""
    frames_per_s: float
    stages: dict[str, Spread]
    """Per stage, in the order of the line."""
    ages: dict[str, Spread]
    """Per output: age of the frame, from its grab to the moment it left."""
    drops: dict[str, int]
    """Per place: frames or results that were replaced by newer ones."""
    sent: dict[str, int] = field(default_factory=dict)
    """Per live output: packets or messages handed over so far."""
    lost: dict[str, int] = field(default_factory=dict)
    """Per live output: packets that could not be handed over so far."""
    failed: dict[str, str] = field(default_factory=dict)
    """Per live output that was detached: why."""

    def lines(self) -> tuple[str, ...]:
        """Return the summary as short lines of text."""
        head = f"{self.frames} frames, {self.frames_per_s:.1f} frames/s"
        stages = [f"{n}: {s.p50_ms:.1f} ms, p95 {s.p95_ms:.1f}" for n, s in self.stages.items()]
        ages = [f"age at {n}: {s.p50_ms:.1f} ms, p95 {s.p95_ms:.1f}" for n, s in self.ages.items()]
        return (head, *stages, *ages, *(f"dropped at {n}: {c}" for n, c in self.drops.items() if c))


class _Series:
    def __init__(self) -> None:
        self.count = 0
        self.latest: deque[float] = deque(maxlen=KEPT)

    def add(self, value_ms: float) -> None:
        self.count += 1
        self.latest.append(value_ms)

    def spread(self) -> Spread:
        return Spread.of(self.latest, self.count)


class Stats:
    """Counts and times; every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stages: dict[str, _Series] = {}
        self._ages: dict[str, _Series] = {}
        self._drops: dict[str, int] = {}
        self._sent: dict[str, int] = {}
        self._lost: dict[str, int] = {}
        self._failed: dict[str, str] = {}
        self._frames = 0
        self._first_ns = 0
        self._last_ns = 0

    def frame_done(self, stage_ms: Mapping[str, float]) -> None:
        """Count one frame that left the line, with the milliseconds of its stages."""
        now_ns = time.monotonic_ns()
        with self._lock:
            self._frames += 1
            self._first_ns = self._first_ns or now_ns
            self._last_ns = now_ns
            for name, value_ms in stage_ms.items():
                self._stages.setdefault(name, _Series()).add(value_ms)

    def left(self, output: str, grabbed_ns: int) -> None:
        """Note that a frame grabbed at `grabbed_ns` (`time.monotonic_ns`) leaves at `output` now."""
        age_ms = (time.monotonic_ns() - grabbed_ns) / 1e6
        with self._lock:
            self._ages.setdefault(output, _Series()).add(age_ms)

    def drop(self, place: str) -> None:
        """Count one frame or result replaced by a newer one at `place`."""
        with self._lock:
            self._drops[place] = self._drops.get(place, 0) + 1

    def count_sent(self, output: str, packets: int, lost: int = 0) -> None:
        """Note how many packets `output` has handed over so far, and how many it could not."""
        with self._lock:
            self._sent[output] = packets
            self._lost[output] = lost

    def fail(self, output: str, reason: str) -> None:
        """Note why `output` was detached."""
        with self._lock:
            self._failed[output] = reason

    @property
    def frames(self) -> int:
        """Frames that went through the whole line."""
        return self._frames

    def summary(self) -> Summary:
        """Return the measurements so far."""
        with self._lock:
            elapsed_s = (self._last_ns - self._first_ns) / 1e9
            return Summary(
                frames=self._frames,
                elapsed_s=elapsed_s,
                frames_per_s=(self._frames - 1) / elapsed_s if elapsed_s > 0 else 0.0,
                stages={name: series.spread() for name, series in self._stages.items()},
                ages={name: series.spread() for name, series in self._ages.items()},
                drops=dict(self._drops),
                sent=dict(self._sent),
                lost=dict(self._lost),
                failed=dict(self._failed),
            )
