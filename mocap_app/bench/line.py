"""One session, run to its end and measured: times, processor, memory, lengths of the mailboxes."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial

from engines.types import BodyModel, FloatArray, Image, MeshEngine, MeshResult, Regions, Sighting

from ..capture import FrameSource, open_source
from ..config import AppConfig, CaptureConfig
from ..motion.solver import MotionSolver
from ..perception import Perception
from ..pipeline import build_perception, motion_sinks
from ..session import Event, Session, State
from ..sinks import MakeSink, SinkContext
from ..stats import Summary
from .memory import Sample, resident_mb
from .sources import LoopedSource

POLL_S = 0.05
ENDED = (State.STOPPED, State.FAILED)
MakeSource = Callable[[], FrameSource]


@dataclass(frozen=True, slots=True)
class Run:
    """One session, measured."""

    context: SinkContext
    summary: Summary
    ready_s: float
    """From the start of the session to the first frame asked for: loading, in a program that has loaded nothing yet."""
    cpu_ms_per_frame: float
    """Processor time of all threads."""
    memory: tuple[Sample, ...]
    longest: dict[str, int]
    """Most frames or results that ever waited, by the mailbox."""


class MemoryLog:
    """Looks at the memory at the start, every so many seconds or frames, and once all was released."""

    def __init__(
        self, every_s: float = 5.0, every_frames: int = 0, tell: Callable[[Sample], None] | None = None
    ) -> None:
        """Look every `every_frames` frames where that is not 0, else every `every_s` seconds; `tell` each look."""
        self.samples: list[Sample] = []
        self._step = float(every_frames or every_s)
        self._by_frames = every_frames > 0
        self._due = self._step
        self._tell = tell

    def look(self, elapsed_s: float, frames: int, at_once: bool = False) -> None:
        """Look if it is time, or `at_once`."""
        reached = frames if self._by_frames else elapsed_s
        if reached < self._due and not at_once:
            return
        while self._due <= reached:
            self._due += self._step
        self.samples.append(Sample(round(elapsed_s, 3), frames, resident_mb()))
        if self._tell is not None:
            self._tell(self.samples[-1])


@dataclass(slots=True)
class _Moments:
    """Wall and processor clock at each state of a session."""

    begun_s: float = field(default_factory=time.monotonic)
    entered: dict[State, tuple[float, float]] = field(default_factory=dict)

    def note(self, event: Event) -> None:
        self.entered.setdefault(event.state, (time.monotonic(), time.process_time()))


class SlowedEngine:
    """An engine that sleeps before each look: for showing what a slow one does to a live run."""

    def __init__(self, engine: MeshEngine, slower_ms: float) -> None:
        """Own `engine`."""
        self._engine, self._slower_s = engine, slower_ms / 1e3
        self.body_model: BodyModel = engine.body_model

    @property
    def runtime(self) -> str:
        """What runs the engine's networks."""
        return self._engine.runtime

    def see(self, image: Image, regions: Regions, intrinsics: FloatArray | None = None) -> Sighting:
        """Sleep, then look; nobody costs nothing."""
        if len(regions):
            time.sleep(self._slower_s)
        return self._engine.see(image, regions, intrinsics)

    def recover(self, sighting: Sighting) -> MeshResult:
        """Return the bodies of what was seen."""
        return self._engine.recover(sighting)

    def predict(self, image: Image, regions: Regions, intrinsics: FloatArray | None = None) -> MeshResult:
        """Do both."""
        return self.recover(self.see(image, regions, intrinsics))

    def close(self) -> None:
        """Close the engine."""
        self._engine.close()


def video_source(capture: CaptureConfig, looped_s: float | None = None) -> MakeSource:
    """Return what opens the video of `capture`, looped to so many seconds where that is asked for."""
    if looped_s is not None:
        return lambda: LoopedSource(capture, duration_s=looped_s)
    return partial(open_source, capture)


def run_line(
    config: AppConfig,
    make_source: MakeSource,
    watchers: Sequence[MakeSink] = (),
    slower_ms: float = 0.0,
    memory: MemoryLog | None = None,
) -> Run:
    """Run the whole line over a source, to its end.

    Args:
        config: What engine, detector, motion and sinks are; its `capture` is not read.
        make_source: Opens the source.
        watchers: Further sinks.
        slower_ms: Slept by the engine before each look.
        memory: When to look at the memory; None looks every five seconds.

    Raises:
        MocapError: The source cannot be read, or a part fails.
    """

    def make_perception() -> Perception:
        perception = build_perception(config)
        if slower_ms > 0:
            perception.engine = SlowedEngine(perception.engine, slower_ms)
        return perception

    def make_solver(perception: Perception) -> MotionSolver:
        return MotionSolver(perception.engine.body_model, config.motion)

    session = Session(make_source, make_perception, make_solver, [*motion_sinks(config), *watchers])
    log, moments = memory or MemoryLog(), _Moments()
    session.listen(moments.note)
    _wait(session, moments, log)
    summary, context = session.stats.summary(), session.context
    assert context is not None, "a session that ended well knows its source"
    (ready_s, cpu_begun_s), (_, cpu_ended_s) = moments.entered[State.RUNNING], moments.entered[State.STOPPING]
    return Run(
        context=context,
        summary=summary,
        ready_s=ready_s - moments.begun_s,
        cpu_ms_per_frame=(cpu_ended_s - cpu_begun_s) * 1e3 / max(summary.frames, 1),
        memory=tuple(log.samples),
        longest={name: mailbox.longest for name, mailbox in session.mailboxes.items()},
    )


def _wait(session: Session, moments: _Moments, log: MemoryLog) -> None:
    """Start the session and wait for its end, looking at the memory on the way."""
    session.start()
    try:
        while session.state not in ENDED:
            time.sleep(POLL_S)
            if session.state is State.RUNNING:  # and not while it ends, when engines are released
                elapsed_s = time.monotonic() - moments.entered[State.RUNNING][0]
                log.look(elapsed_s, session.stats.frames, at_once=not log.samples)
    except KeyboardInterrupt:
        session.stop()
        session.join()
        raise
    session.join()
    log.look(time.monotonic() - moments.entered[State.RUNNING][0], session.stats.frames, at_once=True)


def without_outputs(config: AppConfig) -> AppConfig:
    """Return `config` with no output at all."""
    record = replace(config.record, folder="", save_video="", overlay="")
    off = {name: replace(getattr(config, name), host="") for name in ("osc", "vrchat", "web")}
    return replace(config, record=record, **off)


@contextmanager
def without_news_of_takes() -> Iterator[None]:
    """Keep quiet about files that are about to be thrown away."""
    logs = [logging.getLogger(name) for name in ("mocap_app.sinks", "exporters")]
    levels = [log.level for log in logs]
    for log in logs:
        log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for log, level in zip(logs, levels, strict=True):
            log.setLevel(level)
