"""One performer while being recorded: held back at first, then journaled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from engines.types import FloatArray
from exporters.journal import TakeJournal
from exporters.types import Pose

from ..types import FrameResult

LEAST_INSTANTS = 5
LEAST_SPAN_NS = 250_000_000
LONGEST_HELD_NS = 750_000_000
"""Of source time: at low frame rates five instants would be more than a crash may lose."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What was found of one person in one frame; arrays as in `Observations`, without T."""

    pose: Pose
    frame_index: int
    joints_camera_m: FloatArray
    joints_px: FloatArray
    confidence: FloatArray
    box_xyxy: FloatArray
    betas: FloatArray
    intrinsics: FloatArray

    @classmethod
    def of_row(cls, result: FrameResult, n: int, floor_y_m: float | None = None) -> Sample:
        """Take row `n` of `result`, its pose standing on the floor of the result or on one of `floor_y_m`."""
        meshes = result.meshes
        pose = result.poses[n]
        if floor_y_m is not None:
            higher_m = np.array((0.0, result.floor_y_m - floor_y_m, 0.0), np.float32)
            pose = replace(pose, root_translation=pose.root_translation + higher_m)
        return cls(
            pose=pose,
            frame_index=result.frame.index,
            joints_camera_m=meshes.joints[n] + meshes.translation[n],
            joints_px=meshes.joints_px[n].copy(),
            confidence=meshes.confidence[n].copy(),
            box_xyxy=result.tracks.boxes_xyxy[n].copy(),
            betas=meshes.shape[n].copy(),
            intrinsics=meshes.intrinsics,
        )

    @property
    def is_finite(self) -> bool:
        """Whether pose and joints are numbers."""
        parts = (self.pose.rotations_wxyz, self.pose.root_translation, self.joints_camera_m, self.betas)
        return all(np.isfinite(part).all() for part in parts)


OpenJournal = Callable[["Performer"], TakeJournal]


class Performer:
    """The samples of one track. Held in memory until the track has proved to be a person, then on disk at once."""

    def __init__(self, open_journal: OpenJournal) -> None:
        """Call `open_journal` once the track is to be kept."""
        self._open_journal = open_journal
        self._journal: TakeJournal | None = None
        self._betas_sum: np.ndarray | float = 0.0
        self._weight_sum = 0.0
        self._last_ns = -1
        self.held: list[Sample] = []
        self.count = 0

    @property
    def is_kept(self) -> bool:
        """Whether a journal was opened."""
        return self._journal is not None

    @property
    def betas(self) -> FloatArray:
        """`(S,)` float32: mean over the samples, weighted by how surely the joints were seen."""
        return np.asarray(self._betas_sum / max(self._weight_sum, 1e-9), np.float32)

    def add(self, sample: Sample) -> None:
        """Take the next sample; one whose time does not rise is left out.

        Raises:
            TakeFileError: the disk is full or gone.
        """
        if sample.pose.timestamp_ns <= self._last_ns:
            return
        self._last_ns = sample.pose.timestamp_ns
        self.count += 1
        # The least weight keeps the mean defined for somebody who is never seen well.
        weight = max(float(sample.confidence.mean()), 1e-3)
        self._betas_sum = self._betas_sum + weight * sample.betas.astype(np.float64)
        self._weight_sum += weight
        if self._journal is not None:
            append(self._journal, sample)
        else:
            self.held.append(sample)
            if self._is_person():
                self.keep()

    def keep(self) -> None:
        """Open the journal and write what was held back."""
        self._journal = self._open_journal(self)
        for sample in self.held:
            append(self._journal, sample)
        self.held.clear()

    def close(self) -> None:
        """Close the journal, if any."""
        if self._journal is not None:
            self._journal.close()

    def _is_person(self) -> bool:
        span_ns = self._last_ns - self.held[0].pose.timestamp_ns
        return span_ns >= LEAST_SPAN_NS and (self.count >= LEAST_INSTANTS or span_ns >= LONGEST_HELD_NS)


def append(journal: TakeJournal, sample: Sample) -> None:
    """Write `sample` to `journal`."""
    journal.append(
        sample.pose,
        frame_index=sample.frame_index,
        joints_camera_m=sample.joints_camera_m,
        joints_px=sample.joints_px,
        confidence=sample.confidence,
        box_xyxy=sample.box_xyxy,
        betas=sample.betas,
    )
