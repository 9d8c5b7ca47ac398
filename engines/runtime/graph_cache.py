"""Exported graphs in the user's cache folder: exported once for a set of weights, read afterwards."""

from __future__ import annotations

import functools
import hashlib
import io
import logging
import os
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from .cache import cache_folder

log = logging.getLogger(__name__)

OPSET = 17
GRAPH_VERSION = 1
"""To be raised when this module changes what it writes."""
DIGEST_BYTES = 32
SOURCES = Path(__file__).resolve().parents[1]


def cached_path(module: nn.Module, name: str, output_names: Sequence[str]) -> Path:
    """Return where the graph of `module` is kept; another place for other weights, code or torch."""
    digest = hashlib.sha256(f"{GRAPH_VERSION} {OPSET} {torch.__version__} {name} {' '.join(output_names)}".encode())
    for key, tensor in sorted(module.state_dict().items()):
        digest.update(key.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    digest.update(sources_digest())
    return cache_folder() / "graphs" / f"{name}-{digest.hexdigest()[:24]}.graph"


@functools.cache
def sources_digest() -> bytes:
    """Return a digest of this package's code: the same weights run through changed code are another graph."""
    digest = hashlib.sha256()
    for source in sorted(SOURCES.rglob("*.py")):
        digest.update(source.read_bytes())
    return digest.digest()


def read_graph(path: Path) -> bytes | None:
    """Return the ONNX bytes kept at `path`, or None where there are none or they are damaged."""
    try:
        kept = path.read_bytes()
    except OSError:
        return None
    graph = kept[DIGEST_BYTES:]
    if hashlib.sha256(graph).digest() != kept[:DIGEST_BYTES]:
        log.info("the cached graph %s is damaged and is made again", path)
        return None
    return graph


def keep_graph(path: Path, name: str, graph: bytes) -> None:
    """Write ONNX bytes to `path` at once or not at all, and drop older graphs of the same name."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
            file.write(hashlib.sha256(graph).digest() + graph)
        os.replace(file.name, path)
        for older in path.parent.glob(f"{name}-{'?' * 24}.graph"):
            if older != path:
                older.unlink(missing_ok=True)
    except OSError as error:
        # A full disk or a read-only home costs the next start its export, nothing more.
        log.info("the graph of %s could not be kept (%s); it will be exported again", name, error)


def export_graph(
    module: nn.Module, example_inputs: Sequence[Tensor], input_names: Sequence[str], output_names: Sequence[str]
) -> bytes:
    """Return `module` as ONNX bytes; the first axis of every input and output may have any length."""
    stream = io.BytesIO()
    with warnings.catch_warnings(), torch.inference_mode():
        # The exporter by tracing is deprecated in favour of one that needs two more packages and many seconds.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            tuple(example_inputs),
            stream,  # type: ignore[arg-type]
            dynamo=False,
            opset_version=OPSET,
            input_names=list(input_names),
            output_names=list(output_names),
            dynamic_axes={name: {0: "batch"} for name in (*input_names, *output_names)},
        )
    return stream.getvalue()
