"""What the encoder's landmarks say beside the pose: how surely joints are seen, and where to look next."""

from __future__ import annotations

import numpy as np

from ..geometry import apply_affine, invert_affine
from ..types import FloatArray, Regions

REGION_SCALE = 2.5  # MediaPipe: a region's side is 2 x 1.25 times the distance of the two alignment points
# The landmarks that vouch for each of the 24 joints.
_WITNESSES: tuple[tuple[int, ...], ...] = (
    (23, 24), (23,), (24,), (11, 12, 23, 24), (25,), (26,), (11, 12, 23, 24), (27,), (28,), (11, 12, 23, 24),
    (31,), (32,), (11, 12), (11,), (12,), (0, 7, 8), (11,), (12,), (13,), (14,), (15,), (16,), (19,), (20,),
)  # fmt: skip
_MEMBERS = np.zeros((24, 39), np.float32)
for _joint, _landmarks in enumerate(_WITNESSES):
    _MEMBERS[_joint, list(_landmarks)] = 1 / len(_landmarks)


def joint_confidence(landmarks: FloatArray, presence: FloatArray) -> FloatArray:
    """Return `(N, 24)` confidence, 0 to 1: the encoder's visibility times presence of each joint's landmarks.

    Args:
        landmarks: `(N, 39, 5)`, the last two logits.
        presence: `(N,)` of the person.
    """
    seen = _sigmoid(landmarks[..., 3]) * _sigmoid(landmarks[..., 4])
    return (seen @ _MEMBERS.T * presence[:, None]).astype(np.float32)


def next_regions(landmarks: FloatArray, matrices: FloatArray) -> Regions:
    """Return where the person will be looked for next: around alignment points 33 and 34.

    Args:
        landmarks: `(N, 39, 5)` crop pixels.
        matrices: `(N, 2, 3)` full-image pixels -> crop pixels.
    """
    points = apply_affine(invert_affine(matrices), landmarks[:, 33:35, :2])
    up = points[:, 1] - points[:, 0]
    sides = REGION_SCALE * np.linalg.norm(up, axis=1)
    angles = np.arctan2(up[:, 0], -up[:, 1])
    return Regions(points[:, 0].astype(np.float32), sides.astype(np.float32), angles.astype(np.float32))


def _sigmoid(logits: FloatArray) -> FloatArray:
    return 1 / (1 + np.exp(-np.clip(logits, -30, 30)))
