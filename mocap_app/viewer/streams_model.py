"""The live outputs as the window shows them: what they are, switching them on and off, and whether anything flows.

No Qt.
"""

from __future__ import annotations

import socket
from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise

from ..config import AppConfig, with_keys
from ..stats import Summary
from .settings_model import Setting, make_setting
from .streams_table import STREAMS, Stream

FLOWING_S = 1.5
"""An output that handed nothing over for so long is waiting."""
WINDOW_S = 3.0
"""Packets per second are counted over so long."""
LOST_PART = 0.2
"""Where more of the packets are refused by this machine's own network, the light is not green."""


class Light(Enum):
    """How an output stands, as a lamp."""

    OFF = "off"
    FLOWING = "flowing"
    WAITING = "waiting"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Flow:
    """How one output stands."""

    light: Light
    words: str


def settings_of_stream(config: AppConfig, stream: Stream) -> tuple[Setting, ...]:
    """Return the settings of one output, in the order of the panel."""
    return tuple(make_setting(config, key, row) for key, row in stream.rows.items())


def is_on(config: AppConfig, name: str) -> bool:
    """Say whether an output is asked for."""
    return bool(getattr(config, name).host)


def switched(config: AppConfig, name: str, host: str) -> AppConfig:
    """Return `config` with an output sent to `host`, or off where that is empty."""
    return with_keys(config, {f"{name}.host": host})


def address_of(config: AppConfig) -> str:
    """Return what a browser must open; with the whole network let in, as another computer must have it."""
    host = config.web.host or "127.0.0.1"
    if host in ("0.0.0.0", "::"):
        host = _own_address()
    return f"http://{f'[{host}]' if ':' in host else host}:{config.web.port}"


def _own_address() -> str:
    """Return this machine's address in its network; a datagram socket is connected, but nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address kept for documents: only the route is looked up
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


@dataclass(slots=True)
class Traffic:
    """What the outputs did lately, from the summaries of a session taken again and again."""

    _counts: dict[str, deque[tuple[float, int, int]]] = field(default_factory=dict)
    """Per output: when, and how many packets were sent and refused until then."""
    _failed: dict[str, str] = field(default_factory=dict)

    def take(self, summary: Summary, now_s: float) -> None:
        """Take in one more summary, at `now_s` of any clock that only rises."""
        self._failed = dict(summary.failed)
        for stream in STREAMS:
            sent, lost = summary.sent.get(stream.name, 0), summary.lost.get(stream.name, 0)
            counts = self._counts.setdefault(stream.name, deque())
            if counts and sent < counts[-1][1]:  # another session
                counts.clear()
            counts.append((now_s, sent, lost))
            while len(counts) > 2 and counts[1][0] <= now_s - WINDOW_S:
                counts.popleft()

    def forget(self) -> None:
        """Begin anew, with a new session."""
        self._counts.clear()
        self._failed.clear()

    def flow(self, config: AppConfig, stream: Stream) -> Flow:
        """Return how an output stands."""
        if not is_on(config, stream.name):
            return Flow(Light.OFF, "Off")
        if stream.name in self._failed:
            return Flow(Light.FAILED, f"Failed: {self._failed[stream.name]}")
        target = _target(config, stream)
        if self._is_lost(stream.name):
            words = f"{target} cannot be reached: check the address, and the network of this computer."
            return Flow(Light.WAITING, words)
        rate = self._rate(stream.name)
        if rate > 0:
            return Flow(Light.FLOWING, f"{rate:.0f} {stream.unit}/s to {target}")
        return Flow(Light.WAITING, f"On, but nothing is sent. {stream.silence}")

    def _rate(self, name: str) -> float:
        """Return packets per second lately; 0 once nothing was handed over for a while."""
        counts = self._counts.get(name)
        if not counts or counts[-1][1] == counts[0][1]:
            return 0.0
        moved_s = max(now[0] for before, now in pairwise(counts) if now[1] > before[1])
        span_s = counts[-1][0] - counts[0][0]
        return (counts[-1][1] - counts[0][1]) / span_s if counts[-1][0] - moved_s < FLOWING_S else 0.0

    def _is_lost(self, name: str) -> bool:
        counts = self._counts.get(name)
        if not counts:
            return False
        sent, lost = (counts[-1][n] - counts[0][n] for n in (1, 2))
        return lost > LOST_PART * (sent + lost)


def _target(config: AppConfig, stream: Stream) -> str:
    chosen = getattr(config, stream.name)
    return "browsers" if stream.name == "web" else f"{chosen.host}:{chosen.port}"
