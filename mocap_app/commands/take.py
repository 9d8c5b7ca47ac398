"""Recover takes: finish what a crash, a power cut or a kill left half recorded.

While it records, a take is a journal (.journal) in the output folder; at most its last second is lost.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from .messages import start_logging
from .settings import add_verbosity

EXAMPLES = """examples:
  mocap-app take recover takes                      every journal in the folder
  mocap-app take recover takes/dance_person1.journal"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    parser.add_argument("action", choices=["recover"], help="what to do")
    parser.add_argument("path", type=Path, help="a journal, or a folder of them")
    add_verbosity(parser)


def main(args: argparse.Namespace) -> int:
    """Recover and print the files written."""
    start_logging(args)
    from ..sinks.recovery import recover

    written = recover(args.path)
    for path in written:
        print(path)
    return 0 if written else 1
