"""The choice of a runtime, and its replacement where it fails."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import RuntimeUnavailableError
from ..layers.brief_linear import has_bfloat16
from .failures import failures
from .network import Network, Trial, doubled
from .parity import IdentifiedSession, check_parity
from .present import RuntimeAbsentError, require, version_of
from .torch_session import TorchSession

log = logging.getLogger(__name__)


class NetworkSession(Protocol):
    """A network ready to run; arrays in, arrays out."""

    def run(self, *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return the outputs of one array per input."""


class Candidate(NamedTuple):
    """One way to run a network."""

    runtime: str
    precision: str = "fp32"


TORCH = Candidate("torch")
TORCH_BRIEF = Candidate("torch", "bf16")
"""Where torch is asked for by name: on processors that have it, for networks that have such a form."""
ON_CPU = (Candidate("onnxruntime"), Candidate("openvino"), TORCH)
"""Fastest first. Milliseconds on one thread (onnxruntime, OpenVINO, torch): encoder 8.7, 9.5, 17; deforhmr 4.2, 7.6,
6.6; fastmetro 5.7, 5.4, 10; deformer 15, 32, 22; detector 11, 9.9, 20."""
TORCH_GRAPH = Candidate("torch", "fp16")
ON_CUDA = (Candidate("tensorrt", "fp16"), Candidate("tensorrt"), TORCH_GRAPH, Candidate("onnxruntime"), TORCH)
"""In the order in which they are known to be fast elsewhere; not measured by us."""


def open_session(
    module: nn.Module,
    example_inputs: Sequence[Tensor],
    input_names: Sequence[str],
    output_names: Sequence[str],
    cache_key: str,
    runtime: str = "auto",
    device: str = "cpu",
    threads: int = 0,
    trial: Trial | None = None,
    brief: Callable[[], nn.Module] | None = None,
    wide: bool = False,
) -> LastingSession:
    """Open `module` in the runtime of that name: auto | torch | onnxruntime | openvino | tensorrt.

    `auto` is the first of `ON_CPU` or `ON_CUDA` that is installed and computes what torch computes. A runtime that
    fails while it is used is replaced, by torch at last. The other arguments are `Network`'s; without a `trial`, the
    example inputs are one.

    Raises:
        RuntimeUnavailableError: the runtime asked for by name cannot run here.
    """
    network = Network(
        module, example_inputs, input_names, output_names, cache_key, trial or doubled(example_inputs), brief,
        wide,
    )  # fmt: skip
    order = [
        c for c in (ON_CUDA if device.startswith("cuda") else ON_CPU) if network.trial.half or c.precision != "fp16"
    ]
    if runtime == "auto":
        return LastingSession(network, order, device, threads)
    named = [candidate for candidate in order if candidate.runtime == runtime] or [Candidate(runtime)]
    if runtime == "torch" and device == "cpu" and brief is not None and has_bfloat16():
        named.insert(0, TORCH_BRIEF)
    return LastingSession(network, named, device, threads, spare=() if runtime == "torch" else (TORCH,))


class LastingSession:
    """A network in the first runtime of several that can run it, then in the next. Belongs to one thread at a time."""

    def __init__(
        self,
        network: Network,
        candidates: Sequence[Candidate],
        device: str,
        threads: int,
        spare: Sequence[Candidate] = (),
    ) -> None:
        """Open the first candidate that works; `spare` ones are taken only where it fails later on.

        Raises:
            RuntimeUnavailableError: none works.
        """
        self._network, self._device, self._threads = network, device, threads
        self.runtime = ""
        """The name of what runs it now."""
        self._left = list(candidates)
        self._session = self._open_next([])
        self._left += spare

    def run(self, *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return the outputs of one array per input."""
        while True:
            try:
                return self._session.run(*arrays)
            except failures() as error:
                if not self._left:
                    raise
                self._session = self._open_next([f"{self.runtime} failed in use ({_reason(error)})"])

    def _open_next(self, refused: list[str]) -> NetworkSession:
        absent: list[str] = []
        while self._left:
            candidate = self._left.pop(0)
            try:
                session, how = open_verified(self._network, candidate, self._device, self._threads)
            except RuntimeAbsentError as error:
                absent.append(str(error))
            except failures() as error:
                refused.append(f"{candidate.runtime} ({candidate.precision}) was refused: {_reason(error)}")
            else:
                self.runtime = candidate.runtime
                if refused:
                    log.warning("%s: %s; %s takes over", self._network.key, "; ".join(refused), self.runtime)
                log.info("%s runs in %s%s", self._network.key, how, "".join(f"; {reason}" for reason in absent))
                return session
        raise RuntimeUnavailableError(f"{self._network.key}: {'; '.join([*refused, *absent])}")


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, RuntimeUnavailableError) else f"{type(error).__name__}: {error}"


def open_verified(network: Network, candidate: Candidate, device: str, threads: int) -> tuple[NetworkSession, str]:
    """Return the network in one runtime, compared with torch, and how it runs in words.

    Raises:
        RuntimeUnavailableError: the runtime is not here, or computes something else. Others as in `failures`.
    """
    require(candidate.runtime, device)
    if candidate == TORCH:
        return TorchSession(network.module, device), f"torch on {device}"
    session = open_candidate(network, candidate, device, threads)
    error_mm = check_parity(session, network, candidate.precision)
    library = version_of(candidate.runtime)
    return session, f"{library} on {device} in {candidate.precision}, {error_mm:.2g} mm from torch"


def open_candidate(network: Network, candidate: Candidate, device: str, threads: int) -> IdentifiedSession:
    """Return the network in one runtime, not yet compared."""
    if candidate == TORCH_GRAPH:
        from .cuda_graph_session import CudaGraphSession

        return CudaGraphSession(network, device, candidate.precision)
    if candidate == TORCH_BRIEF:
        assert network.brief is not None, "asked for where there is one alone"
        return TorchSession(network.brief(), device, f"torch-bf16 {torch.__version__} {network.key}")
    if candidate.runtime == "onnxruntime":
        from .onnxruntime_session import OnnxRuntimeSession

        return OnnxRuntimeSession(network, device, threads, candidate.precision)
    if candidate.runtime == "openvino":
        from .openvino_session import OpenVinoSession

        return OpenVinoSession(network, device, threads)
    from .tensorrt_session import TensorRtSession

    return TensorRtSession(network, device, candidate.precision)
