"""How long the window's thread was busy at a stretch: whoever clicks then has to wait."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from PyQt6.QtCore import QObject, Qt, QTimer

TICK_MS = 10
"""How often the loop is asked for; what a gap is longer than this was spent elsewhere."""
KEPT = 200_000
"""Gaps kept: half an hour's."""


@dataclass(frozen=True, slots=True)
class Gaps:
    """Times between two turns of the event loop, milliseconds."""

    count: int
    p50_ms: float
    p95_ms: float
    max_ms: float


class LoopMeter(QObject):
    """Measures the gaps of the event loop it lives in."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._gaps_ms: list[float] = []
        self._last_ns = time.perf_counter_ns()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)

    def start(self) -> None:
        """Forget what was measured and measure from now on."""
        self._gaps_ms.clear()
        self._last_ns = time.perf_counter_ns()
        self._timer.start(TICK_MS)

    def stop(self) -> None:
        """Measure no longer."""
        self._timer.stop()

    @property
    def largest_ms(self) -> float:
        """The longest gap since `start`."""
        return max(self._gaps_ms, default=0.0)

    def gaps(self) -> Gaps:
        """Return what was measured since `start`."""
        if not self._gaps_ms:
            return Gaps(0, 0.0, 0.0, 0.0)
        p50, p95 = np.percentile(self._gaps_ms, (50, 95))
        return Gaps(len(self._gaps_ms), round(float(p50), 1), round(float(p95), 1), round(self.largest_ms, 1))

    def _tick(self) -> None:
        now_ns = time.perf_counter_ns()
        if len(self._gaps_ms) < KEPT:
            self._gaps_ms.append((now_ns - self._last_ns) / 1e6)
        self._last_ns = now_ns
