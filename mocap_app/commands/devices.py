"""List the cameras of this machine, with the sizes and rates each one states."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from .messages import start_logging
from .settings import add_verbosity

if TYPE_CHECKING:
    from ..capture.devices import Camera


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    parser.add_argument("--modes", action="store_true", help="open each camera for a moment and ask for its sizes")
    parser.add_argument("--json", action="store_true", help="print one list that a program can read")
    add_verbosity(parser)


def main(args: argparse.Namespace) -> int:
    """Print one line per camera."""
    start_logging(args)
    from ..capture.devices import list_cameras, list_modes

    cameras = list_cameras()
    if args.json:
        print(json.dumps([described(camera, args.modes) for camera in cameras]))
        return 0
    if not cameras:
        print("no camera found; plug one in, or try a video: mocap-app --video FILE")
    for camera in cameras:
        print(f"--camera {camera.index}   {camera.name}".rstrip())
        for mode in list_modes(camera.index) if args.modes else ():
            print(f"    --size {mode.size_wh[0]}x{mode.size_wh[1]} --fps {mode.fps:g}")
    return 0


def described(camera: Camera, with_modes: bool) -> dict[str, Any]:
    """Return `camera` as JSON has it: index, name and, where asked for, its modes."""
    from ..capture.devices import list_modes

    modes = list_modes(camera.index) if with_modes else ()
    return {
        "index": camera.index,
        "name": camera.name,
        "modes": [{"size": list(mode.size_wh), "fps": mode.fps} for mode in modes],
    }
