"""Video files: the source's picture, kept."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import cv2
import numpy as np

from engines.types import Image

from ..errors import SinkError
from ..mailbox import Keep
from ..types import FrameResult
from .base import SinkContext
from .folder import prepare_folder

CODECS = {".mp4": "mp4v", ".mov": "mp4v", ".mkv": "mp4v", ".avi": "MJPG"}
"""Those that every OpenCV wheel can write."""
LEAST_FREE_BYTES = 32 << 20
"""OpenCV does not say when the disk is full, so recording ends before."""
CHECK_EVERY = 30
"""Frames between two looks at the disk."""


class VideoFile:
    """A video of constant rate, under its own name only once it is whole. Belongs to one thread."""

    def __init__(self, path: str | Path, fps: float, size_wh: tuple[int, int], source_path: str = "") -> None:
        """Open `path` for frames of `size_wh` pixels.

        Raises:
            SinkError: it is the video being read, its format is unknown or the folder cannot be written to.
        """
        self._path = Path(path).expanduser()
        if self._path.suffix.lower() not in CODECS:
            raise SinkError(f"{path}: found suffix {self._path.suffix!r}, expected one of {', '.join(CODECS)}")
        if source_path and self._path.exists() and self._path.samefile(source_path):
            raise SinkError(f"{path}: is the video being read, expected another file; choose another name")
        self._folder = prepare_folder(self._path.parent)
        self._part = self._path.with_name(f"{self._path.stem}.part{self._path.suffix}")
        self._fps = fps
        self._size_wh = size_wh
        code = cv2.VideoWriter.fourcc(*CODECS[self._path.suffix.lower()])
        self._writer = cv2.VideoWriter(str(self._part), cv2.CAP_FFMPEG, code, fps, size_wh)
        if not self._writer.isOpened():
            raise SinkError(f"{path}: no video of {size_wh[0]}x{size_wh[1]} at {fps:g} frames/s can be written there")
        self._begun_ns: int | None = None
        self._last: Image | None = None
        self._count = 0
        self._closed = False

    def add(self, image: Image, timestamp_ns: int) -> None:
        """Show `(H, W, 3)` uint8 RGB `image` from its time on; times between are filled with the image before.

        Raises:
            SinkError: the disk is nearly full, or the image has another size.
        """
        if image.shape[1::-1] != self._size_wh:
            found, wanted = ("x".join(map(str, size)) for size in (image.shape[1::-1], self._size_wh))
            raise SinkError(f"{self._path}: found a picture of {found}, expected {wanted} as before; record it anew")
        self._begun_ns = timestamp_ns if self._begun_ns is None else self._begun_ns
        due = round((timestamp_ns - self._begun_ns) * self._fps / 1e9)
        while self._last is not None and self._count < due:
            self._write(self._last)
        self._last = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        if self._count <= due:
            self._write(self._last)

    def close(self) -> None:
        """Finish the file and give it its name; may be called twice.

        Raises:
            SinkError: nothing arrived on the disk.
        """
        if self._closed:
            return
        self._closed = True
        self._writer.release()
        if self._count == 0:
            self._part.unlink(missing_ok=True)
            return
        if not self._part.is_file() or self._part.stat().st_size == 0:
            raise SinkError(f"{self._path}: nothing could be written, expected a video; check the disk's free space")
        os.replace(self._part, self._path)

    def _write(self, picture_bgr: Image) -> None:
        if self._count % CHECK_EVERY == 0 and shutil.disk_usage(self._folder).free < LEAST_FREE_BYTES:
            raise SinkError(f"{self._path}: the disk is full, expected 32 MB or more; free some space")
        self._writer.write(picture_bgr)
        self._count += 1


class VideoSink:
    """Keeps the source's picture, of every frame that went through the line."""

    keep: Keep = "all"

    def __init__(self, path: str | Path, context: SinkContext) -> None:
        """Open `path` at the source's size and rate.

        Raises:
            SinkError: it cannot be written.
        """
        self._file = VideoFile(path, context.fps, context.size_wh, context.source_path)

    def write(self, result: FrameResult) -> None:
        """Add the frame's picture."""
        self._file.add(np.asarray(result.frame.image), result.frame.timestamp_ns)

    def close(self) -> None:
        """Finish the file."""
        self._file.close()
