"""What is scored: something that is shown pictures and says where people's limb joints are."""

from __future__ import annotations

from typing import Protocol

from ..detectors.alignment import regions_from_detections
from ..geometry import project
from ..types import Detector, FloatArray, Image, MeshEngine, MeshResult, Regions
from .items import LIMB_JOINTS

LimbJoints = tuple[FloatArray, FloatArray]
"""`(12, 2)` float32 pixels of the picture and `(12, 3)` float32 metres of one person."""
REDETECT_BELOW = 0.5
"""A followed person scored lower is looked for anew."""


class System(Protocol):
    """A whole system under test."""

    def begin(self, is_video: bool) -> None:
        """Forget everything; the next pictures are one video's, or independent."""

    def see(self, image: Image) -> list[LimbJoints]:
        """Return the limb joints of every person in `(H, W, 3)` uint8 RGB `image`."""


class EngineSystem:
    """A detector and an engine alone: two passes on a person's first picture, then following."""

    def __init__(self, detector: Detector, engine: MeshEngine) -> None:
        self._detector, self._engine = detector, engine
        self._is_video, self._regions = False, Regions.empty()

    def begin(self, is_video: bool) -> None:
        """Forget who was followed."""
        self._is_video, self._regions = is_video, Regions.empty()

    def see(self, image: Image) -> list[LimbJoints]:
        """Return the limb joints of everybody found."""
        regions = self._regions if self._is_video else Regions.empty()
        if not len(regions):
            regions = self._engine.predict(image, regions_from_detections(self._detector.detect(image))).next_regions
        result = self._engine.predict(image, regions)
        lost = not len(result) or bool((result.scores < REDETECT_BELOW).all())
        self._regions = Regions.empty() if lost else result.next_regions
        return limbs_of_meshes(result, self._engine.body_model.joint_names)


def limbs_of_meshes(result: MeshResult, joint_names: tuple[str, ...], is_projected: bool = False) -> list[LimbJoints]:
    """Return the limb joints of an engine's bodies.

    Args:
        result: N bodies.
        joint_names: Of the engine's body model.
        is_projected: Pixels of the recovered body's own joints, not those the engine measured in the picture.
    """
    pixels = result.joints_px
    if is_projected:
        pixels = project(result.joints + result.translation[:, None], result.intrinsics)
    rows = [joint_names.index(name) for name in LIMB_JOINTS]
    return [(pixels[rows], metres[rows]) for pixels, metres in zip(pixels, result.joints, strict=True)]
