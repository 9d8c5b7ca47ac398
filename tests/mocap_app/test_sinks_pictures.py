"""One file per picture; the newest result; live streams."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from sink_material import PELVIS_M, context_of, result_of

from exporters.npz import read_picture
from exporters.types import Pose
from mocap_app.errors import SinkError
from mocap_app.sinks import LatestResult, PictureRecorder, StreamSink
from mocap_app.sinks.pictures import stems
from mocap_app.stats import Stats


def test_one_file_per_picture_best_first_and_nobody_too(tmp_path: Path) -> None:
    recorder = PictureRecorder(tmp_path, context_of(picture_names=("a.jpg", "b.jpg")), {"engine": "synthetic"})
    recorder.write(result_of(0, 1, 2, 3, scores=[0.4, 0.9, 0.0]))
    recorder.write(result_of(1))
    recorder.close()
    assert [path.name for path in recorder.written] == ["a.npz", "b.npz"]
    some, none = (read_picture(path) for path in recorder.written)
    assert some.root_translation[:, 0].tolist() == [2, 1]
    assert some.root_translation[:, 1] == pytest.approx([PELVIS_M, PELVIS_M], abs=0.005)
    assert some.betas.shape == (2, 10)
    assert some.metadata == {"engine": "synthetic", "source": "a.jpg", "source_size_wh": [96, 64]}
    assert len(none) == 0
    with np.load(recorder.written[1]) as file:
        assert file["rotations_wxyz"].shape == (0, 24, 4)
        assert file["betas"].shape == (0, 10)
        assert file["timestamps_ns"].shape == file["frame_index"].shape == (0,)
        assert file["intrinsics"].shape == (3, 3)


def test_pictures_of_one_stem_keep_their_full_names() -> None:
    assert stems(("a.jpg", "a.png", "b.jpg")) == ("a.jpg", "a.png", "b")
    assert stems(("A.jpg", "a.png")) == ("A.jpg", "a.png"), "one file where names do not tell case"


def test_older_files_are_not_replaced(tmp_path: Path) -> None:
    for _ in range(2):
        recorder = PictureRecorder(tmp_path, context_of(picture_names=("a.jpg",)))
        recorder.write(result_of(0, 1))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.npz", "a_2.npz"]


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SinkError, match="cannot be written to"):
        PictureRecorder(tmp_path / "file", context_of())


def test_latest_result_is_taken_once() -> None:
    latest = LatestResult()
    assert latest.take() is None
    first, second = result_of(0), result_of(1)
    latest.write(first)
    latest.write(second)
    assert latest.take() is second
    assert latest.take() is None
    latest.close()


class Receiver:
    def __init__(self) -> None:
        self.got: list[int] = []
        self.closed = 0

    @property
    def sent(self) -> int:
        return 3 * len(self.got)

    @property
    def lost(self) -> int:
        return 1

    def send(self, poses: Sequence[Pose]) -> None:
        self.got.append(len(poses))

    def close(self) -> None:
        self.closed += 1


def test_a_stream_gets_poses_and_their_age_is_noted() -> None:
    stream, stats = Receiver(), Stats()
    sink = StreamSink(stream, stats)
    sink.write(result_of(0, 1, 2))
    sink.write(result_of(1))
    sink.close()
    assert stream.got == [2, 0]
    assert stream.closed == 1
    assert stats.summary().ages["osc"].count == 2
    assert stats.summary().sent == {"osc": 6}
