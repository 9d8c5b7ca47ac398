"""Runs a torch module through onnxruntime on the CPU, faster than torch runs it itself."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from ..errors import RuntimeUnavailableError
from .graph_cache import cached_path, export_graph, keep_graph, read_graph
from .torch_session import TorchSession

AGREEMENT = 1e-3
"""A fresh graph whose outputs differ from torch's by more than this part of their largest value is not used."""
SMALL = 0.1
"""Outputs smaller than this throughout (a presence of nearly nothing) are compared on this scale."""


class OnnxRuntimeSession:
    """A module's graph, exported on first use and kept in the user's cache. Belongs to one thread at a time."""

    def __init__(
        self,
        module: nn.Module,
        example_inputs: Sequence[Tensor],
        input_names: Sequence[str],
        output_names: Sequence[str],
        cache_key: str,
        threads: int = 0,
    ) -> None:
        """Prepare `module` to run.

        Args:
            module: In evaluation mode, on the CPU; takes and returns tensors whose first axis is the batch.
            example_inputs: What it takes, for the export; any batch.
            input_names: One name per input.
            output_names: One name per output.
            cache_key: A file name for the graph; it must differ where options change what the module computes
                without changing its weights.
            threads: Threads for one run; 0 takes half of the cores.

        Raises:
            RuntimeUnavailableError: The module cannot be exported, or onnxruntime cannot run it.
        """
        self._input_names = list(input_names)
        try:
            self._session = open_graph(module, example_inputs, input_names, output_names, cache_key, threads)
        except failures() as error:
            raise RuntimeUnavailableError(
                f"{cache_key} cannot run in onnxruntime ({type(error).__name__}: {error}); expected the packages "
                "onnxruntime and onnx; install the application again, or choose the runtime torch"
            ) from error

    def run(self, *arrays: NDArray) -> tuple[NDArray, ...]:
        """Return the outputs for one array per input."""
        contiguous = [np.ascontiguousarray(array) for array in arrays]
        return tuple(self._session.run(None, dict(zip(self._input_names, contiguous, strict=True))))


def open_graph(
    module: nn.Module,
    example_inputs: Sequence[Tensor],
    input_names: Sequence[str],
    output_names: Sequence[str],
    cache_key: str,
    threads: int,
) -> Any:
    """Return an onnxruntime session, from the cache or freshly exported and compared with torch."""
    path = cached_path(module, cache_key, output_names)
    kept = read_graph(path)
    if kept is not None:
        # A graph that was kept by another release of onnxruntime may be refused; a fresh one then decides.
        with contextlib.suppress(*failures()):
            return open_session(kept, threads)
    graph = export_graph(module, example_inputs, input_names, output_names)
    session = open_session(graph, threads)
    check_agreement(session, module, example_inputs, input_names)
    keep_graph(path, cache_key, graph)
    return session


def open_session(graph: bytes, threads: int) -> Any:
    """Return an onnxruntime session of ONNX bytes on the CPU."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # The other half is for capture, sinks and drawing; more threads gain little on networks as small as these.
    options.intra_op_num_threads = threads or max(1, (os.cpu_count() or 1) // 2)
    options.log_severity_level = 3
    # Its threads would otherwise spin between two frames, on cores that capture and drawing need.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def check_agreement(
    session: Any, module: nn.Module, example_inputs: Sequence[Tensor], input_names: Sequence[str]
) -> None:
    """Raise ValueError where the graph's outputs are not the module's.

    The inputs are doubled: a graph into which the example's own batch was written would fail here, not in use.
    """
    inputs = [np.concatenate([tensor.numpy()] * 2) for tensor in example_inputs]
    found = session.run(None, dict(zip(input_names, inputs, strict=True)))
    for ours, theirs in zip(TorchSession(module).run(*inputs), found, strict=True):
        scale = float(np.abs(ours).max(initial=SMALL))
        if not np.allclose(theirs, ours, rtol=0, atol=AGREEMENT * scale):
            raise ValueError(
                f"the exported graph differs from torch by {np.abs(theirs - ours).max():.3g} of {scale:.3g}"
            )


def failures() -> tuple[type[Exception], ...]:
    """Return what an export or an onnxruntime session may raise on some machine; a wrong argument is not in it."""
    kinds: list[type[Exception]] = [ImportError, RuntimeError, OSError, ValueError, NotImplementedError]
    try:
        from onnxruntime.capi import onnxruntime_pybind11_state as state
    except ImportError:
        return tuple(kinds)
    names = (
        "EPFail",
        "Fail",
        "InvalidArgument",
        "InvalidGraph",
        "InvalidProtobuf",
        "NotImplemented",
        "RuntimeException",
    )
    return (*kinds, *(kind for name in names if (kind := getattr(state, name, None)) is not None))
