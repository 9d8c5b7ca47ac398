"""What the window says of its state, in few words. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

from .sinks import Shown
from .sources import is_preview
from .state import Phase, clock_text, people_text
from .studio import Studio

LOADING_WORDS = "Loading the body engine…"
BADGES = {"synthetic": "LIVE", "camera": "LIVE", "stream": "LIVE", "images": "PICTURES"}


@dataclass(frozen=True, slots=True)
class PanelText:
    """What stands over the picture."""

    badge: str = ""
    """In the corner, as LIVE."""
    recording: str = ""
    """Time of the take being recorded; empty while none is."""
    count_in: str = ""
    """Large, in the middle."""
    loading: str = ""
    """Beside a wheel, in the middle."""
    hint: str = ""
    """In the middle, where there is no picture."""


def panel_text(studio: Studio, shown: Shown | None, is_searching: bool) -> PanelText:
    """Return what to say over the picture `shown`, or where it would be."""
    has_result = shown is not None and shown.result is not None
    is_running = studio.phase is Phase.RUNNING and has_result
    counting_s = studio.count_in_left_s
    return PanelText(
        _badge(studio) if is_running else "",
        clock_text(studio.recording.seconds) if is_running and studio.is_recording else "",
        f"{int(counting_s) + 1}" if counting_s is not None else "",
        _loading(studio, has_result, is_searching),
        _hint(studio.phase),
    )


def status_text(studio: Studio, shown: Shown | None, frames_per_s: float) -> str:
    """Return the line below everything."""
    if studio.phase is Phase.RUNNING and shown is not None and shown.result is not None:
        return f"{frames_per_s:.0f} fps   ·   {people_text(len(shown.labels))}   ·   {studio.config.engine.name}"
    words = {Phase.LOADING: "Loading", Phase.STOPPING: "One moment", Phase.ENDED: "Stopped", Phase.FAILED: "Failed"}
    return words.get(studio.phase, "")


def _badge(studio: Studio) -> str:
    if studio.is_demo:
        return "DEMO"
    return BADGES.get(studio.capture.source, "PREVIEW" if is_preview(studio.capture) else "VIDEO")


def _loading(studio: Studio, has_result: bool, is_searching: bool) -> str:
    if studio.phase is Phase.LOADING or (studio.phase is Phase.RUNNING and not has_result):
        return f"{LOADING_WORDS} {studio.loading_s:.0f} s" if studio.loading_s >= 1 else LOADING_WORDS
    if studio.phase is Phase.STOPPING:
        return "Saving the take…" if studio.is_recording else "One moment…"
    return "Looking for cameras…" if studio.phase is Phase.EMPTY and is_searching else ""


def _hint(phase: Phase) -> str:
    if phase is Phase.EMPTY:
        return "Choose a camera, or drop a video here"
    return "No picture" if phase is Phase.FAILED else ""
