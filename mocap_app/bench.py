"""Speed and latency of this machine, measured on the whole line.

Two runs over one video: as fast as it goes (frames per second, time of each stage), then paced as a camera with live
motion sent to a receiver on this machine (age of a frame when its motion leaves, drops).
"""

from __future__ import annotations

import os
import platform
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import __version__
from .config import AppConfig, OscConfig, RecordConfig
from .pipeline import build_session
from .session import Session
from .stats import Summary


@dataclass(frozen=True, slots=True)
class Report:
    """What was measured; times in milliseconds."""

    machine: dict[str, Any]
    video: dict[str, Any]
    settings: dict[str, Any]
    headless: Summary
    paced: Summary

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    def lines(self) -> Iterator[str]:
        """Yield the report for a reader."""
        machine, video = self.machine, self.video
        yield f"{machine['cpu']}, {machine['cores']} cores, {machine['device']}; {machine['python']}"
        yield f"{video['name']}: {video['size_wh'][0]}x{video['size_wh'][1]}, {video['fps']:.2f} frames/s"
        yield f"headless: {self.headless.frames_per_s:.1f} frames/s over {self.headless.frames} frames"
        for name, spread in self.headless.stages.items():
            yield f"  {name:<8} p50 {spread.p50_ms:6.1f} ms   p95 {spread.p95_ms:6.1f} ms"
        for name, spread in self.paced.ages.items():
            yield f"paced, age of the frame at {name}: p50 {spread.p50_ms:.1f} ms, p95 {spread.p95_ms:.1f} ms"
        drops = sum(self.paced.drops.values())
        yield f"paced: {self.paced.frames} frames at {self.paced.frames_per_s:.1f} frames/s, {drops} dropped"


def run_bench(config: AppConfig, video: Path, duration_s: float | None = None) -> Report:
    """Measure `video` with the engine and detector of `config`; nothing is written to the disk.

    Raises:
        MocapError: The video cannot be read, or a part fails.
    """
    capture = replace(config.capture, source="video", path=str(video), duration_s=duration_s, countdown_s=0.0)
    quiet = replace(config, capture=capture, record=RecordConfig(), osc=OscConfig())
    headless, summary = measure(quiet)
    with receiver() as port:
        paced = replace(quiet, capture=replace(capture, realtime=True), osc=OscConfig("127.0.0.1", port))
        _, paced_summary = measure(paced)
    context = headless.context
    assert context is not None, "a session that ended well knows its source"
    return Report(
        machine=machine(config.engine.device),
        video={"name": context.name, "size_wh": context.size_wh, "fps": context.fps},
        settings={"engine": asdict(config.engine), "detector": asdict(config.detector)},
        headless=summary,
        paced=paced_summary,
    )


def measure(config: AppConfig) -> tuple[Session, Summary]:
    """Run one session to its end."""
    session = build_session(config)
    session.start()
    try:
        session.join()
    except KeyboardInterrupt:
        session.stop()
        session.join()
        raise
    return session, session.stats.summary()


def machine(device: str) -> dict[str, Any]:
    """Return the hardware and versions that belong beside every figure."""
    return {
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "device": device,
        "system": platform.platform(),
        "python": f"Python {platform.python_version()}",
        "mocap-app": __version__,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def cpu_name() -> str:
    """Return the processor's name as the system tells it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


@contextmanager
def receiver() -> Iterator[int]:
    """Hold a UDP port on this machine open; what arrives is left to the system, which throws it away."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]
