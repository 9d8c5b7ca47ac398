"""Motion capture from one ordinary camera, for Blender and Unity.

A live source (camera, stream) opens the window; --headless does without. A video or pictures are worked through
without a window, every frame, as fast as the machine can; --window watches.
"""

from __future__ import annotations

import argparse
import logging
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import Any

from .. import __version__
from ..config import AppConfig, CaptureConfig, default_config_file
from ..errors import ConfigError, UserSettingsError
from ..session import Event, Session, State
from .messages import Progress, start_logging
from .settings import add_settings, parse_address, parse_names, parse_size, read_settings

logger = logging.getLogger(__name__)

EXAMPLES = """examples:
  mocap-app --camera 0                                    a window with what the camera sees and the body in it
  mocap-app --video dance.mp4 --output takes              one .npz and one .bvh per performer, for Blender
  mocap-app --video dance.mp4 --overlay dance_mesh.mp4    the video with the mesh drawn over it
  mocap-app --camera 0 --headless --osc 127.0.0.1:39539   live motion by the VMC protocol, for Unity
  mocap-app --camera 0 --headless --web 8765              the same in any browser: http://127.0.0.1:8765
  mocap-app --camera 0 --headless --output takes --duration 30 --countdown 5
  mocap-app --images pictures --output poses              independent pictures, one .npz each
  mocap-app --set capture.source=synthetic --set engine.name=synthetic --headless --duration 3

other commands (each has its own --help):
  mocap-app demo | export | retarget | doctor | config | devices | engines | licenses | bench | monitor | take recover

Ctrl-C ends a capture and saves what was recorded."""
DEFAULT_FOLDER = "takes"
IMPATIENT_S = 1.0
"""A second Ctrl-C so soon after the first is the same wish, not the wish to give up the saving."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of a capture."""
    where = parser.add_argument_group("where the pictures come from").add_mutually_exclusive_group()
    where.add_argument("--camera", metavar="N|NAME", help="camera by number or by a part of its name (default: 0)")
    where.add_argument("--video", metavar="FILE", help="video file")
    where.add_argument("--images", metavar="DIR", help="folder of independent pictures")
    where.add_argument("--stream", metavar="URL", help="network stream, as rtsp:// or udp://")
    group = parser.add_argument_group("the source")
    group.add_argument("--size", type=parse_size, metavar="WxH", help="picture size asked of the camera")
    group.add_argument("--fps", type=float, help="frame rate asked of the camera")
    group.add_argument("--mirror", action="store_const", const=True, help="flip the picture left to right")
    group.add_argument("--rotation", type=int, metavar="DEGREES", help="turn the picture clockwise: 90, 180 or 270")
    group.add_argument("--realtime", action="store_const", const=True, help="read a video at its own pace, as a camera")
    group.add_argument("--countdown", type=float, metavar="SECONDS", help="wait before the first frame is used")
    group.add_argument("--duration", type=float, metavar="SECONDS", help="end after so much of the source")
    group = parser.add_argument_group("what comes out")
    group.add_argument(
        "--output", metavar="DIR", help=f"record takes into this folder (without any output: {DEFAULT_FOLDER})"
    )
    group.add_argument(
        "--formats",
        type=parse_names,
        metavar="A,B",
        help="formats of the takes, as npz,bvh,fbx (bones alone; mocap-app export adds the surface)",
    )
    group.add_argument("--osc", metavar="HOST:PORT", help="send live motion by the VMC protocol")
    group.add_argument("--vrchat", metavar="HOST:PORT", help="send live motion to VRChat's OSC trackers")
    group.add_argument("--web", metavar="[HOST:]PORT", help="show live motion to browsers that open this address")
    group.add_argument("--overlay", metavar="FILE", help="write the video with the mesh drawn over it")
    group.add_argument("--save-video", metavar="FILE", help="keep the source's picture")
    window = parser.add_argument_group("the window").add_mutually_exclusive_group()
    window.add_argument("--headless", action="store_true", help="open no window")
    window.add_argument("--window", action="store_true", help="open the window for a video or pictures too")
    add_settings(parser)
    parser.add_argument("--print-config", action="store_true", help="print the commented default settings and end")
    parser.add_argument("--version", action="version", version=f"mocap-app {__version__}")


def main(args: argparse.Namespace) -> int:
    """Capture, in a window or without."""
    if args.print_config:
        print(default_config_file().read_text(encoding="utf-8"), end="")
        return 0
    start_logging(args)
    config, notice = settings_or_notice(args)
    if wants_window(args, config):
        return open_window(config, notice, chooses_source=not names_source(args, config))
    return capture_headless(with_an_output(config), quiet=args.quiet)


def settings_or_notice(args: argparse.Namespace) -> tuple[AppConfig, str]:
    """Return the settings, and what the window has to say of them: broken settings of one's own must not keep it shut.

    Raises:
        ConfigError: The settings are wrong, and no window is wanted or the fault is not in the user's own file.
    """
    try:
        return read_settings(args, source_settings(args)), ""
    except UserSettingsError as error:
        args.no_user_settings = True
        config = read_settings(args, source_settings(args))
        if not wants_window(args, config):
            raise
        logger.warning("your own settings are left out: %s", error)
        return config, f"Your own settings are left out, the defaults are used. {error}"


def source_settings(args: argparse.Namespace) -> dict[str, Any]:
    """Return by dotted key what the flags of source and receiver stand for."""
    settings: dict[str, Any] = {}
    if args.camera is not None:
        device = int(args.camera) if args.camera.lstrip("-").isdigit() else args.camera
        settings |= {"capture.source": "camera", "capture.device": device}
    for kind in ("video", "images", "stream"):
        if getattr(args, kind) is not None:
            settings |= {"capture.source": kind, "capture.path": getattr(args, kind)}
    if args.osc is not None:
        settings["osc.host"], settings["osc.port"] = parse_address(args.osc)
    if args.vrchat is not None:
        settings["vrchat.host"], settings["vrchat.port"] = parse_address(args.vrchat, "--vrchat")
    if args.web is not None:
        with_host = args.web if ":" in args.web else f":{args.web}"
        settings["web.host"], settings["web.port"] = parse_address(with_host, "--web")
    return settings


def wants_window(args: argparse.Namespace, config: AppConfig) -> bool:
    """Say whether to open the window: asked for, or a live source not asked to be headless."""
    live = config.capture.source in ("camera", "stream")
    return bool(args.window or (live and not args.headless))


def names_source(args: argparse.Namespace, config: AppConfig) -> bool:
    """Say whether somebody chose the source, by a flag or in the settings; else the window looks for a camera."""
    flags = (args.camera, args.video, args.images, args.stream)
    default = CaptureConfig()
    chosen = (config.capture.source, config.capture.device) != (default.source, default.device)
    return chosen or any(flag is not None for flag in flags)


def open_window(config: AppConfig, notice: str = "", chooses_source: bool = False) -> int:
    """Open the window, with `notice` in its banner, and return its exit code; `chooses_source` looks for a camera.

    Raises:
        ConfigError: The window's library is not installed, or cannot be loaded.
    """
    if find_spec("PyQt6") is None:
        raise ConfigError(
            'the window needs PyQt6, which is not installed; install it with: pip install "mocap-app[viewer]"; '
            "or do without a window: --headless"
        )
    try:
        from ..viewer.app import run
    except ImportError as error:
        if not (error.name or "").startswith("PyQt6"):
            raise
        raise ConfigError(
            f"the window's library cannot be loaded ({error}); on Debian or Ubuntu, scripts/setup viewer installs "
            "what it needs; or do without a window: --headless"
        ) from error
    return int(run(config, notice, chooses_source))


def with_an_output(config: AppConfig) -> AppConfig:
    """Return the settings with the default output folder where no output is named at all."""
    record = config.record
    live = config.osc.host or config.vrchat.host or config.web.host
    if record.folder or record.overlay or record.save_video or live:
        return config
    logger.info("no output is named: recording into the folder %s", Path(DEFAULT_FOLDER).resolve())
    return replace(config, record=replace(record, folder=DEFAULT_FOLDER))


def capture_headless(config: AppConfig, quiet: bool = False) -> int:
    """Run a session to its end or to Ctrl-C; return the exit code."""
    from ..pipeline import build_session

    session = build_session(config)
    finished = threading.Event()
    session.listen(lambda event: finished.set() if is_last(event) else None)
    with stop_on_signal(session) as interrupted:
        session.start()
        watch(session, finished, config, quiet)
        session.join()
    summary = session.stats.summary()
    for line in summary.lines():
        logger.debug(line)
    if interrupted.is_set() and not summary.frames:
        logger.info("interrupted before anything was captured")
        return 130
    logger.info("%d frames at %.1f frames/s", summary.frames, summary.frames_per_s)
    return 0


def is_last(event: Event) -> bool:
    """Say whether nothing comes after `event`."""
    return event.state in (State.STOPPED, State.FAILED) and not event.detached


def watch(session: Session, finished: threading.Event, config: AppConfig, quiet: bool) -> None:
    """Show the progress until the session has ended."""
    progress: Progress | None = None
    while not finished.wait(0.25):
        if session.state is not State.RUNNING or quiet:
            continue
        if progress is None:
            progress = Progress(expected_frames(session, config))
        progress.show(session.stats.frames)
    if progress is not None:
        progress.close()


def expected_frames(session: Session, config: AppConfig) -> int | None:
    """Return how many frames the source will give, as far as that is known."""
    context = session.context
    if context is None:
        return None
    duration_s = config.capture.duration_s
    wanted = round(duration_s * context.fps) if duration_s and context.fps else None
    known = [count for count in (context.frame_count, wanted) if count]
    return min(known, default=None)


@contextmanager
def stop_on_signal(session: Session) -> Iterator[threading.Event]:
    """End the session on the first Ctrl-C (or a request to terminate); one more after a moment ends the program."""
    asked = threading.Event()
    asked_s = 0.0

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal asked_s
        if asked.is_set() and time.monotonic() - asked_s < IMPATIENT_S:
            return
        if asked.is_set():
            logger.warning("ended at once; takes not yet written are journals: mocap-app take recover FOLDER")
            raise KeyboardInterrupt
        asked.set()
        asked_s = time.monotonic()
        logger.info("stopping; what was recorded is being saved")
        session.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
