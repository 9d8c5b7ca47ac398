"""One labelled picture, and the joints that are compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..types import FloatArray, Image, check_array

LIMB_JOINTS = tuple(
    f"{side}_{joint}" for joint in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist") for side in ("left", "right")
)
"""The twelve joints every label set and every system has, in the order of all arrays here."""
HIPS = (0, 1)
TORSO = (LIMB_JOINTS.index("right_shoulder"), LIMB_JOINTS.index("left_hip"))
"""The two joints whose distance is the torso of PCK."""


def torso_length(joints_px: np.ndarray) -> float:
    """Return the distance of the torso's two joints of `(12, 2)` pixels."""
    return float(np.linalg.norm(joints_px[TORSO[0]] - joints_px[TORSO[1]]))


@dataclass(frozen=True, slots=True)
class Item:
    """One picture with labels of one person."""

    name: str
    """`line/picture`, the same in every system's predictions."""
    image: Image
    """`(H, W, 3)` uint8 RGB."""
    labels_px: FloatArray
    """`(12, 2)` float32 pixels; not a number where a joint has no label."""
    labels_m: FloatArray | None
    """`(12, 3)` float32 metres, axes of any right-handed frame; None for pictures labelled in 2-D alone."""
    torso_px: float
    """Distance of the two TORSO joints in the picture; from marked positions, even those marked as hidden."""

    def __post_init__(self) -> None:
        check_array("labels_px", self.labels_px, (len(LIMB_JOINTS), 2), np.float32)
        if self.labels_m is not None:
            check_array("labels_m", self.labels_m, (len(LIMB_JOINTS), 3), np.float32)

    @property
    def labelled(self) -> np.ndarray:
        """`(12,)` bool: which joints have a label."""
        return np.asarray(np.isfinite(self.labels_px).all(axis=1))

    @property
    def line(self) -> str:
        """The line of the table it belongs to."""
        return self.name.split("/")[0]
