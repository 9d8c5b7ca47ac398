"""Published checkpoints: pickles read without trust, and compared with what a network needs, key by key."""

from __future__ import annotations

import pickle
import re
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .errors import WeightsError

Shapes = Mapping[str, tuple[int, ...]]

SETTINGS = ("yacs.config.CfgNode",)
"""Classes of settings in checkpoints of training runs (4D-Humans). They are read as plain dictionaries; the classes
themselves are never looked for."""
SHOWN = 5
"""How many keys a message names before it counts the rest."""
_UNREADABLE = (
    pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, AttributeError, TypeError, IndexError,
    AssertionError, OSError,
)  # fmt: skip


def read_checkpoint(file: Path, expected: str, where_from: str) -> Any:
    """Return what a pickled checkpoint holds, without running anything that is in it.

    Args:
        file: the checkpoint; its tensors stay in the file until they are used, where its format allows it.
        expected: what the file is called where it is published, for messages.
        where_from: where such files are had, for messages.

    Raises:
        WeightsError: The file is absent, damaged, or holds more than tensors and plain values.
    """
    if not file.is_file():
        raise WeightsError(f"checkpoint not found: looked for {file}; expected {expected} there; {where_from}")
    plain: list[Any] = [(OrderedDict, name) for name in SETTINGS]
    try:
        with torch.serialization.safe_globals(plain):
            return torch.load(file, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(file))
    except _UNREADABLE as error:
        raise WeightsError(
            f"{file} was refused, nothing in it was run: {reason(error)}; expected a pickled dictionary of tensors "
            f"and no code; {where_from}"
        ) from error


def only_tensors(content: Any, file: Path, where_from: str) -> dict[str, Tensor]:
    """Return `content` if it is a dictionary of dense tensors under their names.

    Raises:
        WeightsError: It is anything else.
    """
    if not isinstance(content, dict):
        raise WeightsError(f"{file} holds a {type(content).__name__}; expected a dictionary of tensors; {where_from}")
    for key, value in content.items():
        if not isinstance(key, str) or not isinstance(value, Tensor) or value.layout is not torch.strided:
            raise WeightsError(
                f"{file}: entry {key!r} is a {type(value).__name__}; expected tensors under their names and nothing "
                f"else, not a training checkpoint; {where_from}"
            )
    return content


def state_of(content: Any) -> Any:
    """Return the state dict in a training checkpoint, or `content` itself where it is not wrapped."""
    wrapped = isinstance(content, dict) and isinstance(content.get("state_dict"), dict)
    return content["state_dict"] if wrapped else content


def faults_of(state: Mapping[str, Tensor], wanted: Mapping[str, Tensor], optional: Shapes) -> list[str]:
    """Return what keeps `state` from being exactly `wanted`, each kind of fault with its keys; empty if nothing.

    Args:
        state: tensors of a checkpoint.
        wanted: under the same names, tensors of the shape and type needed (on any device).
        optional: shapes of further tensors that may be there.
    """
    shapes = {key: tuple(value.shape) for key, value in wanted.items()}
    there = [key for key in wanted if key in state]
    return [
        *_fault("missing", [key for key in wanted if key not in state]),
        *_fault("unknown", [key for key in state if key not in wanted and key not in optional]),
        *_fault("of the wrong shape", _misshaped(state, {**shapes, **optional})),
        *_fault("of the wrong type", [key for key in there if not _fits(state[key], wanted[key])]),
        *_fault("not finite", [key for key in there if not bool(torch.isfinite(state[key]).all())]),
    ]


def reason(error: Exception) -> str:
    """Return what torch found, without its advice to load the file all the same."""
    text = str(error) or type(error).__name__
    if not text.startswith("Weights only load failed"):
        return text.splitlines()[0]
    found = re.search(r"[Uu]nsupported (?:global: )?GLOBAL [\w.]+", text)
    return f"it names {found[0].split()[-1]}" if found else "it holds something else than tensors"


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
