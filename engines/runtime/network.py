"""A network as the runtimes are given it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

Arrays = Sequence[NDArray]
PERCENTILE = 95
MM = 1000.0


def relative_error_mm(expected: Arrays, found: Arrays) -> float:
    """Return the 95th percentile of the error as if the largest number of each output were a metre; the worst output.

    For networks whose outputs have no length of their own.
    """
    return max(_relative(ours, theirs) for ours, theirs in zip(expected, found, strict=True))


def _relative(expected: NDArray, found: NDArray) -> float:
    scale = float(np.abs(expected).max(initial=0.1))  # a presence of nearly nothing is compared on this scale
    return MM * float(np.percentile(np.abs(found - expected), PERCENTILE)) / scale


@dataclass(frozen=True)
class Trial:
    """What a runtime must compute as torch does before it is used."""

    inputs: Callable[[], Arrays]
    """Makes one array per input, several rows of what the network is really given; called only where it is needed."""
    error_mm: Callable[[Arrays, Arrays], float] = relative_error_mm
    """From torch's outputs and a runtime's: how far the vertices are apart, 95th percentile."""
    half: bool = True
    """Whether half precision is tried at all; False where it is known to be too far off."""


@dataclass(frozen=True)
class Network:
    """A module with what an export must know."""

    module: nn.Module
    """In evaluation mode, on the CPU; takes and returns tensors whose first axis is the batch."""
    example_inputs: Sequence[Tensor]
    """What it takes, any batch."""
    input_names: Sequence[str]
    output_names: Sequence[str]
    key: str
    """A file name for what is made of it; another one where options change what the module computes without changing
    its weights."""
    trial: Trial
    brief: Callable[[], nn.Module] | None = None
    """Makes the same module with its largest products in bfloat16, where there is one."""
    wide: bool = False
    """Whether several rows at once are worth all cores: the work of each row is large beside that of sharing it."""

    def size_bytes(self) -> int:
        """Return what parameters and buffers take."""
        tensors = (*self.module.parameters(), *self.module.buffers())
        return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def doubled(example_inputs: Sequence[Tensor]) -> Trial:
    """Return a trial on the example, twice: a graph into which the example's own batch was written fails here."""
    return Trial(lambda: [np.concatenate([tensor.numpy()] * 2) for tensor in example_inputs])
