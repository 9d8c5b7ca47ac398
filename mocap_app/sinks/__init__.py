"""Where results go: takes, pictures, video files, live streams, the screen.

`video` and `overlay` need OpenCV and a renderer and are imported where they are used.
"""

from .base import MakeSink, Sink, SinkContext
from .latest import LatestResult
from .pictures import PictureRecorder
from .recorder import TakeRecorder
from .recovery import recover
from .stream import StreamSink

__all__ = [
    "LatestResult",
    "MakeSink",
    "PictureRecorder",
    "Sink",
    "SinkContext",
    "StreamSink",
    "TakeRecorder",
    "recover",
]
