"""How much memory this process holds; None where the system does not say and psutil (the extra `bench`) is absent."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MB = 1e6
_STATM, _STATUS = Path("/proc/self/statm"), Path("/proc/self/status")


@dataclass(frozen=True, slots=True)
class Sample:
    """Memory at one moment of a run."""

    elapsed_s: float
    """Since the session was running."""
    frames: int
    """That had left the line."""
    rss_mb: float | None
    """Resident: what the process really holds, 10^6 bytes."""


def resident_mb() -> float | None:
    """Return what the process holds now."""
    if _STATM.is_file():  # Linux
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / MB
    memory = _psutil_memory()
    return None if memory is None else memory.rss / MB


def peak_mb() -> float | None:
    """Return the most that the process has held."""
    if _STATUS.is_file():  # Linux; getrusage would count what the parent held when it made this process
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / MB
    if sys.platform == "darwin":
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MB
    memory = _psutil_memory()
    return None if memory is None else getattr(memory, "peak_wset", memory.rss) / MB


def _psutil_memory() -> Any:
    try:
        import psutil
    except ModuleNotFoundError:
        return None
    return psutil.Process().memory_info()
