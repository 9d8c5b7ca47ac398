"""The model of the window without Qt: sessions that follow one another, failures, takes, names, words."""

from __future__ import annotations

import gc
import json
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from studio_material import SYNTHETIC, with_pulled_camera

from mocap_app.config import CaptureConfig, SmoothingConfig
from mocap_app.errors import ConfigError, MocapError, SinkError
from mocap_app.session import Event, Session, State
from mocap_app.viewer import sources, wording
from mocap_app.viewer.sinks import Shown
from mocap_app.viewer.state import Phase, clock_text, disk_text, people_text
from mocap_app.viewer.studio import Studio
from mocap_app.viewer.take_names import check_pattern, next_name, source_word


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    made = Studio(SYNTHETIC)
    made.plan = replace(made.plan, folder=tmp_path / "takes")
    yield made
    finish(made)


def finish(studio: Studio) -> None:
    studio.close()
    with suppress(MocapError):
        studio.join()


def poll_until(studio: Studio, condition: Callable[[], object], timeout_s: float = 15.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"still {studio.phase}: {studio.error}"
        began = time.perf_counter()
        studio.poll()
        assert time.perf_counter() - began < 0.25, "poll must not wait"
        time.sleep(0.01)


def newest(studio: Studio) -> Shown | None:
    return studio.pictures.take()


def test_a_session_runs_and_another_follows_without_waiting(studio: Studio) -> None:
    studio.start()
    poll_until(studio, lambda: studio.phase is Phase.RUNNING and studio.frames > 2)
    first = studio._session
    begun = time.perf_counter()
    studio.apply(replace(studio.config, detector=replace(studio.config.detector, every=3)))
    assert time.perf_counter() - begun < 0.1
    assert studio.phase is Phase.STOPPING
    poll_until(studio, lambda: studio.phase is Phase.RUNNING and studio._session is not first)
    assert studio.config.detector.every == 3
    assert first is not None
    assert first.state is State.STOPPED
    assert studio.sessions == 2


def test_networks_go_with_their_session_and_do_not_wait_for_the_collector(studio: Studio) -> None:
    studio.start()
    poll_until(studio, lambda: studio.phase is Phase.RUNNING and studio.frames > 2)
    session = studio._session
    assert session is not None
    left = [weakref.ref(session), weakref.ref(session._perception)]
    gc.collect()
    gc.disable()
    try:
        del session
        studio.stop()
        poll_until(studio, lambda: studio.phase is Phase.ENDED)
        studio.pictures.take()
        assert [ref() for ref in left] == [None, None]
    finally:
        gc.enable()


def test_only_the_newest_of_several_changes_is_run(studio: Studio) -> None:
    studio.start()
    poll_until(studio, lambda: studio.phase is Phase.RUNNING)
    for every in (2, 3, 4):
        studio.apply(replace(studio.config, detector=replace(studio.config.detector, every=every)))
    poll_until(studio, lambda: studio.phase is Phase.RUNNING)
    assert studio.config.detector.every == 4
    assert studio.sessions == 2


def test_what_changes_nothing_in_the_line_starts_nothing_anew(studio: Studio) -> None:
    studio.start()
    poll_until(studio, lambda: studio.phase is Phase.RUNNING)
    config = studio.config
    viewer = replace(config.viewer, show_mesh=False, folder="elsewhere")
    studio.apply(replace(config, viewer=viewer, record=replace(config.record, formats=("npz", "bvh"))))
    assert studio.phase is Phase.RUNNING
    assert studio.sessions == 1
    assert not studio.view.show_mesh
    assert (studio.plan.folder, studio.plan.formats) == (Path("elsewhere"), ("npz", "bvh"))


def test_smoothing_is_changed_in_the_session_that_runs(studio: Studio) -> None:
    studio.start()
    poll_until(studio, lambda: studio.phase is Phase.RUNNING)
    motion = replace(studio.config.motion, smoothing=SmoothingConfig(min_cutoff_hz=0.7))
    studio.apply(replace(studio.config, motion=motion))
    assert studio.sessions == 1
    assert studio.config.motion == motion
    seen = studio.frames
    poll_until(studio, lambda: studio.frames > seen + 3)


def test_a_take_is_recorded_and_told_once(studio: Studio) -> None:
    studio.start()
    assert "moment" in studio.why_not_record
    poll_until(studio, lambda: studio.phase is Phase.RUNNING and studio.frames > 0)
    assert studio.why_not_record == ""
    studio.toggle_recording()
    poll_until(studio, lambda: studio.recording.is_running and studio.recording.seconds > 0.5)
    studio.toggle_recording()
    poll_until(studio, lambda: studio.new_takes)
    assert [path.suffix for path in studio.new_takes] == [".npz"]
    assert all(path.is_file() for path in studio.new_takes)
    assert studio.notice is not None
    assert (studio.notice.kind, studio.notice.action) == ("done", "play_take")
    studio.new_takes.clear()
    studio.poll()
    assert not studio.new_takes


def test_the_picture_is_kept_beside_the_take(studio: Studio) -> None:
    studio.plan = replace(studio.plan, keeps_video=True, pattern="clip")
    studio.start()
    poll_until(studio, lambda: studio.phase is Phase.RUNNING and studio.frames > 0)
    for expected in ("clip", "clip_2"):
        studio.toggle_recording()
        poll_until(studio, lambda: studio.recording.is_running and studio.recording.seconds > 0.5)
        studio.toggle_recording()
        poll_until(studio, lambda: studio.new_takes)
        studio.new_takes.clear()
        assert (studio.plan.folder / f"{expected}.mp4").stat().st_size > 1000
        assert (studio.plan.folder / f"{expected}_person1.npz").is_file()


def test_a_count_in_can_be_broken_off(studio: Studio) -> None:
    studio.start()
    poll_until(studio, lambda: studio.phase is Phase.RUNNING and studio.frames > 0)
    studio.plan = replace(studio.plan, count_in_s=3)
    studio.toggle_recording()
    assert studio.count_in_left_s is not None
    assert 2.5 < studio.count_in_left_s <= 3
    assert not studio.is_recording
    studio.toggle_recording()
    assert studio.count_in_left_s is None
    studio._count_in_ends_s = time.monotonic()  # as if the time had passed
    poll_until(studio, lambda: studio.recording.is_running)


def test_settings_wait_for_the_end_of_a_take(studio: Studio) -> None:
    studio.start()
    poll_until(studio, lambda: studio.phase is Phase.RUNNING and studio.frames > 0)
    studio.toggle_recording()
    poll_until(studio, lambda: studio.recording.is_running and studio.recording.seconds > 0.4)
    studio.apply(replace(studio.config, detector=replace(studio.config.detector, every=7)))
    assert studio.phase is Phase.RUNNING
    assert studio.notice == wording.ENGINE_WAITS
    studio.toggle_recording()
    poll_until(studio, lambda: studio.sessions == 2 and studio.phase is Phase.RUNNING)
    assert studio.config.detector.every == 7
    assert studio.new_takes


def test_a_pulled_camera_fails_in_words_keeps_the_take_and_is_tried_again(tmp_path: Path) -> None:
    studio = Studio(SYNTHETIC, with_pulled_camera(40))
    studio.plan = replace(studio.plan, folder=tmp_path)
    studio.start()
    poll_until(studio, lambda: studio.phase is Phase.RUNNING and studio.frames > 0)
    studio.toggle_recording()
    poll_until(studio, lambda: studio.phase is Phase.FAILED)
    notice = studio.notice
    assert notice is not None
    assert (notice.kind, notice.action) == ("error", "try_again")
    assert "plugged in" in notice.text
    assert "safe" in notice.text
    assert len(list(tmp_path.glob("*.npz"))) == 1
    assert "choose a camera" in studio.why_not_record
    studio.try_again()
    poll_until(studio, lambda: studio.phase is Phase.RUNNING)
    assert studio.notice is None or studio.notice.kind == "done"
    finish(studio)


def test_a_session_that_cannot_be_built_fails_in_words(studio: Studio) -> None:
    def refuse(*arguments: object) -> Session:
        raise ConfigError("--overlay a.mp4: pictures are independent")

    studio._build = refuse
    studio.start()
    assert studio.phase is Phase.FAILED
    assert studio.notice is not None
    assert "pictures" in studio.notice.text


def test_a_closed_studio_starts_nothing(studio: Studio) -> None:
    studio.close()
    studio.start()
    assert studio.phase is Phase.EMPTY


def test_frames_of_a_live_source_are_shown_while_the_engine_loads(studio: Studio) -> None:
    studio.start()
    seen: list[Shown] = []

    def look() -> bool:
        shown = newest(studio)
        if shown is not None:
            seen.append(shown)
        return bool(seen) and seen[-1].result is not None

    poll_until(studio, look)
    last = seen[-1]
    assert last.scene is not None
    assert last.result is not None
    assert len(last.labels) == len(last.scene) == 1


def test_pictures_are_made_as_large_as_the_panel(studio: Studio) -> None:
    studio.view.panel_wh = (80, 80)
    studio.start()
    poll_until(studio, lambda: studio.phase is Phase.RUNNING and studio.frames > 3)
    found: list[Shown] = []
    poll_until(studio, lambda: found.append(shown) or True if (shown := newest(studio)) else False)
    assert found[0].image.shape == (60, 80, 3)
    assert found[0].image.flags.c_contiguous


def test_pictures_are_no_motion(tmp_path: Path) -> None:
    import cv2

    for number in range(2):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((120, 160, 3), 120, np.uint8))
    studio = Studio(replace(SYNTHETIC, capture=CaptureConfig(source="images", path=str(tmp_path))))
    studio.start()
    studio.toggle_recording()
    assert studio.notice is not None
    assert "no motion" in studio.notice.text
    poll_until(studio, lambda: studio.phase is Phase.ENDED)
    finish(studio)


def test_the_demo_gives_the_settings_back(studio: Studio) -> None:
    asked = studio.config
    studio.start_demo()
    assert studio.is_demo
    assert sources.is_demo(studio.capture)
    assert Path(studio.capture.path).is_file(), "the demo actor is shipped"
    changed = replace(studio.config, detector=replace(asked.detector, every=9))
    studio.apply(changed)
    studio.choose(replace(asked.capture, mirror=True))
    assert not studio.is_demo
    expected = replace(asked, capture=replace(asked.capture, mirror=True), detector=changed.detector)
    assert studio.config == expected, "what was changed meanwhile stays, the demo's camera goes"


NOON = datetime(2026, 11, 25, 12, 0, 5)


def test_takes_are_named_by_a_pattern(tmp_path: Path) -> None:
    pattern = "{date}_{time}_{source}_{number}"
    assert next_name(pattern, "camera0", tmp_path, NOON) == "20261125_120005_camera0_1"
    (tmp_path / "20261125_120005_CAMERA0_1_person1.npz").touch()
    assert next_name(pattern, "camera0", tmp_path, NOON) == "20261125_120005_camera0_2"
    (tmp_path / "walk.mp4").touch()
    assert next_name("walk", "camera0", tmp_path, NOON) == "walk_2"
    assert next_name("walk", "camera0", tmp_path / "absent", NOON) == "walk"


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("", "needs a name"),
        ("{nubmer}", r"no field \{nubmer\}"),
        ("a{", "brace"),
        ("a/b", "cannot hold /"),
        ("dance?", r"cannot hold \?"),
        ("con", "Windows keeps"),
        ("walk.", "end with"),
        (" walk", "begin with"),
        ("x" * 200, "200 letters"),
    ],
)
def test_impossible_names_are_refused_in_words(pattern: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        check_pattern(pattern)


def test_sources_have_a_word_for_names() -> None:
    assert source_word(CaptureConfig(device=2)) == "camera2"
    assert source_word(CaptureConfig(device="Logi HD/1")) == "Logi_HD_1"
    assert source_word(CaptureConfig(source="video", path="/tmp/my dance.mp4")) == "my_dance"


def test_cameras_are_read_from_what_the_command_prints() -> None:
    printed = json.dumps([{"index": 1, "name": "Cam", "modes": [{"size": [640, 480], "fps": 30.0}]}])
    camera = sources.read_cameras(printed)[0]
    assert (camera.title, camera.modes[0].title) == ("Cam", "640 × 480, 30 fps")
    capture = sources.capture_of_camera(CaptureConfig(source="video", path="a", loop=True), 1, camera.modes[0])
    assert capture == CaptureConfig(device=1, size=(640, 480), fps=30.0)
    for wrong in ("nonsense", "[1]", '{"a": 1}', '[{"index": 0}]'):
        with pytest.raises(ConfigError, match="Refresh"):
            sources.read_cameras(wrong)


def test_what_is_dropped_is_opened_or_refused_in_words(tmp_path: Path) -> None:
    video = tmp_path / "Dance.MP4"
    video.touch()
    opened = sources.capture_of_path(CaptureConfig(mirror=True), video)
    assert (opened.source, opened.realtime, opened.loop, opened.mirror) == ("video", True, True, True)
    assert sources.whole_of(opened) == replace(opened, realtime=False, loop=False)
    assert sources.capture_of_path(CaptureConfig(), tmp_path).source == "images"
    (tmp_path / "song.mp3").touch()
    with pytest.raises(ConfigError, match="no video"):
        sources.capture_of_path(CaptureConfig(), tmp_path / "song.mp3")
    with pytest.raises(ConfigError, match="no such file"):
        sources.capture_of_path(CaptureConfig(), tmp_path / "absent.mp4")
    with pytest.raises(ConfigError, match="rtsp"):
        sources.capture_of_stream(CaptureConfig(), "camera.local")
    assert sources.capture_of_stream(CaptureConfig(), " rtsp://a/b ").path == "rtsp://a/b"


def test_words() -> None:
    assert clock_text(65.9) == "01:05"
    assert clock_text(3725) == "1:02:05"
    assert disk_text(61_000_000_000, False).startswith("61 GB free · 242 h")
    assert disk_text(2_000_000_000, True).endswith("28 min")
    assert [people_text(n) for n in (0, 1, 3)] == ["nobody in view", "1 person", "3 people"]
    disk = wording.failure(SinkError("takes: cannot be written to (No space left), expected a folder; choose another"))
    assert disk.action == "choose_folder"
    broken = wording.failure(ValueError("shapes differ"))
    assert (broken.title, broken.text) == ("The program has made a mistake", "Shapes differ.")
    event = Event(State.RUNNING, "osc", OSError("the network is gone"))
    told = wording.detached(event.detached, event.error)
    assert told.title == "The VMC stream has stopped"
    assert (told.kind, told.text) == ("warning", "The network is gone; the rest goes on.")
