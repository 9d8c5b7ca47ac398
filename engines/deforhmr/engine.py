"""The DeforHMR engine, default configuration: frozen encoder, decoder, skinning, camera."""

from __future__ import annotations

import torch

from ..errors import WeightsError
from ..recovery.recovery import Recovery
from ..recovery.sight import BodySight, EncoderSight, Views
from ..runtime.session import open_session
from ..types import FloatArray, Image, MeshResult, Regions
from ..weights import find_weights, sha256_of
from .model import DefaultNetwork
from .options import CONFIGURATIONS, DeforHmrOptions

NETWORK_INPUTS = ("landmarks", "world", "map16", "map8")
NETWORK_OUTPUTS = ("rotations", "betas", "camera", "joints_px")


class DeforHmrEngine:
    """Recovers bodies from rotated squares of a picture. Used by one thread at a time."""

    def __init__(self, options: DeforHmrOptions, device: str = "cpu") -> None:
        """Load encoder, decoder and body.

        Raises:
            WeightsError: weights are absent, damaged or do not fit.
            RuntimeUnavailableError: the runtime asked for cannot run here.
        """
        how = (options.runtime, device, options.threads)
        self._recovery = Recovery(options.body, *how)
        self.body_model = self._recovery.body_model
        network, weights_key = load_network(options)
        inputs = [torch.rand(1, 39, 5), torch.rand(1, 39, 3), torch.rand(1, 48, 16, 16), torch.rand(1, 288, 8, 8)]
        self._network = open_session(network, inputs, NETWORK_INPUTS, NETWORK_OUTPUTS, weights_key, *how)

    def predict(self, image: Image, regions: Regions, intrinsics: FloatArray | None = None) -> MeshResult:
        """Recover one body per region; see `engines.types.MeshEngine`."""
        return self._recovery.predict(image, regions, intrinsics, self._read)

    def close(self) -> None:
        """Nothing is held beyond this object."""

    def _read(self, _: Views, seen: EncoderSight) -> BodySight:
        return BodySight(*self._network.run(seen.landmarks, seen.world, seen.map16, seen.map8))


def load_network(options: DeforHmrOptions) -> tuple[DefaultNetwork, str]:
    """Return the default network with its weights and the weights' key.

    Raises:
        WeightsError: the file is absent, damaged or does not fit.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = find_weights(CONFIGURATIONS[options.configuration].weights, options.weights)
    network = DefaultNetwork()
    try:
        network.load_state_dict({k: t.float() for k, t in load_file(str(path)).items()})
    except (RuntimeError, SafetensorError, OSError) as error:
        raise WeightsError(
            f"{path} does not hold weights of the default DeforHMR network ({str(error).splitlines()[0]}); expected a "
            "file written by scripts/train.py; install the package again or leave engine.options.weights away"
        ) from error
    return network.eval().requires_grad_(False), f"deforhmr-{sha256_of(path)[:16]}"
