"""Drawn source, synthetic engine, real threads, real files and a real socket: the whole line in a second."""

from __future__ import annotations

import socket
from pathlib import Path

import numpy as np
import pytest

from exporters.files import read_take
from exporters.npz import read_picture
from mocap_app.capture.synthetic import draw_figure
from mocap_app.config import (
    AppConfig,
    CaptureConfig,
    DetectorConfig,
    EngineConfig,
    OscConfig,
    RecordConfig,
)
from mocap_app.errors import SourceError
from mocap_app.pipeline import build_session
from mocap_app.session import State
from mocap_app.sinks.video import cv2

PARTS = {"engine": EngineConfig(name="synthetic"), "detector": DetectorConfig(name="synthetic")}


def test_take_and_live_motion(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5)
        session = build_session(
            AppConfig(
                capture=CaptureConfig(source="synthetic", size=(160, 120), duration_s=1.0),
                record=RecordConfig(folder=str(tmp_path)),
                osc=OscConfig(host="127.0.0.1", port=receiver.getsockname()[1]),
                **PARTS,
            )
        )
        session.start()
        session.join()
        packet = receiver.recv(2048)
    assert packet.startswith(b"#bundle\0")
    assert b"/VMC/Ext/" in packet
    take = read_take(tmp_path / "synthetic_person1.npz")
    assert len(take) == 30
    assert np.isfinite(take.rotations_wxyz).all()
    assert take.metadata["engine"] == "synthetic"
    assert (tmp_path / "synthetic_person1.bvh").read_bytes().startswith(b"HIERARCHY")
    summary = session.stats.summary()
    assert summary.frames == 30
    assert set(summary.ages) == {"osc"}
    assert next(iter(summary.stages)) == "capture"
    assert not summary.drops.get("capture")


def test_pictures(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for name, picture in (
        ("walk.png", draw_figure(0.3, (160, 120))),
        ("wall.png", np.full((120, 160, 3), 90, np.uint8)),
    ):
        good, encoded = cv2.imencode(".png", picture)
        assert good
        (pictures / name).write_bytes(encoded.tobytes())
    session = build_session(
        AppConfig(
            capture=CaptureConfig(source="images", path=str(pictures)),
            record=RecordConfig(folder=str(tmp_path / "out")),
            **PARTS,
        )
    )
    session.start()
    session.join()
    assert [len(read_picture(tmp_path / "out" / f"{stem}.npz")) for stem in ("walk", "wall")] == [1, 0]


def test_a_source_that_is_not_there_leaves_no_file(tmp_path: Path) -> None:
    session = build_session(
        AppConfig(
            capture=CaptureConfig(source="video", path=str(tmp_path / "absent.mp4")),
            record=RecordConfig(folder=str(tmp_path / "out")),
            **PARTS,
        )
    )
    session.start()
    with pytest.raises(SourceError, match="no such file"):
        session.join()
    assert session.state is State.FAILED
    assert not (tmp_path / "out").exists()
