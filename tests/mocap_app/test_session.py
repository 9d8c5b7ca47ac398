"""Threads of the session, with fakes that are stepped by events."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from engines.types import BodyModel, MeshResult, Regions, Sighting
from exporters.types import Pose, Skeleton
from mocap_app.errors import SessionError, SinkError, SourceError
from mocap_app.mailbox import Keep
from mocap_app.session import Event, Patience, Session, State
from mocap_app.sinks import SinkContext
from mocap_app.types import Frame, FrameResult, Tracks

WAIT_S = 10.0
IMAGE = np.zeros((2, 2, 3), np.uint8)


def zeros(*shape: int) -> Any:
    return np.zeros(shape, np.float32)


def nobody() -> tuple[Tracks, Sighting]:
    sighting = Sighting(zeros(0, 1, 2), zeros(0, 1), zeros(0), np.eye(3, dtype=np.float32), Regions.empty())
    return Tracks(np.zeros(0, np.int64), zeros(0, 4), zeros(0)), sighting


def no_bodies(sighting: Sighting) -> MeshResult:
    return MeshResult(
        zeros(0, 4, 3), zeros(0, 1, 3), zeros(0, 3), zeros(0, 1, 3, 3), zeros(0, 10), sighting.joints_px,
        sighting.confidence, sighting.scores, sighting.intrinsics, sighting.next_regions,
    )  # fmt: skip


class FakeSource:
    """Gives frames when asked, or as fast as they are taken; remembers who closed it and when."""

    fps = 30.0
    size_wh = (2, 2)
    name = "fake"
    frame_count: int | None = None
    picture_names: tuple[str, ...] = ()
    path = ""

    def __init__(self, frames: int, is_live: bool = False, error_after: int | None = None, blocks: bool = False):
        self.frames, self.is_live, self.error_after, self.blocks = frames, is_live, error_after, blocks
        self.given = 0
        self.step: Callable[[int], None] = lambda index: None
        self.closing = threading.Event()
        self.closes = 0
        self.closed_by: set[str] = set()

    def __iter__(self) -> Iterator[Frame]:
        for index in range(self.frames):
            if self.closing.is_set():
                return
            if index == self.error_after:
                raise SourceError("the cable was pulled")
            self.step(index)
            self.given = index + 1
            yield Frame(IMAGE, index, index * 33_000_000, time.monotonic_ns())
        if self.blocks:
            assert self.closing.wait(WAIT_S)

    def close(self) -> None:
        self.closes += 1
        self.closed_by.add(threading.current_thread().name)
        self.closing.set()


class FakePerception:
    def __init__(self, step: Callable[[Frame], None] = lambda frame: None) -> None:
        self.step = step
        self.thread = threading.current_thread().name
        self.closed_by: str | None = None
        self.pictures = 0

    def work_aside(self, submit: Any) -> None:
        self.submit = submit

    def see(self, frame: Frame) -> tuple[Tracks, Sighting, dict[str, float]]:
        self.step(frame)
        return (*nobody(), {"detect": 1.0, "track": 0.1, "recover": 2.0})

    def see_picture(self, frame: Frame) -> tuple[Tracks, Sighting, dict[str, float]]:
        self.pictures += 1
        return self.see(frame)

    def recover(self, tracks: Tracks, sighting: Sighting) -> tuple[Tracks, MeshResult]:
        return tracks, no_bodies(sighting)

    def close(self) -> None:
        self.closed_by = threading.current_thread().name


class FakeSolver:
    body_model = BodyModel(
        "point", ("pelvis",), np.full(1, -1, np.int32), np.zeros((1, 3), np.float32),
        np.zeros((1, 3, 10), np.float32), np.zeros((0, 3), np.int32),
    )  # fmt: skip
    floor_y_m = -1.5

    def __init__(self) -> None:
        self.smooth: set[bool] = set()

    def solve(self, frame: Frame, tracks: Tracks, meshes: MeshResult, smooth: bool = True) -> tuple[Pose, ...]:
        self.smooth.add(smooth)
        return ()

    def skeleton(self, betas: Any) -> Skeleton:
        return Skeleton("point", ("pelvis",), np.full(1, -1, np.int32), np.zeros((1, 3), np.float32))


class FakeSink:
    def __init__(self, keep: Keep = "all", step: Callable[[FrameResult], None] = lambda result: None) -> None:
        self.keep: Keep = keep
        self.step = step
        self.indices: list[int] = []
        self.made_by: str | None = None
        self.closed_by: str | None = None
        self.context: SinkContext | None = None

    def make(self, context: SinkContext) -> FakeSink:
        self.made_by = threading.current_thread().name
        self.context = context
        self.ident = threading.get_ident()
        return self

    def write(self, result: FrameResult) -> None:
        self.step(result)
        self.indices.append(result.frame.index)

    def close(self) -> None:
        self.closed_by = threading.current_thread().name
        assert threading.get_ident() == self.ident


def session_of(
    source: FakeSource, *sinks: FakeSink, step: Callable[[Frame], None] = lambda frame: None, **options: Any
) -> Session:
    return Session(
        lambda: source,
        options.pop("make_perception", lambda: FakePerception(step)),
        options.pop("make_solver", lambda perception: FakeSolver()),
        [sink.make for sink in sinks],
        **options,
    )


def run(session: Session) -> list[Event]:
    events: list[Event] = []
    session.listen(events.append)
    session.start()
    session.join()
    return events


def test_every_frame_of_a_file_arrives_in_order() -> None:
    source, one, two = FakeSource(200), FakeSink(), FakeSink()
    session = session_of(source, one, two)
    events = run(session)
    assert one.indices == two.indices == list(range(200))
    assert session.state is State.STOPPED
    assert [event.state for event in events] == [State.LOADING, State.RUNNING, State.STOPPING, State.STOPPED]
    assert session.stats.summary().frames == 200
    assert list(session.stats.summary().stages) == ["capture", "detect", "track", "recover", "solve"]


def test_a_slow_engine_on_a_live_source_drops_and_never_reorders() -> None:
    source, sink = FakeSource(100, is_live=True), FakeSink()
    all_given = threading.Event()
    source.step = lambda index: all_given.set() if index == 99 else None

    def slow(frame: Frame) -> None:
        assert all_given.wait(WAIT_S)  # Busy with the first frame until the last was given.

    session = session_of(source, sink, step=slow)
    run(session)
    assert sink.indices == sorted(sink.indices)
    assert sink.indices[-1] == 99
    dropped = session.stats.summary().drops["capture"]
    assert len(sink.indices) + dropped == 100
    assert dropped > 90


def test_a_slow_recorder_shows_as_drops_at_the_camera() -> None:
    source = FakeSource(100, is_live=True)
    all_given = threading.Event()
    source.step = lambda index: all_given.set() if index == 99 else None
    sink = FakeSink(step=lambda result: all_given.wait(WAIT_S) and None)
    processed: list[int] = []
    session = session_of(source, sink, step=lambda frame: processed.append(frame.index))
    run(session)
    assert sink.indices == processed, "what was processed is recorded, without a hole"
    assert len(processed) + session.stats.summary().drops["capture"] == 100


@pytest.mark.parametrize("is_live", [False, True])
def test_an_engine_that_fails_ends_everything_and_keeps_its_error(is_live: bool) -> None:
    source, sink = FakeSource(20, is_live=is_live, blocks=True), FakeSink()
    cause = RuntimeError("out of memory")

    def fail(frame: Frame) -> None:
        raise cause

    session = session_of(source, sink, step=fail)
    session.start()
    with pytest.raises(RuntimeError) as caught:
        session.join()
    assert caught.value is cause
    assert session.state is State.FAILED
    assert source.closes >= 1
    assert sink.closed_by == "FakeSink"


def test_a_recorder_that_fails_while_inference_waits_for_it_ends_everything() -> None:
    source = FakeSource(500, blocks=True)
    waiting = threading.Event()

    def fail(result: FrameResult) -> None:
        assert waiting.wait(WAIT_S)
        raise SinkError("disk full")

    def note(frame: Frame) -> None:
        if frame.index == 9:  # One result with the recorder, eight in its mailbox: the next one must wait.
            waiting.set()

    broken, whole = FakeSink(step=fail), FakeSink()
    session = session_of(source, broken, whole, step=note)
    session.start()
    with pytest.raises(SinkError, match="disk full"):
        session.join()
    assert broken.closed_by
    assert whole.closed_by
    assert whole.indices == list(range(len(whole.indices)))


class BrokenAtClose(FakeSink):
    def close(self) -> None:
        super().close()
        raise SinkError("the second error")


def test_the_first_error_is_kept_and_the_others_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    def fail(frame: Frame) -> None:
        raise RuntimeError("the first error")

    session = session_of(FakeSource(5, blocks=True), BrokenAtClose(), step=fail)
    session.start()
    with pytest.raises(RuntimeError, match="the first error"):
        session.join()
    assert "the second error" in caplog.text


def test_a_recorder_that_cannot_finish_is_the_error_of_join() -> None:
    session = session_of(FakeSource(5), BrokenAtClose())
    session.start()
    with pytest.raises(SinkError, match="the second error"):
        session.join()
    assert session.state is State.FAILED


def test_a_live_stream_that_cannot_say_goodbye_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    session = session_of(FakeSource(5), BrokenAtClose("latest"), FakeSink())
    run(session)
    assert session.state is State.STOPPED
    assert "the second error" in caplog.text


def test_a_source_that_fails_keeps_what_was_recorded() -> None:
    source, sink = FakeSource(50, error_after=30, is_live=True), FakeSink()
    seen = threading.Semaphore(0)
    sink.step = lambda result: seen.release()
    source.step = lambda index: (index == 0 or seen.acquire(timeout=WAIT_S)) and None
    session = session_of(source, sink)
    session.start()
    with pytest.raises(SourceError, match="cable"):
        session.join()
    assert sink.indices[:29] == list(range(29))
    assert sink.closed_by == "FakeSink"


def test_a_dead_live_stream_is_detached_once_and_the_recording_is_complete() -> None:
    def fail(result: FrameResult) -> None:
        raise OSError("network unreachable")

    source, stream, recorder = FakeSource(100), FakeSink("latest", fail), FakeSink()
    session = session_of(source, stream, recorder)
    events = run(session)
    assert recorder.indices == list(range(100))
    assert [event.detached for event in events if event.detached] == ["FakeSink"]
    assert session.state is State.STOPPED
    assert stream.closed_by


def test_stop_from_outside_is_quick_and_keeps_what_was_accepted() -> None:
    source, sink = FakeSource(3, is_live=True, blocks=True), FakeSink()
    written = threading.Event()
    sink.step = lambda result: written.set()
    session = session_of(source, sink)
    session.start()
    assert written.wait(WAIT_S)
    begun_s = time.monotonic()
    session.stop()
    session.join()
    assert time.monotonic() - begun_s < 1.0
    assert session.state is State.STOPPED
    assert sink.indices
    assert sink.closed_by


def test_a_live_source_is_previewed_while_the_engine_loads_and_nothing_of_it_is_recorded() -> None:
    source, sink = FakeSource(60, is_live=True, blocks=True), FakeSink()
    previewed: list[int] = []
    seen, loaded = threading.Event(), threading.Event()

    def preview(frame: Frame) -> None:
        previewed.append(frame.index)
        if len(previewed) >= 3:
            seen.set()

    def make_perception() -> FakePerception:
        assert seen.wait(WAIT_S), "frames come before the engine is there"
        loaded.set()
        return FakePerception()

    source.step = lambda index: None if index < 50 else sessions[0].stop() if index == 59 else time.sleep(0.02)
    sessions = [session_of(source, sink, make_perception=make_perception, preview=preview)]
    sessions[0].start()
    assert loaded.wait(WAIT_S)
    sessions[0].join()
    assert previewed[:3] == [0, 1, 2]
    assert not set(previewed) & set(sink.indices)


def test_a_file_is_not_previewed_for_it_would_lose_frames() -> None:
    source, sink = FakeSource(5), FakeSink()
    previewed: list[Frame] = []
    run(session_of(source, sink, preview=previewed.append))
    assert sink.indices == [0, 1, 2, 3, 4]
    assert not previewed


def test_a_session_stopped_while_it_previews_ends() -> None:
    source = FakeSource(10_000, is_live=True)
    source.step = lambda index: time.sleep(0.001)
    seen, go = threading.Event(), threading.Event()

    def make_perception() -> FakePerception:
        assert go.wait(WAIT_S)
        return FakePerception()

    session = session_of(source, make_perception=make_perception, preview=lambda frame: seen.set())
    session.start()
    assert seen.wait(WAIT_S)
    session.stop()
    go.set()
    session.join()
    assert session.state is State.STOPPED


def test_stop_before_start() -> None:
    session = session_of(FakeSource(1))
    session.stop()
    session.join()
    assert session.state is State.STOPPED
    with pytest.raises(SessionError, match="make a new one"):
        session.start()


def test_start_twice_is_refused_and_stop_twice_is_not() -> None:
    session = session_of(FakeSource(1, blocks=True))
    session.start()
    with pytest.raises(SessionError):
        session.start()
    session.stop()
    session.stop()
    session.join()
    session.stop()
    session.join()


@pytest.mark.parametrize("state", [State.LOADING, State.RUNNING, State.STOPPING])
def test_stop_from_inside_a_callback(state: State) -> None:
    session = session_of(FakeSource(1000, blocks=state is not State.STOPPING), FakeSink())
    session.listen(lambda event: session.stop() if event.state is state else None)
    run(session)
    assert session.state is State.STOPPED


def test_a_failing_listener_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    sink = FakeSink()
    session = session_of(FakeSource(5), sink)

    def fail(event: Event) -> None:
        raise ValueError("listener")

    session.listen(fail)
    run(session)
    assert sink.indices == list(range(5))
    assert "a listener of the session has failed" in caplog.text


@pytest.mark.parametrize("part", ["make_source", "make_perception", "make_solver", "make_sink"])
def test_a_part_that_cannot_be_made_is_the_error_of_join(part: str) -> None:
    def fail(*_: object) -> Any:
        raise SinkError(f"{part} fails")

    source, sink = FakeSource(5, blocks=True), FakeSink()
    session = Session(
        fail if part == "make_source" else lambda: source,
        fail if part == "make_perception" else FakePerception,
        fail if part == "make_solver" else lambda perception: FakeSolver(),
        [sink.make, fail] if part == "make_sink" else [sink.make],
    )
    session.start()
    with pytest.raises(SinkError, match=part):
        session.join()
    assert session.state is State.FAILED
    assert source.given == 0
    assert (sink.made_by is None) or sink.closed_by


def test_each_part_is_closed_by_the_thread_that_made_it() -> None:
    source, sink = FakeSource(5), FakeSink()
    parts: list[FakePerception] = []

    def make() -> FakePerception:
        parts.append(FakePerception())
        return parts[0]

    run(session_of(source, sink, make_perception=make))
    assert parts[0].thread == parts[0].closed_by == "inference"
    assert source.closed_by == {"capture"}


def test_detections_that_can_wait_run_on_a_thread_of_the_session() -> None:
    names: list[str] = []

    class Aside(FakePerception):
        def see(self, frame: Frame) -> tuple[Tracks, Sighting, dict[str, float]]:
            names.append(self.submit(lambda image: threading.current_thread().name, IMAGE).result(WAIT_S))
            return super().see(frame)

    run(session_of(FakeSource(2), FakeSink(), make_perception=Aside))
    assert names == ["detection_0"] * 2
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("detection")]


def test_the_next_frame_is_looked_at_while_bodies_are_recovered() -> None:
    recovering, looked = threading.Event(), threading.Event()

    class Slow(FakePerception):
        def recover(self, tracks: Tracks, sighting: Sighting) -> tuple[Tracks, MeshResult]:
            recovering.set()
            assert looked.wait(WAIT_S)
            return super().recover(tracks, sighting)

    def step(frame: Frame) -> None:
        if frame.index == 1:
            assert recovering.wait(WAIT_S)
            looked.set()

    sink = FakeSink()
    run(session_of(FakeSource(3), sink, make_perception=lambda: Slow(step)))
    assert sink.indices == [0, 1, 2]


def test_a_solver_that_cannot_be_made_ends_the_session() -> None:
    perception = FakePerception()

    def make_solver(_: object) -> FakeSolver:
        raise SinkError("no body")

    session = session_of(
        FakeSource(5, is_live=True, blocks=True),
        FakeSink(),
        make_perception=lambda: perception,
        make_solver=make_solver,
    )
    session.start()
    with pytest.raises(SinkError, match="no body"):
        session.join()
    assert perception.closed_by is not None


def test_join_from_inside_is_refused() -> None:
    errors: list[SessionError] = []
    session = session_of(FakeSource(1), FakeSink())

    def join(event: Event) -> None:
        if event.state is State.RUNNING:
            try:
                session.join()
            except SessionError as error:
                errors.append(error)

    session.listen(join)
    run(session)
    assert len(errors) == 1


class StuckSource(FakeSource):
    """A device whose read returns only when it is released `closes_needed` times."""

    def __init__(self, closes_needed: int) -> None:
        super().__init__(1)
        self.closes_needed = closes_needed
        self.released = threading.Event()
        self.in_read = threading.Event()

    def __iter__(self) -> Iterator[Frame]:
        yield Frame(IMAGE, 0, 0, 0)
        self.in_read.set()
        assert self.released.wait(WAIT_S)

    def close(self) -> None:
        super().close()
        if self.closes == self.closes_needed:
            self.released.set()


def test_a_device_that_does_not_return_is_released_and_joined_again() -> None:
    source = StuckSource(closes_needed=2)
    session = session_of(source, patience=Patience(source_s=0.1))
    session.start()
    assert source.in_read.wait(WAIT_S)
    session.stop()
    session.join()
    assert session.state is State.STOPPED


def test_a_device_that_never_returns_is_named() -> None:
    source = StuckSource(closes_needed=99)
    session = session_of(source, patience=Patience(source_s=0.1))
    session.start()
    assert source.in_read.wait(WAIT_S)
    session.stop()
    with pytest.raises(SessionError, match="capture"):
        session.join()
    source.released.set()
    session.join()


def test_pictures_are_independent() -> None:
    perception, solver = FakePerception(), FakeSolver()
    session = session_of(FakeSource(4), make_perception=lambda: perception, make_solver=lambda _: solver, pictures=True)
    run(session)
    assert perception.pictures == 4
    assert solver.smooth == {False}


def test_sinks_are_told_of_source_and_body() -> None:
    sink = FakeSink()
    session = session_of(FakeSource(1), sink)
    run(session)
    assert sink.context is session.context
    assert sink.context is not None
    assert (sink.context.name, sink.context.fps, sink.context.size_wh) == ("fake", 30.0, (2, 2))
    assert sink.context.stats is session.stats
