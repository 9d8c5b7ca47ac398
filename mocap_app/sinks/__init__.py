"""Where results go: takes, video files, live streams, the screen."""

from .base import MakeSink, Sink, SinkContext
from .latest import LatestResult
from .stream import StreamSink

__all__ = ["LatestResult", "MakeSink", "Sink", "SinkContext", "StreamSink"]
