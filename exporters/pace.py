"""How often something is sent, at most."""

from __future__ import annotations

import time
from collections.abc import Callable

_BURST = 3.0
"""Sendings that may be saved up: a source at just the allowed rate is never quite even, and must not lose frames."""


class Pace:
    """Allows `rate_hz` sendings per second over time, at most three at once. One thread at a time."""

    def __init__(self, rate_hz: float | None, clock_s: Callable[[], float] = time.monotonic) -> None:
        """Start with a full allowance; None allows everything."""
        self._rate_hz, self._clock_s = rate_hz, clock_s
        self._allowed, self._asked_s = _BURST, clock_s()

    def is_due(self) -> bool:
        """Say whether to send now, and count it as sent if so."""
        if self._rate_hz is None:
            return True
        now_s = self._clock_s()
        self._allowed = min(_BURST, self._allowed + (now_s - self._asked_s) * self._rate_hz)
        self._asked_s = now_s
        if self._allowed < 1.0:
            return False
        self._allowed -= 1.0
        return True
