"""Video files out: the source's picture, and the bodies over it."""

from __future__ import annotations

from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from sink_material import SIZE_WH, context_of, result_of

from engines.errors import RuntimeUnavailableError
from mocap_app.errors import SinkError
from mocap_app.sinks.overlay import OverlaySink, over
from mocap_app.sinks.video import VideoFile, VideoSink


def frames_of(path: Path) -> tuple[float, list[np.ndarray]]:
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    frames = []
    while (found := capture.read())[0]:
        frames.append(cv2.cvtColor(found[1], cv2.COLOR_BGR2RGB))
    fps = capture.get(cv2.CAP_PROP_FPS)
    capture.release()
    return fps, frames


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".mkv"])
def test_the_source_is_kept_at_its_rate(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "new" / f"kept{suffix}"
    sink = VideoSink(path, context_of())
    for index in range(10):
        sink.write(result_of(index))
    sink.close()
    sink.close()
    fps, frames = frames_of(path)
    assert fps == 25.0
    assert [frame.shape for frame in frames] == [(SIZE_WH[1], SIZE_WH[0], 3)] * 10
    assert [float(frame.mean()) for frame in frames] == pytest.approx([60 + k for k in range(10)], abs=4)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_missing_frames_are_filled_so_that_time_is_true(tmp_path: Path) -> None:
    sink = VideoSink(tmp_path / "a.avi", context_of())
    for index in (0, 1, 5, 6):
        sink.write(result_of(index))
    sink.close()
    means = [float(frame.mean()) for frame in frames_of(tmp_path / "a.avi")[1]]
    assert means == pytest.approx([60, 61, 61, 61, 61, 65, 66], abs=1.5)


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"found suffix '\.gif'"):
        VideoFile(tmp_path / "a.gif", 25.0, SIZE_WH)
    source = tmp_path / "a.mp4"
    source.write_bytes(b"the only copy")
    with pytest.raises(SinkError, match="is the video being read"):
        VideoFile(source, 25.0, SIZE_WH, str(source))
    with pytest.raises(SinkError, match="cannot be written to"):
        VideoFile(source / "b.mp4", 25.0, SIZE_WH)
    assert source.read_bytes() == b"the only copy"


def test_another_size_is_refused_and_what_there_is_kept(tmp_path: Path) -> None:
    sink = VideoSink(tmp_path / "a.avi", context_of())
    result = result_of(0)
    sink.write(result)
    with pytest.raises(SinkError, match="found a picture of 10x10, expected 96x64"):
        sink.write(replace(result, frame=replace(result.frame, image=np.zeros((10, 10, 3), np.uint8))))
    sink.close()
    assert len(frames_of(tmp_path / "a.avi")[1]) == 1


def test_an_older_video_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"older")
    sink = VideoSink(path, context_of())
    sink.close()
    assert path.read_bytes() == b"older"
    assert [file.name for file in tmp_path.iterdir()] == ["a.mp4"]


def test_a_full_disk_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    sink = VideoSink(tmp_path / "a.mp4", context_of())
    monkeypatch.setattr("mocap_app.sinks.video.shutil.disk_usage", lambda folder: usage(10, 10, 0))
    with pytest.raises(SinkError, match="the disk is full"):
        sink.write(result_of(0))
    sink.close()


def test_the_bodies_are_drawn_over_the_picture(tmp_path: Path) -> None:
    try:
        sink = OverlaySink(tmp_path / "over.mp4", context_of())
    except RuntimeUnavailableError as error:
        pytest.skip(str(error))
    sink.write(result_of(0, 1, scores=[0.0]))
    centred = result_of(1, 1)
    meshes = replace(centred.meshes, translation=np.array([[0, 0, 2]], np.float32))
    sink.write(replace(centred, meshes=meshes))
    sink.close()
    sink.close()
    fps, frames = frames_of(tmp_path / "over.mp4")
    assert fps == 25.0
    assert np.ptp(frames[0].astype(int)) < 12, "a body of score 0 is not drawn"
    assert np.ptp(frames[1].astype(int)) > 60


def test_over_changes_only_what_was_drawn_on() -> None:
    picture = np.full((6, 8, 3), 100, np.uint8)
    picture.flags.writeable = False
    drawing = np.zeros((6, 8, 4), np.uint8)
    assert over(picture, drawing) is picture
    drawing[2, 3] = (200, 0, 0, 255)
    result = over(picture, drawing)
    changed = np.argwhere((result != picture).any(axis=2))
    assert changed.tolist() == [[2, 3]]
    assert result[2, 3].tolist() == pytest.approx([185, 15, 15], abs=1)
