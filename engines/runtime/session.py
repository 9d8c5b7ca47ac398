"""The choice of a runtime by name."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from torch import Tensor, nn

from ..errors import RuntimeUnavailableError
from .torch_session import TorchSession

log = logging.getLogger(__name__)


class NetworkSession(Protocol):
    """A network ready to run; arrays in, arrays out."""

    def run(self, *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return the outputs of one array per input."""


def open_session(
    module: nn.Module,
    example_inputs: Sequence[Tensor],
    input_names: Sequence[str],
    output_names: Sequence[str],
    cache_key: str,
    runtime: str = "auto",
    device: str = "cpu",
    threads: int = 0,
) -> NetworkSession:
    """Open `module` in the runtime of that name: auto | onnxruntime | torch.

    `auto` is onnxruntime on the CPU and torch elsewhere; where onnxruntime fails, torch takes over with one
    warning. The other arguments are `OnnxRuntimeSession`'s.

    Raises:
        RuntimeUnavailableError: the runtime asked for by name cannot run here.
    """
    if runtime == "torch" or (runtime == "auto" and device != "cpu"):
        return TorchSession(module, device)
    from .onnxruntime_session import OnnxRuntimeSession

    try:
        return OnnxRuntimeSession(module, example_inputs, input_names, output_names, cache_key, threads)
    except RuntimeUnavailableError as error:
        if runtime != "auto":
            raise
        log.warning("%s; torch takes over", error)
        return TorchSession(module, device)
