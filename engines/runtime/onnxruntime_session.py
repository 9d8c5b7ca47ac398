"""Runs a network's graph through onnxruntime, on the CPU or on an NVIDIA card."""

from __future__ import annotations

import hashlib
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import RuntimeUnavailableError
from .graph_cache import graph_of
from .network import Network

CUDA = "CUDAExecutionProvider"


class OnnxRuntimeSession:
    """A network's graph. Belongs to one thread at a time."""

    def __init__(self, network: Network, device: str = "cpu", threads: int = 0, precision: str = "fp32") -> None:
        """Open the graph, exported on first use.

        Args:
            network: What to run.
            device: `cpu` or `cuda:N`.
            threads: Threads for one run; 0 takes half of the cores, and all for several rows of a wide network.
            precision: Of the graph.
        """
        import onnxruntime

        graph = graph_of(network, precision)
        self._input_names = list(network.input_names)
        self._session = self._wide = open_graph(graph, device, threads)
        cores = os.cpu_count() or 1
        if network.wide and device == "cpu" and not threads and cores > 1:
            self._wide = open_graph(graph, device, cores)
        self.identity = f"onnxruntime {onnxruntime.__version__} {device} {hashlib.sha256(graph).hexdigest()}"

    def run(self, *arrays: NDArray) -> tuple[NDArray, ...]:
        """Return the outputs for one array per input."""
        contiguous = [np.ascontiguousarray(array) for array in arrays]
        session = self._wide if len(contiguous[0]) > 1 else self._session
        return tuple(session.run(None, dict(zip(self._input_names, contiguous, strict=True))))


def open_graph(graph: bytes | str, device: str = "cpu", threads: int = 0) -> Any:
    """Return an onnxruntime session of ONNX bytes, or of the file of that path.

    Raises:
        RuntimeUnavailableError: this onnxruntime cannot compute on the device.
    """
    import onnxruntime

    onnxruntime.disable_telemetry_events()  # for Windows, where no variable does it
    options = onnxruntime.SessionOptions()
    # The other half is for capture, sinks and drawing; more threads gain little on networks as small as these.
    options.intra_op_num_threads = threads or max(1, (os.cpu_count() or 1) // 2)
    options.log_severity_level = 3
    # Its threads would otherwise spin between two frames, on cores that capture and drawing need.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(graph, options, providers=providers(device))
    # Where CUDA's libraries are missing it only prints so, and takes the CPU.
    if device.startswith("cuda") and session.get_providers()[0] != CUDA:
        raise RuntimeUnavailableError(_NO_CUDA.format(device=device, found=session.get_providers()[0]))
    return session


_NO_CUDA = (
    "onnxruntime cannot compute on {device} (it offers {found}); expected the package onnxruntime-gpu with CUDA and "
    "cuDNN; install it in place of onnxruntime, or choose the runtime torch"
)


def providers(device: str) -> list[Any]:
    """Return onnxruntime's word for a device.

    Raises:
        RuntimeUnavailableError: the installed onnxruntime was not built for it.
    """
    import onnxruntime

    if not device.startswith("cuda"):
        return ["CPUExecutionProvider"]
    offered = onnxruntime.get_available_providers()
    if CUDA not in offered:
        raise RuntimeUnavailableError(_NO_CUDA.format(device=device, found=", ".join(offered)))
    # TF32 keeps ten bits of eleven: less than single precision promises.
    return [(CUDA, {"device_id": device.partition(":")[2] or "0", "use_tf32": "0"}), "CPUExecutionProvider"]
