"""The measurement of speed and latency, on a drawn figure."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import replace

import cv2
import pytest

from mocap_app.bench import Report, cpu_name, run_bench, usable_cores
from mocap_app.capture.synthetic import draw_figure
from mocap_app.config import AppConfig, DetectorConfig, EngineConfig

FRAMES = 20


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    video = tmp_path_factory.mktemp("bench") / "walk.mp4"
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter.fourcc(*"mp4v"), 30, (320, 240))
    for index in range(FRAMES):
        writer.write(draw_figure(index / 30, (320, 240)))
    writer.release()
    config = replace(AppConfig(), engine=EngineConfig("synthetic"), detector=DetectorConfig("synthetic"))
    return run_bench(config, video)


def test_every_frame_goes_through_at_full_speed(report: Report) -> None:
    assert report.headless.frames == FRAMES
    assert {"capture", "detect", "track", "recover", "solve"} == set(report.headless.stages)
    assert report.headless.frames_per_s > 0
    assert report.headless.ages["osc"].count >= 1
    assert 0 < report.cpu_ms_per_frame < 1000
    assert report.ready_s > 0


def test_the_paced_run_takes_its_time_and_tells_the_age_at_the_wire(report: Report) -> None:
    assert report.paced.frames + report.paced.drops.get("capture", 0) == FRAMES
    assert report.paced.elapsed_s > 0.3  # of 0.63; a busy machine is late with the first frame
    age = report.paced.ages["osc"]
    assert 0 < age.p50_ms <= age.p95_ms


def test_the_report_is_plain_and_names_the_machine(report: Report) -> None:
    kept = json.loads(json.dumps(report.as_json()))
    assert kept["machine"]["cores"] == os.cpu_count()
    assert kept["machine"]["cores_usable"] == usable_cores() <= (os.cpu_count() or 1)
    assert {"mocap-app", "Python", "torch", "onnxruntime", "numpy", "opencv-python"} == set(kept["machine"]["versions"])
    assert kept["headless"]["stages"]["recover"]["p95_ms"] > 0
    text = "\n".join(report.lines())
    for expected in (cpu_name(), "320x240", f"over {FRAMES} frames", "age of the frame at osc", "threads:"):
        assert expected in text


def test_the_logger_of_the_takes_speaks_again(report: Report) -> None:
    assert logging.getLogger("mocap_app.sinks").isEnabledFor(logging.WARNING)
