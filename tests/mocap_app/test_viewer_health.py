"""Measurements become advice in plain words, and plots; no Qt."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from mocap_app.stats import Spread, Summary
from mocap_app.viewer.health import KEPT, Health, Trouble, is_cut_off, size_words, warnings_of
from mocap_app.viewer.machine import Load, Machine

WHOLE = np.array([[10.0, 10.0, 50.0, 90.0]], np.float32)
NOBODY = np.zeros((0, 4), np.float32)
SIZE = (100, 100)


def summary(rate: float, capture_ms: float, recover_ms: float, age_ms: float, drops: int, frames: int = 100) -> Summary:
    stages = {name: Spread(frames, ms, ms, ms) for name, ms in (("capture", capture_ms), ("recover", recover_ms))}
    return Summary(frames, 5.0, rate, stages, {"window": Spread(frames, age_ms, age_ms, age_ms)}, {"capture": drops})


def words(troubles: tuple[Trouble, ...]) -> list[str]:
    return [trouble.words for trouble in troubles]


def test_a_slow_camera_is_told_from_a_slow_computer() -> None:
    assert words(warnings_of(summary(15, 66.7, 20, 50, 0), True)) == [
        "The camera gives 15 fps: more light or a lower resolution helps."
    ]
    (text,) = words(warnings_of(summary(5, 33, 200, 220, 60), True))
    assert text.startswith("This computer keeps up with 5 pictures a second, and recover takes longest (200 ms)")


def test_dropped_frames_of_a_fast_line_are_told_as_a_part() -> None:
    (text,) = words(warnings_of(summary(20, 16, 50, 60, 100), True))
    assert text.startswith("50 % of the camera's pictures are left out; recover takes longest (50 ms)")
    assert words(warnings_of(summary(28, 33, 30, 60, 5), True)) == []


def test_lateness_is_said_and_a_good_run_says_nothing() -> None:
    assert words(warnings_of(summary(30, 33, 20, 400, 0), True))[0].startswith("The picture is 0.4 s late")
    assert warnings_of(summary(30, 33, 20, 50, 0), True) == ()


def test_files_and_the_first_frames_are_not_judged() -> None:
    slow = (5, 66.7, 200, 900, 60)
    assert warnings_of(summary(*slow), False) == ()
    assert warnings_of(summary(*slow, frames=10), True) == ()


def report_after(health: Health, seconds: float, load: Load | None = None, fps: int = 30):
    """Update twice a second for so long, as the window does."""
    report = None
    for moment in range(int(seconds * 2) + 1):
        told = summary(fps, 33, 20, 50, 0, frames=fps * moment // 2)
        report = health.update(told, load or Load(), "onnxruntime", moment / 2)
    assert report is not None
    return report


def test_rates_and_plots_are_of_the_last_moments() -> None:
    health = Health("deforhmr", True)
    first = health.update(summary(30, 33, 20, 50, 0, frames=500), Load(), "", 100.0)
    assert (first.frames_per_s, first.plots, first.troubles) == (0.0, (), ())
    second = health.update(summary(30, 33, 20, 50, 4, frames=510), Load(), "", 100.5)
    assert second.frames_per_s == pytest.approx(20)
    assert second.drops_per_s == {"capture": pytest.approx(8)}
    assert [plot.title for plot in second.plots] == ["Frames per second", "Age of a frame"]
    report = report_after(Health("deforhmr", True), 200)
    assert len(report.plots[0].values) == KEPT


def test_the_scale_holds_every_value_and_is_round() -> None:
    plot = report_after(Health("deforhmr", True), 3, fps=50).plots[0]
    assert (plot.top, plot.top_words, plot.value) == (60, "60", "50.0")


def test_everything_that_can_be_read_of_the_machine_is_plotted() -> None:
    load = Load(1.0, 0.7, 2, 300 * 2**20, 8 * 2**30, 4 * 2**30, 9, 50 * 2**30, "RTX", 0.5, 2**30)
    plots = {plot.title: plot for plot in report_after(Health("deforhmr", True), 2, load).plots}
    assert (plots["Processor"].value, plots["Processor"].detail) == ("50 %", "machine: 70 %")
    assert (plots["Memory"].value, plots["Memory"].detail) == ("300 MB", "4.0 GB free")
    assert (plots["Graphics card"].value, plots["Graphics card"].detail) == ("50 %", "RTX, 1.0 GB used")


def test_nobody_seen_and_somebody_cut_off_are_said_after_a_while() -> None:
    health = Health("deforhmr", True)
    health.note_people(NOBODY, SIZE, 0.0)
    assert report_after(health, 9.5).troubles == ()
    assert "Nobody has been seen" in words(report_after(health, 10.5).troubles)[0]
    health.note_people(np.array([[10.0, 10.0, 50.0, 100.0]], np.float32), SIZE, 10.5)
    assert report_after(health, 13).troubles == (), "reaching out for a moment is no trouble"
    assert "cut off by the edge" in words(report_after(health, 13.5).troubles)[0]
    health.note_people(WHOLE, SIZE, 14.0)
    assert report_after(health, 20).troubles == ()


@pytest.mark.parametrize(
    ("box", "is_cut"),
    [((10, 10, 50, 90), False), ((0, 10, 50, 90), True), ((10, 1, 50, 90), True), ((10, 10, 99, 90), True)],
)
def test_a_box_at_the_edge_is_cut_off(box: tuple[float, ...], is_cut: bool) -> None:
    assert is_cut_off(np.array([WHOLE[0], box], np.float32), SIZE) is is_cut
    assert not is_cut_off(NOBODY, SIZE)


def test_a_full_disk_and_little_memory_are_serious() -> None:
    load = Load(disk_free_bytes=2**30, memory_free_bytes=100 * 2**20)
    troubles = report_after(Health("deforhmr", False), 1, load).troubles
    assert [trouble.is_serious for trouble in troubles] == [True, True]
    assert "1.0 GB" in troubles[0].words
    assert "100 MB" in troubles[1].words


def test_sizes_in_words() -> None:
    assert [size_words(n) for n in (12, 2048, 5 * 2**20, 3 * 2**29)] == ["12 B", "2 KB", "5 MB", "1.5 GB"]


def test_this_machine_is_read(tmp_path: Path) -> None:
    pytest.importorskip("psutil")
    machine = Machine(tmp_path / "not" / "there" / "yet")
    busy_until = time.monotonic() + 0.2
    while time.monotonic() < busy_until:
        pass
    load = machine.read()
    assert load.process_cpu is not None
    assert load.process_cpu > 0.1
    assert load.cores >= 1
    assert 10 * 2**20 < (load.memory_bytes or 0) < (load.memory_total_bytes or 0)
    assert load.threads >= 1
    assert (load.disk_free_bytes or 0) > 0


def test_without_psutil_or_a_card_less_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psutil", None)
    monkeypatch.setitem(sys.modules, "pynvml", None)
    load = Machine(tmp_path).read()
    assert (load.process_cpu, load.memory_bytes, load.gpu) == (None, None, "")
    assert load.disk_free_bytes
    assert [plot.title for plot in report_after(Health("x", True), 1, load).plots] == [
        "Frames per second",
        "Age of a frame",
    ]


def test_a_card_is_read_until_it_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class NVMLError(Exception):
        pass

    calls: list[int] = []

    def rates(handle: object) -> SimpleNamespace:
        calls.append(1)
        if len(calls) > 2:
            raise NVMLError
        return SimpleNamespace(gpu=40)

    library = SimpleNamespace(
        NVMLError=NVMLError,
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByIndex=lambda number: number,
        nvmlDeviceGetName=lambda handle: "RTX 4070",
        nvmlDeviceGetUtilizationRates=rates,
        nvmlDeviceGetMemoryInfo=lambda handle: SimpleNamespace(used=3 * 2**30),
    )
    monkeypatch.setitem(sys.modules, "pynvml", library)
    machine = Machine(tmp_path)
    load = machine.read()
    assert (load.gpu, load.gpu_used, load.gpu_memory_bytes) == ("RTX 4070", 0.4, 3 * 2**30)
    assert machine.read().gpu == ""
    assert machine.read().gpu == ""
    assert len(calls) == 3
