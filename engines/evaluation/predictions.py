"""What a system said about the test pictures: parallel arrays, kept in one .npz."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..types import FloatArray, check_array
from .items import LIMB_JOINTS


@dataclass(frozen=True, slots=True)
class Predictions:
    """The limb joints of every person found; a picture without a row had nobody found in it."""

    items: tuple[str, ...]
    """R names of items; a name comes once per person found."""
    joints_px: FloatArray
    """`(R, 12, 2)` float32, pixels of the picture."""
    joints_m: FloatArray
    """`(R, 12, 3)` float32, metres, any origin and any right-handed axes."""

    def __post_init__(self) -> None:
        check_array("joints_px", self.joints_px, (len(self.items), len(LIMB_JOINTS), 2), np.float32)
        check_array("joints_m", self.joints_m, (len(self.items), len(LIMB_JOINTS), 3), np.float32)

    def rows_of(self, item: str) -> list[int]:
        """Return the rows of the people found in the item."""
        return [row for row, name in enumerate(self.items) if name == item]

    def save(self, path: Path) -> None:
        """Write the .npz."""
        np.savez_compressed(path, items=np.array(self.items), joints_px=self.joints_px, joints_m=self.joints_m)


def collect(rows: list[tuple[str, FloatArray, FloatArray]]) -> Predictions:
    """Return the predictions of (item, `(12, 2)` pixels, `(12, 3)` metres) rows."""
    count = len(LIMB_JOINTS)
    pixels = np.array([row[1] for row in rows], np.float32).reshape(-1, count, 2)
    metres = np.array([row[2] for row in rows], np.float32).reshape(-1, count, 3)
    return Predictions(tuple(row[0] for row in rows), pixels, metres)


def load_predictions(*paths: Path) -> Predictions:
    """Return the predictions of one or several .npz files together."""
    files = [np.load(path) for path in paths]
    items = tuple(str(name) for file in files for name in file["items"])
    pixels = np.concatenate([file["joints_px"] for file in files])
    return Predictions(items, pixels, np.concatenate([file["joints_m"] for file in files]))
