"""The gate that every runtime passes before it is used: it computes what torch computes.

Compared are the outputs for the network's trial inputs, several rows at once and one row alone. The verdict is kept
with the digest of exactly what was compared, so that the next start reads it instead.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import RuntimeUnavailableError
from .cache import cache_folder
from .graph_cache import cached_path, keep, read_kept, sources_digest
from .network import Network
from .torch_session import TorchSession, one_torch_thread

log = logging.getLogger(__name__)

LIMITS_MM = {"fp32": 0.1, "fp16": 2.0, "bf16": 2.0}
"""Largest 95th percentile of the distance between the vertices of torch and those of the runtime."""


class IdentifiedSession(Protocol):
    """A session that says what it runs."""

    identity: str
    """Differs wherever library, version, device or graph do."""

    def run(self, *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return the outputs of one array per input."""


def check_parity(session: IdentifiedSession, network: Network, precision: str = "fp32") -> float:
    """Return how far the session is from torch, millimetres at the 95th percentile.

    Raises:
        RuntimeUnavailableError: that is too far.
    """
    path = verdict_path(session, network)
    error_mm = read_verdict(path)
    if error_mm is None:
        error_mm = measure(session, network)
        keep(path, repr(error_mm).encode())
        if not error_mm <= LIMITS_MM[precision]:
            # Should the graph in the cache be at fault, the next start makes another one.
            cached_path(network, precision).unlink(missing_ok=True)
    if not error_mm <= LIMITS_MM[precision]:  # what is no number does not pass
        raise RuntimeUnavailableError(
            f"it differs from torch by {error_mm:.3g} mm ({precision}, 95th percentile); expected at most "
            f"{LIMITS_MM[precision]:g} mm; use another runtime, and report this"
        )
    return error_mm


def measure(session: IdentifiedSession, network: Network) -> float:
    """Return the error of a session on the network's trial, millimetres; infinite where even shapes differ."""
    arrays = network.trial.inputs()
    with one_torch_thread():
        expected = TorchSession(network.module).run(*arrays)
    errors = []
    for rows in (slice(None), slice(1)):
        found = session.run(*(array[rows] for array in arrays))
        errors.append(_error_mm(network, [output[rows] for output in expected], found))
    return float(np.max(errors))  # unlike max, it hands on what is no number


def _error_mm(network: Network, expected: Sequence[NDArray], found: Sequence[NDArray]) -> float:
    if [output.shape for output in expected] != [output.shape for output in found]:
        return float("inf")
    return network.trial.error_mm(expected, found)


def verdict_path(session: IdentifiedSession, network: Network) -> Path:
    """Return where the verdict is kept."""
    digest = hashlib.sha256(session.identity.encode() + sources_digest()).hexdigest()[:24]
    runtime = session.identity.partition(" ")[0]
    return cache_folder() / "verdicts" / f"{network.key}-{runtime}-{digest}.mm"


def read_verdict(path: Path) -> float | None:
    """Return the kept error in millimetres, or None."""
    kept = read_kept(path)
    try:
        return None if kept is None else float(kept)
    except ValueError:
        return None
