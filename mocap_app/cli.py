"""The command line: finds the command, reports errors in one line, returns an exit code.

Exit codes: 0 done; 1 a fault of the program; 2 something the user can put right; 130 interrupted with nothing saved,
or before all was saved.
"""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from types import ModuleType
from typing import NoReturn

from engines.errors import EngineError
from exporters.errors import ExportError

from .errors import MocapError

USER_ERROR = 2
INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Command:
    """One line of the table of commands; its module has `add_arguments(parser)` and `main(args) -> int`."""

    name: str
    summary: str
    module: str


CAPTURE = Command("", "capture motion from a camera, a video or pictures", ".commands.capture")
COMMANDS = {
    command.name: command
    for command in (
        Command("demo", "render a moving body, capture it, and print the measured error", ".commands.demo"),
        Command("doctor", "check this machine, and say what to do about what is wrong", ".commands.doctor"),
        Command("config", "say where your own settings lie and what is in them", ".commands.config"),
        Command("devices", "list the cameras", ".commands.devices"),
        Command("engines", "list engines and detectors with their options", ".commands.engines"),
        Command("licenses", "say what is installed and what it does to the licence of the whole", ".commands.licenses"),
        Command("bench", "measure speed and latency on this machine", ".commands.bench"),
        Command("export", "write takes in other formats: for Blender, Unity, Unreal and others", ".commands.export"),
        Command("retarget", "carry a take's motion over to a rig of your own", ".commands.retarget"),
        Command("monitor", "show what arrives by OSC at a port of this machine", ".commands.monitor"),
        Command("take", "recover takes after a crash", ".commands.take"),
    )
}


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Print the error and exit with 2."""
        print(f"mocap-app: error: {message}; see {self.prog} --help", file=sys.stderr)
        raise SystemExit(USER_ERROR)


def run(argv: Sequence[str]) -> int:
    """Run the command line `argv` (without the program's name) and return the exit code."""
    if argv and not argv[0].startswith("-") and argv[0] not in COMMANDS:
        print(f"mocap-app: error: {unknown_command(argv[0])}", file=sys.stderr)
        return USER_ERROR
    command = COMMANDS[argv[0]] if argv and argv[0] in COMMANDS else CAPTURE
    try:
        module = import_module(command.module, __package__)
        args = build_parser(command, module).parse_args(argv[1:] if command.name else argv)
    except SystemExit as stop:  # argparse leaves this way after --help and after errors
        return int(stop.code or 0)
    except KeyboardInterrupt:
        return INTERRUPTED
    verbose = getattr(args, "verbose", False)
    try:
        return int(module.main(args))
    except (MocapError, EngineError, ExportError, OSError) as error:
        if verbose:
            traceback.print_exc()
        print(f"mocap-app: error: {' '.join(str(error).split())}", file=sys.stderr)
        return USER_ERROR
    except KeyboardInterrupt:
        print("mocap-app: interrupted", file=sys.stderr)
        return INTERRUPTED


def build_parser(command: Command, module: ModuleType) -> Parser:
    """Return the parser of one command."""
    parser = Parser(
        prog=f"mocap-app {command.name}".strip(),
        description=module.__doc__,
        epilog=getattr(module, "EXAMPLES", None),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    module.add_arguments(parser)
    return parser


def unknown_command(word: str) -> str:
    """Return what to say to a first word that is no command."""
    close = get_close_matches(word, COMMANDS, n=1)
    if close:
        return f'"{word}" is not a command; did you mean "{close[0]}"?'
    return f'"{word}" is not a command; expected {", ".join(COMMANDS)}, or flags; to read a video: --video {word}'
