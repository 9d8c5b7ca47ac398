"""The paper's configuration as a file: safetensors with a trunk, and with a decoder where one was trained."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from textwrap import shorten
from typing import Any

import torch
from torch import Tensor

from ..backbones.vit import VitConfig, VitTrunk
from ..errors import WeightsError
from .network import PAPER, Decoder, DecoderConfig, Level
from .paper import PaperNetwork

FORMAT = "mocap-app deforhmr paper 1"
TRUNK, DECODER, MEAN = "trunk.", "decoder.", "mean_"
"""How the keys of the file's three parts begin; they are the network's own."""


def save_paper(
    path: Path, tensors: Mapping[str, Tensor], trunk: VitConfig, decoder: DecoderConfig = PAPER, source: str = ""
) -> None:
    """Write `tensors`, keys as in `PaperNetwork`; the file appears whole or not at all.

    Args:
        path: the file.
        tensors: a whole trunk; the decoder whole or not at all; the mean body or not.
        trunk: sizes of the trunk.
        decoder: sizes of the decoder.
        source: where the trunk comes from, for who reads the file.
    """
    from safetensors.torch import save_file

    sizes = {"trunk": json.dumps(asdict(trunk)), "decoder": json.dumps(asdict(decoder))}
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        save_file(dict(tensors), part, metadata={"format": FORMAT, "source": source, **sizes})
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def load_paper(path: Path, untrained: bool = False) -> PaperNetwork:
    """Return the network of a file in single precision and evaluation mode, starting from its mean body or the T-pose.

    Args:
        path: a file written by `save_paper`.
        untrained: whether a file without a decoder will do; its decoder is new then, to be trained.

    Raises:
        WeightsError: The file is absent, was not written by `save_paper`, or lacks a decoder that is needed.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            trunk, decoder = _sizes(file.metadata() or {})
            tensors = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118 (no mapping)
        if not untrained:
            _require_decoder(tensors, path)
        return _build(trunk, decoder, tensors).eval()
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise WeightsError(
            f"{path} could not be read as DeforHMR's paper configuration: {shorten(str(error), 300)}; expected a file "
            "written by `mocap-app engines import` or by a training of the paper configuration; write it again"
        ) from error


def _require_decoder(tensors: Iterable[str], path: Path) -> None:
    if not any(key.startswith(DECODER) for key in tensors):
        raise WeightsError(
            f"{path} holds the image trunk alone; expected a decoder too, without which no body can be recovered; "
            "none was ever published: train one over this trunk, or use the default configuration"
        )


def _sizes(metadata: Mapping[str, str]) -> tuple[VitConfig, DecoderConfig]:
    if metadata.get("format") != FORMAT:
        raise ValueError(f"its format is {metadata.get('format')!r}, not {FORMAT!r}")
    decoder: dict[str, Any] = json.loads(metadata["decoder"])
    levels = tuple(Level(**level) for level in decoder.pop("levels"))
    return VitConfig(**json.loads(metadata["trunk"])), DecoderConfig(levels, **decoder)


def _build(trunk: VitConfig, decoder: DecoderConfig, tensors: Mapping[str, Tensor]) -> PaperNetwork:
    """Return the network of these tensors; the decoder and the mean body may be absent, the trunk may not."""
    with torch.device("meta"):  # two and a half gigabytes that the file's tensors stand in for
        empty = VitTrunk(trunk)
    network = PaperNetwork(empty, Decoder(decoder))
    absent = tuple(part for part in (DECODER, MEAN) if not any(key.startswith(part) for key in tensors))
    new = {key: value for key, value in network.state_dict().items() if key.startswith(absent)}
    network.load_state_dict({**new, **tensors}, strict=True, assign=True)
    return network
