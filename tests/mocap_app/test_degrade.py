"""A runtime that fails in the middle of a recording: the next one takes over, and no frame is lost."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from engines.recovery.golden import golden_views
from engines.runtime.onnxruntime_session import OnnxRuntimeSession
from exporters.files import read_take
from mocap_app.config import AppConfig, CaptureConfig, DetectorConfig, RecordConfig
from mocap_app.pipeline import build_session

cv2 = pytest.importorskip("cv2")
FRAMES = 24
FAILS_FROM = 18
"""Runs of a network after which the device is gone: some are used to look twice at somebody new."""


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """One of the rendered crops, standing still, as a video."""
    views = golden_views()
    picture = np.full((360, 360, 3), 110, np.uint8)
    picture[52:308, 52:308] = views.image[:, :256]
    path = tmp_path / "still.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 30, (360, 360))
    for _ in range(FRAMES):
        writer.write(picture[..., ::-1])
    writer.release()
    return path


def test_a_device_that_is_lost_in_a_recording_costs_no_frame(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real, runs = OnnxRuntimeSession.run, dict[int, int]()

    def run(self: OnnxRuntimeSession, *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
        runs[id(self)] = runs.get(id(self), 0) + 1
        if runs[id(self)] > FAILS_FROM:
            raise RuntimeError("device lost")
        return real(self, *arrays)

    monkeypatch.setattr(OnnxRuntimeSession, "run", run)
    config = AppConfig(
        capture=CaptureConfig(source="video", path=str(clip)),
        detector=DetectorConfig(name="blazepose"),
        record=RecordConfig(folder=str(tmp_path / "takes"), formats=("npz",)),
    )
    session = build_session(config)
    session.start()
    session.join()
    take = read_take(tmp_path / "takes" / "still_person1.npz")
    assert session.stats.frames == len(take) == FRAMES
    assert max(runs.values()) == FAILS_FROM + 1
    lost = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING and "device lost" in r.getMessage()]
    assert len(lost) == 2, lost
    assert all("takes over" in text for text in lost)
    # The body goes on where it was: the picture never changes, and both runtimes compute the same.
    before, after = take.root_translation[FAILS_FROM - 6], take.root_translation[-1]
    assert np.linalg.norm(after - before) < 0.02
