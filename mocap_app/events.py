"""Where a session stands, and what it tells its listeners."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """Where a session stands; it only ever moves down this list."""

    IDLE = 0
    LOADING = 1
    RUNNING = 2
    STOPPING = 3
    STOPPED = 4
    FAILED = 5


@dataclass(frozen=True, slots=True)
class Event:
    """Something rare worth telling: a new state, or a live sink that was detached."""

    state: State
    detached: str = ""
    """Name of the live sink that failed; empty for a change of state."""
    error: Exception | None = None
