"""Training takes steps, keeps what it learnt, and writes files that the engines run; on a handful of made-up crops."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch

from engines import Regions, build_engine
from engines.body import load_body
from engines.body.skinning import BodyLayer
from engines.training.batches import Batches
from engines.training.default_run import FAMILIES, write_weights
from engines.training.loop import Schedule, Trainer
from engines.training.mesh_task import MeshGuess, MeshTask, mesh_loss
from engines.training.poses import from_rotation_vectors
from engines.training.shards import Samples, write_shard

FOCAL_PX, DISTANCE_M = 500.0, 4.0


def made_up(rng: np.random.Generator, count: int) -> Samples:
    """Bodies facing the camera, and an encoder that sees noise around their joints."""
    rotations = from_rotation_vectors(rng.normal(0, 0.2, (count, 24, 3)).astype(np.float32))
    rotations[:, 0] = rotations[:, 0] @ np.diag([1, -1, -1]).astype(np.float32)
    betas = rng.normal(0, 1, (count, 10)).astype(np.float32)
    with torch.no_grad():
        joints = BodyLayer(load_body())(torch.from_numpy(rotations), torch.from_numpy(betas))[1].numpy()
    joints = joints + np.float32([0, 0, DISTANCE_M])
    pixels = (joints[..., :2] / joints[..., 2:] * FOCAL_PX + 128).astype(np.float32)
    near = rng.integers(24, size=39)
    landmarks = np.zeros((count, 39, 5), np.float32)
    landmarks[..., :2] = pixels[:, near] + rng.normal(0, 2, (count, 39, 2))
    landmarks[..., 3:] = 5
    world = (joints - joints[:, :1])[:, near].astype(np.float32)
    return Samples(
        landmarks, world, np.full(count, 0.95, np.float32),
        rng.integers(-100, 100, (count, 48, 16, 16)).astype(np.int8),
        rng.integers(-100, 100, (count, 288, 8, 8)).astype(np.int8), rotations, betas, joints.astype(np.float32),
        pixels, np.full(count, FOCAL_PX, np.float32), np.full(48, 0.01, np.float32), np.full(288, 0.01, np.float32),
    )  # fmt: skip


@pytest.fixture
def work(tmp_path: Path, rng: np.random.Generator) -> Path:
    for folder in ("train", "held_out"):
        (tmp_path / folder).mkdir()
        write_shard(made_up(rng, 24), tmp_path / folder / "0.npz")
    return tmp_path


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_stages_lower_the_loss_and_the_result_runs(family: str, work: Path) -> None:
    torch.manual_seed(0)
    batches = Batches(work)
    network, task, _ = FAMILIES[family](batches)
    task.prepare()
    trainer = Trainer(task, batches, work / "log.csv")
    everything = np.arange(24)
    first = Schedule(10, batch=24, first_only=True, warm_up=24, average_over=10, samples=24 * 40)
    before = float(task.loss(everything, first).detach())
    trainer.run(first, work / "c.pt")
    assert float(task.loss(everything, first).detach()) < before
    trainer.run(Schedule(10, batch=8, warm_up=24, average_over=4, samples=24), work / "c.pt")
    with (work / "log.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert len(rows) == 2
    assert all(np.isfinite(float(number)) for row in rows for number in row)
    write_weights(network, work / "w.safetensors", f"{family} default")
    engine = build_engine(family, {"weights": str(work / "w.safetensors"), "runtime": "torch"})
    region = Regions(np.full((1, 2), 50, np.float32), np.full(1, 80, np.float32), np.zeros(1, np.float32))
    assert np.isfinite(engine.predict(np.zeros((100, 100, 3), np.uint8), region).vertices).all()


def test_the_truth_has_no_loss_and_any_fault_has_some(work: Path) -> None:
    batches = Batches(work)
    task = FAMILIES["fastmetro"](batches)[1]
    assert isinstance(task, MeshTask)
    truth = task._truth(batches.samples, np.arange(8))
    camera = torch.cat([truth.scale, truth.pelvis / truth.scale], 1)
    right = MeshGuess(truth.points, truth.middle, camera, (truth.flat(),))
    # Weak perspective is not the picture's own projection: what is left is the picture's part alone.
    rest = float(mesh_loss(right, truth))
    assert rest < 0.1
    for fault in (
        right._replace(points=truth.points + torch.randn_like(truth.points) * 0.05),
        right._replace(middle=truth.middle + 0.05),
        right._replace(camera=camera * 1.2),
        right._replace(states=(truth.flat() + 0.05,)),
    ):
        assert float(mesh_loss(fault, truth)) > rest + 0.05


def test_projected_truth_lies_where_the_samples_say(work: Path) -> None:
    """At four metres a body's depth moves its picture by some per cent, no more."""
    batches = Batches(work)
    task = FAMILIES["fastmetro"](batches)[1]
    truth = task._truth(batches.samples, np.arange(8))
    apart = (truth.flat()[:, :14, :2] - truth.joints_crop).norm(dim=-1)
    assert apart.max() < 0.15
    assert apart[:, 2:4].max() < 0.03  # the hips are as far away as the pelvis
