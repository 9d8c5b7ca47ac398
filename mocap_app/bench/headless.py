"""The whole line as fast as it goes, with takes written and motion sent: frames per second and where the time goes."""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass, replace
from typing import Any

from ..config import AppConfig, OscConfig, RecordConfig
from .line import MakeSource, MemoryLog, Run, run_line, without_news_of_takes, without_outputs
from .receiver import receiving

INFERENCE_STAGES = ("detect", "track", "recover", "solve")
"""What is done to a frame, one after the other, by the two threads that look and solve; capture has its own."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """What is switched on while the line is measured."""

    takes: tuple[str, ...] = ("npz", "bvh")
    """Formats written, and thrown away; empty records nothing."""
    osc: bool = True
    """Whether VMC is sent, to a receiver on this machine."""

    def __str__(self) -> str:
        names = [*self.takes, *(["VMC"] if self.osc else [])]
        return ", ".join(names) + " on" if names else "no outputs"


def run_headless(
    config: AppConfig, make_source: MakeSource, outputs: Outputs | None = None, memory: MemoryLog | None = None
) -> Run:
    """Run the line over a source that waits for it.

    Raises:
        MocapError: The source cannot be read, or a part fails.
    """
    on = outputs or Outputs()
    config = without_outputs(config)
    with receiving(config.tracking.max_people) as arrivals, tempfile.TemporaryDirectory() as folder:
        if on.takes:
            config = replace(config, record=RecordConfig(folder, on.takes))
        if on.osc:
            config = replace(config, osc=OscConfig("127.0.0.1", arrivals.port))
        with without_news_of_takes():
            return run_line(config, make_source, memory=memory)


def headless_figures(run: Run, outputs: Outputs | None = None) -> dict[str, Any]:
    """Return the figures of a run, plain."""
    return {
        "outputs": str(outputs or Outputs()),
        "ready_s": run.ready_s,
        "cpu_ms_per_frame": run.cpu_ms_per_frame,
        **asdict(run.summary),
        "memory": [asdict(sample) for sample in run.memory],
    }
