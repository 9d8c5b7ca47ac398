"""A body that turns round from one frame to the next was seen wrongly: left for right, or back for front."""

from __future__ import annotations

import numpy as np

from exporters.rotations import inverse, multiply, rotvec_from_quaternion

FLIP_ANGLE_RAD = 1.6
FLIP_SPEED_RAD_S = 25.0
"""Four turns a second; the fastest dancers make two."""
LONGEST_HOLD_S = 0.2
"""A turn that lasts is believed in the end."""


class FlipGate:
    """Holds the last believable rotations of one person for as long as the root has turned impossibly fast."""

    def __init__(self) -> None:
        self._believed: np.ndarray | None = None
        self._held_s = 0.0

    def __call__(self, rotations_wxyz: np.ndarray, step_s: float) -> np.ndarray:
        """Return `(J, 4)` rotations, these or the last believable ones, `step_s` seconds after the last call."""
        self._held_s += step_s
        if self._believed is None or not self._is_flip(rotations_wxyz[0]):
            self._believed, self._held_s = rotations_wxyz, 0.0
        return self._believed

    def _is_flip(self, root_wxyz: np.ndarray) -> bool:
        assert self._believed is not None
        angle = float(np.linalg.norm(rotvec_from_quaternion(multiply(inverse(self._believed[0]), root_wxyz))))
        too_fast = angle > FLIP_SPEED_RAD_S * self._held_s
        return angle > FLIP_ANGLE_RAD and too_fast and self._held_s <= LONGEST_HOLD_S
