"""Runs a network's graph through OpenVINO, on the CPU; the extra `openvino`."""

from __future__ import annotations

import hashlib
import os
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import RuntimeUnavailableError
from .cache import cache_folder
from .graph_cache import graph_of
from .network import Network
from .signal_stack import kept_signal_stack


class OpenVinoSession:
    """A network's graph. Belongs to one thread at a time."""

    def __init__(self, network: Network, device: str = "cpu", threads: int = 0) -> None:
        """Compile the graph, exported on first use.

        Args:
            network: What to run.
            device: `cpu` alone.
            threads: Threads for one run; 0 takes half of the cores.
        """
        openvino = import_openvino()
        if device != "cpu":
            raise RuntimeUnavailableError(
                f"openvino was asked for {device}; expected cpu; use --device cpu, or another runtime"
            )
        graph = graph_of(network)
        compiled = compile_graph(graph, threads)
        self._input_names = list(network.input_names)
        self._request, self._outputs = compiled.create_infer_request(), compiled.outputs
        self.identity = f"openvino {openvino.__version__} {hashlib.sha256(graph).hexdigest()}"

    def run(self, *arrays: NDArray) -> tuple[NDArray, ...]:
        """Return the outputs for one array per input."""
        contiguous = [np.ascontiguousarray(array) for array in arrays]
        results = self._request.infer(dict(zip(self._input_names, contiguous, strict=True)))
        return tuple(np.array(results[output]) for output in self._outputs)


def import_openvino() -> Any:
    """Return the module, imported without what tells its maker so.

    Its own code does without `openvino_telemetry` where that cannot be imported; otherwise an event is sent for every
    import, from a thread that stays.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


def compile_graph(graph: bytes, threads: int = 0) -> Any:
    """Return OpenVINO's compiled model of ONNX bytes, in single precision."""
    core = import_openvino().Core()
    settings = {
        # On processors with bfloat16 it would take that by itself, which moves vertices by millimetres.
        "INFERENCE_PRECISION_HINT": "f32",
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads or max(1, (os.cpu_count() or 1) // 2),
        # Compiled once: half a second to one and a half for each network.
        "CACHE_DIR": str(cache_folder() / "openvino"),
    }
    with kept_signal_stack():
        return core.compile_model(core.read_model(graph, b""), "CPU", settings)
