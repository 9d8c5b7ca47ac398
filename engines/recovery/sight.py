"""What is seen in the crops of one picture, as arrays (NumPy)."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from ..geometry import cut_crops, region_matrices
from ..types import FloatArray, Image, Regions

MEAN, SPREAD = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""ImageNet's, of RGB in 0..1: what published trunks were trained with."""
CROP_PX = 256
"""Side of the crops that the frozen encoder sees; crop pixels are of this crop, whatever a network looked at."""


@dataclass(frozen=True, slots=True)
class Views:
    """N regions of one picture."""

    image: Image
    regions: Regions

    def matrices(self, size_px: int = CROP_PX) -> FloatArray:
        """Return `(N, 2, 3)`: full-image pixels -> crop pixels."""
        return region_matrices(self.regions, size_px)

    def crops(self, size_px: int = CROP_PX) -> FloatArray:
        """Return `(N, 3, size, size)` float32 RGB crops, 0 to 1, black outside of the picture."""
        cut = cut_crops(self.image, self.matrices(size_px), size_px)
        return np.ascontiguousarray(cut.transpose(0, 3, 1, 2)).astype(np.float32) / np.float32(255)

    def normalised_crops(self, height_px: int, width_px: int) -> FloatArray:
        """Return `(N, 3, height, width)` ImageNet-normalised crops: squares, cut at both sides where they are tall."""
        left = (height_px - width_px) // 2
        crops = self.crops(height_px)[..., left : left + width_px]
        mean, spread = (np.array(values, np.float32)[:, None, None] for values in (MEAN, SPREAD))
        return np.ascontiguousarray((crops - mean) / spread)


@dataclass(frozen=True, slots=True)
class EncoderSight:
    """What the frozen encoder sees in N crops."""

    landmarks: FloatArray
    """`(N, 39, 5)`: x, y, z crop pixels; logits of visibility and presence."""
    world: FloatArray
    """`(N, 39, 3)` metres, crop axes, from midway between the hips."""
    presence: FloatArray
    """`(N,)` 0 to 1."""
    map16: FloatArray
    """`(N, 48, 16, 16)`."""
    map8: FloatArray
    """`(N, 288, 8, 8)`."""


@dataclass(frozen=True, slots=True)
class BodySight:
    """What a network says of the bodies in N crops."""

    rotations: FloatArray
    """`(N, 24, 3, 3)` parent-relative; the root's is joint axes -> crop axes."""
    betas: FloatArray
    """`(N, S)`."""
    camera: FloatArray
    """`(N, 3)` weak perspective s, tx, ty: -1..1 of the crop = s * (metres + t)."""
    joints_px: FloatArray
    """`(N, 24, 2)` crop pixels."""


def finite_rows(*parts: EncoderSight | BodySight) -> np.ndarray:
    """Return `(N,)` bool: rows in which every number of every part is finite."""
    arrays = [getattr(part, field.name) for part in parts for field in fields(part)]
    return np.all([np.isfinite(array.reshape(len(array), -1)).all(axis=1) for array in arrays], axis=0)


def zero_rows(part: EncoderSight, keep: np.ndarray) -> EncoderSight:
    """Return the part with zeros in all rows but those of `(N,)` bool `keep`."""
    return EncoderSight(*(_zeroed(getattr(part, field.name), keep) for field in fields(part)))


def neutral_rows(part: BodySight, keep: np.ndarray) -> BodySight:
    """Return the part with a T-pose of no shape in all rows but those of `(N,)` bool `keep`."""
    rotations = np.where(keep[:, None, None, None], part.rotations, np.eye(3, dtype=np.float32))
    others = (_zeroed(getattr(part, field.name), keep) for field in fields(part)[1:])
    return BodySight(rotations, *others)


def _zeroed(array: FloatArray, keep: np.ndarray) -> FloatArray:
    return np.where(keep.reshape(-1, *[1] * (array.ndim - 1)), array, np.float32(0))
