"""Findings as a table in Markdown, and that table in a README."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .expected import LIMIT_MM, Finding

BEGIN, END = "<!-- exports:begin -->", "<!-- exports:end -->"
NOT_ASKED, CANNOT = "-", "n/a"


@dataclass(frozen=True)
class Cell:
    """What one reader makes of all files of one row."""

    findings: tuple[Finding, ...] = ()
    left_out: tuple[str, ...] = ()
    """Rates of the row that this reader cannot take."""

    @property
    def is_bad(self) -> bool:
        """Whether anything in it is not as it must be."""
        return any(finding.is_bad for finding in self.findings)

    def __str__(self) -> str:
        if not self.findings:
            return CANNOT
        numbers = [_worst([f.joint_mm for f in self.findings]), _worst([f.box_mm for f in self.findings])]
        text = " / ".join(number for number in numbers if number)
        wrong = "; ".join(dict.fromkeys(word for finding in self.findings for word in finding.wrong))
        text = f"{text} {wrong or '✓'}".strip()
        if self.is_bad:
            text = f"**{text}**"
        return text + (f" (not {', '.join(self.left_out)})" if self.left_out else "")


def _worst(numbers_mm: Sequence[float | None]) -> str:
    known = [number for number in numbers_mm if number is not None]
    if not known:
        return ""
    # Never rounded down to the limit or to nothing.
    worst = float(np.max(known))  # keeps what is no number
    return "<0.001" if worst < 0.001 else f"{worst:.3f}" if worst <= LIMIT_MM else f"{worst:.4g}"


def as_markdown(titles: Sequence[str], rows: Mapping[str, Sequence[Cell | None]]) -> str:
    """Return a table; a reader that was not asked has None for a cell."""
    lines = [["mm", *titles], ["---"] * (len(titles) + 1)]
    for name, cells in rows.items():
        told = [NOT_ASKED if cell is None else str(cell) for cell in cells]
        lines.append([name, *(text.replace("|", "/") for text in told)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def replaced(document: str, text: str) -> str:
    """Return a document with `text` between its two marks.

    Raises:
        ValueError: the marks are not there, or not in this order.
    """
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"found no {BEGIN} before {END}, expected both; put them where the table belongs")
    return f"{before}{BEGIN}\n{text}\n{END}{after}"
