"""What the user sees while a command runs: log messages and the progress of a session."""

from __future__ import annotations

import argparse
import logging
import sys
import time
from pathlib import Path
from typing import TextIO

from ..errors import SinkError

PLAIN_LINE_EVERY_S = 10.0
"""Where the error output is no terminal, progress is a line now and then."""


def start_logging(args: argparse.Namespace) -> None:
    """Send messages to the error output, and to --log-file where one is named.

    Raises:
        SinkError: The log file cannot be written.
    """
    root = logging.getLogger()
    for handler in list(root.handlers):
        if getattr(handler, "of_mocap_app", False):
            root.removeHandler(handler)
            handler.close()
    root.setLevel(logging.DEBUG)
    screen = logging.StreamHandler(sys.stderr)
    screen.setLevel(logging.DEBUG if args.verbose else logging.WARNING if args.quiet else logging.INFO)
    # A progress line may stand where the message goes: wipe it first.
    wipe = "\r" + " " * 78 + "\r" if sys.stderr.isatty() else ""
    screen.setFormatter(logging.Formatter(f"{wipe}mocap-app: %(message)s"))
    _add(root, screen)
    if args.log_file is not None:
        _add(root, _file_handler(args.log_file))
    for name in ("mocap_app", "engines", "exporters"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    for name in ("ultralytics", "matplotlib", "PIL", "urllib3", "numba"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _add(root: logging.Logger, handler: logging.Handler) -> None:
    handler.of_mocap_app = True  # type: ignore[attr-defined]  # a second call replaces what the first made
    root.addHandler(handler)


def _file_handler(path: Path) -> logging.Handler:
    try:
        handler = logging.FileHandler(path, encoding="utf-8")
    except OSError as error:
        raise SinkError(f"--log-file {path}: cannot be written ({error}); name a file in a folder of yours") from error
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    return handler


class Progress:
    """Shows frames, rate and time left: one line that changes on a terminal, plain lines elsewhere."""

    def __init__(
        self, total: int | None, out: TextIO | None = None, live: bool | None = None, what: str = "frames"
    ) -> None:
        """Start the clock. `total` frames (or whatever `what` says) are expected; None where nobody knows."""
        self._what = what
        self._total = total
        self._out = out or sys.stderr
        self._live = self._out.isatty() if live is None else live
        self._begun_s = self._shown_s = time.monotonic()

    def show(self, frames: int) -> None:
        """Show that so many frames are done."""
        now_s = time.monotonic()
        if self._live:
            self._out.write("\r" + self.line(frames, now_s - self._begun_s).ljust(78))
            self._out.flush()
        elif now_s - self._shown_s >= PLAIN_LINE_EVERY_S:
            self._shown_s = now_s
            print(self.line(frames, now_s - self._begun_s), file=self._out)

    def line(self, frames: int, elapsed_s: float) -> str:
        """Return the line for `frames` done in `elapsed_s`."""
        rate = frames / elapsed_s if elapsed_s > 0 else 0.0
        if not self._total:
            return f"{frames} {self._what}, {rate:.1f} {self._what}/s"
        part = min(frames / self._total, 1.0)
        bar = "#" * round(20 * part)
        left = f"{clock((self._total - frames) / rate)} left" if rate and frames < self._total else ""
        return f"[{bar:<20}] {part:4.0%} {frames}/{self._total} {self._what}, {rate:.1f} {self._what}/s {left}".rstrip()

    def close(self) -> None:
        """Leave the line."""
        if self._live:
            self._out.write("\r" + " " * 78 + "\r")
            self._out.flush()


def clock(seconds: float) -> str:
    """Return `m:ss` or `h:mm:ss`."""
    minutes, left = divmod(round(max(seconds, 0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"
