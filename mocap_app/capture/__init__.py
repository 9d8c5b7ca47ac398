"""Sources of frames: cameras, video files, folders of pictures, network streams, a drawn figure."""

from __future__ import annotations

from ..config import CaptureConfig
from .source import FrameSource, timed

__all__ = ["FrameSource", "open_source", "timed"]


def open_source(config: CaptureConfig) -> FrameSource:
    """Open what `config` names; the caller iterates and closes it.

    Raises:
        SourceError: it is absent, unreadable, or refuses what was asked of it.
        ValueError: `config.source` is not a kind of source.
    """
    # OpenCV is imported here, so that naming the protocol costs nothing.
    from .limits import LimitedSource

    source = _open(config)
    return LimitedSource(source, config) if LimitedSource.is_needed(config) else source


def _open(config: CaptureConfig) -> FrameSource:
    from .camera import CameraSource
    from .images import ImageFolderSource
    from .stream import StreamSource
    from .synthetic import SyntheticSource
    from .video import VideoSource

    kinds = {
        "camera": CameraSource,
        "video": VideoSource,
        "images": ImageFolderSource,
        "stream": StreamSource,
        "synthetic": SyntheticSource,
    }
    if config.source not in kinds:
        raise ValueError(f"capture.source: found {config.source!r}, expected one of {', '.join(kinds)}")
    return kinds[config.source](config)
