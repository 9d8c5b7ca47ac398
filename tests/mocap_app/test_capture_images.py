"""Folders of pictures, the drawn figure, and network streams."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from engines.synthetic import SyntheticDetector, SyntheticDetectorOptions
from mocap_app.capture import FrameSource, open_source
from mocap_app.capture.stream import VARIABLE, hide_login
from mocap_app.config import CaptureConfig
from mocap_app.errors import SourceError


def write_picture(path: Path, picture: np.ndarray) -> None:
    good, encoded = cv2.imencode(path.suffix, picture)
    assert good
    path.write_bytes(encoded.tobytes())


def open_images(path: Path) -> FrameSource:
    return open_source(CaptureConfig(source="images", path=str(path)))


def test_sorted_independent_and_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name, value in (("b.png", 20), ("a.jpg", 10), ("ä.png", 30)):
        write_picture(tmp_path / name, np.full((6, 8, 3), value, np.uint8))
    (tmp_path / "aa.jpg").write_bytes(b"broken")
    (tmp_path / "notes.txt").write_text("no picture", encoding="utf-8")
    source = open_images(tmp_path)
    with caplog.at_level(logging.WARNING):
        frames = list(source)
    assert source.picture_names == ("a.jpg", "aa.jpg", "b.png", "ä.png")
    assert [(frame.index, int(frame.image[0, 0, 0])) for frame in frames] == [(0, 10), (2, 20), (3, 30)]
    assert "aa.jpg: not readable" in caplog.text
    assert source.size_wh == (8, 6)
    assert not source.is_live


@pytest.mark.parametrize(
    ("name", "picture"),
    [
        ("grey.png", np.full((4, 4), 77, np.uint8)),
        ("deep.png", np.full((4, 4, 3), 77 * 257, np.uint16)),
        ("alpha.png", np.full((4, 4, 4), 77, np.uint8)),
        ("dot.png", np.full((1, 1, 3), 77, np.uint8)),
    ],
)
def test_odd_pictures(tmp_path: Path, name: str, picture: np.ndarray) -> None:
    write_picture(tmp_path / name, picture)
    frame = next(iter(open_images(tmp_path / name)))
    assert frame.image.shape == (*picture.shape[:2], 3)
    assert (frame.image == 77).all()
    assert not frame.image.flags.writeable


def test_exif_orientation_is_honoured(tmp_path: Path) -> None:
    picture = np.zeros((8, 16, 3), np.uint8)
    picture[:, 8:] = 255
    good, encoded = cv2.imencode(".jpg", picture)
    assert good
    # An APP1 segment whose only entry says "turn a quarter clockwise" (orientation 6).
    tiff = b"II*\0\x08\0\0\0" + b"\x01\0" + b"\x12\x01\x03\0\x01\0\0\0\x06\0\0\0" + bytes(4)
    exif = b"Exif\0\0" + tiff
    segment = b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
    content = encoded.tobytes()
    (tmp_path / "phone.jpg").write_bytes(content[:2] + segment + content[2:])
    frame = next(iter(open_images(tmp_path)))
    assert frame.image.shape == (16, 8, 3)
    assert frame.image[12, 4, 0] > 200
    assert frame.image[4, 4, 0] < 50


def test_absent_empty_and_unreadable(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such folder"):
        open_images(tmp_path / "absent")
    with pytest.raises(SourceError, match="no picture found"):
        open_images(tmp_path)
    (tmp_path / "a.jpg").write_bytes(b"broken")
    with pytest.raises(SourceError, match="none of 1 pictures is readable"):
        open_images(tmp_path)


def test_the_drawn_figure_moves_and_is_found() -> None:
    source = open_source(CaptureConfig(source="synthetic", size=(320, 240), fps=10.0, duration_s=1.0))
    frames = list(source)
    assert len(frames) == source.frame_count == 10
    assert [frame.timestamp_ns for frame in frames] == [k * 100_000_000 for k in range(10)]
    assert (frames[0].image != frames[3].image).any()
    detector = SyntheticDetector(SyntheticDetectorOptions())
    for frame in frames:
        (box,) = detector.detect(frame.image).boxes_xyxy
        assert box[3] - box[1] > 0.6 * 240


def test_the_drawn_figure_paced_stops_when_told() -> None:
    source = open_source(CaptureConfig(source="synthetic", size=(32, 24), realtime=True, fps=100.0))
    assert source.is_live
    assert source.frame_count is None
    stamps = []
    for frame in source:
        stamps.append(frame.timestamp_ns)
        if frame.index == 4:
            source.close()
    assert len(stamps) == 5
    assert stamps == sorted(stamps)


def test_countdown_skips_live_frames() -> None:
    source = open_source(
        CaptureConfig(source="synthetic", size=(32, 24), realtime=True, fps=100.0, countdown_s=0.1, duration_s=0.1)
    )
    indices = [frame.index for frame in source]
    source.close()
    assert 8 <= indices[0] <= 14
    assert 2 <= len(indices) <= 11


def test_a_stream_without_sender_is_an_error_and_leaves_no_trace() -> None:
    before = os.environ.get(VARIABLE)
    with pytest.raises(SourceError, match="no video came"):
        open_source(CaptureConfig(source="stream", path="http://user:secret@127.0.0.1:9/live"))
    assert os.environ.get(VARIABLE) == before


def test_messages_hide_passwords() -> None:
    assert hide_login("rtsp://user:pa@ss@host:554/live?a=b") == "rtsp://host:554/live?a=b"
    assert hide_login("udp://127.0.0.1:5000") == "udp://127.0.0.1:5000"


def test_a_file_read_as_a_stream_is_live(tmp_path: Path) -> None:
    path = tmp_path / "a.avi"
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (64, 48))
    for _ in range(5):
        writer.write(np.full((48, 64, 3), 90, np.uint8))
    writer.release()
    source = open_source(CaptureConfig(source="stream", path=str(path)))
    frames = list(source)
    assert source.is_live
    assert source.name.startswith("stream_")
    assert len(frames) >= 3, "without buffering the first may be lost"
    stamps = [frame.timestamp_ns for frame in frames]
    assert stamps == sorted(stamps)
