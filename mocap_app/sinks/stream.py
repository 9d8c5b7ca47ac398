"""Poses to a live receiver."""

from __future__ import annotations

from exporters.types import PoseStream

from ..mailbox import Keep
from ..stats import Stats
from ..types import FrameResult


class StreamSink:
    """Sends each newest result's poses and notes the age of the frame at the wire."""

    keep: Keep = "latest"

    def __init__(self, stream: PoseStream, stats: Stats, name: str = "osc") -> None:
        """Own `stream` (closed with the sink); ages and counts go to `stats` under `name`."""
        self._stream = stream
        self._stats = stats
        self.name = name

    def write(self, result: FrameResult) -> None:
        """Send the poses of one instant; nobody is sent as nobody."""
        self._stream.send(result.poses)
        self._stats.left(self.name, result.frame.grabbed_ns)
        self._stats.count_sent(self.name, self._stream.sent, self._stream.lost)

    def close(self) -> None:
        """Close the stream."""
        self._stream.close()
