"""Measure speed and latency on this machine: frames per second, time of each stage, age of a frame when it is sent.

Without --video a clip of a moving body is rendered first.
"""

from __future__ import annotations

import argparse
import json
import logging
import tempfile
from pathlib import Path

from ..errors import SinkError
from .messages import start_logging
from .settings import add_settings, read_settings

logger = logging.getLogger(__name__)

EXAMPLES = """examples:
  mocap-app bench --video dance.mp4 --duration 20
  mocap-app bench --engine synthetic --detector synthetic --json bench.json"""
RENDERED_S = 10.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    parser.add_argument("--video", type=Path, metavar="FILE", help="video to measure on")
    parser.add_argument("--duration", type=float, metavar="SECONDS", help="measure so much of it (default: all)")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write the figures to FILE as well; - prints them alone"
    )
    add_settings(parser)


def main(args: argparse.Namespace) -> int:
    """Measure and print."""
    start_logging(args)
    config = read_settings(args)
    from ..bench import run_bench

    with tempfile.TemporaryDirectory() as folder:
        video = args.video or rendered_clip(Path(folder), args.duration)
        report = run_bench(config, video, args.duration)
    text = json.dumps(report.as_json(), indent=2)
    if args.json is not None and str(args.json) == "-":
        print(text)
        return 0
    if args.json is not None:
        write(args.json, text)
    for line in report.lines():
        print(line)
    return 0


def rendered_clip(folder: Path, duration_s: float | None) -> Path:
    """Render the demonstration's clip into `folder`."""
    from ..demo.scene import render_clip

    logger.info("rendering a clip to measure on")
    clip = folder / "clip.mp4"
    render_clip(clip, duration_s=duration_s or RENDERED_S)
    return clip


def write(path: Path, text: str) -> None:
    """Write the figures.

    Raises:
        SinkError: The file cannot be written.
    """
    try:
        path.write_text(text + "\n", encoding="utf-8", newline="\n")
    except OSError as error:
        raise SinkError(f"--json {path}: cannot be written ({error}); name a file in a folder of yours") from error
