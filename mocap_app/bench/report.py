"""The report: what was asked for, measured, as plain values with a version of their layout."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ..config import AppConfig
from ..errors import ConfigError, SinkError
from .headless import headless_figures, run_headless
from .line import video_source
from .live import run_live
from .machine import machine
from .matrix import Plan, run_matrix

logger = logging.getLogger(__name__)

SCHEMA = 2
"""Of the JSON; raised when a key changes its meaning or goes. 1 had no number."""
Report = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """What to measure."""

    headless: bool = True
    live: bool = True
    matrix: Plan | None = None
    duration_s: float | None = None
    """Measure so much of the video; None is all of it."""
    looped_s: float | None = None
    """Begin the video anew until so many seconds of it were seen."""
    slower_ms: float = 0.0
    """Slow the engine down in the live run."""


def measure(config: AppConfig, video: Path | None, request: Request) -> Report:
    """Measure with the engine and detector of `config`; takes are thrown away.

    Args:
        config: The settings.
        video: What the line and the live run see; None where neither is asked for.
        request: What to measure.

    Raises:
        MocapError: The video cannot be read, or a part fails.
    """
    report: Report = {
        "schema": SCHEMA,
        "machine": machine(config),
        "settings": {"engine": asdict(config.engine), "detector": asdict(config.detector)},
    }
    if video is not None and (request.headless or request.live):
        _measure_line(config, video, request, report)
    if request.matrix is not None:
        report["matrix"] = run_matrix(request.matrix, config, lambda cell: logger.info("matrix: %s", cell))
    return report


def _measure_line(config: AppConfig, video: Path, request: Request, report: Report) -> None:
    capture = replace(
        config.capture, source="video", path=str(video), duration_s=request.duration_s, countdown_s=0.0, realtime=False
    )
    source = video_source(capture, request.looped_s)
    if request.headless:
        run = run_headless(config, source)
        report["headless"] = headless_figures(run)
    if request.live:
        live = run_live(config, source, request.slower_ms)
        run, report["live"] = live.run, live.figures()
    context = run.context
    report["video"] = {"name": context.name, "size_wh": list(context.size_wh), "fps": context.fps}


def read_report(path: Path) -> Report:
    """Return a report from its file.

    Raises:
        ConfigError: There is none, or of another layout.
    """
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{path}: cannot be read ({error}); expected a file of mocap-app bench --json; check it"
        ) from error
    schema = report.get("schema", "none") if isinstance(report, dict) else "none"
    if schema != SCHEMA:
        raise ConfigError(f"{path}: its layout is {schema}, expected {SCHEMA}; measure again with this version")
    return dict(report)


def write_text(path: Path, text: str, flag: str) -> None:
    """Write text to the file of a flag.

    Raises:
        SinkError: The file cannot be written.
    """
    ended = text if text.endswith("\n") else text + "\n"
    write(path, flag, lambda: path.write_text(ended, encoding="utf-8", newline="\n"))


def write(path: Path, flag: str, save: Callable[[], object]) -> None:
    """Call `save`, which writes `path`.

    Raises:
        SinkError: The file cannot be written.
    """
    try:
        save()
    except OSError as error:
        raise SinkError(f"{flag} {path}: cannot be written ({error}); name a file in a folder of yours") from error
