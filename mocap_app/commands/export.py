"""Write takes in other formats: for Blender, Unity, Unreal and others, at an exact frame rate.

A format that holds scenes gets all performers into one file, others a file for each. A file that is there already is
never replaced: the new one gets a number, which is said.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from pathlib import Path

from exporters.files import FORMATS
from exporters.options import ExportOptions
from exporters.presets import PRESETS

from ..errors import SinkError
from .messages import Progress, start_logging
from .settings import add_verbosity

logger = logging.getLogger(__name__)

PROGRESS = "progress "
"""Begins each line of `--progress`; JSON follows: done, total, and the file that was written or its error."""

EXAMPLES = f"""examples:
  mocap-app export takes/dance_person1.npz --to dance.bvh --preset blender --fps 30
  mocap-app export takes --to bvh --output for_blender          every take of a folder, one file each
  mocap-app export a.npz b.npz --to both.bvh --together         both_a.bvh and both_b.bvh, in step
  mocap-app export a.npz --to a.bvh --trim 2.5:10 --unit m --up z
  mocap-app export a.npz --to small.bvh --scale 0.5 --t-pose frame

formats (after --to, as the end of a file's name or alone):
{chr(10).join(f"  {suffix[1:]:10} {format_.summary}" for suffix, format_ in FORMATS.items())}

presets:
{chr(10).join(f"  {name:10} {preset.summary}" for name, preset in PRESETS.items())}

Without --fps a file has the rate the take was captured at. Frame k stands at exactly k / fps; 29.97 is 30000/1001."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    parser.add_argument("takes", nargs="+", type=Path, metavar="TAKE", help="takes (.npz, .bvh), or folders of takes")
    parser.add_argument(
        "--to",
        action="append",
        required=True,
        metavar="FILE|FORMAT",
        help="file to write, or a format; may be repeated",
    )
    parser.add_argument("--output", type=Path, metavar="DIR", help="where files go for which only a format is named")
    group = parser.add_argument_group("what the files are like")
    group.add_argument("--preset", choices=PRESETS, help="names, unit and T-pose that suit a program")
    group.add_argument("--fps", metavar="RATE", help="frames per second, as 30, 29.97 or 30000/1001")
    group.add_argument("--t-pose", choices=("none", "frame", "take"), help="show the T-pose as frame 0, or as a take")
    group.add_argument("--unit", metavar="UNIT", help="unit of lengths: cm, m, inch, mm, as far as a format knows it")
    group.add_argument("--scale", type=parse_factor, default=1.0, metavar="FACTOR", help="make the performers larger")
    group.add_argument("--up", choices=("y", "z"), help="the axis that is up")
    group.add_argument(
        "--rest-on-floor",
        action="store_const",
        const=True,
        help="the rest pose stands on the floor (BVH: a root OFFSET)",
    )
    group.add_argument("--no-mesh", action="store_true", help="bones only, where a format could hold the surface too")
    group.add_argument("--trim", type=parse_span, default=(None, None), metavar="START:END", help="seconds to keep")
    group.add_argument(
        "--together",
        action="store_true",
        help="files of one recording begin and end together; who is absent stands still",
    )
    parser.add_argument(
        "--progress", action="store_true", help="tell each file on the error output in JSON, for programs that wait"
    )
    add_verbosity(parser)


def main(args: argparse.Namespace) -> int:
    """Write the files and print their paths.

    Raises:
        SinkError: some could not be written; each is named.
    """
    start_logging(args)
    from ..export.plan import Choices, find_sources, plan
    from ..export.write import Writer
    from ..sinks.folder import prepare_folder

    choices = Choices(
        tuple(args.to), options_of(args), args.output, args.scale, args.trim, not args.no_mesh, args.together
    )
    jobs = plan(find_sources(args.takes), choices)
    if args.output is not None:
        prepare_folder(args.output)
    failed, progress = [], Progress(len(jobs), what="files")
    for done, (job, outcome) in enumerate(Writer(jobs, choices).run(), 1):
        if isinstance(outcome, Exception):
            failed.append(f"{job.target}: {outcome}")
            logger.debug("%s", job.target, exc_info=outcome)
        else:
            progress.close()  # the path goes where the line stands
            print(outcome)
        if args.progress:
            tell(done, len(jobs), job.target, outcome)
        elif not args.quiet:
            progress.show(done)
    progress.close()
    if failed:
        raise SinkError(f"{len(failed)} of {len(jobs)} files could not be written: {' | '.join(failed)}")
    return 0


def tell(done: int, total: int, target: Path, outcome: Path | Exception) -> None:
    """Write a line that a program can read."""
    failed = isinstance(outcome, Exception)
    said = {"done": done, "total": total, "file": str(target if failed else outcome), "error": str(outcome) * failed}
    print(f"{PROGRESS}{json.dumps(said)}", file=sys.stderr, flush=True)


def options_of(args: argparse.Namespace) -> ExportOptions:
    """Return the choices that flags were given for."""
    return ExportOptions(
        preset=args.preset,
        fps=args.fps,
        unit=args.unit,
        up=args.up,
        t_pose=args.t_pose,
        rest_on_floor=args.rest_on_floor,
    )


def parse_factor(text: str) -> float:
    """Return a factor above 0, for argparse."""
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 0 < factor < 1e6:
        raise argparse.ArgumentTypeError(f'found "{text}", expected a number above 0 such as 0.5')
    return factor


def parse_span(text: str) -> tuple[float | None, float | None]:
    """Return the seconds of `START:END`, None for an end left open, for argparse."""
    first, colon, last = text.partition(":")
    try:
        start, end = (float(part) if part.strip() else None for part in (first, last))
    except ValueError:
        colon = ""
        start = end = None
    if not colon or start is end or not (start or 0.0) < (float("inf") if end is None else end):
        raise argparse.ArgumentTypeError(f'found "{text}", expected START:END in seconds, as 2.5:10, 2.5: or :10')
    return start, end
