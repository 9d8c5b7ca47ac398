"""Runs a network by torch on an NVIDIA card, its steps recorded once as a CUDA graph and replayed as one.

This was never run on a card: what it computes is compared with eager torch on the user's machine before it is used, as
for every runtime, and a card that refuses it goes on with the next.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .device import check_device
from .network import Network

WARM_UPS = 3
"""Runs before a recording: libraries choose their kernels in the first ones, which cannot be recorded."""


class Recorded(NamedTuple):
    """A graph for one number of rows, and the memory it reads and writes."""

    graph: Any
    inputs: list[Tensor]
    """On the card."""
    pinned: list[Tensor]
    """The way there: page-locked, so that the copy does not wait."""
    outputs: list[Tensor]


class CudaGraphSession:
    """A network on a card in half or single precision. Belongs to one thread at a time."""

    def __init__(self, network: Network, device: str, precision: str = "fp16") -> None:
        """Move a copy of the module to `device`; a graph is recorded for each number of rows when it first comes.

        Raises:
            RuntimeUnavailableError: there is no such card.
        """
        check_device(device)
        self._module = deepcopy(network.module).to(device).eval()
        self._device, self._is_half = device, precision == "fp16"
        self._stream = torch.cuda.Stream(device)
        self._recorded: dict[int, Recorded] = {}
        card = torch.cuda.get_device_properties(device).name
        self.identity = f"torch-graph {torch.__version__} {torch.version.cuda} {card} {precision} {network.key}"

    def run(self, *arrays: NDArray) -> tuple[NDArray, ...]:
        """Return the outputs for one array per input."""
        rows = len(arrays[0])
        padded = 1 << (rows - 1).bit_length()  # few graphs serve any number of people
        if padded not in self._recorded:
            self._recorded[padded] = self._record([self._room(array, padded) for array in arrays])
        recorded = self._recorded[padded]
        with torch.inference_mode(), torch.cuda.stream(self._stream):
            for pinned, place, array in zip(recorded.pinned, recorded.inputs, arrays, strict=True):
                pinned[:rows].copy_(torch.from_numpy(np.ascontiguousarray(array)))
                place.copy_(pinned, non_blocking=True)
            recorded.graph.replay()
            results = [output[:rows].float().cpu() for output in recorded.outputs]
            self._stream.synchronize()
        return tuple(result.numpy() for result in results)

    def _room(self, array: NDArray, rows: int) -> Tensor:
        return torch.zeros(rows, *array.shape[1:], device=self._device)

    def _record(self, inputs: list[Tensor]) -> Recorded:
        graph = torch.cuda.CUDAGraph()
        with torch.inference_mode(), torch.cuda.stream(self._stream):
            for _ in range(WARM_UPS):
                self._forward(inputs)
            self._stream.synchronize()
            with torch.cuda.graph(graph, stream=self._stream):
                outputs = self._forward(inputs)
        return Recorded(graph, inputs, [torch.zeros_like(t, device="cpu").pin_memory() for t in inputs], outputs)

    def _forward(self, inputs: list[Tensor]) -> list[Tensor]:
        # Weights that are cast once and kept would be memory that the next recording does not own.
        with torch.autocast("cuda", torch.float16, enabled=self._is_half, cache_enabled=False):
            outputs = self._module(*inputs)
        return [outputs] if isinstance(outputs, Tensor) else list(outputs)
