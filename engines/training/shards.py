"""Rendered crops as the frozen encoder saw them, on disk and in memory."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..types import FloatArray


@dataclass(frozen=True, slots=True)
class Samples:
    """N training samples, parallel arrays."""

    landmarks: FloatArray
    """`(N, 39, 5)` the encoder's landmarks."""
    world: FloatArray
    """`(N, 39, 3)` its world landmarks."""
    presence: FloatArray
    """`(N,)` 0..1."""
    map16: NDArray[np.int8]
    """`(N, C, 16, 16)` in steps of its own `step16`."""
    map8: NDArray[np.int8]
    """`(N, C, 8, 8)` in steps of `step8`."""
    rotations: FloatArray
    """`(N, 24, 3, 3)` parent-relative, the root's joint -> crop camera."""
    betas: FloatArray
    """`(N, 10)`."""
    joints: FloatArray
    """`(N, 24, 3)` metres, crop camera frame."""
    joints_px: FloatArray
    """`(N, 24, 2)` crop pixels."""
    focal_px: FloatArray
    """`(N,)` crop pixels."""
    step16: FloatArray
    """`(C,)` step of each channel of map16."""
    step8: FloatArray
    """`(C,)` step of each channel of map8."""

    def __len__(self) -> int:
        return len(self.presence)


def quantise(maps: FloatArray, step: FloatArray) -> NDArray[np.int8]:
    """Return `(N, C, H, W)` maps in eight bits, `(C,)` steps."""
    return np.clip(np.rint(maps / step[:, None, None]), -127, 127).astype(np.int8)


def channel_steps(maps: FloatArray) -> FloatArray:
    """Return `(C,)` steps that keep 99.9 % of each channel's `(N, C, H, W)` values unclipped."""
    spread = np.quantile(np.abs(maps), 0.999, axis=(0, 2, 3))
    return np.maximum(spread / 127, 1e-6).astype(np.float32)


def write_shard(samples: Samples, path: Path) -> None:
    """Write a shard in one step, so that a cut run leaves whole files only."""
    temporary = path.with_suffix(".part")
    with temporary.open("wb") as file:
        np.savez(file, **{f.name: getattr(samples, f.name) for f in fields(samples)})
    os.replace(temporary, path)


def read_shards(paths: list[Path]) -> Samples:
    """Return all samples of shards that share their steps, in memory."""
    parts = []
    for path in paths:
        with np.load(path) as file:
            parts.append(Samples(**{name: file[name] for name in file.files}))
    return join_samples(parts)


def join_samples(parts: list[Samples]) -> Samples:
    """Return the samples of all parts, which share their steps."""
    names = [f.name for f in fields(Samples) if not f.name.startswith("step")]
    joined = {name: np.concatenate([getattr(p, name) for p in parts]) for name in names}
    return Samples(**joined, step16=parts[0].step16, step8=parts[0].step8)
