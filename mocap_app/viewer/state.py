"""What the window shows and asks for, and how it says so. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..session import Event, State

KEYS = "space: record · M: mesh · S: skeleton · Esc: close"


@dataclass(slots=True)
class ViewState:
    """Wishes of whoever sits at the window. Set by the window's thread, read by the sinks' threads."""

    show_mesh: bool = True
    show_skeleton: bool = True
    wants_recording: bool = False
    can_record: bool = True
    """False for independent pictures, which are no motion."""


@dataclass(frozen=True, slots=True)
class Recording:
    """How far recording is."""

    is_running: bool = False
    seconds: float = 0.0
    """Of source time, of the take being recorded."""
    written: tuple[Path, ...] = ()
    """Files of the last finished take."""


def status_line(state: State, frames_per_s: float, people: int, recording: Recording) -> str:
    """Return the one line below the picture."""
    if state in (State.IDLE, State.LOADING):
        return "loading …"
    parts = [f"{frames_per_s:.1f} frames/s", f"{people} {'person' if people == 1 else 'people'}"]
    if recording.is_running:
        parts.append(f"● recording {int(recording.seconds) // 60:02d}:{int(recording.seconds) % 60:02d}")
    elif recording.written:
        parts.append(f"saved {', '.join(path.name for path in recording.written)} in {recording.written[0].parent}")
    return "   ".join([*parts, KEYS])


def banner_text(event: Event) -> str:
    """Return what is to be said above the picture after `event`; empty for nothing."""
    if event.detached:
        return f"{event.detached} has failed and is detached, everything else goes on: {event.error}"
    if event.state is State.FAILED:
        return str(event.error) or type(event.error).__name__
    return "The source has ended." if event.state is State.STOPPED else ""
