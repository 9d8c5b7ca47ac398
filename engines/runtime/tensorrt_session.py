"""Runs a network by TensorRT on an NVIDIA card.

This was never run on a card. Its calls are tested against a stand-in for the library whose names are checked against
the real one; what it computes is compared with torch on the user's machine before it is used, as for every runtime.
"""

from __future__ import annotations

import contextlib
import hashlib
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import RuntimeUnavailableError
from .device import check_device
from .network import Network
from .tensorrt_build import MOST_PEOPLE, engine_of, library


class TensorRtSession:
    """A network's engine with torch's memory and a stream of its own. Belongs to one thread at a time."""

    def __init__(self, network: Network, device: str = "cuda:0", precision: str = "fp16") -> None:
        """Load the engine, built on first use.

        Raises:
            RuntimeUnavailableError: there is no such card, or the engine cannot be built or loaded.
        """
        trt = library()
        check_device(device)
        card = describe_card(device)
        plan = engine_of(network, precision, card)
        self._device = device
        self._inputs, self._outputs = list(network.input_names), list(network.output_names)
        # The engine lives no longer than its runtime, and both as long as the context.
        self._runtime = trt.Runtime(trt.Logger(trt.Logger.ERROR))
        self._engine = self._runtime.deserialize_cuda_engine(plan)
        if self._engine is None:
            raise RuntimeUnavailableError(
                f"{trt.__name__} {trt.__version__} cannot load its engine on {card}; expected one built for this card "
                "and driver; update the driver, or use another runtime"
            )
        self._context = self._engine.create_execution_context()
        self._stream = open_stream(device)
        facts = f"{trt.__version__} {card} {precision} {hashlib.sha256(plan).hexdigest()}"
        self.identity = f"tensorrt {trt.__name__} {facts}"

    def run(self, *arrays: NDArray) -> tuple[NDArray, ...]:
        """Return the outputs for one array per input; many rows are run in parts."""
        parts = [
            self._run_part([array[start : start + MOST_PEOPLE] for array in arrays])
            for start in range(0, len(arrays[0]), MOST_PEOPLE)
        ]
        return tuple(np.concatenate(outputs) for outputs in zip(*parts, strict=True))

    def _run_part(self, arrays: list[NDArray]) -> list[NDArray]:
        with on_stream(self._stream):
            # Named, so that the memory lives until the run is over.
            inputs = [self._feed(name, array) for name, array in zip(self._inputs, arrays, strict=True)]
            outputs = [self._room_for(name) for name in self._outputs]
            if not self._context.execute_async_v3(self._stream.cuda_stream):
                raise RuntimeError(f"TensorRT refused to run {len(inputs[0])} rows")
            results = [tensor.cpu() for tensor in outputs]
            self._stream.synchronize()
        return [tensor.numpy() for tensor in results]

    def _feed(self, name: str, array: NDArray) -> Tensor:
        tensor = torch.from_numpy(np.ascontiguousarray(array)).to(self._device)
        if not self._context.set_input_shape(name, tuple(tensor.shape)):
            raise RuntimeError(f"TensorRT refused {name} of shape {tuple(tensor.shape)}")
        self._context.set_tensor_address(name, tensor.data_ptr())
        return tensor

    def _room_for(self, name: str) -> Tensor:
        """Return an empty tensor of the output's shape; the shapes of all inputs are set before."""
        shape = tuple(int(length) for length in self._context.get_tensor_shape(name))
        tensor = torch.empty(shape, dtype=torch.float32, device=self._device)
        self._context.set_tensor_address(name, tensor.data_ptr())
        return tensor


def describe_card(device: str) -> str:
    """Return name, compute capability and driver of a card: what an engine is built for."""
    card = torch.cuda.get_device_properties(device)
    driver = getattr(torch._C, "_cuda_getDriverVersion", int)()
    return f"{card.name} {card.major}.{card.minor} driver {driver}"


def open_stream(device: str) -> Any:
    """Return a stream of the card's own, so that other work does not wait for this."""
    return torch.cuda.Stream(device)


def on_stream(stream: Any) -> contextlib.AbstractContextManager:
    """Return what makes torch work on the stream."""
    return torch.cuda.stream(stream)
