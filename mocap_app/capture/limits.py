"""What applies to every source alike: rotation, mirror, countdown, duration."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ..config import CaptureConfig
from ..types import Frame
from .source import FrameSource, read_only

logger = logging.getLogger(__name__)

SECOND_NS = 1_000_000_000


class LimitedSource:
    """A source whose frames are turned, mirrored, begin after a countdown and end after a duration, as configured."""

    def __init__(self, source: FrameSource, config: CaptureConfig) -> None:
        """Wrap `source`. Only a live source counts down: a file loses nothing by starting at once."""
        self._source = source
        self._mirror = config.mirror
        self._rotation = config.rotation
        self._countdown_s = config.countdown_s if source.is_live else 0.0
        self._duration_s = config.duration_s
        self.is_live = source.is_live
        self.fps = source.fps
        lies = config.rotation in (90, 270)
        self.size_wh = source.size_wh[::-1] if lies else source.size_wh
        self.name = source.name
        self.picture_names = source.picture_names
        self.path = source.path
        self.frame_count = self._limited_count(source.frame_count)

    @staticmethod
    def is_needed(config: CaptureConfig) -> bool:
        """Say whether `config` asks for anything done here."""
        return config.mirror or config.rotation != 0 or config.countdown_s > 0 or config.duration_s is not None

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames between the end of the countdown and the end of the duration."""
        begun_ns: int | None = None
        for frame in self._after_countdown():
            begun_ns = frame.timestamp_ns if begun_ns is None else begun_ns
            if self._duration_s is not None and frame.timestamp_ns - begun_ns >= self._duration_s * SECOND_NS:
                return
            upright = turned(frame, self._rotation) if self._rotation else frame
            yield mirrored(upright) if self._mirror else upright

    def close(self) -> None:
        """Close the source."""
        self._source.close()

    def _after_countdown(self) -> Iterator[Frame]:
        """Skip frames, telling the seconds left, until the countdown is over; the device goes on being read."""
        told: int | None = None
        begun_ns: int | None = None
        for frame in self._source:
            begun_ns = frame.timestamp_ns if begun_ns is None else begun_ns
            left_s = self._countdown_s - (frame.timestamp_ns - begun_ns) / SECOND_NS
            if left_s <= 0:
                yield frame
            elif told != int(np.ceil(left_s)):
                told = int(np.ceil(left_s))
                logger.info("recording starts in %d s", told)

    def _limited_count(self, count: int | None) -> int | None:
        if self._duration_s is None or self.is_live:
            return count
        within = int(np.ceil(self._duration_s * self.fps))
        return within if count is None else min(count, within)


def turned(frame: Frame, rotation_deg: int) -> Frame:
    """Return `frame` turned clockwise by a multiple of 90 degrees."""
    return replace(frame, image=read_only(np.ascontiguousarray(np.rot90(frame.image, -(rotation_deg // 90)))))


def mirrored(frame: Frame) -> Frame:
    """Return `frame` with left and right exchanged."""
    return replace(frame, image=read_only(np.ascontiguousarray(frame.image[:, ::-1])))
