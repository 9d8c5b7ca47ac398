"""Recover, trim and repair takes.

While it records, a take is a journal (.journal) in the output folder; at most its last second is lost by a crash, a
power cut or a kill, and `recover` finishes what is there. The others write a new recording beside the one they are
given, which stays: `trim` cuts it, `swap` exchanges two people who were taken for one another, `merge` lets somebody
go on who came back under another number.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ..errors import SourceError
from .export import parse_span
from .messages import start_logging
from .settings import add_verbosity

EXAMPLES = """examples:
  mocap-app take recover takes                      every journal in the folder
  mocap-app take recover takes/dance_person1.journal
  mocap-app take trim takes/dance --span 2.5:10     of dance_person1.npz, dance_person2.npz ...
  mocap-app take swap takes/dance --people 1 2 --at 4.2
  mocap-app take merge takes/dance --people 3 1     person 3 is person 1"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    parser.add_argument("action", choices=["recover", "trim", "swap", "merge"], help="what to do")
    parser.add_argument(
        "path", type=Path, help="recover: a journal, or a folder of them; else a recording: its folder and name"
    )
    parser.add_argument("--span", type=parse_span, default=(None, None), metavar="START:END", help="seconds to keep")
    parser.add_argument("--people", type=int, nargs=2, metavar=("A", "B"), help="whom to swap, or A to merge into B")
    parser.add_argument("--at", type=float, default=0.0, metavar="SECONDS", help="swap from this instant on")
    add_verbosity(parser)


def main(args: argparse.Namespace) -> int:
    """Do it and print the files written, or the new recording's folder and name."""
    start_logging(args)
    if args.action != "recover":
        print(args.path.parent / changed(args))
        return 0
    from ..sinks.recovery import recover

    written = recover(args.path)
    for path in written:
        print(path)
    return 0 if written else 1


def changed(args: argparse.Namespace) -> str:
    """Write a new recording and return its name.

    Raises:
        SourceError: there is no such recording, or it is not said whom to swap or merge.
        SinkError: it cannot be done.
    """
    from ..library import Library

    library = Library(args.path.parent)
    recording = library.find(args.path.name)
    if recording is None:
        known = ", ".join(r.name for r in library.recordings()) or "none"
        raise SourceError(f"{args.path}: found no such recording, expected a folder and one of its names: {known}")
    if args.action == "trim":
        return library.trim(recording, *args.span)
    if args.people is None:
        raise SourceError(f"take {args.action}: found nobody named, expected two; add --people 1 2")
    a, b = args.people
    return library.merge(recording, a, b) if args.action == "merge" else library.swap(recording, a, b, args.at)
