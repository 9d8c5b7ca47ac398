"""Flags that several commands share, and the way from flags to settings."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..config import AppConfig, load_config, read_user_settings
from ..errors import ConfigError


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add the flags that choose settings and say how much is told."""
    group = parser.add_argument_group("settings")
    group.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="settings file, read over your own settings (see mocap-app config); flags and --set win over both",
    )
    group.add_argument(
        "--no-user-settings", action="store_true", help="leave your own settings out: begin with the defaults"
    )
    group.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change one setting, as osc.mirror=true; may be repeated",
    )
    group.add_argument("--engine", metavar="NAME", help="what recovers the bodies; see mocap-app engines")
    group.add_argument("--detector", metavar="NAME", help="what finds the people; see mocap-app engines")
    group.add_argument("--device", metavar="DEVICE", help="cpu or cuda:N")
    group.add_argument("--max-people", type=int, metavar="N", help="follow at most so many")
    add_verbosity(parser)


def add_verbosity(parser: argparse.ArgumentParser) -> None:
    """Add --verbose, --quiet and --log-file."""
    group = parser.add_argument_group("messages")
    group.add_argument("-v", "--verbose", action="store_true", help="tell everything, and show where errors come from")
    group.add_argument("-q", "--quiet", action="store_true", help="tell warnings and errors only, no progress")
    group.add_argument(
        "--log-file", type=Path, metavar="FILE", help="write every message with its time to FILE as well"
    )


FLAGS = {
    "engine": "engine.name",
    "detector": "detector.name",
    "device": "engine.device",
    "max_people": "tracking.max_people",
    "size": "capture.size",
    "fps": "capture.fps",
    "duration": "capture.duration_s",
    "countdown": "capture.countdown_s",
    "mirror": "capture.mirror",
    "rotation": "capture.rotation",
    "realtime": "capture.realtime",
    "output": "record.folder",
    "formats": "record.formats",
    "overlay": "record.overlay",
    "save_video": "record.save_video",
}
"""Flags that stand for one setting each."""


def read_settings(args: argparse.Namespace, extra: dict[str, Any] | None = None) -> AppConfig:
    """Return the user's own settings, changed by --config, the flags, `extra` (by dotted key) and --set in this order.

    Raises:
        UserSettingsError: The user's own file is wrong; without it there may be nothing wrong.
        ConfigError: Something else is.
    """
    given = {key: getattr(args, flag, None) for flag, key in FLAGS.items()}
    flags = {key: value for key, value in given.items() if value is not None}
    own = {} if args.no_user_settings else read_user_settings()
    return load_config(args.config, args.set, {**flags, **(extra or {})}, own)


def parse_size(text: str) -> list[int]:
    """Return `[W, H]` of `WxH`, for argparse."""
    width, cross, height = text.lower().partition("x")
    if not (cross and width.isdigit() and height.isdigit()):
        raise argparse.ArgumentTypeError(f'found "{text}", expected WIDTHxHEIGHT as 1280x720')
    return [int(width), int(height)]


def parse_names(text: str) -> list[str]:
    """Return the names of a comma-separated list, for argparse."""
    return [name.strip() for name in text.split(",") if name.strip()]


def parse_address(text: str, flag: str = "--osc") -> tuple[str, int]:
    """Return host and port of `HOST:PORT` (an IPv6 host in brackets); the host may be left out for this machine.

    Raises:
        ConfigError: There is no port, or it is no number.
    """
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit():
        raise ConfigError(f'{flag}: found "{text}", expected HOST:PORT, for example 127.0.0.1:39539')
    return host.strip("[]") or "127.0.0.1", int(port)
