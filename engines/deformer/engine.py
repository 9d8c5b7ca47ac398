"""The DeFormer engine: the default network over the frozen encoder, or one with a trunk of its own."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..body.topology import load_levels
from ..recovery.golden import crops_trial, mesh_error_mm, sight_trial
from ..recovery.recovery import Recovery
from ..recovery.sight import BodySight, EncoderSight, Views
from ..recovery.vertices import VertexReader
from ..runtime.session import open_session
from ..runtime.stored import read_header
from ..types import FloatArray, Image, MeshResult, Regions, Sighting
from ..weights import find_configured, sha256_of
from .network import Deformer
from .options import CONFIGURATIONS, DeformerOptions
from .stored import TRUNK_NAME, load_network

DEFAULT_INPUTS = ("landmarks", "world", "map16", "map8")
OUTPUTS = ("camera", "vertices")


class DeformerEngine:
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
        self._recovery = Recovery(options.body, *how, measured=not whole)
        self.body_model = self._recovery.body_model
        network = load_network(path, self._recovery.parameters)
        self._size_hw = network.config.size_hw if isinstance(network, Deformer) else None
        module, inputs, names = example_of(network)
        key = f"deformer-{sha256_of(path)[:16]}"
        trial = crops_trial(self._size_hw, mesh_error_mm) if self._size_hw else sight_trial(names, mesh_error_mm)
        self._session = open_session(module, inputs, names, OUTPUTS, key, *how, trial)
        self._vertices = VertexReader(self._recovery.parameters, self._vertex_ids(network))

    @property
    def runtime(self) -> str:
        """What runs its networks; see `engines.types.MeshEngine`."""
        return self._recovery.runtime_with(self._session)

    def see(self, image: Image, regions: Regions, intrinsics: FloatArray | None = None) -> Sighting:
        """Look at one person per region; see `engines.types.MeshEngine`."""
        return self._recovery.see(image, regions, intrinsics, self._read)

    def recover(self, sighting: Sighting) -> MeshResult:
        """Return the bodies of what was seen; see `engines.types.MeshEngine`."""
        return self._recovery.recover(sighting)

    def predict(self, image: Image, regions: Regions, intrinsics: FloatArray | None = None) -> MeshResult:
        """Recover one body per region; see `engines.types.MeshEngine`."""
        return self.recover(self.see(image, regions, intrinsics))

    def close(self) -> None:
        """Nothing is held beyond this object."""

    def _read(self, views: Views, seen: EncoderSight) -> BodySight:
        if self._size_hw is None:
            camera, vertices = self._session.run(seen.landmarks, seen.world, seen.map16, seen.map8)
        else:
            camera, vertices = self._session.run(views.normalised_crops(*self._size_hw))
        return self._vertices.read(vertices, camera)

    def _vertex_ids(self, network: nn.Module):  # type: ignore[no-untyped-def]
        """Return which vertices the network gives: the middle level's, or all."""
        return None if isinstance(network, Deformer) else load_levels(self._recovery.parameters).vertex_ids(0)


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
