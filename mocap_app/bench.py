"""Speed and latency of this machine, measured on the whole line.

Two runs over one video, both with takes recorded and live motion sent to a receiver on this machine: as fast as it
goes (frames per second, time of each stage), then paced as a camera (age of a frame when its motion leaves, drops).
"""

from __future__ import annotations

import logging
import os
import platform
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from . import __version__
from .config import AppConfig, OscConfig, RecordConfig
from .pipeline import build_session
from .session import Event, State
from .sinks import SinkContext
from .stats import Summary

INFERENCE_STAGES = ("detect", "track", "recover", "solve")
"""What one thread does to a frame, one after the other; capture has a thread of its own."""
LIBRARIES = ("torch", "onnxruntime", "numpy", "opencv-python")


@dataclass(frozen=True, slots=True)
class Report:
    """What was measured; times in milliseconds unless named otherwise."""

    machine: dict[str, Any]
    video: dict[str, Any]
    settings: dict[str, Any]
    ready_s: float
    """From the start of a session to the first frame asked for: loading, in a program that has loaded nothing yet."""
    cpu_ms_per_frame: float
    """Processor time of all threads, at full speed."""
    headless: Summary
    paced: Summary

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    def lines(self) -> Iterator[str]:
        """Yield the report for a reader."""
        machine, video, headless, paced = self.machine, self.video, self.headless, self.paced
        threads = ", ".join(f"{name} {count}" for name, count in machine["threads"].items())
        yield f"{machine['cpu']}, {machine['cores_usable']} of {machine['cores']} cores, {machine['device']}"
        yield ", ".join(f"{name} {number}" for name, number in machine["versions"].items()) + f"; threads: {threads}"
        yield f"{video['name']}: {video['size_wh'][0]}x{video['size_wh'][1]}, {video['fps']:.2f} frames/s"
        yield f"ready after {self.ready_s:.1f} s"
        yield f"headless: {headless.frames_per_s:.1f} frames/s over {headless.frames} frames (npz, bvh and OSC on)"
        for name, spread in headless.stages.items():
            yield f"  {name:<8} p50 {spread.p50_ms:6.1f}   p95 {spread.p95_ms:6.1f}   mean {spread.mean_ms:6.1f} ms"
        busy_ms = sum(spread.mean_ms for name, spread in headless.stages.items() if name in INFERENCE_STAGES)
        yield f"  {' + '.join(INFERENCE_STAGES)}: mean {busy_ms:.1f} ms; processor {self.cpu_ms_per_frame:.1f} ms/frame"
        for name, spread in paced.ages.items():
            yield f"paced, age of the frame at {name}: p50 {spread.p50_ms:.1f} ms, p95 {spread.p95_ms:.1f} ms"
        drops = ", ".join(f"{count} at {place}" for place, count in paced.drops.items()) or "none"
        yield f"paced: {paced.frames} frames at {paced.frames_per_s:.1f} frames/s, dropped: {drops}"


@dataclass(frozen=True, slots=True)
class Run:
    """One session, measured."""

    context: SinkContext
    summary: Summary
    ready_s: float
    cpu_ms_per_frame: float


def run_bench(config: AppConfig, video: Path, duration_s: float | None = None) -> Report:
    """Measure `video` with the engine and detector of `config`; the takes are thrown away.

    Raises:
        MocapError: The video cannot be read, or a part fails.
    """
    capture = replace(config.capture, source="video", path=str(video), duration_s=duration_s, countdown_s=0.0)
    with receiver() as port, tempfile.TemporaryDirectory() as folder, without_news_of_takes():
        whole = replace(config, capture=capture, record=RecordConfig(folder), osc=OscConfig("127.0.0.1", port))
        headless = measure(replace(whole, capture=replace(capture, realtime=False)))
        paced = measure(replace(whole, capture=replace(capture, realtime=True)))
    context = headless.context
    return Report(
        machine=machine(config),
        video={"name": context.name, "size_wh": context.size_wh, "fps": context.fps},
        settings={"engine": asdict(config.engine), "detector": asdict(config.detector)},
        ready_s=headless.ready_s,
        cpu_ms_per_frame=headless.cpu_ms_per_frame,
        headless=headless.summary,
        paced=paced.summary,
    )


def measure(config: AppConfig) -> Run:
    """Run one session to its end."""
    session = build_session(config)
    begun_s, running = time.monotonic(), dict[State, tuple[float, float]]()

    def note(event: Event) -> None:
        running.setdefault(event.state, (time.monotonic(), time.process_time()))

    session.listen(note)
    session.start()
    try:
        session.join()
    except KeyboardInterrupt:
        session.stop()
        session.join()
        raise
    summary, context = session.stats.summary(), session.context
    assert context is not None, "a session that ended well knows its source"
    (ready_s, cpu_begun_s), (_, cpu_ended_s) = running[State.RUNNING], running[State.STOPPING]
    return Run(context, summary, ready_s - begun_s, (cpu_ended_s - cpu_begun_s) * 1e3 / max(summary.frames, 1))


def machine(config: AppConfig) -> dict[str, Any]:
    """Return the hardware and versions that belong beside every figure."""
    return {
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "cores_usable": usable_cores(),
        "threads": {
            "of the networks": config.engine.options.get("threads", 0) or "automatic",
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "not set"),
        },
        "device": config.engine.device,
        "system": platform.platform(),
        "versions": {
            "mocap-app": __version__,
            "Python": platform.python_version(),
            **{name: version(name) for name in LIBRARIES},
        },
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def usable_cores() -> int:
    """Return how many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


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


@contextmanager
def without_news_of_takes() -> Iterator[None]:
    """Keep quiet about files that are about to be thrown away."""
    logs = [logging.getLogger(name) for name in ("mocap_app.sinks", "exporters")]
    levels = [log.level for log in logs]
    for log in logs:
        log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for log, level in zip(logs, levels, strict=True):
            log.setLevel(level)
