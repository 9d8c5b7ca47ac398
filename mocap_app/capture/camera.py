"""A camera through OpenCV: ask, read back, refuse what the driver quietly changed."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator

from ..config import CaptureConfig
from ..errors import SourceError
from ..types import Frame
from .devices import find_camera, list_cameras, open_capture
from .opencv import Grabber, cv2
from .source import dated

logger = logging.getLogger(__name__)

FPS_WHEN_UNKNOWN = 30.0
WARM_UP_FRAMES = 30
"""Cameras open with dark or missing pictures; a camera that gives nothing else in so many is of no use."""
MISSING_ALLOWED = 10
"""Reads in a row that may fail: USB loses a frame now and then."""
SILENT_S = 5.0
"""A camera that gave nothing for so long is gone, however few reads that were."""
BLACK = 3
"""A picture whose brightest value is lower is black: noise alone is brighter in a dark room."""
STALE_FRAMES = 4
"""Pictures a driver may have kept since opening."""


class CameraSource:
    """One camera. Time stamps are the monotonic clock when a picture was grabbed."""

    is_live = True
    frame_count: int | None = None
    picture_names: tuple[str, ...] = ()
    path = ""

    def __init__(
        self, config: CaptureConfig, open_device: Callable[[int], cv2.VideoCapture | None] = open_capture
    ) -> None:
        """Open the camera `config.device`, ask it for `size` and `fps`, and wait for a picture.

        Raises:
            SourceError: no such camera, another size or rate than asked, or no picture but black ones.
        """
        self._index = find_camera(config.device)
        capture = open_device(self._index)
        if capture is None:
            raise SourceError(self._absent())
        try:
            _ask(capture, config)
            self._check(capture, config)
            self._grabber = Grabber(capture, may_stick=True)
            self.size_wh = self._warm_up()
            self._check_size(config)
        except SourceError:
            capture.release()
            raise
        self.fps = config.fps or float(capture.get(cv2.CAP_PROP_FPS)) or FPS_WHEN_UNKNOWN
        self.name = dated(f"camera{self._index}")

    def __iter__(self) -> Iterator[Frame]:
        """Yield pictures as they come.

        Raises:
            SourceError: the camera gives none any more.
        """
        for _ in range(STALE_FRAMES):
            self._grabber.read()
        index = missing = 0
        last_ns = time.monotonic_ns()
        while not self._grabber.closing:
            found = self._grabber.read()
            if found is None:
                missing += 1
                self._check_alive(missing, last_ns)
                continue
            image, grabbed_ns = found
            # Windows' monotonic clock is coarse enough to stand still between two pictures.
            last_ns = max(grabbed_ns, last_ns + 1)
            missing = 0
            yield Frame(image, index, last_ns, grabbed_ns)
            index += 1

    def close(self) -> None:
        """End the iteration and release the camera."""
        self._grabber.close()

    def _check_alive(self, missing: int, last_ns: int) -> None:
        silent_s = (time.monotonic_ns() - last_ns) / 1e9
        if (missing > MISSING_ALLOWED or silent_s > SILENT_S) and not self._grabber.closing:
            raise SourceError(f"camera {self._index}: no picture comes any more; is it still plugged in?")

    def _warm_up(self) -> tuple[int, int]:
        """Read until a picture is not black; return its width and height."""
        pictures = 0
        for _ in range(WARM_UP_FRAMES):
            found = self._grabber.read()
            if found is None:
                continue
            image = found[0]
            pictures += 1
            if image.max() >= BLACK:
                return image.shape[1], image.shape[0]
        reason = "gives only black pictures" if pictures else "opens but gives no picture"
        raise SourceError(f"camera {self._index}: {reason}, expected a view; {_permission_hint()}")

    def _check(self, capture: cv2.VideoCapture, config: CaptureConfig) -> None:
        """Refuse a rate that is not the one asked for; 0 means that the driver does not say."""
        given = float(capture.get(cv2.CAP_PROP_FPS))
        if config.fps and given > 0 and abs(given / config.fps - 1) > 0.05:
            raise SourceError(
                f"camera {self._index}: gives {given:g} frames/s, expected {config.fps:g}; leave --fps out, "
                "try another --size, or see `mocap-app devices`"
            )
        if config.fps and given <= 0:
            logger.warning("camera %d does not say its rate; %g frames/s is assumed", self._index, config.fps)

    def _check_size(self, config: CaptureConfig) -> None:
        if config.size and tuple(config.size) != self.size_wh:
            found, wanted = ("x".join(map(str, size)) for size in (self.size_wh, config.size))
            raise SourceError(
                f"camera {self._index}: gives {found} pixels, expected {wanted}; "
                "leave --size out or choose one listed by `mocap-app devices`"
            )

    def _absent(self) -> str:
        known = ", ".join(f"{camera.index} {camera.name}".strip() for camera in list_cameras()) or "none"
        return f"camera {self._index} cannot be opened, expected one of: {known}; {_permission_hint()}"


def _ask(capture: cv2.VideoCapture, config: CaptureConfig) -> None:
    # MJPG first: uncompressed video over USB is slow beyond 640x480, and drivers fit size and rate to the format.
    capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    if config.size:
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, config.size[0])
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, config.size[1])
    if config.fps:
        capture.set(cv2.CAP_PROP_FPS, config.fps)
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)


def _permission_hint() -> str:
    hint = "check its shutter and cable, and that no other program uses it"
    if sys.platform == "darwin":
        return f"{hint}; System Settings > Privacy & Security > Camera must allow the terminal"
    if sys.platform == "win32":
        return f"{hint}; Settings > Privacy & security > Camera must allow desktop apps"
    return f"{hint}; the user must be in the group `video`"
