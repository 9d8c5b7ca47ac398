"""What every engine over a `Recovery` has in common: the two steps, with a family's network between them."""

from __future__ import annotations

from typing import Protocol

from ..runtime.session import LastingSession
from ..types import FloatArray, Image, MeshResult, Regions, Sighting
from .recovery import Recovery
from .sight import BodySight, EncoderSight, Views


class CropNetwork(Protocol):
    """A family's network in its runtime."""

    session: LastingSession

    def read(self, views: Views, seen: EncoderSight) -> BodySight:
        """Return the bodies in the views."""


class RecoveryEngine:
    """A `MeshEngine`, see `engines.types`, of a recovery and a family's network."""

    def __init__(self, recovery: Recovery, network: CropNetwork) -> None:
        self._recovery, self._network = recovery, network
        self.body_model = recovery.body_model

    @property
    def runtime(self) -> str:
        """What runs its networks."""
        return self._recovery.runtime_with(self._network.session)

    def see(self, image: Image, regions: Regions, intrinsics: FloatArray | None = None) -> Sighting:
        """Look at one person per region."""
        return self._recovery.see(image, regions, intrinsics, self._network.read)

    def recover(self, sighting: Sighting) -> MeshResult:
        """Return the bodies of what was seen."""
        return self._recovery.recover(sighting)

    def predict(self, image: Image, regions: Regions, intrinsics: FloatArray | None = None) -> MeshResult:
        """Recover one body per region."""
        return self.recover(self.see(image, regions, intrinsics))

    def close(self) -> None:
        """Nothing is held beyond this object."""
