"""Networks of our own training as files: safetensors in half precision, their name and sizes in the header."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar

from torch import Tensor, nn

from ..errors import WeightsError

Config = TypeVar("Config")


def save_network(path: Path, network: nn.Module, name: str, config: Any, body: str = "free") -> None:
    """Write the weights of `network` and the dataclass `config` its class is built with; whole or not at all.

    `body` names the body whose vertices the network predicts.
    """
    from safetensors.torch import save_file

    tensors = {key: _stored(tensor) for key, tensor in network.state_dict().items()}
    part = path.with_name(path.name + ".part")
    metadata = {"format": "pt", "network": name, "body": body, "config": json.dumps(asdict(config))}
    save_file(tensors, part, metadata=metadata)
    part.replace(path)


def _stored(tensor: Tensor) -> Tensor:
    return (tensor.half() if tensor.is_floating_point() else tensor).contiguous()


def read_header(path: Path) -> dict[str, str]:
    """Return what the header of a safetensors file tells, such as `network` and `body`.

    Raises:
        WeightsError: it is no safetensors file.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            return dict(file.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise _refused(path, "a safetensors file", error) from error


def read_config(path: Path, name: str, config_class: type[Config]) -> Config:
    """Return the sizes of the network `name` stored at `path`.

    Raises:
        WeightsError: it holds another network, or sizes that this class does not know.
    """
    header = read_header(path)
    try:
        if header.get("network") != name:
            raise ValueError(f"it says {header.get('network', 'nothing')!r}")
        values = json.loads(header["config"])
        known = {field.name for field in fields(config_class)}  # type: ignore[arg-type]
        if set(values) - known:
            raise ValueError(f"its sizes name {', '.join(sorted(set(values) - known))}")
        return config_class(**{key: _tupled(value) for key, value in values.items()})
    except (KeyError, TypeError, ValueError) as error:
        raise _refused(path, f"a network {name!r}", error) from error


def _tupled(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def fill_network(path: Path, network: nn.Module) -> nn.Module:
    """Load the file's weights into `network` in single precision; return it frozen, in evaluation mode.

    Raises:
        WeightsError: the file's tensors are not the network's.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        state = {k: t.float() if t.is_floating_point() else t for k, t in load_file(str(path)).items()}
        network.load_state_dict(state)
    except (RuntimeError, SafetensorError, OSError) as error:
        raise _refused(path, f"weights of {type(network).__name__}", error) from error
    return network.eval().requires_grad_(False)


def _refused(path: Path, expected: str, error: Exception) -> WeightsError:
    return WeightsError(
        f"{path} was refused ({str(error).splitlines()[0]}); expected {expected} as our training writes it; install "
        "the package again or leave engine.options.weights away"
    )
