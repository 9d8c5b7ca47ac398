"""A whole training of a default network: the landmarks alone first, then what corrects them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from ..body import BodyParameters, load_body
from ..body.topology import load_levels
from ..runtime.stored import save_network
from .batches import Batches
from .loop import Schedule, Trainer
from .losses import BodyLoss

LANDMARK_SHARE, FIRST_SHARE = 0.02, 0.2
MESH_SECOND = Schedule(0, 3e-4, batch=32, average_over=200, warm_up=6000, raw_share=0.5)
"""Networks of vertices learn to correct what the landmarks got wrong, so half of these are as wrong as renders make
them; at a higher rate the tokens of the transformers soon became all alike."""


def train_default(family: str, work: Path, minutes: float, threads: int = 0, seed: int = 0) -> Path:
    """Train a family's default network on the shards in `work` and return the safetensors file written there."""
    if threads:
        torch.set_num_threads(threads)
    torch.manual_seed(seed)
    batches = Batches(work, seed)
    network, task, second = FAMILIES[family](batches)
    task.prepare()
    trainer = Trainer(task, batches, work / f"{family}.csv")
    batches.learn_landmarks(minutes * LANDMARK_SHARE)
    checkpoint = work / f"{family}.pt"
    trainer.run(Schedule(minutes * FIRST_SHARE, batch=256, first_only=True), checkpoint)
    trainer.run(replace(second, minutes=minutes * (1 - FIRST_SHARE - LANDMARK_SHARE)), checkpoint)
    target = work / f"{family}_default.safetensors"
    write_weights(network, target, f"{family} default")
    return target


def body_network(batches: Batches):  # type: ignore[no-untyped-def]
    """Return DeforHMR's network, its task and how its second stage trains."""
    from ..deforhmr.model import DefaultNetwork
    from .body_task import BodyTask

    network = DefaultNetwork()
    return network, BodyTask(network, body_loss(load_body()), batches), Schedule(0, batch=128)


def fastmetro_network(batches: Batches):  # type: ignore[no-untyped-def]
    """Return FastMETRO's network, its task and how its second stage trains."""
    from ..fastmetro.default import DefaultNetwork
    from ..fastmetro.topology import Topology
    from .mesh_task import MeshTask

    body = load_body()
    levels = load_levels(body)
    network = DefaultNetwork(Topology.of_body(levels))
    return network, MeshTask(network, body, levels, batches), MESH_SECOND


def deformer_network(batches: Batches):  # type: ignore[no-untyped-def]
    """Return DeFormer's network, its task and how its second stage trains."""
    from ..deformer.config import DEFAULT
    from ..deformer.default import DefaultNetwork
    from ..deformer.tokens import token_mesh
    from .mesh_task import MeshTask

    body = load_body()
    levels = load_levels(body)
    network = DefaultNetwork(token_mesh(body, levels, DEFAULT.vertices, DEFAULT.rings))
    return network, MeshTask(network, body, levels, batches), MESH_SECOND


FAMILIES: dict[str, Callable] = {
    "deforhmr": body_network,
    "fastmetro": fastmetro_network,
    "deformer": deformer_network,
}


def body_loss(body: BodyParameters) -> BodyLoss:
    """Return the loss of a body's joints."""
    rest = body.joint_regressor @ body.template
    directions = np.einsum("jv,vcs->jcs", body.joint_regressor, body.shape_directions)
    return BodyLoss(torch.from_numpy(rest.astype(np.float32)), torch.from_numpy(directions.astype(np.float32)))


def write_weights(network: nn.Module, path: Path, name: str) -> None:
    """Write the weights of a default network in half precision."""
    save_network(path, network, name, network.config)
