"""A folder of pictures that have nothing to do with each other."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..config import CaptureConfig
from ..errors import SourceError
from ..types import Frame
from .opencv import cv2, to_rgb

logger = logging.getLogger(__name__)

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")
SECOND_NS = 1_000_000_000


class ImageFolderSource:
    """The pictures of a folder (or one picture), in the order of their names, one per second of source time."""

    is_live = False
    fps = 1.0

    def __init__(self, config: CaptureConfig) -> None:
        """List `config.path` and read the first picture for its size.

        Raises:
            SourceError: there is no such folder, or no readable picture in it.
        """
        path = Path(config.path)
        self._files = _list(path)
        self._closing = threading.Event()
        self.path = str(path)
        self.name = path.stem if path.is_file() else path.resolve().name
        self.frame_count: int | None = len(self._files)
        self.picture_names = tuple(file.name for file in self._files)
        self.size_wh = self._first_size()

    def __iter__(self) -> Iterator[Frame]:
        """Yield the readable pictures; `index` counts the unreadable too, so it finds the file's name."""
        for index, file in enumerate(self._files):
            if self._closing.is_set():
                return
            image = _read(file)
            if image is None:
                logger.warning("%s: not readable as a picture, skipped", file)
                continue
            yield Frame(image, index, index * SECOND_NS, time.monotonic_ns())

    def close(self) -> None:
        """End the iteration."""
        self._closing.set()

    def _first_size(self) -> tuple[int, int]:
        for file in self._files:
            image = _read(file)
            if image is not None:
                return image.shape[1], image.shape[0]
        raise SourceError(f"{self.path}: none of {len(self._files)} pictures is readable; check the files")


def _list(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise SourceError(f"{path}: there is no such folder, expected one of pictures; check the path")
    try:
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES and file.is_file())
    except OSError as error:
        raise SourceError(f"{path}: the folder cannot be listed ({error}); check its permissions") from error
    if not files:
        raise SourceError(f"{path}: no picture found, expected files ending in {' '.join(SUFFIXES)}")
    return files


def _read(file: Path) -> NDArray[np.uint8] | None:
    """Return the picture, upright as its EXIF says, or None.

    Through memory, for `cv2.imread` does not open every name on Windows.
    """
    try:
        encoded = np.fromfile(file, np.uint8)
        picture = cv2.imdecode(encoded, cv2.IMREAD_COLOR) if len(encoded) else None
    except (OSError, cv2.error):
        return None
    return None if picture is None else to_rgb(picture)
