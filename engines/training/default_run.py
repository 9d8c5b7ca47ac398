"""A whole training of the default network: the landmarks alone first, then everything."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from ..body import BodyParameters, load_body
from ..deforhmr.model import DefaultNetwork
from .loop import Schedule, Trainer
from .losses import BodyLoss

FIRST_SHARE, LANDMARK_SHARE = 0.2, 0.02


def train_default(work: Path, minutes: float, threads: int = 0, seed: int = 0) -> Path:
    """Train on the shards in `work` and return the safetensors file written there."""
    if threads:
        torch.set_num_threads(threads)
    network = DefaultNetwork()
    trainer = Trainer(network, body_loss(load_body()), work, work / "log.csv", seed)
    prepare(network, trainer)
    trainer.learn_landmarks(minutes * LANDMARK_SHARE)
    checkpoint = work / "checkpoint.pt"
    trainer.run(Schedule(minutes * FIRST_SHARE, learning_rate=1e-3, batch=256, first_only=True), checkpoint)
    trainer.run(Schedule(minutes * (1 - FIRST_SHARE - LANDMARK_SHARE), learning_rate=1e-3, batch=128), checkpoint)
    target = work / "deforhmr_default.safetensors"
    write_weights(network, target)
    return target


def body_loss(body: BodyParameters) -> BodyLoss:
    """Return the loss of a body's joints."""
    rest = body.joint_regressor @ body.template
    directions = np.einsum("jv,vcs->jcs", body.joint_regressor, body.shape_directions)
    return BodyLoss(torch.from_numpy(rest.astype(np.float32)), torch.from_numpy(directions.astype(np.float32)))


@torch.no_grad()
def prepare(network: DefaultNetwork, trainer: Trainer, count: int = 2000) -> None:
    """Store the statistics of the feature maps and the mean joints in the network."""
    rows = np.random.default_rng(0).permutation(len(trainer.samples))[:count]
    _, truth, maps = trainer.batch(trainer.samples, rows, True, None)
    for level, features in enumerate(maps):
        mean, spread = features.mean((0, 2, 3)), features.std((0, 2, 3)).clamp_min(1e-3)
        getattr(network, f"level{level}_mean").copy_(mean[None, :, None, None])
        getattr(network, f"level{level}_scale").copy_(1 / spread[None, :, None, None])
    network.first.mean_joints2d.copy_(truth.joints2d.mean(0))


def write_weights(network: DefaultNetwork, path: Path) -> None:
    """Write the weights in half precision."""
    from safetensors.torch import save_file

    tensors = {name: tensor.half().contiguous() for name, tensor in network.state_dict().items()}
    save_file(tensors, str(path), {"format": "pt", "network": "deforhmr default"})
