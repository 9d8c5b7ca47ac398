"""The shipped crops on which every runtime is compared with torch, and what torch makes of them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import numpy as np

from ..runtime.network import MM, PERCENTILE, Arrays, Trial, relative_error_mm
from ..runtime.torch_session import TorchSession, one_torch_thread
from ..types import FloatArray, Regions
from ..weights import find_weights
from .sight import CROP_PX, EncoderSight, Views

CROPS = "golden_crops.npz"
MM_PER_PX = 2 * MM / CROP_PX
"""At the body: a crop shows about two metres."""


@functools.cache
def golden_views() -> Views:
    """Return the crops as regions of one picture in which they lie side by side."""
    import cv2

    with np.load(find_weights(CROPS)) as file:
        crops = [cv2.imdecode(file[name], cv2.IMREAD_COLOR)[..., ::-1] for name in sorted(file.files)]
    centers = [(CROP_PX * (n + 0.5), CROP_PX / 2) for n in range(len(crops))]
    sides, angles = np.full(len(crops), CROP_PX, np.float32), np.zeros(len(crops), np.float32)
    return Views(np.concatenate(crops, axis=1), Regions(np.array(centers, np.float32), sides, angles))


@functools.cache
def golden_sight() -> EncoderSight:
    """Return what the frozen encoder sees in the crops, by torch."""
    from ..backbones.blazepose.load import load_pose_encoder

    with one_torch_thread():
        landmarks, world, presence, *maps = TorchSession(load_pose_encoder()).run(golden_views().crops())
    return EncoderSight(landmarks, world, presence, *maps)


def encoder_trial() -> Trial:
    """Return the trial of the encoder itself: rounded to half precision between its layers it is 13 mm off."""
    return Trial(lambda: [golden_views().crops()], _encoder_error_mm, half=False)


def _encoder_error_mm(expected: Arrays, found: Arrays) -> float:
    pixels = distance(expected[0][..., :3], found[0][..., :3]) * MM_PER_PX
    return float(np.max([pixels, distance(expected[1], found[1]) * MM, relative_error_mm(expected[2:], found[2:])]))


def sight_trial(names: Sequence[str], error_mm: Callable[[Arrays, Arrays], float]) -> Trial:
    """Return the trial of a network that reads what the encoder saw: the fields of EncoderSight of these names."""
    return Trial(lambda: [getattr(golden_sight(), name) for name in names], error_mm)


def crops_trial(size_hw: tuple[int, int], error_mm: Callable[[Arrays, Arrays], float]) -> Trial:
    """Return the trial of a network that reads normalised crops."""
    return Trial(lambda: [golden_views().normalised_crops(*size_hw)], error_mm)


def mesh_error_mm(expected: Arrays, found: Arrays) -> float:
    """Return the error of a network that gives cameras and vertices in metres."""
    vertices = distance(expected[1], found[1]) * MM
    return float(np.max([vertices, relative_error_mm(expected[:1], found[:1])]))


def distance(expected: FloatArray, found: FloatArray) -> float:
    """Return the 95th percentile of the distance between `(..., 3)` points."""
    return float(np.percentile(np.linalg.norm(found - expected, axis=-1), PERCENTILE))
