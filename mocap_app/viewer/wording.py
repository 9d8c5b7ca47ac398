"""What the banner says: events and errors in plain words, each with something to do. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engines.errors import EngineError, MissingExtraError, WeightsError

from ..errors import ConfigError, SinkError, SourceError

Kind = Literal["error", "warning", "note", "done"]
Action = Literal["", "try_again", "play_again", "play_take", "choose_folder", "show_demo"]

ACTION_WORDS: dict[Action, str] = {
    "try_again": "Try again",
    "play_again": "Play again",
    "play_take": "Play the take",
    "choose_folder": "Choose a folder",
    "show_demo": "Show the demo actor",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to be said in the banner."""

    kind: Kind
    title: str
    text: str = ""
    action: Action = ""


SINK_WORDS = {
    "osc": "The VMC stream has stopped",
    "vrchat": "The stream to VRChat has stopped",
    "web": "The stream to browsers has stopped",
    "ViewSink": "The picture with the mesh cannot be drawn",
}


def failure(error: Exception | None, saved: Sequence[Path] = ()) -> Notice:
    """Return what to say when a session has ended by `error`; `saved` are files of the take it interrupted."""
    text = sentence(str(error) or type(error).__name__) if error is not None else ""
    if saved:
        text = f"{text} The take up to then is safe: {saved[0].name}."
    return Notice("error", _headline(error), text.strip(), "choose_folder" if _is_disk(error) else "try_again")


def _headline(error: Exception | None) -> str:
    if isinstance(error, SourceError):
        return "No picture comes from the source"
    if isinstance(error, (SinkError, OSError)):
        return "The take can no longer be written"
    if isinstance(error, MissingExtraError):
        return "Something is not installed"
    if isinstance(error, WeightsError):
        return "The engine's weights cannot be read"
    if isinstance(error, EngineError):
        return "The body engine cannot run"
    if isinstance(error, ConfigError):
        return "These settings do not go together"
    return "The program has made a mistake"


def _is_disk(error: Exception | None) -> bool:
    return isinstance(error, SinkError) and ("written to" in str(error) or "disk" in str(error))


def detached(name: str, error: Exception | None) -> Notice:
    """Return what to say when the live sink `name` has failed while everything else goes on."""
    return Notice("warning", SINK_WORDS.get(name, f"{name} has stopped"), sentence(f"{error}; the rest goes on"))


def ended(written: Sequence[Path], is_video: bool) -> Notice:
    """Return what to say when the source came to its end."""
    if written:
        return saved_take(written)
    return Notice("note", "The video has ended" if is_video else "The source has ended", "", "play_again")


def saved_take(written: Sequence[Path]) -> Notice:
    """Return what to say of a finished take, one file or more."""
    people = len({path.stem for path in written})
    what = "Take saved" if people == 1 else f"Takes of {people} people saved"
    return Notice("done", what, f"{written[0].stem} in {written[0].parent}", "play_take")


NOBODY_RECORDED = Notice(
    "warning", "Nobody was seen, so no take was written", "Stand where the camera sees all of you."
)
ENGINE_WAITS = Notice("note", "These settings apply when the take is over", "Recording goes on as it is.")


def sentence(text: str) -> str:
    """Return `text` beginning with a capital and ending with a full stop."""
    text = " ".join(text.split())
    if not text:
        return ""
    # A path or a name of a file keeps its letters.
    head = text[0].upper() + text[1:] if text.split(":")[0].isascii() and "/" not in text.split()[0] else text
    return head if head[-1] in ".!?" else f"{head}."
