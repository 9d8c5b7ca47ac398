"""Camera frame -> world frame: which way is up, and where the floor is."""

from __future__ import annotations

from collections import deque

import numpy as np

SETTLING_S = 1.0
"""After which the floor moves only slowly."""
SETTLING_SPEED_M_S = 1.0
LOWERING_SPEED_M_S = 0.06
"""2 mm per frame at 30 frames a second: unseen, yet somebody first seen on a stair gets down in seconds."""
RAISING_SPEED_M_S = 0.006
"""Ten times slower: whoever jumps or stands on a chair must not lift the floor."""
LOW_PERCENTILE = 10.0
"""Of the heights of the lower foot; a foot is on the floor most of the time, and below it by mistake alone."""
MEMORY_S = 20.0
LONGEST_STEP_S = 0.1
"""After a pause the floor goes on as if no more time than this had passed."""


def world_from_camera(pitch_deg: float) -> np.ndarray:
    """Return the `(3, 3)` float64 rotation, camera axes -> world axes, of a camera that looks down by `pitch_deg`.

    A level camera's frame is turned half round x: what it faces lies towards -z, and who faces it faces +z.
    """
    pitch = np.deg2rad(pitch_deg)
    cosine, sine = np.cos(pitch), np.sin(pitch)
    # Rx(-pitch) @ diag(1, -1, -1)
    return np.array([[1.0, 0.0, 0.0], [0.0, -cosine, -sine], [0.0, sine, -cosine]])


class Floor:
    """Height of the floor relative to the camera, estimated from the soles of those who stand on it.

    It starts at the first soles seen, settles within a second of sight of feet, and then follows a low percentile
    of the last 20 seconds at no more than 0.06 m/s down and 0.006 m/s up, so that nobody is seen to jump. Soles
    that are guessed (feet out of the picture) count until the first ones are seen, when it settles once more.
    """

    def __init__(self) -> None:
        self.y_m: float | None = None
        """Metres above the camera (so below 0, normally); None before anybody was seen."""
        self._seen: deque[tuple[int, float]] = deque()
        self._guessed: deque[tuple[int, float]] = deque()
        self._settled_s = 0.0
        self._last_ns: int | None = None

    def update(self, soles_y_m: list[float], credible: list[bool], timestamp_ns: int) -> float:
        """Take the height of each person's lower sole and return the floor's; 0 while nobody was ever seen."""
        if any(credible) and not self._seen:
            self._settled_s = 0.0
        for height, is_credible in zip(soles_y_m, credible, strict=True):
            (self._seen if is_credible else self._guessed).append((timestamp_ns, height))
        self._forget(timestamp_ns)
        step_s = self._step(timestamp_ns)
        heights = [height for _, height in self._seen or self._guessed]
        if heights:
            self._approach(float(np.percentile(heights, LOW_PERCENTILE)), step_s)
        if heights:
            self._settled_s += step_s
        return self.y_m if self.y_m is not None else 0.0

    def _approach(self, target_m: float, step_s: float) -> None:
        if self.y_m is None:
            self.y_m = target_m
        elif self._settled_s < SETTLING_S:
            self.y_m += float(np.clip(target_m - self.y_m, -SETTLING_SPEED_M_S * step_s, SETTLING_SPEED_M_S * step_s))
        else:
            self.y_m += float(np.clip(target_m - self.y_m, -LOWERING_SPEED_M_S * step_s, RAISING_SPEED_M_S * step_s))

    def _step(self, timestamp_ns: int) -> float:
        last_ns, self._last_ns = self._last_ns, timestamp_ns
        return 0.0 if last_ns is None else min(max((timestamp_ns - last_ns) / 1e9, 0.0), LONGEST_STEP_S)

    def _forget(self, timestamp_ns: int) -> None:
        for heights in (self._seen, self._guessed):
            # The newest ones stay however old they are: nobody in view is no reason to lose the floor.
            while len(heights) > 1 and timestamp_ns - heights[0][0] > MEMORY_S * 1e9:
                heights.popleft()
