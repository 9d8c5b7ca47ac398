"""Video files, good and bad."""

from __future__ import annotations

import logging
import threading
import time
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from mocap_app.capture import FrameSource, open_source
from mocap_app.capture.times import RisingTimes
from mocap_app.capture.video import VideoSource
from mocap_app.config import CaptureConfig
from mocap_app.errors import SourceError


def make_video(
    path: Path, frames: int = 12, fps: float = 25.0, size_wh: tuple[int, int] = (64, 48), code="MJPG"
) -> Path:
    """Frame k shows red 20 + 5 k on the left and blue on the right, so that order, side and colours can be told."""
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*code), fps, size_wh)
    assert writer.isOpened()
    for k in range(frames):
        picture = np.zeros((size_wh[1], size_wh[0], 3), np.uint8)
        picture[:, : size_wh[0] // 2, 2] = 20 + 5 * k
        picture[:, size_wh[0] // 2 :, 0] = 200
        writer.write(picture)
    writer.release()
    return path


def open_video(path: Path, **settings) -> FrameSource:
    return open_source(CaptureConfig(source="video", path=str(path), **settings))


def test_every_frame_in_order_with_its_time(tmp_path: Path) -> None:
    source = open_video(make_video(tmp_path / "walk.avi"))
    frames = list(source)
    assert (source.name, source.fps, source.size_wh, source.frame_count) == ("walk", 25.0, (64, 48), 12)
    assert not source.is_live
    assert [frame.index for frame in frames] == list(range(12))
    assert [frame.timestamp_ns for frame in frames] == [k * 40_000_000 for k in range(12)]
    reds = [int(frame.image[24, 10, 0]) for frame in frames]
    assert reds == pytest.approx([20 + 5 * k for k in range(12)], abs=4)


def test_pictures_are_rgb_read_only_and_stamped(tmp_path: Path) -> None:
    before_ns = time.monotonic_ns()
    frame = next(iter(open_video(make_video(tmp_path / "a.avi", frames=1))))
    assert frame.image.dtype == np.uint8
    assert not frame.image.flags.writeable
    assert frame.image[24, 50].tolist() == pytest.approx([0, 0, 200], abs=6), "blue is the last channel"
    assert before_ns <= frame.grabbed_ns <= time.monotonic_ns()


@pytest.mark.parametrize(("fps", "exact"), [(23.976, Fraction(24000, 1001)), (29.97, Fraction(30000, 1001)), (30, 30)])
def test_rates_are_exact(tmp_path: Path, fps: float, exact: Fraction) -> None:
    assert open_video(make_video(tmp_path / "a.mp4", fps=fps, code="mp4v")).fps == float(exact)


def test_times_rise_strictly_whatever_the_file_says() -> None:
    times = RisingTimes(25.0)
    found = [times.next(ms) for ms in (0.0, 40.0, 40.0, 20.0, 200.0)]
    assert found == [0, 40_000_000, 80_000_000, 120_000_000, 200_000_000]


def slow_down(path: Path, from_frame: int, frames: int) -> None:
    """Make the frames after `from_frame` three times as long, in the sample table of an MP4."""
    content = bytearray(path.read_bytes())
    at = content.index(b"stts") + 12
    step = int.from_bytes(content[at + 4 : at + 8], "big")
    entries = ((from_frame, step), (frames - from_frame, 3 * step))
    content[at - 4 : at + 8] = b"".join(n.to_bytes(4, "big") for n in (2, *entries[0], *entries[1]))
    for box in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stts"):
        size_at = content.index(box) - 4
        size = int.from_bytes(content[size_at : size_at + 4], "big")
        content[size_at : size_at + 4] = (size + 8).to_bytes(4, "big")
    path.write_bytes(content.replace(b"edts", b"free"))  # The list of edits would cut the film at its old length.


def test_variable_rate_keeps_its_times(tmp_path: Path) -> None:
    path = make_video(tmp_path / "phone.mp4", frames=8, fps=30.0, code="mp4v")
    slow_down(path, from_frame=4, frames=8)
    steps_ms = np.diff([frame.timestamp_ns for frame in open_video(path)]) / 1e6
    assert steps_ms == pytest.approx([100 / 3] * 4 + [100] * 3, abs=0.01)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        open_video(tmp_path / "absent.mp4")


@pytest.mark.parametrize("content", [b"", b"this is not a video" * 100])
def test_not_a_video(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "junk.mp4"
    path.write_bytes(content)
    with pytest.raises(SourceError, match="not readable as a video"):
        open_video(path)


def test_zero_frames(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.avi", frames=3)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"00dc", b"zzzz"))  # The pictures' chunks are there under a name nobody knows.
    with pytest.raises(SourceError, match=r"no frame could be decoded|not readable"):
        list(open_video(path))


def test_cut_file_gives_what_is_there_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = make_video(tmp_path / "a.avi", frames=40)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with caplog.at_level(logging.WARNING):
        frames = list(open_video(path))
    assert 5 < len(frames) < 40
    assert "may be damaged" in caplog.text


def test_a_damaged_frame_costs_that_frame_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = make_video(tmp_path / "a.avi")
    content = bytearray(path.read_bytes())
    at = -1
    for _ in range(1 + 5):  # the header names the stream so, then each frame
        at = content.index(b"00dc", at + 1)
    size = int.from_bytes(content[at + 4 : at + 8], "little")
    content[at + 8 : at + 8 + size] = b"\xff" * size
    path.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        frames = list(open_video(path))
    assert [frame.index for frame in frames] == [0, 1, 2, 3, *range(5, 12)]
    assert [frame.timestamp_ns for frame in frames] == [frame.index * 40_000_000 for frame in frames]
    assert "1 frame(s) could not be decoded" in caplog.text


def test_a_variable_rate_is_no_damage(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = make_video(tmp_path / "phone.mp4", frames=40, fps=30.0, code="mp4v")
    slow_down(path, from_frame=20, frames=40)
    source = open_video(path)
    source.frame_count, source.fps = 80, 30.0  # as containers without a count are read: duration times rate
    with caplog.at_level(logging.WARNING):
        assert len(list(source)) == 40
    assert not caplog.text


def test_one_pixel(tmp_path: Path) -> None:
    path = tmp_path / "dot.y4m"
    path.write_bytes(b"YUV4MPEG2 W1 H1 F24000:1001 C444\n" + b"FRAME\n\x80\x80\x80" * 3)
    source = open_video(path)
    assert [frame.image.shape for frame in source] == [(1, 1, 3)] * 3
    assert source.fps == 24000 / 1001


def test_ten_bits(tmp_path: Path) -> None:
    luma, chroma = np.full(64 * 48, 500, "<u2").tobytes(), np.full(2 * 32 * 24, 512, "<u2").tobytes()
    path = tmp_path / "ten.y4m"
    path.write_bytes(b"YUV4MPEG2 W64 H48 F25:1 C420p10 XYSCSS=420P10\n" + (b"FRAME\n" + luma + chroma) * 2)
    frames = list(open_video(path))
    assert len(frames) == 2
    assert np.abs(frames[0].image.astype(int) - 127).max() <= 3


def test_grey_video(tmp_path: Path) -> None:
    path = tmp_path / "grey.avi"
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"FFV1"), 25.0, (64, 48), False)
    assert writer.isOpened()
    writer.write(np.full((48, 64), 99, np.uint8))
    writer.release()
    frame = next(iter(open_video(path)))
    assert frame.image.shape == (48, 64, 3)
    assert np.abs(frame.image.astype(int) - 99).max() <= 2


def rotate_mp4(path: Path) -> None:
    """Write a quarter turn clockwise into the matrix of the track's header, as a phone held upright does."""
    content = bytearray(path.read_bytes())
    at = content.index(b"tkhd") + 4 + 40  # Version and flags, times, ids, layer and volume come before the matrix.
    one, minus_one, w = (0x10000).to_bytes(4, "big"), (0xFFFF0000).to_bytes(4, "big"), (0x40000000).to_bytes(4, "big")
    zero = bytes(4)
    assert content[at : at + 4] == one
    content[at : at + 36] = zero + one + zero + minus_one + zero + zero + (48 << 16).to_bytes(4, "big") + zero + w
    path.write_bytes(content)


def test_a_phone_video_held_upright_comes_out_upright(tmp_path: Path) -> None:
    path = make_video(tmp_path / "phone.mp4", frames=3, code="mp4v")
    rotate_mp4(path)
    source = open_video(path)
    frame = next(iter(source))
    assert source.size_wh == (48, 64)
    assert frame.image.shape == (64, 48, 3)
    assert frame.image[50, 24, 2] > 120, "turned clockwise, what was on the right is below"
    assert frame.image[10, 24, 2] < 60


def test_paced_like_a_camera(tmp_path: Path) -> None:
    source = open_video(make_video(tmp_path / "a.avi", frames=6, fps=50.0), realtime=True)
    assert source.is_live
    before_ns = time.monotonic_ns()
    frames = list(source)
    assert [frame.timestamp_ns for frame in frames] == [k * 20_000_000 for k in range(6)]
    waited_ns = frames[-1].grabbed_ns - before_ns
    assert waited_ns >= 95_000_000, "five intervals of 20 ms"


def test_close_wakes_a_paced_source_from_another_thread(tmp_path: Path) -> None:
    waiting, done = threading.Event(), threading.Event()

    class Woken(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            if timeout and timeout > 1:
                waiting.set()
            return super().wait(timeout)

    source = VideoSource(CaptureConfig(path=str(make_video(tmp_path / "a.avi", frames=2, fps=0.05)), realtime=True))
    source._woken = Woken()

    def read() -> None:
        list(source)
        done.set()

    reader = threading.Thread(target=read)
    reader.start()
    assert waiting.wait(5)
    source.close()
    source.close()
    assert done.wait(5), "it would have waited for twenty seconds"
    reader.join(5)


def test_mirror_and_duration(tmp_path: Path) -> None:
    source = open_video(make_video(tmp_path / "a.avi"), mirror=True, duration_s=0.2)
    frames = list(source)
    assert len(frames) == source.frame_count == 5
    assert frames[0].image[24, 10].tolist() == pytest.approx([0, 0, 200], abs=6)
    assert not frames[0].image.flags.writeable


@pytest.mark.parametrize(
    ("rotation", "mirror", "red_at"),
    [
        (90, False, (10, 24)),
        (180, False, (24, 54)),
        (270, False, (54, 24)),
        (90, True, (10, 24)),
        (180, True, (24, 10)),
    ],
)
def test_pictures_are_turned_and_then_mirrored(
    tmp_path: Path, rotation: int, mirror: bool, red_at: tuple[int, int]
) -> None:
    source = open_video(make_video(tmp_path / "a.avi", frames=2), rotation=rotation, mirror=mirror)
    frame = next(iter(source))
    source.close()
    assert source.size_wh == ((48, 64) if rotation in (90, 270) else (64, 48))
    assert frame.image.shape[1::-1] == source.size_wh
    # Red was on the left: a quarter turn clockwise puts it on top.
    assert frame.image[red_at].tolist() == pytest.approx([20, 0, 0], abs=8)
    assert not frame.image.flags.writeable


def test_an_impossible_rotation_is_refused() -> None:
    with pytest.raises(ValueError, match="0, 90, 180 or 270"):
        CaptureConfig(rotation=45)


def test_a_loop_begins_again_and_its_times_rise(tmp_path: Path) -> None:
    source = open_video(make_video(tmp_path / "a.avi", frames=3), loop=True)
    assert source.frame_count is None
    frames = [frame for frame, _ in zip(source, range(8))]
    source.close()
    assert [frame.index for frame in frames] == list(range(8))
    assert [frame.timestamp_ns for frame in frames] == [k * 40_000_000 for k in range(8)]
    reds = [int(frame.image[24, 10, 0]) for frame in frames]
    assert reds == pytest.approx([20, 25, 30, 20, 25, 30, 20, 25], abs=4)


def test_unknown_source() -> None:
    with pytest.raises(ValueError, match="expected one of camera, video"):
        open_source(CaptureConfig(source="cinema"))


def test_a_real_clip(shared: Path) -> None:
    source = open_video(shared / "data" / "videos" / "tfjs_squats.mp4")
    frame = next(iter(source))
    source.close()
    assert frame.image.shape == (source.size_wh[1], source.size_wh[0], 3)
