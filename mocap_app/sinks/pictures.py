"""The people of independent pictures: one file per picture."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from engines.types import FloatArray
from exporters.errors import ExportError
from exporters.npz import write_picture
from exporters.types import Picture, Skeleton
from exporters.writing import numbered_path

from ..errors import SinkError
from ..mailbox import Keep
from ..types import FrameResult
from .base import SinkContext
from .folder import prepare_folder
from .ground import lowest_soles_m


class PictureRecorder:
    """Writes `<picture stem>.npz` for each picture, with nobody in it too."""

    keep: Keep = "all"

    def __init__(self, folder: str | Path, context: SinkContext, metadata: dict[str, Any] | None = None) -> None:
        """Prepare the folder.

        Args:
            folder: made if absent.
            context: its `picture_names` give the names of the files.
            metadata: JSON-able, stored in each file.

        Raises:
            SinkError: the folder cannot be written to.
        """
        self._folder = prepare_folder(folder)
        self._context = context
        self._stems = stems(context.picture_names)
        self._metadata = metadata or {}
        self.written: tuple[Path, ...] = ()

    def write(self, result: FrameResult) -> None:
        """Write the people of one picture, best first.

        Raises:
            SinkError: the file cannot be written.
        """
        index = result.frame.index
        names = self._context.picture_names
        stem = self._stems[index] if index < len(self._stems) else f"{self._context.name}_{index:06d}"
        height, width = result.frame.image.shape[:2]
        told = {"source": names[index] if index < len(names) else stem, "source_size_wh": [width, height]}
        picture = replace(picture_of(result, self._context), metadata={**self._metadata, **told})
        path = numbered_path(self._folder / f"{stem}.npz")
        try:
            write_picture(picture, path)
        except ExportError as error:
            raise SinkError(f"the people of {stem} cannot be written: {error}") from error
        self.written = (*self.written, path)

    def close(self) -> None:
        """Do nothing: each file is finished when it is written."""


def stems(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the stem of each file name, or the full name where several pictures share a stem."""
    count = Counter(Path(name).stem.casefold() for name in names)
    return tuple(Path(name).stem if count[Path(name).stem.casefold()] == 1 else name for name in names)


def picture_of(result: FrameResult, context: SinkContext) -> Picture:
    """Return the N people of `result`, best first, the lowest of their soles on the floor."""
    meshes = result.meshes
    order = [int(n) for n in np.argsort(-meshes.scores, kind="stable") if meshes.scores[n] > 0]
    skeletons = [context.skeleton(meshes.shape[n]) for n in order]
    joints = len(context.body_model.joint_names)
    poses = [result.poses[n] for n in order]
    roots = _stack([pose.root_translation for pose in poses], (3,))
    rotations = _stack([pose.rotations_wxyz for pose in poses], (joints, 4))
    roots[:, 1] -= _lowest_sole_m(skeletons, rotations, roots)
    return Picture(
        joint_names=context.body_model.joint_names,
        parents=context.body_model.parents,
        offsets=_stack([skeleton.offsets for skeleton in skeletons], (joints, 3)),
        rotations_wxyz=rotations,
        root_translation=roots,
        joints_camera_m=(meshes.joints + meshes.translation[:, None])[order],
        joints_px=meshes.joints_px[order],
        confidence=meshes.confidence[order],
        box_xyxy=result.tracks.boxes_xyxy[order],
        betas=meshes.shape[order],
        intrinsics=meshes.intrinsics,
        frame_index=result.frame.index,
        timestamp_ns=result.frame.timestamp_ns,
    )


def _stack(rows: list[FloatArray], shape: tuple[int, ...]) -> FloatArray:
    return np.array(rows, np.float32).reshape(len(rows), *shape)


def _lowest_sole_m(skeletons: list[Skeleton], rotations: FloatArray, roots: FloatArray) -> float:
    soles = [
        float(lowest_soles_m(skeleton, rotations[n : n + 1], roots[n : n + 1])[0])
        for n, skeleton in enumerate(skeletons)
    ]
    return min(soles, default=0.0)
