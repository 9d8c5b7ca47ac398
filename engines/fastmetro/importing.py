"""Brings a published FastMETRO checkpoint into a file of our own: tensors only, every key accounted for.

The published `*_state_dict.bin` files are bare pickled dictionaries of tensors. Read without trust (`weights_only`),
compared with the layout the release writes, and stored as safetensors together with the user's mesh levels, so that
one file holds all that the network needs.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..backbones.hrnet import FEATURE_CHANNELS
from ..body.smpl_levels import read_smpl_levels
from ..errors import WeightsError
from .config import LAYERS, FastMetroConfig
from .network import FastMetro
from .stored import save_network
from .topology import Topology

Shapes = Mapping[str, tuple[int, ...]]

WHERE_FROM = (
    "the published files are linked from the README of github.com/postech-ami/FastMETRO, e.g. "
    "FastMETRO-L-H64_3dpw_state_dict.bin"
)
CLASSIFIER = {"backbone.classifier.weight": (1000, FEATURE_CHANNELS), "backbone.classifier.bias": (1000,)}
"""HRNet's unused classifier, in the file or not; it is left behind."""
RESNET_NAMES = {"conv1": "0", "bn1": "1", "layer1": "4", "layer2": "5", "layer3": "6", "layer4": "7"}
"""Our names of the ResNet's parts -> their places in the release's unnamed sequence."""
SHOWN = 5
"""How many keys a message names before it counts the rest."""


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
    if not file.is_file():
        raise WeightsError(f"checkpoint not found: looked for {file}; expected a *_state_dict.bin there; {WHERE_FROM}")
    try:
        content: Any = torch.load(file, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, AttributeError, OSError) as error:
        raise WeightsError(
            f"{file} was refused, nothing in it was run: {_reason(error)}; expected a pickled dictionary of tensors "
            f"and no code; {WHERE_FROM}"
        ) from error
    if not isinstance(content, dict):
        raise WeightsError(f"{file} holds a {type(content).__name__}; expected a dictionary of tensors; {WHERE_FROM}")
    for key, value in content.items():
        if not isinstance(key, str) or not isinstance(value, Tensor) or value.layout is not torch.strided:
            raise WeightsError(
                f"{file}: entry {key!r} is a {type(value).__name__}; expected tensors under their names and nothing "
                f"else, not a training checkpoint; {WHERE_FROM}"
            )
    return content


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
    wanted = {published_name(key, network.config): (key, value) for key, value in network.state_dict().items()}
    shapes = {name: tuple(value.shape) for name, (_, value) in wanted.items()}
    optional = CLASSIFIER if network.config.trunk == "hrnet_w64" else {}
    faults = [
        *_fault("missing", [key for key in shapes if key not in state]),
        *_fault("unknown", [key for key in state if key not in shapes and key not in optional]),
        *_fault("of the wrong shape", _misshaped(state, {**shapes, **optional})),
        *_fault("of the wrong type", [k for k, (_, v) in wanted.items() if k in state and not _fits(state[k], v)]),
        *_fault("not finite", [k for k in shapes if k in state and not bool(torch.isfinite(state[k]).all())]),
    ]
    if faults:
        raise WeightsError(
            f"{file} is not FastMETRO-{network.config.name} as published: {'; '.join(faults)}; expected exactly the "
            f"{len(shapes)} keys of the release; fetch the file again: {WHERE_FROM}"
        )
    return {key: state[name].to(value.dtype).contiguous() for name, (key, value) in wanted.items()}


def published_name(key: str, config: FastMetroConfig) -> str:
    """Return the release's name of one of our keys; only the ResNet's differ."""
    if config.trunk != "resnet50" or not key.startswith("backbone."):
        return key
    _, part, rest = key.split(".", 2)
    return f"backbone.{RESNET_NAMES[part]}.{rest}"


def _misshaped(state: Mapping[str, Tensor], shapes: Shapes) -> list[str]:
    return [
        f"{key} ({list(state[key].shape)}, expected {list(shape)})"
        for key, shape in shapes.items()
        if key in state and tuple(state[key].shape) != shape
    ]


def _fits(found: Tensor, wanted: Tensor) -> bool:
    return found.is_floating_point() == wanted.is_floating_point() and not found.is_complex() and not found.is_sparse


def _fault(what: str, keys: list[str]) -> list[str]:
    if not keys:
        return []
    more = f" and {len(keys) - SHOWN} more" if len(keys) > SHOWN else ""
    return [f"{what}: {', '.join(keys[:SHOWN])}{more}"]


def _reason(error: Exception) -> str:
    """Return what torch found, without its advice to load the file all the same."""
    text = str(error) or type(error).__name__
    if not text.startswith("Weights only load failed"):
        return text.splitlines()[0]
    found = re.search(r"[Uu]nsupported (?:global: )?GLOBAL [\w.]+", text)
    return f"it names {found[0].split()[-1]}" if found else "it holds something else than tensors"
