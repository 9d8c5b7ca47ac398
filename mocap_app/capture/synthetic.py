"""A drawn figure that walks in front of a plain wall: a source that needs no camera and no file."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..config import CaptureConfig
from ..types import Frame
from .opencv import cv2
from .source import read_only

SIZE_WH = (640, 480)
FPS = 30.0
DURATION_S = 10.0
"""How long the figure walks when nobody says, unless it is paced like a camera."""
WALL = (120, 132, 140)
FLOOR = (104, 112, 116)
"""Close to the wall, so that the synthetic detector takes only the figure for a figure."""
SHIRT = (196, 72, 60)
TROUSERS = (48, 62, 120)
SKIN = (214, 170, 140)
STEPS_HZ = 0.9
"""Full gait cycles per second."""


class SyntheticSource:
    """Draws each frame from its time alone; paced like a camera with `config.realtime`, else as a file."""

    name = "synthetic"
    path = ""
    picture_names: tuple[str, ...] = ()

    def __init__(self, config: CaptureConfig) -> None:
        """Take size, rate and duration from `config` where it gives them."""
        self.is_live = config.realtime
        self.fps = config.fps or FPS
        self.size_wh = config.size or SIZE_WH
        self.frame_count = self._count(config.duration_s)
        self._closing = threading.Event()

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames; endless when paced without a duration."""
        begun_ns = time.monotonic_ns()
        index = 0
        while not self._closing.is_set() and (self.frame_count is None or index < self.frame_count):
            timestamp_ns = round(index * 1e9 / self.fps)
            if self.is_live:
                self._closing.wait(max(0.0, (begun_ns + timestamp_ns - time.monotonic_ns()) / 1e9))
                timestamp_ns = time.monotonic_ns()
            image = read_only(draw_figure(index / self.fps, self.size_wh))
            yield Frame(image, index, timestamp_ns, time.monotonic_ns())
            index += 1

    def close(self) -> None:
        """End the iteration."""
        self._closing.set()

    def _count(self, duration_s: float | None) -> int | None:
        if duration_s is None:
            return None if self.is_live else round(DURATION_S * self.fps)
        return None if self.is_live else int(np.ceil(duration_s * self.fps))


def draw_figure(time_s: float, size_wh: tuple[int, int]) -> NDArray[np.uint8]:
    """Return `(H, W, 3)` uint8 RGB of the figure at `time_s`, swinging its limbs and swaying from side to side."""
    width, height = size_wh
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = WALL
    picture[int(0.88 * height) :] = FLOOR
    unit = 0.78 * height / 8  # The figure is eight heads tall.
    phase = 2 * np.pi * STEPS_HZ * time_s
    hips = np.array([width / 2 + 0.15 * width * np.sin(phase / 6), 0.52 * height])
    neck = hips - (0, 2.6 * unit)
    for side in (-1, 1):
        swing = 0.45 * side * np.sin(phase)
        _limb(
            picture,
            hips + np.array((side * 0.45 * unit, 0)),
            swing,
            max(0.0, -swing),
            1.9 * unit,
            0.36 * unit,
            TROUSERS,
        )
    _segment(picture, hips, neck, 1.1 * unit, SHIRT)
    for side in (-1, 1):
        swing = -0.5 * side * np.sin(phase)
        _limb(picture, neck + np.array((side * 0.62 * unit, 0.3 * unit)), swing, -0.3, 1.35 * unit, 0.26 * unit, SKIN)
    cv2.circle(picture, _pixel(neck - (0, 0.75 * unit)), max(1, round(0.5 * unit)), SKIN, -1, cv2.LINE_AA)
    return picture


def _limb(
    picture: NDArray[np.uint8],
    root: NDArray[np.float64],
    swing_rad: float,
    bend_rad: float,
    length_px: float,
    thickness_px: float,
    color: tuple[int, int, int],
) -> None:
    """Draw two segments that hang from `root`."""
    middle = root + length_px * np.array([0.5 * np.sin(swing_rad), np.cos(swing_rad)])
    turn_rad = swing_rad + bend_rad
    end = middle + length_px * np.array([0.5 * np.sin(turn_rad), np.cos(turn_rad)])
    _segment(picture, root, middle, thickness_px, color)
    _segment(picture, middle, end, 0.8 * thickness_px, color)


def _segment(
    picture: NDArray[np.uint8],
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    thickness_px: float,
    color: tuple[int, int, int],
) -> None:
    cv2.line(picture, _pixel(start), _pixel(end), color, max(1, round(thickness_px)), cv2.LINE_AA)


def _pixel(point: NDArray[np.float64]) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))
