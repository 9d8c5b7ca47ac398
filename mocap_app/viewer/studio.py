"""The life of sessions behind one window, without Qt: start, stop, follow one another, survive failures.

Nothing here waits and nothing here starts a thread: a timer calls `poll`, which looks and moves on.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ..config import AppConfig, CaptureConfig
from ..errors import MocapError
from ..session import Event, Session, State
from ..sinks import MakeSink, SinkContext
from ..stats import Summary
from ..types import Frame
from ..wishes import Smooth, Wish
from . import wording
from .sinks import RecordSwitch, ShownPictures, ViewSink, preview_into
from .sources import demo_of, is_preview, preview_of, whole_of
from .state import Phase, Recording, RecordPlan, ViewState
from .take_names import check_pattern, source_word
from .wording import Notice

logger = logging.getLogger(__name__)

BuildSession = Callable[[AppConfig, Sequence[MakeSink], Callable[[Frame], None]], Session]
ASK_AGAIN_S = 2.5
"""A source that does not return so long after it was told to end is told again, which releases its device."""


def build(config: AppConfig, watchers: Sequence[MakeSink], preview: Callable[[Frame], None]) -> Session:
    """Return a session; what it needs is imported here, once the window is visible."""
    from ..pipeline import build_session

    return build_session(config, watchers, preview)


class Studio:
    """Owns one session at a time. Belongs to the window's thread."""

    def __init__(self, config: AppConfig, build: BuildSession = build) -> None:
        """Hold the settings; nothing is opened before `start`."""
        self._build = build
        self._config = config
        self._session: Session | None = None
        self._switches: list[RecordSwitch] = []
        self._events: deque[Event] = deque()
        self._next: AppConfig | None = None
        self._takes_seen = 0
        self._count_in_ends_s: float | None = None
        self._stop_asked_s: float | None = None
        self._begun_s = 0.0
        self._is_closed = False
        self._records_once = bool(config.record.folder) and config.capture.source != "images"
        self._after_take: AppConfig | None = None
        self._before_demo: AppConfig | None = None
        self.pictures = ShownPictures()
        self.view = ViewState(config.viewer.show_mesh, config.viewer.show_skeleton)
        self.plan = RecordPlan(
            Path(config.record.folder or config.viewer.folder),
            config.record.formats,
            source=source_word(config.capture),
        )
        self.phase = Phase.EMPTY
        self.notice: Notice | None = None
        """What the banner says; None for nothing."""
        self.error: Exception | None = None
        """What the last session failed of."""
        self.sessions = 0
        """How many were started, so that a new one is noticed."""
        self.new_takes: list[Path] = []
        """Files of takes that were finished; whoever shows them empties the list."""

    # What is asked for

    @property
    def config(self) -> AppConfig:
        """The settings that run, or will as soon as the session before has ended."""
        return self._next or self._config

    @property
    def capture(self) -> CaptureConfig:
        """The source that runs, or will."""
        return self.config.capture

    def start(self, config: AppConfig | None = None) -> None:
        """Run with `config` (None: as before), after whatever runs now has ended."""
        if self._is_closed:
            return
        self._next = config or self.config
        self.error = None
        self.view.wants_recording = False  # in the session that ends; the next one is told when it begins
        self._count_in_ends_s = None
        if self._session is None:
            self._begin_next()
        else:
            self._stop_session()

    def apply(self, config: AppConfig) -> None:
        """Take over changed settings: at once where that is possible, with the next session where it is not."""
        before = self.config
        self.plan = replace(self.plan, formats=config.record.formats)
        if config.viewer.folder != before.viewer.folder:
            self.plan = replace(self.plan, folder=Path(config.viewer.folder))
        self.view.show_mesh, self.view.show_skeleton = config.viewer.show_mesh, config.viewer.show_skeleton
        if self._before_demo is not None:
            self._before_demo = _but_for_the_demo(config, self._before_demo)
        if self.phase in (Phase.EMPTY, Phase.ENDED, Phase.FAILED) or _runs_alike(before, config):
            if config.motion.smoothing != before.motion.smoothing:
                self.ask(Smooth(config.motion.smoothing))
            self._keep(config)
        elif self.is_recording:
            self._after_take = config
            self.notice = wording.ENGINE_WAITS
        else:
            self.start(config)

    def choose(self, capture: CaptureConfig) -> None:
        """Change to another source; a take being recorded is finished first."""
        self._records_once = False
        config, self._before_demo = self._before_demo or self.config, None
        self.start(replace(config, capture=capture))

    def start_demo(self) -> None:
        """Play the demo actor; the next source brings back the settings from before."""
        self._records_once = False
        self._before_demo = self._before_demo or self.config
        self.start(demo_of(self._before_demo))

    @property
    def is_demo(self) -> bool:
        """Whether the demo actor plays, or will."""
        return self._before_demo is not None

    def stop(self) -> None:
        """Ask the session to end; what was recorded is kept."""
        self._next = None
        self._count_in_ends_s = None
        if self._session is not None:
            self._stop_session()

    def try_again(self) -> None:
        """Run as before, after a failure or an end."""
        self._records_once = False
        capture = self.capture
        self.start(replace(self.config, capture=preview_of(capture) if capture.source == "video" else capture))

    def close(self) -> None:
        """End for good; returns at once."""
        self.stop()
        self._is_closed = True

    def join(self) -> None:
        """Wait until the last session has ended; for when the window is gone.

        Raises:
            Exception: What the last session failed of, now or before.
        """
        if self._session is not None:
            self._session.join()
        if self.error is not None and self._session is None and self.phase is Phase.FAILED:
            raise self.error

    # Recording

    @property
    def recording(self) -> Recording:
        """How far recording is."""
        return self._switches[-1].recording if self._switches else Recording()

    @property
    def is_recording(self) -> bool:
        """Whether a take is being recorded, or is about to with the next frame."""
        return self.view.wants_recording or self.recording.is_running or self.recording.is_saving

    @property
    def count_in_left_s(self) -> float | None:
        """Seconds until recording begins; None while nothing is counted."""
        if self._count_in_ends_s is None:
            return None
        return max(0.0, self._count_in_ends_s - time.monotonic())

    @property
    def why_not_record(self) -> str:
        """Why nothing can be recorded now, in words; empty where something can."""
        if self.capture.source == "images":
            return "Pictures are no motion: nothing can be recorded of them. Choose a camera or a video."
        if self.phase in (Phase.EMPTY, Phase.FAILED):
            return "There is nothing to record yet: choose a camera or a video first."
        if self.phase in (Phase.LOADING, Phase.STOPPING):
            return "One moment: recording is possible as soon as the picture is there."
        if self.phase is Phase.ENDED and self.capture.source != "video":
            return "The source has ended: start it again first."
        try:
            check_pattern(self.plan.pattern)
        except MocapError as error:
            return str(error)
        return ""

    def toggle_recording(self) -> None:
        """Begin, break off the count-in, or end a take."""
        if self._count_in_ends_s is not None:
            self._count_in_ends_s = None
        elif self.view.wants_recording:
            self._end_take()
        elif self.why_not_record:
            self.notice = Notice("note", "Nothing is recorded", self.why_not_record)
        elif is_preview(self.capture) or self.phase is Phase.ENDED:
            self._record_whole_video()
        elif self.plan.count_in_s:
            self._count_in_ends_s = time.monotonic() + self.plan.count_in_s
        else:
            self._begin_take()

    def _begin_take(self) -> None:
        self._count_in_ends_s = None
        self.notice = None
        self.view.wants_recording = True

    def _end_take(self) -> None:
        self.view.wants_recording = False
        if self.capture.source == "video" and not self.capture.loop:
            self._next = replace(self.config, capture=preview_of(self.capture))
            self._stop_session()

    def _record_whole_video(self) -> None:
        """Read a video anew from its beginning, every frame of it, into a take."""
        self._records_once = True
        self.notice = None
        self.start(replace(self.config, capture=whole_of(self.capture)))

    def ask(self, wish: Wish) -> None:
        """Have something done about the people in view: pin, swap, merge."""
        if self._session is not None:
            self._session.ask(wish)

    # Sessions

    def poll(self) -> None:
        """Look what has happened and move on; never waits. Called often, by a timer."""
        while self._events:
            self._hear(self._events.popleft())
        if self._count_in_ends_s is not None and time.monotonic() >= self._count_in_ends_s:
            self._begin_take()
        self._notice_takes()
        session = self._session
        if session is None:
            return
        if session.state in (State.STOPPED, State.FAILED):
            self._leave(session)
        elif session.state is State.RUNNING and self.phase is Phase.LOADING:
            self.phase = Phase.RUNNING
            if self.notice is not None and self.notice.kind == "note":  # it was about the waiting
                self.notice = None
        elif self._stop_asked_s is not None and time.monotonic() - self._stop_asked_s > ASK_AGAIN_S:
            session.stop()
            self._stop_asked_s = time.monotonic()

    @property
    def context(self) -> SinkContext | None:
        """What is known of source and body; None before they are there."""
        return self._session.context if self._session is not None else None

    @property
    def summary(self) -> Summary | None:
        """The measurements of the session that runs."""
        return self._session.stats.summary() if self._session is not None else None

    @property
    def runtime(self) -> str:
        """What runs the engine's networks, as "onnxruntime"; empty before they are loaded."""
        return self._session.runtime if self._session is not None else ""

    @property
    def frames(self) -> int:
        """Frames that the session that runs has finished."""
        return self._session.stats.frames if self._session is not None else 0

    @property
    def loading_s(self) -> float:
        """Seconds since the session was started."""
        return time.monotonic() - self._begun_s

    def _begin_next(self) -> None:
        config, self._next = self._next, None
        if config is None:
            return
        self._config = config
        self.plan = replace(self.plan, source=source_word(config.capture))
        self._switches.clear()
        self._takes_seen = 0
        self._stop_asked_s = None
        self.view.wants_recording, self._records_once = self._records_once, False
        self._begun_s = time.monotonic()
        try:
            session = self._build(_without_take(config), self._watchers(config), self._preview)
        except MocapError as error:
            self._fail(error)
            return
        session.listen(self._events.append)
        self._session = session
        self.phase = Phase.LOADING
        self.sessions += 1
        if self.notice is not None and self.notice.kind != "done":
            self.notice = None
        session.start()

    def _preview(self, frame: Frame) -> None:
        preview_into(self.pictures, self.view, frame)

    def _watchers(self, config: AppConfig) -> list[MakeSink]:
        def make_view(context: SinkContext) -> ViewSink:
            return ViewSink(self.pictures, self.view, context, config.motion.camera_pitch_deg)

        def metadata() -> dict:
            from ..pipeline import metadata

            return metadata(config)

        def make_switch(context: SinkContext) -> RecordSwitch:
            switch = RecordSwitch(self.view, lambda: self.plan, context, metadata)
            self._switches.append(switch)
            return switch

        return [make_view] if config.capture.source == "images" else [make_view, make_switch]

    def _stop_session(self) -> None:
        if self._session is not None:
            self.phase = Phase.STOPPING
            self._stop_asked_s = time.monotonic()
            self._session.stop()

    def _leave(self, session: Session) -> None:
        """Let go of a session whose threads have all ended, and go on with the next."""
        # Its error is asked for below; the join itself returns at once, for nothing runs any more.
        with suppress(Exception):
            session.join()
        self._notice_takes()
        saved = self.recording.written if self.recording.took else ()
        was_asked = self._stop_asked_s is not None
        self._session = None
        self.view.wants_recording = False
        if session.error is not None:
            self._next = None
            self._fail(session.error, saved)
        elif self._next is not None:
            self._begin_next()
        else:
            self._end(saved, was_asked)

    def _end(self, saved: Sequence[Path], was_asked: bool) -> None:
        self.phase = Phase.ENDED
        if self._is_closed:
            return
        if not was_asked:
            self.notice = wording.ended(saved, self.capture.source == "video")
        if not was_asked and self.capture.source == "video" and not self.capture.loop and saved:
            self._config = replace(self._config, capture=preview_of(self.capture))

    def _fail(self, error: Exception, saved: Sequence[Path] = ()) -> None:
        logger.error("the session has failed: %s", error)
        self.phase = Phase.FAILED
        self.view.wants_recording = self._records_once = False
        self.error = error
        self._count_in_ends_s = None
        self.notice = wording.failure(error, saved)

    def _hear(self, event: Event) -> None:
        if event.detached:
            self.notice = wording.detached(event.detached, event.error)

    def _notice_takes(self) -> None:
        recording = self.recording
        if recording.took <= self._takes_seen:
            return
        self._takes_seen = recording.took
        self.new_takes += recording.written
        self.notice = wording.saved_take(recording.written) if recording.written else wording.NOBODY_RECORDED
        if self._after_take is not None and not self.view.wants_recording:
            config, self._after_take = self._after_take, None
            self.start(config)

    def _keep(self, config: AppConfig) -> None:
        """Take over settings that change nothing in what runs."""
        if self._next is not None:
            self._next = config
        else:
            self._config = config


def _runs_alike(before: AppConfig, after: AppConfig) -> bool:
    """Say whether a session with `before` can go on with `after`: what differs is the window's, or can be asked for."""
    motion = replace(before.motion, smoothing=after.motion.smoothing)
    return replace(before, record=after.record, viewer=after.viewer, motion=motion) == after


def _but_for_the_demo(config: AppConfig, own: AppConfig) -> AppConfig:
    """Return `config` with source and camera of `own`: those of the demo are nobody's settings."""
    pitch_deg, focal_px = own.motion.camera_pitch_deg, own.motion.focal_px
    motion = replace(config.motion, camera_pitch_deg=pitch_deg, focal_px=focal_px)
    return replace(config, capture=own.capture, motion=motion)


def _without_take(config: AppConfig) -> AppConfig:
    """Return the settings of a session that leaves takes to the window's button; pictures have no other way."""
    if config.capture.source == "images":
        return config
    return replace(config, record=replace(config.record, folder=""))
