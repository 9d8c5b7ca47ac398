"""From an ONNX graph to a TensorRT engine: `tensorrt` 11 and `tensorrt-rtx` by one code.

Building needs no graphics card with tensorrt-rtx, and is tested so. What is not tested anywhere: the package
`tensorrt`, its timing cache, and whether an engine is fast.
"""

from __future__ import annotations

import hashlib
import importlib
import logging
from pathlib import Path
from typing import Any

from ..errors import RuntimeUnavailableError
from .cache import cache_folder
from .graph_cache import graph_of, keep, read_kept
from .network import Network
from .present import module_of, require

log = logging.getLogger(__name__)

MOST_PEOPLE = 8
"""Rows that an engine takes at once; more are run in parts."""


def library() -> Any:
    """Return the module `tensorrt` or `tensorrt_rtx`; their interfaces are the same here."""
    name = module_of("tensorrt")
    if not name:
        require("tensorrt", "cuda:0")
    return importlib.import_module(name)


def engine_of(network: Network, precision: str, card: str) -> bytes:
    """Return the engine of a network: kept from before, or built (seconds, or minutes) and kept.

    Args:
        network: What to build.
        precision: fp32 | fp16.
        card: Name, compute capability and driver of the graphics card: an engine is for these alone.
    """
    trt = library()
    graph = graph_of(network, precision)
    facts = f"{trt.__name__} {trt.__version__} {card} {MOST_PEOPLE} {hashlib.sha256(graph).hexdigest()}"
    name = f"{network.key}-{precision}-{hashlib.sha256(facts.encode()).hexdigest()[:24]}.engine"
    path = cache_folder() / "engines" / name
    kept = read_kept(path)
    if kept is not None:
        return kept
    log.info("building a TensorRT engine of %s in %s; the next start reads it from %s", network.key, precision, path)
    plan = build_engine(graph, timing_path(trt, card))
    keep(path, plan)
    return plan


def timing_path(trt: Any, card: str) -> Path | None:
    """Return where what the builder measured is kept for other engines; tensorrt-rtx measures nothing."""
    if trt.__name__ != "tensorrt":
        return None
    digest = hashlib.sha256(f"{trt.__version__} {card}".encode()).hexdigest()[:24]
    return cache_folder() / "engines" / f"timing-{digest}.cache"


def build_engine(graph: bytes, timing: Path | None = None, most_people: int = MOST_PEOPLE) -> bytes:
    """Return the engine of an ONNX graph, for 1 to `most_people` rows; precision as the graph says.

    Raises:
        RuntimeUnavailableError: TensorRT cannot read or build the graph.
    """
    trt = library()
    logger = trt.Logger(trt.Logger.ERROR)
    builder = trt.Builder(logger)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, logger)
    if not parser.parse(graph):
        raise _unreadable(parser)
    config = builder.create_builder_config()
    config.add_optimization_profile(_profile(builder, network, most_people))
    if timing is not None:
        config.set_timing_cache(config.create_timing_cache(read_kept(timing) or b""), ignore_mismatch=False)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise RuntimeUnavailableError(
            f"{trt.__name__} {trt.__version__} read the graph but built no engine; expected one; its own messages are "
            "above; use another runtime"
        )
    if timing is not None:
        keep(timing, bytes(config.get_timing_cache().serialize()))
    return bytes(plan)


def _profile(builder: Any, network: Any, most_people: int) -> Any:
    """Return what lengths the open axis may have: made for one person, as is usual."""
    profile = builder.create_optimization_profile()
    for index in range(network.num_inputs):
        tensor = network.get_input(index)
        row = tuple(tensor.shape)[1:]
        profile.set_shape(tensor.name, (1, *row), (1, *row), (most_people, *row))
    return profile


def _unreadable(parser: Any) -> RuntimeUnavailableError:
    errors = "; ".join(str(parser.get_error(index)) for index in range(parser.num_errors))
    return RuntimeUnavailableError(
        f"TensorRT cannot read the graph ({errors}); expected operators it knows; use another runtime"
    )
