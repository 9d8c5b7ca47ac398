"""Measure speed, latency and memory on this machine.

Without flags: the whole line as fast as it goes (takes and live motion on), then paced as a camera, with the age of a
frame when its motion is sent. With --matrix: engines alone, in every runtime. Without --video a clip of demo people is
rendered once and kept.
"""

from __future__ import annotations

import argparse
import json
import logging
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from .messages import start_logging
from .settings import add_settings, parse_names, parse_size, read_settings

logger = logging.getLogger(__name__)

EXAMPLES = """examples:
  mocap-app bench --video dance.mp4 --looped 60 --json bench.json
  mocap-app bench --people 4 --size 1920x1080
  mocap-app bench --matrix --engines deforhmr,fastmetro --runtimes torch,onnxruntime --people 1,4
  mocap-app bench --slow-engine 150        a slow engine: drops are counted, ages stay bounded
  mocap-app bench --all --json now.json --markdown now.md --plot now.png
  mocap-app bench --compare before.json now.json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    parts = parser.add_argument_group("what is measured")
    parts.add_argument("--matrix", action="store_true", help="engines alone, each cell in a process of its own")
    parts.add_argument("--live", action="store_true", help="the run paced as a camera alone")
    parts.add_argument("--all", action="store_true", help="the whole line, the live run and the matrix")
    parts.add_argument("--compare", nargs=2, type=Path, metavar=("A", "B"), help="measure nothing; compare two --json")
    parts.add_argument("--anyway", action="store_true", help="compare although the machines differ")
    add_line_arguments(parser.add_argument_group("the whole line"))
    add_matrix_arguments(parser.add_argument_group("the matrix"))
    output = parser.add_argument_group("output")
    output.add_argument(
        "--json", type=Path, metavar="FILE", help="write the figures to FILE as well; - prints them alone"
    )
    output.add_argument(
        "--markdown",
        type=Path,
        metavar="FILE",
        help="write them as tables, between the marks of FILE where it has some; - prints them alone",
    )
    output.add_argument("--plot", type=Path, metavar="FILE.png", help="draw them (needs the extra bench)")
    add_settings(parser)


def add_line_arguments(group: Any) -> None:
    """Add what the whole line sees."""
    group.add_argument("--video", type=Path, metavar="FILE", help="video to measure on")
    group.add_argument(
        "--people", type=parse_numbers, metavar="N[,N]", help="demo people to render, 1 to 8 (default: 1); for the "
        "matrix, people in a picture, any number of numbers (default: 1,2,4,8); with --all the line takes the first"
    )  # fmt: skip
    group.add_argument("--size", type=parse_size, metavar="WxH", help="size to render (default: 1080x1920)")
    group.add_argument("--duration", type=float, metavar="SECONDS", help="measure so much (default: all; rendered: 10)")
    group.add_argument("--looped", type=float, metavar="SECONDS", help="loop the video until so much of it was seen")
    group.add_argument(
        "--slow-engine", type=float, default=0.0, metavar="MS",
        help="make the engine slower by so much at each look in the live run, then the only one; somebody new is "
        "looked at twice",
    )  # fmt: skip


def add_matrix_arguments(group: Any) -> None:
    """Add what the matrix spans."""
    group.add_argument("--engines", type=parse_names, metavar="NAME,NAME", help="default: the three with weights")
    group.add_argument("--runtimes", type=parse_names, metavar="NAME,NAME", help="default: all; auto is always there")
    group.add_argument("--precision", type=parse_names, metavar="NAME,NAME", help="fp32,fp16 (default: fp32)")
    group.add_argument("--detectors", type=parse_names, metavar="NAME,NAME", help="default: blazepose")
    group.add_argument(
        "--rounds", type=int, default=1, metavar="N",
        help="measure each cell N times, in turns, and keep the least disturbed one (default: 1)",
    )  # fmt: skip
    group.add_argument(
        "--cell-seconds", type=float, default=2.0, metavar="SECONDS", help="measure each cell so long (default: 2)"
    )


def main(args: argparse.Namespace) -> int:
    """Measure and show."""
    start_logging(args)
    if args.compare is not None:
        return compare(args.compare, args.anyway)
    config = read_settings(args)
    request = requested(args)
    check_plot(args.plot)
    from ..bench.report import measure

    needs_video = request.headless or request.live
    return show(measure(config, video_of(args) if needs_video else None, request), args)


def requested(args: argparse.Namespace) -> Any:
    """Return what the flags ask for.

    Raises:
        ConfigError: They do not go together.
    """
    from ..bench.report import Request

    only_live = args.live or args.slow_engine > 0
    if only_live and (args.matrix or args.all):
        raise ConfigError("--live or --slow-engine: found with --matrix or --all, expected alone; leave one away")
    for flag, value in (
        ("--duration", args.duration),
        ("--looped", args.looped),
        ("--cell-seconds", args.cell_seconds),
    ):
        if value is not None and value <= 0:
            raise ConfigError(f"{flag} {value:g}: expected seconds above 0; change it")
    if args.slow_engine < 0:
        raise ConfigError(f"--slow-engine {args.slow_engine:g}: expected milliseconds, 0 or more; change it")
    if args.people and len(args.people) > 1 and not (args.matrix or args.all):
        raise ConfigError(f"--people: found {len(args.people)} numbers, expected one; more than one needs --matrix")
    line = not args.matrix or args.all
    return Request(
        headless=line and not only_live,
        live=line,
        matrix=plan_of(args) if args.matrix or args.all else None,
        duration_s=args.duration,
        looped_s=args.looped,
        slower_ms=args.slow_engine,
    )


def plan_of(args: argparse.Namespace) -> Any:
    """Return what the matrix spans."""
    from ..bench.matrix import Plan

    given = {
        "engines": args.engines, "runtimes": args.runtimes, "detectors": args.detectors, "people": args.people,
        "precisions": args.precision,
    }  # fmt: skip
    plan = Plan(
        seconds=args.cell_seconds,
        rounds=args.rounds,
        **{key: tuple(value) for key, value in given.items() if value is not None},
    )
    plan.check()
    return plan


def parse_numbers(text: str) -> list[int]:
    """Return the numbers of a comma-separated list, for argparse."""
    names = parse_names(text)
    if not names or not all(name.isdigit() and int(name) for name in names):
        raise argparse.ArgumentTypeError(f'found "{text}", expected numbers from 1, as 1,2,4')
    return [int(name) for name in names]


def video_of(args: argparse.Namespace) -> Path:
    """Return the video to measure on; rendered where none is named."""
    if args.video is not None:
        return Path(args.video)
    from ..bench.clip import DURATION_S, SIZE_WH, rendered_clip

    people = args.people[0] if args.people else 1
    return rendered_clip(people, tuple(args.size or SIZE_WH), args.duration or DURATION_S, args.quiet)


def check_plot(path: Path | None) -> None:
    """Refuse a chart that cannot be drawn before minutes are spent on measuring."""
    if path is not None:
        from ..bench.plot import matplotlib_is_here

        if not matplotlib_is_here():
            raise ConfigError('--plot: matplotlib is not installed; install it with: pip install "mocap-app[bench]"')


def show(report: dict[str, Any], args: argparse.Namespace) -> int:
    """Print the report, and write it wherever that was asked for."""
    from ..bench.lines import report_lines
    from ..bench.markdown import placed, report_markdown
    from ..bench.report import write_text

    texts = {
        "--json": (args.json, json.dumps(report, indent=2)),
        "--markdown": (args.markdown, report_markdown(report)),
    }
    alone = [text for path, text in texts.values() if path is not None and str(path) == "-"]
    for flag, (path, text) in texts.items():
        if path is not None and str(path) != "-":
            before = path.read_text(encoding="utf-8") if flag == "--markdown" and path.is_file() else ""
            write_text(path, placed(text, before) if before else text, flag)
    if args.plot is not None:
        from ..bench.plot import plot_report

        plot_report(report, args.plot)
    for line in alone or report_lines(report):
        print(line)
    return 0


def compare(paths: list[Path], anyway: bool) -> int:
    """Print two reports side by side; machines that differ are refused with a warning unless `anyway`."""
    from ..bench.compare import compare_lines, differences, unlike
    from ..bench.report import read_report

    first, second = (read_report(path) for path in paths)
    unlikeness = unlike(first, second)
    if unlikeness:
        logger.warning("the two were not measured on like machines: %s", "; ".join(unlikeness))
        if not anyway:
            logger.warning("their ratios would say nothing of the program; not compared (--anyway does)")
            return 0
    for difference in differences(first, second):
        logger.warning("not the same in both: %s", difference)
    for line in compare_lines(first, second):
        print(line)
    return 0
