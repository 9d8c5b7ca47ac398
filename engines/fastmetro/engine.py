"""The FastMETRO engine: the default network over the frozen encoder, or an imported one with its own trunk."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from ..body.topology import load_levels
from ..recovery.engine import RecoveryEngine
from ..recovery.golden import crops_trial, mesh_error_mm, sight_trial
from ..recovery.recovery import Recovery
from ..recovery.sight import BodySight, EncoderSight, Views
from ..recovery.vertices import VertexReader, check_body
from ..runtime.session import open_session
from ..runtime.stored import fill_network, read_config, read_header
from ..weights import find_configured, sha256_of
from .config import FastMetroConfig
from .default import DefaultNetwork
from .network import FastMetro
from .options import CONFIGURATIONS, FastMetroOptions
from .stored import load_network
from .topology import Topology

DEFAULT_NAME = "fastmetro default"
CROP_PX = 224
INPUTS, OUTPUTS = ("landmarks", "world", "map8"), ("camera", "vertices")


class FastMetroEngine(RecoveryEngine):
    """Recovers bodies from rotated squares of a picture. Used by one thread at a time."""

    def __init__(self, options: FastMetroOptions, device: str = "cpu") -> None:
        """Load networks and body.

        Raises:
            WeightsError: weights are absent, damaged, or speak of another body.
            RuntimeUnavailableError: the runtime asked for cannot run here.
        """
        path = find_configured(CONFIGURATIONS[options.configuration], options.weights)
        own = read_header(path).get("network") == DEFAULT_NAME
        how = (options.runtime, device, options.threads)
        recovery = Recovery(options.body, *how, measured=own)
        super().__init__(recovery, (_Default if own else _Published)(path, recovery, *how))


class _Default:
    """The network that reads what the frozen encoder saw; limb joints are measured there."""

    def __init__(self, path: Path, recovery: Recovery, runtime: str, device: str, threads: int) -> None:
        body = recovery.parameters
        check_body(path, read_header(path)["body"], body)
        levels = load_levels(body)
        network = DefaultNetwork(Topology.of_body(levels), read_config(path, DEFAULT_NAME, FastMetroConfig))
        fill_network(path, network)
        network.network.settle()
        self._vertices = VertexReader(body, levels.vertex_ids(0))
        inputs = [torch.rand(1, 39, 5), torch.rand(1, 39, 3), torch.rand(1, 288, 8, 8)]
        self.session = open_session(
            network, inputs, INPUTS, OUTPUTS, f"fastmetro-{sha256_of(path)[:16]}", runtime, device, threads,
            sight_trial(INPUTS, mesh_error_mm),
        )  # fmt: skip

    def read(self, _: Views, seen: EncoderSight) -> BodySight:
        """Return the bodies."""
        camera, vertices = self.session.run(seen.landmarks, seen.world, seen.map8)
        return self._vertices.read(vertices, camera)


class _Published:
    """A network with a trunk of its own, as published: the bodies are left as it gives them."""

    def __init__(self, path: Path, recovery: Recovery, runtime: str, device: str, threads: int) -> None:
        network, body = load_network(path)
        check_body(path, body, recovery.parameters)
        self._vertices = VertexReader(recovery.parameters)
        self.session = open_session(
            _FineMesh(network), [torch.zeros(1, 3, CROP_PX, CROP_PX)], ("crops",), OUTPUTS,
            f"fastmetro-{sha256_of(path)[:16]}", runtime, device, threads,
            crops_trial((CROP_PX, CROP_PX), mesh_error_mm), brief=lambda: _FineMesh(network.brief()),
        )  # fmt: skip

    def read(self, views: Views, _: EncoderSight) -> BodySight:
        """Return the bodies."""
        camera, vertices = self.session.run(views.normalised_crops(CROP_PX, CROP_PX))
        return self._vertices.read(vertices, camera, from_pelvis=True)


class _FineMesh(nn.Module):
    """Camera and fine vertices alone: what the engine needs of all that the network gives."""

    def __init__(self, network: FastMetro) -> None:
        super().__init__()
        self.network = network

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Return `(B, 3)` cameras and `(B, 6890, 3)` vertices."""
        read = self.network(crops)
        return read.camera, read.fine
