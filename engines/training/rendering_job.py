"""Rendering of training crops in one process; several run side by side with different seeds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..types import FloatArray, Image
from .shards import Samples, channel_steps, quantise, write_shard

SHARD = 512
ENCODER_OUTPUTS = ("landmarks", "world", "presence", "map16", "map8")


@dataclass(frozen=True, slots=True)
class RenderingJob:
    """What one process draws. Everything can be pickled."""

    poses: FloatArray
    """`(T, 24, 3, 3)` global rotations, y up."""
    folder: Path
    """Where the shards go."""
    count: int
    seed: int
    steps: tuple[FloatArray, FloatArray]
    """Quantisation steps of the two maps, from `measure_steps`."""


def run_job(job: RenderingJob) -> Iterator[int]:
    """Draw the job's crops, shard by shard; yield how many are done."""
    from ..body import load_body
    from .poses import library_from_global
    from .synthesis import CropMaker

    job.folder.mkdir(parents=True, exist_ok=True)
    maker = CropMaker(load_body(), library_from_global(job.poses), job.seed)
    encode = open_encoder()
    for done in range(0, job.count, SHARD):
        crops = maker.make(SHARD)
        landmarks, world, presence, map16, map8 = encode(crops.images)
        samples = Samples(
            landmarks, world, presence, quantise(map16, job.steps[0]), quantise(map8, job.steps[1]), crops.rotations,
            crops.betas, crops.joints, crops.joints_px, crops.focal_px, *job.steps,
        )  # fmt: skip
        write_shard(samples, job.folder / f"{job.seed:06d}_{done:08d}.npz")
        yield done + SHARD


def measure_steps(poses: FloatArray, seed: int = 0) -> tuple[FloatArray, FloatArray]:
    """Return the quantisation steps of the encoder's two maps, measured on a hundred crops."""
    from ..body import load_body
    from .poses import library_from_global
    from .synthesis import CropMaker

    maker = CropMaker(load_body(), library_from_global(poses), seed)
    *_, map16, map8 = open_encoder()(maker.make(96).images)
    return channel_steps(map16), channel_steps(map8)


def open_encoder():  # type: ignore[no-untyped-def]
    """Return a function from `(N, 256, 256, 3)` uint8 crops to the frozen encoder's five outputs."""
    import torch

    from ..backbones.blazepose.load import load_pose_encoder
    from ..runtime.session import open_session

    encoder = load_pose_encoder()
    crop = torch.zeros(1, 3, 256, 256)
    session = open_session(encoder, [crop], ["crops"], ENCODER_OUTPUTS, "blazepose-full", threads=1)

    def encode(images: Image) -> list[FloatArray]:
        rows = [session.run(i[None].transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)) for i in images]
        return [np.concatenate(column) for column in zip(*rows, strict=True)]

    return encode
