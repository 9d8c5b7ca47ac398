"""Processes that run a module of this package."""

from __future__ import annotations

import os
import sys
from pathlib import Path

PARENT = Path(__file__).resolve().parents[2]


def command_of(module: str, *arguments: str) -> list[str]:
    """Return the command that runs `mocap_app.bench.<module>`."""
    return [sys.executable, "-m", f"mocap_app.bench.{module}", *arguments]


def environment() -> dict[str, str]:
    """Return this process's environment, in which a child finds the same packages, from whatever folder it runs."""
    before = os.environ.get("PYTHONPATH", "")
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (str(PARENT), before)))}
