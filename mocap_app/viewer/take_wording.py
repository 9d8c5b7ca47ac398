"""How takes are spoken of. No Qt."""

from __future__ import annotations

from datetime import datetime

from ..library import Recording


def clock(seconds: float, decimals: int = 0) -> str:
    """Return `m:ss`, `h:mm:ss` from an hour on, with so many decimals of the seconds."""
    unit = 10**decimals
    ticks = round(max(seconds, 0.0) * unit)
    whole, rest = divmod(ticks, unit)
    minutes, left = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"
    return f"{text}.{rest:0{decimals}}" if decimals else text


def people(count: int) -> str:
    """Return how many people there are."""
    return "1 person" if count == 1 else f"{count} people"


def day(when: datetime, now: datetime) -> str:
    """Return when something was, as near as it was: today, yesterday, this year, ever."""
    days = (now.date() - when.date()).days
    if days == 0:
        return f"Today {when:%H:%M}"
    if days == 1:
        return f"Yesterday {when:%H:%M}"
    return f"{when:%d %b} {when:%H:%M}" if when.year == now.year else f"{when:%d %b %Y}"


def summary(recording: Recording) -> str:
    """Return people and formats in one line."""
    who = people(len(recording.people)) if recording.people else "no take"
    return "  ·  ".join([who, ", ".join(recording.formats), *(["video"] if recording.video else [])])
