"""The rows of the table: one per video, one per picture with labels in metres, one for the 2-D pictures."""

from __future__ import annotations

from collections.abc import Sequence

from .scoring import LineScore, Score, summarise


def split_rows(line: str, scores: list[Score]) -> list[LineScore]:
    """Return the line's rows: pictures labelled in metres one by one, everything else as a mean."""
    if line != "images3d":
        return [summarise(line, scores)]
    return [summarise(score.item.removeprefix("images3d/").split(".")[0], [score]) for score in scores]


def format_table(systems: Sequence[str], rows: Sequence[Sequence[LineScore]]) -> str:
    """Return the table as text: a line per row, a column per system.

    Args:
        systems: S names.
        rows: S lists of the same rows.
    """
    width = max(len(name) for name in [*systems, "PA 000.0 mm, 000 missed, 000.0 px"])
    text = ["  ".join([f"{'line':24}{'n':>5}", *(f"{name:>{width}}" for name in systems)])]
    for row in zip(*rows, strict=True):
        cells = [f"{_cell(score):>{width}}" for score in row]
        text.append("  ".join([f"{row[0].line[:24]:24}{row[0].pictures:5d}", *cells]))
    return "\n".join(text)


def _cell(score: LineScore) -> str:
    if score.pa_mpjpe_mm is None:
        figure = f"PCK {score.pck_percent:5.1f} %"
    else:
        figure = f"PA {score.pa_mpjpe_mm:5.1f} mm"
    return f"{figure}, {score.missed:3d} missed, {score.error_px:5.1f} px"
