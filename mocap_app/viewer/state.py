"""What the window shows and asks for, and how far recording is. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from .take_names import PATTERN

BYTES_PER_S_TAKE = 70_000
"""Of one performer, all formats together: measured 40 to 70 kB."""
BYTES_PER_S_VIDEO = 1_100_000
"""Of the camera's picture at 1280x720."""
COUNT_INS_S = (0, 3, 5)


class Phase(Enum):
    """Where the window stands with its source."""

    EMPTY = "empty"
    """Nothing was chosen yet."""
    LOADING = "loading"
    RUNNING = "running"
    STOPPING = "stopping"
    """The session ends; another may follow."""
    ENDED = "ended"
    """The source came to its end, or was stopped."""
    FAILED = "failed"


class Mode(Enum):
    """What the 3-D view and the timeline are about."""

    LIVE = "live"
    PLAYBACK = "playback"


@dataclass(slots=True)
class ViewState:
    """Wishes of whoever sits at the window. Set by the window's thread, read by the sinks' threads."""

    show_mesh: bool = True
    show_skeleton: bool = True
    wants_recording: bool = False
    panel_wh: tuple[int, int] = (0, 0)
    """Device pixels the picture may fill; pictures are scaled to it before they reach the window. 0: as they are."""


@dataclass(frozen=True, slots=True)
class RecordPlan:
    """How the next take is written. Replaced as a whole, so any thread may read it."""

    folder: Path = field(default_factory=lambda: Path("takes"))
    formats: tuple[str, ...] = ("npz", "bvh")
    pattern: str = PATTERN
    source: str = "camera"
    """The word for the source, in names."""
    keeps_video: bool = False
    """Whether the picture is kept beside the take."""
    count_in_s: int = 0


@dataclass(frozen=True, slots=True)
class Recording:
    """How far recording is."""

    is_running: bool = False
    name: str = ""
    seconds: float = 0.0
    """Of source time, of the take being recorded."""
    frames: int = 0
    written: tuple[Path, ...] = ()
    """Files of the last finished take."""
    is_saving: bool = False
    """The take is over and its files are being written."""
    took: int = 0
    """Counts the finished takes of a session, so that each is noticed once."""


def clock_text(seconds: float) -> str:
    """Return minutes and seconds, as 01:05, with hours where there are any."""
    whole = max(0, int(seconds))
    hours = f"{whole // 3600}:" if whole >= 3600 else ""
    return f"{hours}{whole // 60 % 60:02d}:{whole % 60:02d}"


def disk_text(free_bytes: int, keeps_video: bool) -> str:
    """Return how much room the disk has, and for how long a recording that is."""
    rate = BYTES_PER_S_TAKE + (BYTES_PER_S_VIDEO if keeps_video else 0)
    minutes = free_bytes / rate / 60
    room = f"{free_bytes / 1e9:.0f} GB" if free_bytes >= 10e9 else f"{free_bytes / 1e9:.1f} GB"
    if minutes >= 600:
        return f"{room} free · {minutes / 60:.0f} h"
    return f"{room} free · {minutes:.0f} min"


def people_text(count: int) -> str:
    """Return how many people are seen, in words."""
    return "nobody in view" if not count else "1 person" if count == 1 else f"{count} people"
