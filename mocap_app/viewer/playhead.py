"""Where a take is being played. No Qt, no timer: time comes from a clock, and is asked for."""

from __future__ import annotations

import time
from collections.abc import Callable

SPEEDS = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
"""What can be chosen, times the speed it was recorded at."""
SHORTEST_SPAN_S = 1e-3
"""In and out are no nearer than this, or one instant if a take is shorter."""


class Playhead:
    """A place in a take, in seconds from its first instant, that moves while it plays.

    `time_s` may be read at any time and never waits. Used by one thread.
    """

    def __init__(self, duration_s: float = 0.0, fps: float = 30.0, clock: Callable[[], float] = time.monotonic) -> None:
        """Stand at the beginning of a take.

        Args:
            duration_s: from its first instant to its last, 0 or more.
            fps: how long a step is: one frame.
            clock: seconds, rising.
        """
        self._clock = clock
        self._speed = 1.0
        self.loop = False
        """Begin again at the in point instead of stopping at the out point."""
        self.load(duration_s, fps)

    def load(self, duration_s: float, fps: float = 30.0) -> None:
        """Stand, paused, at the beginning of another take, without in and out points; loop and speed stay."""
        self.duration_s = max(0.0, duration_s)
        self.fps = fps if fps > 0 else 30.0
        self._in_s: float | None = None
        self._out_s: float | None = None
        self._playing = False
        self._place(0.0)

    # Where it is ---------------------------------------------------------------------------------------------------

    @property
    def time_s(self) -> float:
        """Where the take is now, seconds; reading it ends play at the out point, or begins again at the in point."""
        if not self._playing:
            return self._anchor_s
        place = self._anchor_s + (self._clock() - self._begun) * self._speed
        begin, end = self.span_s
        if place < end:
            return place
        if not self.loop or end <= begin:
            self._playing = False
            self._place(end)
        else:
            self._place(begin + (place - begin) % (end - begin))
        return self._anchor_s

    @property
    def frame(self) -> int:
        """Number of the frame shown, from 0."""
        return round(self.time_s * self.fps)

    @property
    def is_playing(self) -> bool:
        """Whether time moves; asked after its end it says so."""
        return self._playing and (self.time_s, self._playing)[1]

    @property
    def span_s(self) -> tuple[float, float]:
        """From where to where it plays: in and out, or the ends of the take."""
        return (
            0.0 if self._in_s is None else self._in_s,
            self.duration_s if self._out_s is None else self._out_s,
        )

    @property
    def in_s(self) -> float | None:
        """The in point, None where there is none."""
        return self._in_s

    @property
    def out_s(self) -> float | None:
        """The out point, None where there is none."""
        return self._out_s

    @property
    def speed(self) -> float:
        """How fast it plays, times the speed it was recorded at."""
        return self._speed

    # Moving it -----------------------------------------------------------------------------------------------------

    def play(self) -> None:
        """Play from here; from the in point where it stands at the out point or outside both."""
        begin, end = self.span_s
        here = self.time_s
        if end <= begin:
            return
        self._place(begin if not begin <= here < end - SHORTEST_SPAN_S / 2 else here)
        self._playing = True

    def pause(self) -> None:
        """Stand still here."""
        self._place(self.time_s)
        self._playing = False

    def toggle(self) -> None:
        """Play or pause."""
        if self.is_playing:
            self.pause()
        else:
            self.play()

    def seek(self, time_s: float) -> None:
        """Go to `time_s`, at most to the ends of the take; play goes on from there, or ends beyond the out point."""
        self._place(time_s)

    def step(self, frames: int) -> None:
        """Pause, and go so many frames on (back, below 0), to where a frame stands."""
        self.pause()
        self._place((round(self._anchor_s * self.fps) + frames) / self.fps)

    def home(self) -> None:
        """Go to the in point, or to the beginning where it stands there already."""
        begin, _ = self.span_s
        self.seek(0.0 if abs(self.time_s - begin) < SHORTEST_SPAN_S else begin)

    def end(self) -> None:
        """Pause at the out point, or at the end where it stands there already."""
        self.pause()
        _, end = self.span_s
        self.seek(self.duration_s if abs(self._anchor_s - end) < SHORTEST_SPAN_S else end)

    # What it plays -------------------------------------------------------------------------------------------------

    def set_in(self, time_s: float | None = None) -> None:
        """Put the in point at `time_s`, or here; an out point before it goes away."""
        place = self._inside(self.time_s if time_s is None else time_s)
        place = min(place, max(0.0, self.duration_s - SHORTEST_SPAN_S))
        if self._out_s is not None and self._out_s - place < SHORTEST_SPAN_S:
            self._out_s = None
        self._in_s = place
        self._place(self.time_s)

    def set_out(self, time_s: float | None = None) -> None:
        """Put the out point at `time_s`, or here; an in point after it goes away."""
        place = self._inside(self.time_s if time_s is None else time_s)
        place = max(place, min(SHORTEST_SPAN_S, self.duration_s))
        here = self.time_s
        if self._in_s is not None and place - self._in_s < SHORTEST_SPAN_S:
            self._in_s = None
        self._out_s = place
        self._place(here)

    def clear_span(self) -> None:
        """Play the whole take: no in and no out point."""
        here = self.time_s
        self._in_s = self._out_s = None
        self._place(here)

    def set_speed(self, speed: float) -> None:
        """Play so many times as fast, from here on.

        Raises:
            ValueError: not from 0.25 to 2.
        """
        if not SPEEDS[0] <= speed <= SPEEDS[-1]:
            raise ValueError(f"speed: found {speed}, expected {SPEEDS[0]} to {SPEEDS[-1]}")
        self._place(self.time_s)
        self._speed = speed

    def _inside(self, time_s: float) -> float:
        return min(max(time_s, 0.0), self.duration_s)

    def _place(self, time_s: float) -> None:
        self._anchor_s = self._inside(time_s)
        self._begun = self._clock()
