"""Render a body in known motion into a video, capture it as any other video, and print the measured error.

Writes the rendered video, the takes (.npz and .bvh) and the overlay. Needs no camera and fetches nothing.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from .messages import start_logging
from .settings import add_verbosity

EXAMPLES = """examples:
  mocap-app demo                              the whole clip, about 20 seconds, into demo_out
  mocap-app demo --duration 2 --output /tmp/d"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    parser.add_argument(
        "--output", type=Path, default=Path("demo_out"), metavar="DIR", help="where to write (default: demo_out)"
    )
    parser.add_argument("--duration", type=float, metavar="SECONDS", help="length of the clip (default: all of it)")
    parser.add_argument("--people", type=int, default=1, metavar="N", help="how many perform, 1 to 8 (default: 1)")
    parser.add_argument("--engine", default="deforhmr", metavar="NAME", help="what recovers the bodies")
    parser.add_argument("--detector", default="auto", metavar="NAME", help="what finds people")
    parser.add_argument("--render-only", action="store_true", help="write the video and its truth, capture nothing")
    add_verbosity(parser)


def main(args: argparse.Namespace) -> int:
    """Run the demo."""
    start_logging(args)
    from ..demo import run_demo

    return run_demo(args.output, args.duration, args.people, args.engine, args.detector, args.render_only)
