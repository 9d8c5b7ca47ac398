"""FastMETRO networks as files: safetensors with the weights, the mesh levels and the sizes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..body.smpl_levels import SparseRows
from ..errors import WeightsError
from .config import FastMetroConfig
from .network import FastMetro
from .topology import Topology

FORMAT = "mocap-app fastmetro 1"


def save_network(
    path: Path, config: FastMetroConfig, topology: Topology, state: Mapping[str, Tensor], body: str = "SMPL"
) -> None:
    """Write a network of `state` (our keys) with all it needs; the file appears whole or not at all.

    `body` names the body whose vertices it predicts: `free`, or another.
    """
    from safetensors.torch import save_file

    tensors = {f"network.{key}": value for key, value in state.items()}
    tensors |= {f"topology.{key}": torch.from_numpy(value) for key, value in _arrays(topology).items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    save_file(tensors, part, metadata={"format": FORMAT, "body": body, "config": json.dumps(asdict(config))})
    part.replace(path)


def load_network(path: Path) -> tuple[FastMetro, str]:
    """Return the network of a file, in evaluation mode, its constants computed, and the name of its body.

    Raises:
        WeightsError: The file is absent or was not written by `save_network`.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            config = _config(metadata)
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (no mapping)
            return _build(config, tensors), metadata.get("body", "SMPL")
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise WeightsError(
            f"{path} could not be read as a FastMETRO network: {error}; expected a file written by "
            "`mocap-app engines import` or by our training; write it again"
        ) from error


def _config(metadata: Mapping[str, str]) -> FastMetroConfig:
    if metadata.get("format") != FORMAT:
        raise ValueError(f"its format is {metadata.get('format')!r}, not {FORMAT!r}")
    values = json.loads(metadata["config"])
    return FastMetroConfig(**{key: tuple(v) if isinstance(v, list) else v for key, v in values.items()})


def _build(config: FastMetroConfig, tensors: Mapping[str, Tensor]) -> FastMetro:
    arrays = {key.split(".", 1)[1]: value.numpy() for key, value in tensors.items() if key.startswith("topology.")}
    state = {key.split(".", 1)[1]: value for key, value in tensors.items() if key.startswith("network.")}
    with torch.device("meta"):
        network = FastMetro(config, _topology(arrays))
    network.load_state_dict(state, strict=True, assign=True)
    network.eval().requires_grad_(False)
    network.settle()
    return network


def _arrays(topology: Topology) -> dict[str, np.ndarray]:
    arrays: dict[str, np.ndarray] = {"adjacent": topology.adjacent.astype(np.uint8)}
    for name, rows in (("fine", topology.to_fine), ("middle", topology.to_middle)):
        if rows is not None:
            arrays |= {f"{name}_columns": rows.columns.astype(np.int32), f"{name}_weights": rows.weights}
    return {key: np.array(value, order="C") for key, value in arrays.items()}


def _topology(arrays: Mapping[str, np.ndarray]) -> Topology:
    fine, middle = (
        SparseRows(arrays[f"{name}_columns"], arrays[f"{name}_weights"]) if f"{name}_columns" in arrays else None
        for name in ("fine", "middle")
    )
    if fine is None:
        raise KeyError("topology.fine_columns")
    return Topology(arrays["adjacent"].astype(bool), fine, middle)
