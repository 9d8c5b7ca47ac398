"""The measurement of the whole line, on a drawn figure."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from bench_material import FLAGS, SYNTHETIC, write_walk

from mocap_app.bench.line import MemoryLog
from mocap_app.bench.lines import report_lines
from mocap_app.bench.machine import cpu_name, usable_cores
from mocap_app.bench.memory import peak_mb, resident_mb
from mocap_app.bench.report import SCHEMA, Request, measure

FRAMES = 20


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    video = write_walk(tmp_path_factory.mktemp("bench") / "walk.mp4", FRAMES)
    return measure(SYNTHETIC, video, Request())


def test_every_frame_goes_through_at_full_speed(report: dict[str, Any]) -> None:
    headless = report["headless"]
    assert headless["frames"] == FRAMES
    assert {"capture", "detect", "track", "recover", "solve"} == set(headless["stages"])
    assert headless["frames_per_s"] > 0
    assert headless["ages"]["osc"]["count"] >= 1
    assert headless["outputs"] == "npz, bvh, VMC on"
    assert 0 < headless["cpu_ms_per_frame"] < 1000
    assert headless["ready_s"] > 0


def test_the_live_run_takes_its_time_and_tells_both_ages(report: dict[str, Any]) -> None:
    live = report["live"]
    assert live["frames"] + live["drops"].get("capture", 0) == FRAMES
    assert live["elapsed_s"] > 0.3  # of 0.63; a busy machine is late with the first frame
    stamped, pixels = live["ages"]["osc"], live["pixels"]
    assert 0 < stamped["p50_ms"] <= stamped["p95_ms"]
    assert 0 < pixels["p50_ms"] <= pixels["p95_ms"]
    assert live["unreadable"] == 0


def test_every_pose_that_was_sent_is_paired_with_its_picture(report: dict[str, Any]) -> None:
    live = report["live"]
    assert live["pixels"]["count"] == live["ages"]["osc"]["count"]
    assert live["packets"] == 2 * live["pixels"]["count"] + 1  # two for each pose, and the goodbye


def test_the_report_is_plain_and_names_the_machine(report: dict[str, Any]) -> None:
    kept = json.loads(json.dumps(report))
    assert kept == report
    assert kept["schema"] == SCHEMA
    assert {"schema", "machine", "settings", "headless", "live", "video"} == set(kept)
    assert kept["machine"]["cores"] == os.cpu_count()
    assert kept["machine"]["cores_usable"] == usable_cores() <= (os.cpu_count() or 1)
    assert {"mocap-app", "Python", "torch", "onnxruntime", "numpy", "opencv-python"} <= set(kept["machine"]["versions"])
    assert kept["machine"]["gpu"] == ""
    assert kept["video"] == {"name": "walk", "size_wh": [320, 240], "fps": 30.0}


def test_the_lines_say_what_a_reader_needs(report: dict[str, Any]) -> None:
    text = "\n".join(report_lines(report))
    for expected in (
        cpu_name(), "320x240", f"over {FRAMES} frames", "age of the frame at osc", "by its pixels", "threads:",
        "most that ever waited: ", "capture 1", "memory:",
    ):  # fmt: skip
        assert expected in text


def test_memory_is_looked_at_from_the_start_to_the_end(report: dict[str, Any]) -> None:
    looks = report["headless"]["memory"]
    assert len(looks) >= 2
    assert looks[-1]["frames"] == FRAMES
    assert [look["elapsed_s"] for look in looks] == sorted(look["elapsed_s"] for look in looks)
    now_mb, most_mb = resident_mb(), peak_mb()
    if now_mb is not None and most_mb is not None:
        assert all(10 < look["rss_mb"] < 10_000 for look in looks)
        assert 10 < now_mb <= most_mb * 1.01


def test_looks_are_as_far_apart_as_was_asked() -> None:
    by_frames, told = MemoryLog(every_frames=100), list[int]()
    by_time = MemoryLog(every_s=2.0, tell=lambda sample: told.append(sample.frames))
    for step in range(60):
        by_frames.look(step * 0.1, step * 10)
        by_time.look(step * 0.1, step * 10)
    assert [sample.frames for sample in by_frames.samples] == [100, 200, 300, 400, 500]
    assert told == [200, 400]


def test_the_logger_of_the_takes_speaks_again(report: dict[str, Any]) -> None:
    assert logging.getLogger("mocap_app.sinks").isEnabledFor(logging.WARNING)


def test_a_short_video_is_looped(tmp_path: Path) -> None:
    video = write_walk(tmp_path / "short.mp4", 6)
    report = measure(SYNTHETIC, video, Request(live=False, looped_s=0.5))
    assert report["headless"]["frames"] == 15
    assert "live" not in report


def run_script(name: str, *arguments: str) -> str:
    script = Path(__file__).parents[2] / "scripts" / name
    done = subprocess.run([sys.executable, str(script), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_memory_run_looks_every_so_many_frames_and_tells_the_growth(tmp_path: Path) -> None:
    video = write_walk(tmp_path / "walk.mp4", FRAMES)
    told = run_script("memory_run", "--video", str(video), *FLAGS, "--frames", "120", "--every", "40", "--no-record")
    assert "walk.mp4, looped to 120 frames, synthetic, VMC on" in told
    assert "180 frames" in told
    if resident_mb() is not None:
        assert re.search(r"growth from frame \d+ to frame \d+: [+-]\d", told)


def test_the_comparison_with_mediapipe_says_what_it_needs() -> None:
    told = run_script("compare_mediapipe", "--help")
    for flag in ("--venv", "--video", "--seconds", "--task-model"):
        assert flag in told
