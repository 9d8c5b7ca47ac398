"""Runs a torch module through onnxruntime on the CPU, two to three times as fast as torch runs it itself."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .graph_cache import cached_path, export_graph, keep_graph, read_graph

log = logging.getLogger(__name__)

AGREEMENT = 1e-3
"""A fresh graph whose outputs differ from torch's by more than this part of their largest value is not used."""


class OnnxRuntimeSession:
    """A module's graph, exported on first use and kept in the user's cache; torch itself where that fails.

    One thread at a time.
    """

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
            threads: Threads for one run; 0 lets onnxruntime choose.
        """
        self._module = module
        self._input_names = list(input_names)
        self._session: Any = None
        try:
            self._session = open_graph(module, example_inputs, input_names, output_names, cache_key, threads)
        except failures() as error:
            log.warning(
                "%s runs in torch, slower: onnxruntime could not be used (%s: %s); expected the packages onnxruntime "
                "and onnx; install the application again to have both",
                cache_key, type(error).__name__, str(error).strip().split("\n")[0],
            )  # fmt: skip

    @property
    def is_exported(self) -> bool:
        """Whether onnxruntime runs the module, rather than torch."""
        return self._session is not None

    def run(self, *arrays: NDArray) -> tuple[NDArray, ...]:
        """Return the outputs for one array per input."""
        contiguous = [np.ascontiguousarray(array) for array in arrays]
        if self._session is not None:
            return tuple(self._session.run(None, dict(zip(self._input_names, contiguous, strict=True))))
        return run_torch(self._module, [torch.from_numpy(array) for array in contiguous])


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
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # Its threads would otherwise spin between two frames, on cores that capture and drawing need.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def check_agreement(
    session: Any, module: nn.Module, example_inputs: Sequence[Tensor], input_names: Sequence[str]
) -> None:
    """Raise ValueError where the graph's outputs are not the module's."""
    found = session.run(None, {name: t.numpy() for name, t in zip(input_names, example_inputs, strict=True)})
    for ours, theirs in zip(run_torch(module, example_inputs), found, strict=True):
        scale = float(np.abs(ours).max(initial=1e-6))
        if not np.allclose(theirs, ours, rtol=0, atol=AGREEMENT * scale):
            raise ValueError(
                f"the exported graph differs from torch by {np.abs(theirs - ours).max():.3g} of {scale:.3g}"
            )


def run_torch(module: nn.Module, inputs: Sequence[Tensor]) -> tuple[NDArray, ...]:
    """Return the module's outputs, computed by torch."""
    with torch.inference_mode():
        outputs = module(*inputs)
    outputs = (outputs,) if isinstance(outputs, Tensor) else outputs
    return tuple(output.numpy() for output in outputs)


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
