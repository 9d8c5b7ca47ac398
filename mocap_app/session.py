"""The session: owns every thread and mailbox between the source and the sinks."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future, InvalidStateError, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from .capture import FrameSource, timed
from .errors import SessionError
from .events import Event, State
from .mailbox import Mailbox
from .sinks import MakeSink, Sink, SinkContext
from .stages import Outlook, PerceptionStage, Seen, SolverStage
from .stats import Stats
from .types import Frame, FrameResult
from .wishes import Wish

__all__ = ["Event", "Patience", "Session", "State"]

logger = logging.getLogger(__name__)

FRAMES_WAITING = 8
"""Frames of a file, and results for a recorder, that may wait in a mailbox."""
SWITCH_INTERVAL_S = 0.0005
"""A thread that wakes to send waits 5 ms behind a busy Python thread at the default interval, 0.65 ms at this."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long `join` waits for each kind of thread once a session was told to stop, seconds."""

    source_s: float = 3.0
    """For a device, twice: the second time after it was released under the reader."""
    inference_s: float = 60.0
    """For either of the two threads that look and solve."""
    sink_s: float = 600.0
    """Long: an hour's take is being written."""


Perception = TypeVar("Perception", bound=PerceptionStage)
T = TypeVar("T")


class Session:
    """Runs a source through perception and solver into sinks, once.

    Each part is made, used and closed by a thread of its own: the source by the capture thread, perception by the
    inference thread, the solver by the solving thread, each sink by its own. The solving thread recovers the bodies
    of one frame while the inference thread looks at the next, and detections that can wait run on a further thread.
    Every public method may be called from any thread.
    """

    def __init__(
        self,
        make_source: Callable[[], FrameSource],
        make_perception: Callable[[], Perception],
        make_solver: Callable[[Perception], SolverStage],
        make_sinks: Sequence[MakeSink],
        *,
        pictures: bool = False,
        patience: Patience | None = None,
        stats: Stats | None = None,
        preview: Callable[[Frame], None] | None = None,
    ) -> None:
        """Hold the factories; nothing is opened before `start`.

        Args:
            make_source: called by the capture thread.
            make_perception: called by the inference thread, which loads the weights.
            make_solver: called with the perception, by the solving thread.
            make_sinks: each is called by the sink's own thread, once source and solver are there.
            pictures: the frames are independent: no tracking, no filter.
            patience: how long `join` waits after `stop`.
            stats: where times and drops go; None makes new ones.
            preview: called by the capture thread with each frame of a live source while the engine loads; those
                frames go nowhere else. None leaves the source alone until the engine is there.
        """
        self.stats = stats or Stats()
        self._make_source = make_source
        self._make_perception = make_perception
        self._make_solver = make_solver
        self._pictures = pictures
        self._preview = preview
        self._patience = patience or Patience()
        self._lock = threading.RLock()
        self._listeners: list[Callable[[Event], None]] = []
        self._state = State.IDLE
        self._error: Exception | None = None
        self._started = False
        self._perception: object = None
        self._stopping = threading.Event()
        """Set by `stop` or a failure: what waits is thrown away."""
        self._finished = threading.Event()
        self._opened: Future[tuple[FrameSource, Mailbox[tuple[Frame, float]]]] = Future()
        self._perceived: Future[Outlook[Any]] = Future()
        self._loaded: Future[SinkContext] = Future()
        self._ready: Future[bool] = Future()
        self.mailboxes: dict[str, Mailbox[Any]] = {}
        """Those between the threads, by the name of their drops; for looking at their lengths."""
        self._solved = threading.Event()
        """Set when the solving thread needs perception no more."""
        self._wishes: deque[Wish] = deque()
        self._outlets: list[Future[Mailbox[FrameResult]]] = [Future() for _ in make_sinks]
        self._threads = [
            threading.Thread(target=self._run, args=(self._capture,), name="capture"),
            threading.Thread(target=self._run, args=(self._infer,), name="inference"),
            threading.Thread(target=self._run, args=(self._solve,), name="solving"),
        ]
        for number, (make, outlet) in enumerate(zip(make_sinks, self._outlets, strict=True), 1):
            self._threads.append(
                threading.Thread(target=self._run, args=(self._deliver, make, outlet), name=f"sink {number}")
            )
        self._alive = len(self._threads)
        self._switch_interval_s = sys.getswitchinterval()

    @property
    def state(self) -> State:
        """Where the session stands."""
        return self._state

    @property
    def error(self) -> Exception | None:
        """The first error, or None."""
        return self._error

    @property
    def context(self) -> SinkContext | None:
        """What is known of source and body once everything is loaded, None before."""
        done = self._loaded.done() and not self._loaded.cancelled()
        return self._loaded.result() if done else None

    @property
    def runtime(self) -> str:
        """What runs the engine's networks, as "onnxruntime"; empty before they are loaded, and where there are none."""
        return str(getattr(self._perception, "runtime", ""))

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Call `listener` for each event, from the thread that caused it; it may call `stop`, not `join`."""
        with self._lock:
            self._listeners.append(listener)

    def start(self) -> None:
        """Open and load everything in the background and run.

        Raises:
            SessionError: the session was started or stopped before.
        """
        with self._lock:
            if self._state is not State.IDLE:
                raise SessionError(
                    f"the session is {self._state.name.lower()}, expected one that was not started; make a new one"
                )
            self._state = State.LOADING
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        self._tell(Event(State.LOADING))
        for thread in self._threads:
            thread.start()
        self._started = True

    def ask(self, wish: Wish) -> None:
        """Have `wish` done before the next frame is looked at; never waits.

        Wishes are done in the order they came, and those about people who are not there are refused by a logged
        line. Before the session runs they wait for its first frame; after its end nothing happens.
        """
        self._wishes.append(wish)

    def stop(self) -> None:
        """Ask the session to end and return at once; what was recorded is kept. Harmless at any time."""
        with self._lock:
            if self._state is State.IDLE:
                self._state = State.STOPPED
                self._finished.set()
        if not self._finished.is_set():
            self._end()

    def join(self) -> None:
        """Wait until every thread has ended.

        Raises:
            SessionError: called from one of the session's own threads, or a part did not end in time.
            Exception: the first error of any part, as it was raised there.
        """
        if threading.current_thread() in self._threads:
            raise SessionError("join() was called by a thread of the session, expected another; call stop() there")
        # Short waits, for on Windows Ctrl-C does not interrupt a long one.
        while not (self._finished.wait(0.2) or (self._started and self._stopping.is_set())):
            pass
        stuck = self._join_threads() if self._started else []
        if self._error is not None:
            raise self._error
        if stuck:
            raise SessionError(f"{', '.join(stuck)} did not end in time; close the program and check that part")

    def _capture(self) -> None:
        self._check_going()
        source = self._make_source()
        frames: Mailbox[tuple[Frame, float]] = (
            # Not a lambda with self in it: a circle would keep the networks until Python's collector comes by.
            Mailbox(1, "latest", partial(self.stats.drop, "capture"))
            if source.is_live
            else Mailbox(FRAMES_WAITING, "all")
        )
        self.mailboxes["capture"] = frames
        try:
            offer(self._opened, (source, frames))
            if self._preview is None or not source.is_live:
                self._ready.result()
            for item in timed(source):
                if self._preview is not None and not self._ready.done():
                    self._preview(item[0])
                elif not (self._ready.result() and frames.put(item)):
                    break
        finally:
            frames.close()
            source.close()

    def _infer(self) -> None:
        self._check_going()
        perception = self._make_perception()
        seen: Mailbox[Seen] = Mailbox(1, "all")
        self.mailboxes["solve"] = seen
        self._perception = perception
        try:
            with ThreadPoolExecutor(1, "detection") as aside:
                perception.work_aside(aside.submit)
                source, frames = self._opened.result()
                offer(self._perceived, Outlook(perception, source, seen))
                for frame, capture_ms in frames:
                    if not seen.put(self._look(perception, frame, capture_ms)):
                        break
        except Exception as error:
            self._note(error)  # before the other threads are let go, whose errors come second
            raise
        finally:
            seen.close()
            if not self._perceived.cancel():
                self._solved.wait()
            perception.close()

    def _look(self, perception: PerceptionStage, frame: Frame, capture_ms: float) -> Seen:
        granted = self._granted(perception)
        tracks, sighting, stage_ms = (perception.see_picture if self._pictures else perception.see)(frame)
        return Seen(frame, tracks, sighting, {"capture": capture_ms, **stage_ms}, granted)

    def _granted(self, perception: PerceptionStage) -> tuple[Wish, ...]:
        """Have perception do what was asked; return what the solver has to know of, with the frame it begins at."""
        granted = []
        while self._wishes:
            wish = self._wishes.popleft()
            if perception.grant(wish):
                granted.append(wish)
        return tuple(granted)

    def _solve(self) -> None:
        try:
            outlook = self._perceived.result()
            try:
                self._solve_all(outlook)
            finally:
                outlook.seen.close(discard=True)
        finally:
            self._solved.set()

    def _solve_all(self, outlook: Outlook[Any]) -> None:
        try:
            solver = self._make_solver(outlook.perception)
            offer(self._loaded, self._context(outlook.source, solver))
            outlets = [outlet.result() for outlet in self._outlets]
            self._set_state(State.RUNNING)
            offer(self._ready, True)
            for seen in outlook.seen:
                result = self._result_of(seen, outlook.perception, solver)
                self.stats.frame_done(result.stage_ms)
                for mailbox in outlets:
                    mailbox.put(result)
        finally:
            self._set_state(State.STOPPING)
            for outlet in self._outlets:
                if not outlet.cancel():
                    outlet.result().close()

    def _deliver(self, make: MakeSink, outlet: Future[Mailbox[FrameResult]]) -> None:
        context = self._loaded.result()
        sink = make(context)
        name = name_of(sink)
        threading.current_thread().name = name
        capacity = 1 if sink.keep == "latest" else FRAMES_WAITING
        mailbox: Mailbox[FrameResult] = Mailbox(capacity, sink.keep, partial(self.stats.drop, name))
        self.mailboxes[name] = mailbox
        try:
            offer(outlet, mailbox)
            self._drain(sink, mailbox)
        except Exception:
            mailbox.close(discard=True)
            self._close_quietly(sink)
            raise
        mailbox.close(discard=True)
        if sink.keep == "all":
            sink.close()
        else:
            self._close_quietly(sink)

    def _close_quietly(self, sink: Sink) -> None:
        """Close a sink whose error would hide a first one, or end a session for a live stream's sake."""
        try:
            sink.close()
        except Exception as error:
            logger.error("%s: %s", name_of(sink), error)

    def _drain(self, sink: Sink, mailbox: Mailbox[FrameResult]) -> None:
        try:
            for result in mailbox:
                sink.write(result)
        except Exception as error:
            if sink.keep == "all":
                raise
            name = name_of(sink)
            self.stats.fail(name, str(error) or type(error).__name__)
            logger.warning("%s has failed and is detached, everything else goes on: %s", name, error)
            self._tell(Event(self._state, detached=name, error=error))

    def _result_of(self, seen: Seen, perception: PerceptionStage, solver: SolverStage) -> FrameResult:
        begun_ns = time.perf_counter_ns()
        tracks, meshes = perception.recover(seen.tracks, seen.sighting)
        recovered_ns = time.perf_counter_ns()
        for wish in seen.granted:
            solver.grant(wish)
        poses = solver.solve(seen.frame, tracks, meshes, smooth=not self._pictures)
        recover_ms = seen.stage_ms["recover"] + (recovered_ns - begun_ns) / 1e6
        solve_ms = (time.perf_counter_ns() - recovered_ns) / 1e6
        stage_ms = {**seen.stage_ms, "recover": recover_ms, "solve": solve_ms}
        return FrameResult(seen.frame, tracks, meshes, poses, stage_ms, solver.floor_y_m)

    def _context(self, source: FrameSource, solver: SolverStage) -> SinkContext:
        return SinkContext(
            name=source.name,
            fps=source.fps,
            size_wh=source.size_wh,
            is_live=source.is_live,
            frame_count=source.frame_count,
            body_model=solver.body_model,
            skeleton=solver.skeleton,
            stats=self.stats,
            picture_names=source.picture_names,
            source_path=source.path,
        )

    def _check_going(self) -> None:
        if self._stopping.is_set():
            raise CancelledError

    def _run(self, body: Callable[..., None], *args: object) -> None:
        """Run the body of one thread; the one place where every exception is caught."""
        try:
            body(*args)
        except CancelledError:
            logger.debug("%s: gave up, for the session ends", threading.current_thread().name)
        except Exception as error:
            self._fail(error)
        finally:
            self._leave()

    def _note(self, error: Exception) -> None:
        """Keep the first error; a session that was told to end has none."""
        with self._lock:
            if self._error is None and not isinstance(error, CancelledError):
                self._error = error

    def _fail(self, error: Exception) -> None:
        self._note(error)
        if self._error is not error:
            logger.error("%s: %s", threading.current_thread().name, error)
        self._end()

    def _end(self) -> None:
        """Ask the source to end and wake everything that waits."""
        self._stopping.set()
        self._set_state(State.STOPPING)
        waits: tuple[Future[Any], ...] = (self._opened, self._perceived, self._loaded, self._ready, *self._outlets)
        for waited in waits:
            waited.cancel()
        if self._opened.done() and not self._opened.cancelled():
            source, frames = self._opened.result()
            source.close()
            frames.close(discard=True)

    def _leave(self) -> None:
        with self._lock:
            self._alive -= 1
            last = self._alive == 0
        if last:
            sys.setswitchinterval(self._switch_interval_s)
            self._set_state(State.FAILED if self._error is not None else State.STOPPED)
            self._finished.set()

    def _set_state(self, state: State) -> None:
        """Move to `state` unless the session is there or beyond, and tell the listeners."""
        with self._lock:
            if state.value <= self._state.value:
                return
            self._state = state
        self._tell(Event(state, error=self._error))

    def _tell(self, event: Event) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(event)
            except Exception:
                logger.exception("a listener of the session has failed at %s", event)

    def _join_threads(self) -> list[str]:
        """Join every thread; return the names of those that did not end in time."""
        capture, inference, solving, *sinks = self._threads
        capture.join(self._patience.source_s)
        if capture.is_alive() and self._opened.done() and not self._opened.cancelled():
            logger.warning("the source does not return yet: closing it once more")
            self._opened.result()[0].close()
            capture.join(self._patience.source_s)
        for thread in (inference, solving):
            thread.join(self._patience.inference_s)
        for sink in sinks:
            sink.join(self._patience.sink_s)
        return [thread.name for thread in self._threads if thread.is_alive()]


def name_of(sink: Sink) -> str:
    """Return the name under which a sink's drops and failures are told."""
    return str(getattr(sink, "name", type(sink).__name__))


def offer(future: Future[T], value: T) -> None:
    """Set the result of `future`; CancelledError when the session was ended first."""
    try:
        future.set_result(value)
    except InvalidStateError:
        raise CancelledError from None
