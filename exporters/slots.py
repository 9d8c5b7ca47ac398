"""Places for performers: who goes to which port or avatar."""

from __future__ import annotations

from collections.abc import Sequence

from .types import Pose


class Slots:
    """Gives each performer a slot, numbered from 0, and keeps it for them. One thread at a time."""

    def __init__(self, count: int) -> None:
        """Offer `count` slots."""
        self._count = count
        self._slots: dict[int, int] = {}

    def place(self, poses: Sequence[Pose]) -> dict[int, Pose]:
        """Return the poses by slot: the one their performer had if it is free, else the first free one.

        A performer who is lost and found comes back under a new number and so takes the old avatar over. Whoever
        finds no free slot is left out.
        """
        placed = {self._slots[p.subject]: p for p in poses if p.subject in self._slots}
        for pose in poses:
            if placed.get(self._slots.get(pose.subject, -1)) is pose:
                continue
            free = [s for s in range(self._count) if s not in placed]
            if free:
                placed[free[0]] = pose
        absent = {subject: s for subject, s in self._slots.items() if s not in placed}
        self._slots = absent | {p.subject: s for s, p in placed.items()}
        return placed
