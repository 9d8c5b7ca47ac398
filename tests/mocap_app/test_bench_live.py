"""The clock in the picture, the sources to measure with, and a live run with a slow engine."""

from __future__ import annotations

import socket
from pathlib import Path

import numpy as np
import pytest
from bench_material import SYNTHETIC, write_walk

from exporters.osc import Message, encode_bundles
from mocap_app.bench import arrivals
from mocap_app.bench.line import video_source
from mocap_app.bench.live import pixel_ages_ms, run_live
from mocap_app.bench.pixel_clock import SIDE_PX, draw_clock, read_clock
from mocap_app.bench.receiver import Arrivals, receiving
from mocap_app.bench.sources import ClockedSource, LoopedSource
from mocap_app.capture import open_source
from mocap_app.config import CaptureConfig
from mocap_app.errors import SourceError
from mocap_app.session import FRAMES_WAITING

FRAMES = 24


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> CaptureConfig:
    video = write_walk(tmp_path_factory.mktemp("live") / "walk.mp4", FRAMES)
    return CaptureConfig(source="video", path=str(video))


def test_the_clock_is_read_as_it_was_drawn(rng: np.random.Generator) -> None:
    picture = rng.integers(0, 256, (120, 160, 3), dtype=np.uint8)
    for time_ns in (0, 1_000, 123_456_789_000, (1 << 48) * 1000 - 1000):
        draw_clock(picture, time_ns)
        assert read_clock(picture) == time_ns
    noisy = np.clip(picture.astype(int) + rng.integers(-10, 11, picture.shape), 0, 255).astype(np.uint8)
    assert read_clock(noisy) == time_ns


def test_a_picture_without_a_clock_has_no_time(rng: np.random.Generator) -> None:
    assert read_clock(rng.integers(0, 256, (120, 160, 3), dtype=np.uint8)) is None
    assert read_clock(np.zeros((SIDE_PX // 2, 160, 3), np.uint8)) is None
    picture = np.zeros((120, 160, 3), np.uint8)
    draw_clock(picture, 77_000)
    picture[SIDE_PX // 2 :] = 0
    assert read_clock(picture) is None


def test_a_looped_video_goes_on_in_number_and_time(capture: CaptureConfig) -> None:
    source = LoopedSource(capture, frames=2 * FRAMES + 5)
    frames = list(source)
    source.close()
    assert [frame.index for frame in frames] == list(range(2 * FRAMES + 5))
    steps_ns = np.diff([frame.timestamp_ns for frame in frames])
    assert np.allclose(steps_ns, 1e9 / 30, atol=1e6)
    assert np.array_equal(frames[3].image, frames[FRAMES + 3].image)


def test_a_closed_source_ends(capture: CaptureConfig) -> None:
    for source in (LoopedSource(capture, frames=1000), ClockedSource(LoopedSource(capture, frames=1000))):
        frames = iter(source)
        next(frames)
        source.close()
        assert len(list(frames)) <= 1


def test_a_clocked_source_paces_and_shows_the_moment(capture: CaptureConfig) -> None:
    source = ClockedSource(open_source(capture))
    assert source.is_live
    frames = list(source)
    source.close()
    shown_ns = [read_clock(frame.image) for frame in frames]
    assert None not in shown_ns
    steps_ns = np.diff(np.array(shown_ns, np.int64))
    assert len(frames) == FRAMES
    assert (steps_ns >= 1e9 / 30 - 2000).all()  # never faster than a camera
    late_ns = [frame.grabbed_ns - shown for frame, shown in zip(frames, shown_ns, strict=True) if shown]
    assert min(late_ns) >= 0
    assert not frames[0].image.flags.writeable


def test_pictures_too_small_for_the_clock_are_refused(capture: CaptureConfig) -> None:
    source = open_source(capture)
    source.size_wh = (16, 16)
    with pytest.raises(SourceError, match="expected at least 32 pixels"):
        ClockedSource(source)


def test_ages_are_paired_by_the_time_in_the_packet() -> None:
    shown_ns = {1_000_000_000: 50_000_000, 1_033_333_333: 90_000_000}
    arrived_ns = {0.0: 70_000_000, 0.0333333: 95_000_000, 0.5: 99_000_000}
    assert pixel_ages_ms(shown_ns, arrived_ns, 1_000_000_000) == pytest.approx([20.0, 5.0])
    assert pixel_ages_ms(shown_ns, arrived_ns, None) == []


def test_the_last_packet_of_a_pose_counts() -> None:
    seen = Arrivals(0, first=[(5, None), (10, 0.0), (12, None), (40, 0.033), (43, None)])
    assert seen.last_by_time() == {0.0: 12, 0.033: 43}


def test_the_receiver_tells_what_came_and_when() -> None:
    packet = encode_bundles([Message("/VMC/Ext/OK", "i", (1,)), Message("/VMC/Ext/T", "f", (1.5,))])[0]
    with receiving(3) as told, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for port in (told.port, told.port + 2):
            sock.sendto(packet, ("127.0.0.1", port))
        sock.sendto(b"other", ("127.0.0.1", told.port))
    assert told.packets == 3
    assert [seconds for _, seconds in told.first] == [1.5, None]
    assert told.first[0][0] <= told.first[1][0]


def test_ports_in_a_row_are_ports_in_a_row() -> None:
    sockets = arrivals.bind_row(4)
    ports = [sock.getsockname()[1] for sock in sockets]
    for sock in sockets:
        sock.close()
    assert ports == list(range(ports[0], ports[0] + 4))


def test_a_slow_engine_drops_at_the_camera_and_no_queue_grows(capture: CaptureConfig) -> None:
    live = run_live(SYNTHETIC, video_source(capture), slower_ms=120.0)
    summary = live.run.summary
    assert summary.drops["capture"] > 0
    assert summary.frames + summary.drops["capture"] == FRAMES
    assert live.run.longest["capture"] == 1
    assert live.run.longest["osc"] == 1
    assert max(live.run.longest.values()) <= FRAMES_WAITING
    assert live.slower_ms == 120.0
    assert live.pixels is not None
    assert live.pixels.p50_ms >= 120.0  # the sleep is in the age


def test_the_video_may_be_a_path_of_any_kind(tmp_path: Path) -> None:
    video = write_walk(tmp_path / "ein gang.mp4", 3)
    source = video_source(CaptureConfig(source="video", path=str(video)))()
    assert source.name == "ein gang"
    source.close()
