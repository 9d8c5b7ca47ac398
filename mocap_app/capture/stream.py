"""A network stream: newest frame only, little buffering."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from exporters.resample import exact_rate

from ..config import CaptureConfig
from ..errors import SourceError
from ..types import Frame
from .opencv import Grabber, cv2
from .source import dated
from .video import FPS_HIGHEST, FPS_WHEN_ABSENT

logger = logging.getLogger(__name__)

OPEN_TIMEOUT_MS = 10_000
READ_TIMEOUT_MS = 5_000
LOW_DELAY = "fflags;nobuffer|flags;low_delay"
VARIABLE = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
_environment = threading.Lock()


class StreamSource:
    """A stream by URL (rtsp, rtmp, http, udp, srt) through OpenCV's FFmpeg.

    Latency stays bounded because the capture thread reads all the time and only the newest frame waits.
    """

    is_live = True
    frame_count: int | None = None
    picture_names: tuple[str, ...] = ()
    path = ""

    def __init__(self, config: CaptureConfig) -> None:
        """Open the URL `config.path`.

        Raises:
            SourceError: nothing answers there, or not with video.
        """
        self._url = config.path
        timeouts = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_TIMEOUT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, READ_TIMEOUT_MS]
        with _low_delay():
            capture = cv2.VideoCapture(self._url, cv2.CAP_FFMPEG, timeouts)
        if not capture.isOpened():
            raise SourceError(
                f"{hide_login(self._url)}: no video came, expected a stream within {OPEN_TIMEOUT_MS // 1000} s; "
                "check the address and that the sender runs"
            )
        self._grabber = Grabber(capture)
        fps = capture.get(cv2.CAP_PROP_FPS)
        self.fps = float(exact_rate(fps)) if 0 < fps <= FPS_HIGHEST else FPS_WHEN_ABSENT
        self.size_wh = (int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)))
        self.name = dated("stream")

    def __iter__(self) -> Iterator[Frame]:
        """Yield frames as they come, stamped when they arrive.

        Raises:
            SourceError: not one frame came.
        """
        index = 0
        while (found := self._grabber.read()) is not None:
            image, grabbed_ns = found
            yield Frame(image, index, grabbed_ns, grabbed_ns)
            index += 1
        if self._grabber.closing:
            return
        if index == 0:
            raise SourceError(
                f"{hide_login(self._url)}: the stream opened and gave no frame, expected video; check the sender"
            )
        logger.warning("%s: the stream has ended or broken off after %d frames", hide_login(self._url), index)

    def close(self) -> None:
        """End the iteration and close the connection."""
        self._grabber.close()


@contextmanager
def _low_delay() -> Iterator[None]:
    """Set FFmpeg's options for the time of opening: the environment is OpenCV's only way to pass them."""
    with _environment:
        before = os.environ.get(VARIABLE)
        os.environ.setdefault(VARIABLE, LOW_DELAY)
        try:
            yield
        finally:
            if before is None:
                del os.environ[VARIABLE]


def hide_login(url: str) -> str:
    """Return `url` without a user name and password, for messages and logs."""
    scheme, separator, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}{separator}{authority.rpartition('@')[2]}{slash}{path}"
