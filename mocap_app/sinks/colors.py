"""The colours of performers, the same wherever they are drawn."""

from __future__ import annotations

COLORS = ((150, 190, 232), (236, 172, 120), (150, 214, 160), (222, 150, 190), (226, 212, 130), (176, 168, 226))
"""One per performer, RGB, in turn."""


def color_of(track_id: int) -> tuple[int, int, int]:
    """Return the RGB colour of the performer `track_id`, a number from 1."""
    return COLORS[(track_id - 1) % len(COLORS)]
