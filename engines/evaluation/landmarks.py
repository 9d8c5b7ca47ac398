"""The frozen encoder's own landmarks as a system under test: what an engine on top of it has to beat."""

from __future__ import annotations

import numpy as np
import torch

from ..backbones.blazepose.load import load_pose_encoder
from ..backbones.blazepose.pose_encoder import INPUT_SIZE_PX
from ..detectors.alignment import regions_from_axes, regions_from_detections
from ..geometry import apply_affine, cut_crops, invert_affine, region_matrices
from ..runtime.session import open_session
from ..types import Detector, FloatArray, Image, Regions
from .systems import REDETECT_BELOW, LimbJoints

LIMB_LANDMARKS = (23, 24, 25, 26, 27, 28, 11, 12, 13, 14, 15, 16)
"""The landmarks of `items.LIMB_JOINTS`."""
CENTER, TOP = 33, 34
"""The landmarks that say where the person will be in the next picture."""


class LandmarkSystem:
    """Detector, two passes of the encoder, its landmarks; no gate on presence in pictures."""

    def __init__(self, detector: Detector, variant: str = "full") -> None:
        outputs = ["landmarks", "world", "presence", "map16", "map8"]
        example = torch.zeros(1, 3, INPUT_SIZE_PX, INPUT_SIZE_PX)
        encoder = load_pose_encoder(variant)
        self._detector = detector
        self._session = open_session(encoder, [example], ["crops"], outputs, f"blazepose-{variant}-landmarks")
        self._is_video, self._regions = False, Regions.empty()

    def begin(self, is_video: bool) -> None:
        """Forget who was followed."""
        self._is_video, self._regions = is_video, Regions.empty()

    def see(self, image: Image) -> list[LimbJoints]:
        """Return the limb joints of everybody found."""
        regions = self._regions if self._is_video else Regions.empty()
        if not len(regions):
            first = regions_from_detections(self._detector.detect(image))
            regions = self._encode(image, first)[3]
        pixels, metres, presence, following = self._encode(image, regions)
        lost = not len(presence) or bool((presence < REDETECT_BELOW).all())
        self._regions = Regions.empty() if lost else following
        rows = list(LIMB_LANDMARKS)
        return [(px[rows], m[rows]) for px, m in zip(pixels, metres, strict=True)]

    def _encode(self, image: Image, regions: Regions) -> tuple[FloatArray, FloatArray, FloatArray, Regions]:
        """Return `(N, 39, 2)` pixels, `(N, 39, 3)` metres in camera axes, `(N,)` presence, the next regions."""
        if not len(regions):
            empty = np.zeros((0, 39, 2), np.float32)
            return empty, np.zeros((0, 39, 3), np.float32), np.zeros(0, np.float32), regions
        matrices = region_matrices(regions, INPUT_SIZE_PX)
        crops = cut_crops(image, matrices, INPUT_SIZE_PX).transpose(0, 3, 1, 2).astype(np.float32) / 255
        marks, world, presence, _, _ = self._session.run(crops)
        pixels = apply_affine(invert_affine(matrices), marks[..., :2])
        cosine, sine = np.cos(regions.angles_rad)[:, None], np.sin(regions.angles_rad)[:, None]
        x, y, z = np.moveaxis(world, -1, 0)
        metres = np.stack([cosine * x - sine * y, sine * x + cosine * y, z], axis=-1).astype(np.float32)
        following = regions_from_axes(pixels[:, CENTER], pixels[:, TOP])
        return pixels, metres, presence.reshape(-1), following
