"""Files made of networks in the user's cache folder: made once for a set of weights, read afterwards."""

from __future__ import annotations

import functools
import hashlib
import logging
import os
import tempfile
from pathlib import Path

import torch

from .cache import cache_folder
from .export import OPSET, check_size, export_graph
from .network import Network

log = logging.getLogger(__name__)

GRAPH_VERSION = 2
"""To be raised when what is written changes without a change in this package's code."""
DIGEST_BYTES = 32
SOURCES = Path(__file__).resolve().parents[1]


def graph_of(network: Network, precision: str = "fp32") -> bytes:
    """Return the ONNX graph of a network in fp32 or fp16: kept from before, or exported and kept."""
    check_size(network)
    path = cached_path(network, precision)
    kept = read_kept(path)
    if kept is not None:
        return kept
    graph = export_graph(network, precision)
    keep(path, graph)
    return graph


def cached_path(network: Network, precision: str = "fp32") -> Path:
    """Return where the graph is kept; another place for other weights, code or torch."""
    names = " ".join((*network.input_names, *network.output_names))
    digest = hashlib.sha256(f"{GRAPH_VERSION} {OPSET} {torch.__version__} {network.key} {names}".encode())
    for key, tensor in sorted(network.module.state_dict().items()):
        digest.update(key.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    digest.update(sources_digest())
    return cache_folder() / "graphs" / f"{network.key}-{precision}-{digest.hexdigest()[:24]}.graph"


@functools.cache
def sources_digest() -> bytes:
    """Return a digest of this package's code: the same weights run through changed code are another graph."""
    digest = hashlib.sha256()
    for source in sorted(SOURCES.rglob("*.py")):
        digest.update(source.read_bytes())
    return digest.digest()


def read_kept(path: Path) -> bytes | None:
    """Return the bytes kept at `path`, or None where there are none or they are damaged."""
    try:
        kept = path.read_bytes()
    except OSError:
        return None
    content = kept[DIGEST_BYTES:]
    if hashlib.sha256(content).digest() != kept[:DIGEST_BYTES]:
        log.info("the cached file %s is damaged and is made again", path)
        return None
    return content


def keep(path: Path, content: bytes) -> None:
    """Write `content` to `path` at once or not at all, and drop what was kept before under the same name."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
            file.write(hashlib.sha256(content).digest() + content)
        os.replace(file.name, path)
        name = path.stem.rpartition("-")[0]
        for older in path.parent.glob(f"{name}-{'?' * 24}{path.suffix}"):
            if older != path:
                older.unlink(missing_ok=True)
    except OSError as error:
        # A full disk or a read-only home costs the next start the work, nothing more.
        log.info("%s could not be kept (%s); it will be made again", path.name, error)
