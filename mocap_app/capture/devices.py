"""The cameras of this machine and what they can do."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from ..errors import SourceError
from .opencv import cv2

SYSFS = Path("/sys/class/video4linux")
PROBED = 8
"""Camera numbers tried where the system offers no list."""
COMMON_MODES = ((640, 480), (1280, 720), (1920, 1080), (3840, 2160))


@dataclass(frozen=True, slots=True)
class Mode:
    """A size and rate a camera accepted when asked."""

    size_wh: tuple[int, int]
    fps: float


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera that is there."""

    index: int
    name: str
    """As the system names it; empty where OpenCV cannot ask (Windows, macOS)."""


def backends() -> tuple[int, ...]:
    """Return OpenCV's capture backends for cameras on this platform, best first."""
    if sys.platform == "win32":
        # Media Foundation takes seconds to open a camera, DirectShow does not.
        return cv2.CAP_DSHOW, cv2.CAP_MSMF
    if sys.platform == "darwin":
        return (cv2.CAP_AVFOUNDATION,)
    return (cv2.CAP_V4L2,)


def list_cameras() -> tuple[Camera, ...]:
    """Return the cameras found. On Windows and macOS each number is opened for a moment to find out."""
    if sys.platform.startswith("linux"):
        return _listed(SYSFS)
    return tuple(Camera(index, "") for index in range(PROBED) if _opens(index))


def list_modes(index: int) -> tuple[Mode, ...]:
    """Return which of the common sizes camera `index` accepts, with the rate it then states; empty if unreadable."""
    capture = open_capture(index)
    if capture is None:
        return ()
    try:
        return tuple(dict.fromkeys(_ask(capture, size_wh) for size_wh in COMMON_MODES))
    finally:
        capture.release()


def find_camera(device: int | str) -> int:
    """Return the number of the camera meant by `device`, a number or part of a name.

    Raises:
        SourceError: no camera, or several, bear that name.
    """
    if isinstance(device, int) or device.isdigit():
        return int(device)
    cameras = list_cameras()
    fitting = [camera for camera in cameras if device.lower() in camera.name.lower()]
    # One camera often has several nodes of one name: pictures first, then metadata.
    if fitting and len({camera.name for camera in fitting}) == 1:
        return fitting[0].index
    known = ", ".join(f"{camera.index} {camera.name}".strip() for camera in cameras) or "none"
    count = "several cameras" if fitting else "no camera"
    raise SourceError(f"{count} named {device!r}, expected exactly one of: {known}; give its number: --camera 0")


def open_capture(index: int) -> cv2.VideoCapture | None:
    """Open camera `index` through the first backend that can, or return None."""
    for backend in backends():
        capture = cv2.VideoCapture(index, backend)
        if capture.isOpened():
            return capture
        capture.release()
    return None


def _listed(folder: Path) -> tuple[Camera, ...]:
    """Read the kernel's list; `index` 0 is a camera's picture node, others carry metadata."""
    cameras = []
    for node in folder.glob("video*") if folder.is_dir() else ():
        number = node.name.removeprefix("video")
        if number.isdigit() and _line(node / "index") in ("", "0"):
            cameras.append(Camera(int(number), _line(node / "name")))
    return tuple(sorted(cameras, key=lambda camera: camera.index))


def _line(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _opens(index: int) -> bool:
    capture = open_capture(index)
    if capture is not None:
        capture.release()
    return capture is not None


def _ask(capture: cv2.VideoCapture, size_wh: tuple[int, int]) -> Mode:
    capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, size_wh[0])
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size_wh[1])
    given = (int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)))
    return Mode(given, float(capture.get(cv2.CAP_PROP_FPS)))
