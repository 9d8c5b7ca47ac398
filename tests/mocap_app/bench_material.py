"""What the tests of the measuring share: a short video of the drawn figure, and settings without weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2

from mocap_app.capture.synthetic import draw_figure
from mocap_app.config import AppConfig, DetectorConfig, EngineConfig

SYNTHETIC = replace(AppConfig(), engine=EngineConfig("synthetic"), detector=DetectorConfig("synthetic"))
SIZE_WH = (320, 240)
FLAGS = ["--engine", "synthetic", "--detector", "synthetic"]


def write_walk(path: Path, frames: int) -> Path:
    """Write the drawn figure, walking, at 30 frames per second."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 30, SIZE_WH)
    for index in range(frames):
        writer.write(draw_figure(index / 30, SIZE_WH))
    writer.release()
    return path


def cell_row(runtime: str, p50_ms: float, people: int = 1, name: str = "deforhmr") -> dict[str, Any]:
    """Return a row of the matrix as if it had been measured."""
    return {
        "kind": "engine", "name": name, "runtime": runtime, "precision": "auto" if runtime == "auto" else "fp32",
        "people": people, "device": "cpu", "first_load_s": 4.0, "load_s": 1.5, "first_ms": 3 * p50_ms,
        "predict": {"count": 50, "mean_ms": p50_ms, "p50_ms": p50_ms, "p95_ms": 1.2 * p50_ms},
        "frames_per_s": 1e3 / p50_ms, "bare_rss_mb": 40.0, "peak_rss_mb": 450.0, "gpu_mb": None,
        "networks_p50_ms": {"encoder": p50_ms / 2, "head": p50_ms / 4},
        "ran_in": {"encoder": "onnxruntime", "head": "onnxruntime"},
    }  # fmt: skip
