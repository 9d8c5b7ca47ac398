"""The camera's rules, on a stand-in for the driver: this is what no test machine has."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from mocap_app.capture import devices
from mocap_app.capture.camera import CameraSource
from mocap_app.capture.opencv import Grabber
from mocap_app.cli import run
from mocap_app.config import CaptureConfig
from mocap_app.errors import SourceError


class Driver:
    """What `cv2.VideoCapture` offers, for a camera that has one size and one rate whatever it is asked."""

    def __init__(self, size_wh=(640, 480), fps=30.0, black=0, fails_after: int | None = None) -> None:
        self.size_wh, self.fps, self.black, self.fails_after = size_wh, fps, black, fails_after
        self.asked: dict[int, float] = {}
        self.reads = 0
        self.released = 0
        self.in_read: threading.Event | None = None
        self.hold = threading.Event()

    def set(self, prop: int, value: float) -> bool:
        self.asked[prop] = value
        return True

    def get(self, prop: int) -> float:
        return {cv2.CAP_PROP_FPS: self.fps}.get(prop, 0.0)

    def grab(self) -> bool:
        self.reads += 1
        if self.in_read is not None:
            self.in_read.set()
            self.hold.wait(10)
        return not self.released and (self.fails_after is None or self.reads <= self.fails_after)

    def retrieve(self):
        value = 0 if self.reads <= self.black else 100
        return True, np.full((self.size_wh[1], self.size_wh[0], 3), value, np.uint8)

    def release(self) -> None:
        self.released += 1


def open_camera(driver: Driver | None, **settings) -> CameraSource:
    return CameraSource(CaptureConfig(**settings), lambda index: driver)


def test_frames_are_stamped_and_counted() -> None:
    driver = Driver(black=3)
    source = open_camera(driver)
    before_ns = time.monotonic_ns()
    frames = []
    for frame in source:
        frames.append(frame)
        if len(frames) == 5:
            source.close()
    assert [frame.index for frame in frames] == list(range(5))
    stamps = [frame.timestamp_ns for frame in frames]
    assert stamps == sorted(set(stamps))
    assert stamps[0] >= before_ns
    assert source.size_wh == (640, 480)
    assert source.name.startswith("camera0_2")
    assert driver.released
    assert driver.asked[cv2.CAP_PROP_BUFFERSIZE] == 1
    assert driver.asked[cv2.CAP_PROP_FOURCC] == cv2.VideoWriter.fourcc(*"MJPG")


def test_another_size_than_asked_is_refused() -> None:
    driver = Driver()
    with pytest.raises(SourceError, match="gives 640x480 pixels, expected 1280x720"):
        open_camera(driver, size=(1280, 720))
    assert driver.released


def test_another_rate_than_asked_is_refused() -> None:
    with pytest.raises(SourceError, match="gives 30 frames/s, expected 60"):
        open_camera(Driver(), fps=60.0)


def test_a_driver_that_does_not_say_its_rate_is_believed(caplog: pytest.LogCaptureFixture) -> None:
    assert open_camera(Driver(fps=0.0), fps=60.0).fps == 60.0
    assert "does not say its rate" in caplog.text


def test_absent_camera_names_those_there() -> None:
    with pytest.raises(SourceError, match="camera 7 cannot be opened, expected one of"):
        open_camera(None, device=7)


def test_black_and_missing_pictures() -> None:
    with pytest.raises(SourceError, match="only black pictures"):
        open_camera(Driver(black=1000))
    with pytest.raises(SourceError, match="gives no picture"):
        open_camera(Driver(fails_after=0))


def test_unplugged_while_running() -> None:
    frames = iter(open_camera(Driver(fails_after=20)))
    for _ in range(15):  # One to warm up and four stale ones came before.
        next(frames)
    with pytest.raises(SourceError, match="plugged in"):
        next(frames)


def test_the_device_is_released_by_its_reader() -> None:
    driver = Driver()
    driver.in_read = threading.Event()
    grabber = Grabber(driver)
    reader = threading.Thread(target=grabber.read)
    reader.start()
    assert driver.in_read.wait(5)
    grabber.close()
    assert driver.released == 0, "not under the reader"
    driver.hold.set()
    reader.join(5)
    assert driver.released == 1


def test_a_stuck_device_is_released_under_its_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mocap_app.capture.opencv.STUCK_S", 0.0)
    driver = Driver()
    driver.in_read = threading.Event()
    grabber = Grabber(driver, may_stick=True)
    reader = threading.Thread(target=grabber.read)
    reader.start()
    assert driver.in_read.wait(5)
    grabber.close()
    time.sleep(0.001)
    grabber.close()
    assert driver.released
    driver.hold.set()
    reader.join(5)


def test_cameras_are_printed_for_programs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(devices, "list_cameras", lambda: (devices.Camera(2, "Door"),))
    monkeypatch.setattr(devices, "list_modes", lambda index: (devices.Mode((640, 480), 30.0),))
    assert run(["devices", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"index": 2, "name": "Door", "modes": []}]
    assert run(["devices", "--json", "--modes"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["modes"] == [{"size": [640, 480], "fps": 30.0}]


def test_the_kernels_list_of_cameras(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for node, index, name in (("video0", 0, "Desk Cam"), ("video1", 1, "Desk Cam"), ("video2", 0, "Door Cam")):
        (tmp_path / node).mkdir()
        (tmp_path / node / "index").write_text(f"{index}\n", encoding="utf-8")
        (tmp_path / node / "name").write_text(f"{name}\n", encoding="utf-8")
    cameras = devices._listed(tmp_path)
    assert cameras == (devices.Camera(0, "Desk Cam"), devices.Camera(2, "Door Cam"))
    monkeypatch.setattr(devices, "list_cameras", lambda: cameras)
    assert devices.find_camera("door") == 2
    assert devices.find_camera("1") == 1
    with pytest.raises(SourceError, match="several cameras named 'cam'"):
        devices.find_camera("cam")
    with pytest.raises(SourceError, match="no camera named 'roof'"):
        devices.find_camera("roof")
