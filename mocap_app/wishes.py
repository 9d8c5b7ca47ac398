"""What whoever sits at the window may ask of a session while it runs: `Session.ask(wish)`, done between two frames."""

from __future__ import annotations

from dataclasses import dataclass

from .config import SmoothingConfig


@dataclass(frozen=True, slots=True)
class Pin:
    """Make a person an actor, or (`is_pinned` False) one like the others again.

    Actors come first in every result. An actor out of sight keeps number and place for `tracking.PINNED_LOST_S`;
    once `tracking.lost_after_s` has passed, the next one who appears is taken for the actor who was nearest.
    """

    track_id: int
    is_pinned: bool = True


@dataclass(frozen=True, slots=True)
class Swap:
    """Two people were taken for one another: each goes on under the other's number."""

    a: int
    b: int


@dataclass(frozen=True, slots=True)
class Merge:
    """Somebody who came back under a new number `a` goes on as `into`, whom the session may have let go of.

    Where both are in view, one person was seen twice: `into` goes on and `a` ends.
    """

    a: int
    into: int


@dataclass(frozen=True, slots=True)
class Smooth:
    """Filter motion by other settings from the next frame on."""

    smoothing: SmoothingConfig


Wish = Pin | Swap | Merge | Smooth
