"""List the cameras of this machine, with the sizes and rates each one states."""

from __future__ import annotations

import argparse

from .messages import start_logging
from .settings import add_verbosity


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    parser.add_argument("--modes", action="store_true", help="open each camera for a moment and ask for its sizes")
    add_verbosity(parser)


def main(args: argparse.Namespace) -> int:
    """Print one line per camera."""
    start_logging(args)
    from ..capture.devices import list_cameras, list_modes

    cameras = list_cameras()
    if not cameras:
        print("no camera found; plug one in, or try a video: mocap-app --video FILE")
    for camera in cameras:
        print(f"--camera {camera.index}   {camera.name}".rstrip())
        for mode in list_modes(camera.index) if args.modes else ():
            print(f"    --size {mode.size_wh[0]}x{mode.size_wh[1]} --fps {mode.fps:g}")
    return 0
