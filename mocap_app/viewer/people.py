"""Who is shown in the people panel. No Qt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ..library import Recording
from ..wishes import Merge, Pin, Swap, Wish

LINGER_S = 1.5
"""Somebody out of view for longer is not listed any more; an actor stays."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A line of the panel."""

    number: int
    score: float
    """How surely the person is seen, 0 to 1."""
    is_pinned: bool = False
    seen_s: float = 0.0
    """When last."""
    is_in_view: bool = True
    told: str = ""
    """More about the person, of a take."""


class People:
    """The performers of a running session, or of a take. Used by one thread."""

    def __init__(self) -> None:
        self._people: dict[int, Shown] = {}
        self.is_live = True
        """Whether wishes go to a session; else to a recording, which has no pins."""

    @property
    def shown(self) -> tuple[Shown, ...]:
        """Actors first, then by number."""
        return tuple(sorted(self._people.values(), key=lambda person: (not person.is_pinned, person.number)))

    @property
    def numbers(self) -> tuple[int, ...]:
        """Everybody's number, in the order shown."""
        return tuple(person.number for person in self.shown)

    def clear(self, is_live: bool) -> None:
        """Begin with nobody, of a session or of a take."""
        self._people.clear()
        self.is_live = is_live

    def see(self, track_ids: Iterable[int], scores: Iterable[float], now_s: float) -> None:
        """Note who is in view now."""
        if not self.is_live:
            self.clear(True)
        seen = {int(number): float(score) for number, score in zip(track_ids, scores, strict=True)}
        for number, score in seen.items():
            is_pinned = number in self._people and self._people[number].is_pinned
            self._people[number] = Shown(number, score, is_pinned, now_s)
        for number, person in list(self._people.items()):
            if number in seen:
                continue
            if person.is_pinned or now_s - person.seen_s <= LINGER_S:
                self._people[number] = replace(person, score=0.0, is_in_view=False)
            else:
                del self._people[number]

    def show_recording(self, recording: Recording) -> None:
        """List the people of a take."""
        self.clear(False)
        for person in recording.people:
            length_s = sum(end - begin for begin, end in person.spans_ns) / 1e9
            share = min(1.0, length_s / recording.duration_s) if recording.duration_s else 0.0
            told = "cannot be read" if person.fault else f"there for {length_s:.1f} s"
            self._people[person.number] = Shown(person.number, share, told=told, is_in_view=not person.fault)

    def grant(self, wish: Wish) -> None:
        """Follow what was asked of the session, so that the panel does not wait for its next frame."""
        people = self._people
        match wish:
            case Pin(number, is_pinned) if number in people:
                people[number] = replace(people[number], is_pinned=is_pinned)
            case Swap(a, b) if a in people and b in people:
                pass  # numbers and pins stay; who they are has changed
            case Merge(a, into) if a in people:
                moved = people.pop(a)
                pinned = moved.is_pinned or (into in people and people[into].is_pinned)
                people[into] = replace(moved, number=into, is_pinned=pinned)


def others(numbers: Sequence[int], number: int) -> tuple[int, ...]:
    """Return everybody else, in their order."""
    return tuple(n for n in numbers if n != number)
