"""Brings a published FastMETRO checkpoint into a file of our own: tensors only, every key accounted for.

The published `*_state_dict.bin` files are bare pickled dictionaries of tensors. Read without trust (`weights_only`),
compared with the layout the release writes, and stored as safetensors together with the user's mesh levels, so that
one file holds all that the network needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..backbones.hrnet import FEATURE_CHANNELS
from ..body.smpl_levels import read_smpl_levels
from ..errors import WeightsError
from ..published import Shapes, faults_of, only_tensors, read_checkpoint
from .config import LAYERS, FastMetroConfig
from .network import FastMetro
from .stored import save_network
from .topology import Topology

WHERE_FROM = (
    "the published files are linked from the README of github.com/postech-ami/FastMETRO, e.g. "
    "FastMETRO-L-H64_3dpw_state_dict.bin"
)
CLASSIFIER = {"backbone.classifier.weight": (1000, FEATURE_CHANNELS), "backbone.classifier.bias": (1000,)}
"""HRNet's unused classifier, in the file or not; it is left behind."""
RESNET_NAMES = {"conv1": "0", "bn1": "1", "layer1": "4", "layer2": "5", "layer3": "6", "layer4": "7"}
"""Our names of the ResNet's parts -> their places in the release's unnamed sequence."""
PUBLISHED = "a *_state_dict.bin"


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did."""

    config: FastMetroConfig
    target: Path
    tensors: int
    """Tensors taken over from the file."""
    left_behind: tuple[str, ...]
    """Keys of the file that no network needs."""


def import_fastmetro(file: Path, topology: Path, target: Path) -> Imported:
    """Read a published checkpoint and SMPL's `mesh_downsampling.npz`; write both to `target` (safetensors).

    Raises:
        WeightsError: A file is absent, holds anything but tensors, or is not of the published layout.
    """
    levels = Topology.of_smpl(read_smpl_levels(topology))
    state = read_published(file)
    config = recognise({key: tuple(value.shape) for key, value in state.items()}, file)
    with torch.device("meta"):
        network = FastMetro(config, levels)
    ours = take_over(state, network, file)
    save_network(target, config, levels, ours)
    return Imported(config, target, len(ours), tuple(key for key in CLASSIFIER if key in state))


def read_published(file: Path) -> dict[str, Tensor]:
    """Return the tensors of a pickled state dict, without running anything that is in it.

    Raises:
        WeightsError: The file is absent, damaged, or holds anything but a dictionary of tensors.
    """
    return only_tensors(read_checkpoint(file, PUBLISHED, WHERE_FROM), file, WHERE_FROM)


def is_fastmetro(keys: Iterable[str]) -> bool:
    """Say whether a checkpoint with these keys was written by FastMETRO, whole or not."""
    return any(key.startswith("transformer_1.") for key in keys)


def recognise(shapes: Shapes, file: Path) -> FastMetroConfig:
    """Return the configuration a checkpoint of these shapes was written by.

    Raises:
        WeightsError: It is the hand network, or no FastMETRO at all.
    """
    if shapes.get("joint_token_embed.weight", (0,))[0] == 21 or shapes.get("vertex_token_embed.weight", (0,))[0] == 195:
        raise WeightsError(
            f"{file} is FastMETRO's hand network (21 joints, 195 vertices of the MANO hand); expected a body network "
            f"(14 joints, 431 vertices), this application captures bodies; {WHERE_FROM}"
        )
    numbers = [re.match(r"transformer_1\.encoder\.layers\.(\d+)\.", key) for key in shapes]
    layers = 1 + max((int(found[1]) for found in numbers if found), default=-1)
    if layers not in LAYERS.values():
        raise WeightsError(
            f"{file} has {layers} layers under transformer_1.encoder.layers; expected FastMETRO's 1, 2 or 3 (S, M, L); "
            f"{WHERE_FROM}"
        )
    trunk = "hrnet_w64" if any(key.startswith("backbone.stage") for key in shapes) else "resnet50"
    return FastMetroConfig(
        layers,
        trunk,
        table2="dim_reduce_enc.weight" in shapes,
        regressor=any(key.startswith("smpl_parameter_regressor.") for key in shapes),
    )


def take_over(state: Mapping[str, Tensor], network: FastMetro, file: Path) -> dict[str, Tensor]:
    """Return the tensors of a checkpoint under our names, in the network's types.

    Raises:
        WeightsError: A key is missing, unknown, mis-shaped or holds something that is no number.
    """
    ours = network.state_dict()
    names = {published_name(key, network.config): key for key in ours}
    wanted = {name: ours[key] for name, key in names.items()}
    faults = faults_of(state, wanted, CLASSIFIER if network.config.trunk == "hrnet_w64" else {})
    if faults:
        raise WeightsError(
            f"{file} is not FastMETRO-{network.config.name} as published: {'; '.join(faults)}; expected exactly the "
            f"{len(wanted)} keys of the release; fetch the file again: {WHERE_FROM}"
        )
    return {key: state[name].to(ours[key].dtype).contiguous() for name, key in names.items()}


def published_name(key: str, config: FastMetroConfig) -> str:
    """Return the release's name of one of our keys; only the ResNet's differ."""
    if config.trunk != "resnet50" or not key.startswith("backbone."):
        return key
    _, part, rest = key.split(".", 2)
    return f"backbone.{RESNET_NAMES[part]}.{rest}"
