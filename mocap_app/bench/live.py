"""The whole line behind a camera's pace: the age of a frame when its motion leaves, measured in two ways.

`osc`, by the grab stamp: from the moment at which the source handed the frame over (`Frame.grabbed_ns`) to the moment
after the last packet of its poses was given to the system. It holds the waits for the threads that look and solve,
detection, tracking, recovery, solving, the wait for the sink's thread, and encoding. It lacks what comes before.

`pixels`, by a clock in the picture: from the moment at which a camera would have shown the picture, as read from the
pixels that were solved, to the arrival of the pose's last packet in another process. It holds all of the above, and the
time that the capture thread needed to wake and the way through the loopback. Of several performers it is the first one.

Neither holds what a real camera needs to expose, transmit and decode a picture: 20 to 100 ms, which no program can see.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from exporters.streams import open_stream
from exporters.types import Pose, PoseStream

from ..config import AppConfig, OscConfig, RecordConfig
from ..mailbox import Keep
from ..pipeline import live_outputs
from ..sinks import SinkContext, StreamSink
from ..stats import Spread
from ..types import FrameResult
from .line import MakeSource, MemoryLog, Run, run_line, without_news_of_takes, without_outputs
from .pixel_clock import read_clock
from .receiver import receiving
from .sources import ClockedSource

SAME_POSE_S = 0.004
"""A pose's time is sent in single precision; frames are further apart."""


@dataclass(slots=True)
class PixelTimes:
    """What was read from the pictures of results: presentation time and the clock drawn, both nanoseconds."""

    keep: Keep = "all"
    shown_ns: dict[int, int] = field(default_factory=dict)
    unreadable: int = 0

    def write(self, result: FrameResult) -> None:
        """Read one result's picture."""
        clock_ns = read_clock(result.frame.image)
        if clock_ns is None:
            self.unreadable += 1
        else:
            self.shown_ns[result.frame.timestamp_ns] = clock_ns

    def close(self) -> None:
        """Do nothing: what was read is asked for afterwards."""


class NotedStream:
    """A stream that notes the time of the first pose sent, from which the times in packets count."""

    def __init__(self, stream: PoseStream) -> None:
        """Own `stream`."""
        self._stream = stream
        self.first_ns: int | None = None

    @property
    def sent(self) -> int:
        """Packets handed over."""
        return self._stream.sent

    @property
    def lost(self) -> int:
        """Packets that could not be handed over."""
        return self._stream.lost

    def send(self, poses: Sequence[Pose]) -> None:
        """Send."""
        if self.first_ns is None and poses:
            self.first_ns = poses[0].timestamp_ns
        self._stream.send(poses)

    def close(self) -> None:
        """Close the stream."""
        self._stream.close()


@dataclass(frozen=True, slots=True)
class Live:
    """A live run, measured."""

    run: Run
    slower_ms: float
    """Slept by the engine before each look."""
    pixels: Spread | None
    """Ages by the clock in the pictures; None where nobody was seen."""
    packets: int
    """That arrived."""
    unreadable: int
    """Pictures whose clock could not be read."""

    def figures(self) -> dict[str, Any]:
        """Return the figures, plain."""
        return {
            "slower_ms": self.slower_ms,
            "cpu_ms_per_frame": self.run.cpu_ms_per_frame,
            **asdict(self.run.summary),
            "pixels": None if self.pixels is None else asdict(self.pixels),
            "packets": self.packets,
            "unreadable": self.unreadable,
            "longest_mailboxes": self.run.longest,
            "memory": [asdict(sample) for sample in self.run.memory],
        }


def run_live(
    config: AppConfig, make_source: MakeSource, slower_ms: float = 0.0, memory: MemoryLog | None = None
) -> Live:
    """Run the line over a file's frames that come as a camera's, with takes written and VMC sent.

    Raises:
        MocapError: The source cannot be read, or a part fails.
    """
    pixels, streams = PixelTimes(), list[NotedStream]()
    config = without_outputs(config)
    with receiving(config.tracking.max_people) as arrivals, tempfile.TemporaryDirectory() as folder:
        sent = live_outputs(replace(config, osc=OscConfig("127.0.0.1", arrivals.port)))["osc"]

        def make_stream(context: SinkContext) -> StreamSink:
            mean_shape = np.zeros(context.body_model.rest_joint_directions.shape[2], np.float32)
            streams.append(NotedStream(open_stream(sent, context.skeleton(mean_shape))))
            return StreamSink(streams[-1], context.stats)

        config = replace(config, record=RecordConfig(folder))
        with without_news_of_takes():
            run = run_line(
                config, lambda: ClockedSource(make_source()), [make_stream, lambda _: pixels], slower_ms, memory
            )
    ages_ms = pixel_ages_ms(pixels.shown_ns, arrivals.last_by_time(), streams[0].first_ns)
    spread = Spread.of(ages_ms) if ages_ms else None
    return Live(run, slower_ms, spread, arrivals.packets, pixels.unreadable)


def pixel_ages_ms(shown_ns: dict[int, int], arrived_ns: dict[float, int], first_ns: int | None) -> list[float]:
    """Return the age of every pose that arrived, milliseconds.

    Args:
        shown_ns: When each picture was shown, by its presentation time.
        arrived_ns: When each pose arrived, by the seconds in its packet.
        first_ns: The presentation time from which these count.
    """
    if first_ns is None or not shown_ns:
        return []
    times_ns = np.array(sorted(shown_ns))
    ages = []
    for seconds, now_ns in arrived_ns.items():
        wanted_ns = first_ns + round(seconds * 1e9)
        nearest = int(times_ns[np.abs(times_ns - wanted_ns).argmin()])
        if abs(nearest - wanted_ns) < SAME_POSE_S * 1e9:
            ages.append((now_ns - shown_ns[nearest]) / 1e6)
    return ages
