"""The DeFormer engine: the default network over the frozen encoder, or one with a trunk of its own."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from ..body.topology import load_levels
from ..recovery.engine import RecoveryEngine
from ..recovery.golden import crops_trial, mesh_error_mm, sight_trial
from ..recovery.recovery import Recovery
from ..recovery.sight import BodySight, EncoderSight, Views
from ..recovery.vertices import VertexReader
from ..runtime.session import open_session
from ..runtime.stored import read_header
from ..weights import find_configured, sha256_of
from .network import Deformer
from .options import CONFIGURATIONS, DeformerOptions
from .stored import TRUNK_NAME, load_network

DEFAULT_INPUTS = ("landmarks", "world", "map16", "map8")
OUTPUTS = ("camera", "vertices")


class DeformerEngine(RecoveryEngine):
    """Recovers bodies from rotated squares of a picture. Used by one thread at a time."""

    def __init__(self, options: DeformerOptions, device: str = "cpu") -> None:
        """Load networks and body.

        Raises:
            WeightsError: weights are absent, damaged, or speak of another body.
            RuntimeUnavailableError: the runtime asked for cannot run here.
        """
        path = find_configured(CONFIGURATIONS[options.configuration], options.weights)
        how = (options.runtime, device, options.threads)
        whole = read_header(path).get("network") == TRUNK_NAME
        recovery = Recovery(options.body, *how, measured=not whole)
        super().__init__(recovery, _Network(path, recovery, *how))


class _Network:
    """The default network, which reads what the frozen encoder saw, or one with a trunk of its own."""

    def __init__(self, path: Path, recovery: Recovery, runtime: str, device: str, threads: int) -> None:
        network, body = load_network(path, recovery.parameters), recovery.parameters
        self._size_hw = network.config.size_hw if isinstance(network, Deformer) else None
        self._vertices = VertexReader(body, None if self._size_hw else load_levels(body).vertex_ids(0))
        module, inputs, names = example_of(network)
        trial = crops_trial(self._size_hw, mesh_error_mm) if self._size_hw else sight_trial(names, mesh_error_mm)
        key = f"deformer-{sha256_of(path)[:16]}"
        self.session = open_session(module, inputs, names, OUTPUTS, key, runtime, device, threads, trial)

    def read(self, views: Views, seen: EncoderSight) -> BodySight:
        """Return the bodies."""
        if self._size_hw is None:
            camera, vertices = self.session.run(seen.landmarks, seen.world, seen.map16, seen.map8)
        else:
            camera, vertices = self.session.run(views.normalised_crops(*self._size_hw))
        return self._vertices.read(vertices, camera)


class _FineMesh(nn.Module):
    """Camera and finest vertices alone: what the engine needs of all that the network gives."""

    def __init__(self, network: Deformer) -> None:
        super().__init__()
        self.network = network

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Return `(B, 3)` cameras and `(B, 6890, 3)` vertices of normalised crops."""
        read = self.network(crops)
        return read.camera, read.meshes[-1]


def example_of(network: nn.Module) -> tuple[nn.Module, list[Tensor], tuple[str, ...]]:
    """Return the module to run, example inputs and their names."""
    if isinstance(network, Deformer):
        return _FineMesh(network), [torch.zeros(1, 3, *network.config.size_hw)], ("crops",)
    shapes = ((39, 5), (39, 3), (48, 16, 16), (288, 8, 8))
    return network, [torch.rand(1, *shape) for shape in shapes], DEFAULT_INPUTS
