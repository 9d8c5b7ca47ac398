"""From a torch module to an ONNX graph."""

from __future__ import annotations

import io
import warnings
from typing import Any

import torch

from ..errors import RuntimeUnavailableError
from .constants import fold_constants
from .half_precision import to_half
from .network import Network

OPSET = 17
"""From 20 on TensorRT reads the sampling modes of the operators of old as the nearest neighbour."""
LARGEST_GRAPH_BYTES = 2_000_000_000
"""One ONNX file is one protocol buffer message, which ends at 2 GiB."""
PRECISIONS = ("fp32", "fp16")


def export_graph(network: Network, precision: str = "fp32") -> bytes:
    """Return ONNX bytes; the first axis of every input and output, all float32, may have any length.

    Raises:
        RuntimeUnavailableError: the network is larger than one ONNX file may be.
    """
    import onnx

    check_size(network)
    model = fold_constants(onnx.load_from_string(_trace(network)))
    if precision == "fp16":
        model = to_half(model)
    onnx.checker.check_model(model, full_check=True)
    _check_operators(model)
    return model.SerializeToString()


def check_size(network: Network) -> None:
    """Raise RuntimeUnavailableError where a network is larger than one ONNX file may be."""
    if network.size_bytes() > LARGEST_GRAPH_BYTES:
        raise RuntimeUnavailableError(
            f"{network.key} takes {network.size_bytes() / 1e9:.1f} GB; expected at most "
            f"{LARGEST_GRAPH_BYTES / 1e9:.0f} GB, which is what one ONNX file may hold; choose the runtime torch"
        )


def _trace(network: Network) -> bytes:
    stream = io.BytesIO()
    names = list(network.input_names), list(network.output_names)
    with warnings.catch_warnings(), torch.inference_mode():
        # The exporter by tracing is deprecated in favour of one that needs two more packages and many seconds.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network.module.eval(),
            tuple(network.example_inputs),
            stream,  # type: ignore[arg-type]
            dynamo=False,
            opset_version=OPSET,
            input_names=names[0],
            output_names=names[1],
            dynamic_axes={name: {0: "batch"} for name in (*names[0], *names[1])},
        )
    return stream.getvalue()


def _check_operators(model: Any) -> None:
    """Raise ValueError where the graph has what no runtime can be trusted with."""
    if any(node.op_type == "GridSample" for node in model.graph.node):
        raise ValueError("the graph samples by GridSample; expected gathers; use engines.layers.sampling.sample")
