"""The detector that is at hand: YOLO where its library and weights are, else the shipped one."""

from __future__ import annotations

import logging
from dataclasses import replace
from importlib.util import find_spec

from ..errors import WeightsError
from ..types import Detections, Detector, Image
from .blazepose import BlazePoseDetector
from .options import AutoDetectorOptions, BlazePoseDetectorOptions, YoloOptions
from .yolo import YoloDetector

log = logging.getLogger(__name__)


class AutoDetector:
    """Chooses once, when made, and says in one log line what and why."""

    def __init__(self, options: AutoDetectorOptions, device: str = "cpu") -> None:
        self._detector, reason = _choose(options, device)
        log.info("detector: %s (%s)", type(self._detector).__name__.removesuffix("Detector").lower(), reason)

    def detect(self, image: Image) -> Detections:
        """Return the people in `(H, W, 3)` uint8 RGB `image`, best first."""
        return self._detector.detect(image)

    def glance(self, image: Image) -> Detections:
        """Return the people in a part of the looks, where the chosen detector takes many."""
        return getattr(self._detector, "glance", self._detector.detect)(image)

    def close(self) -> None:
        """Release the chosen detector."""
        self._detector.close()


def _choose(options: AutoDetectorOptions, device: str) -> tuple[Detector, str]:
    shipped, yolo = BlazePoseDetectorOptions(), YoloOptions(weights=options.weights)
    if options.min_score is not None:
        shipped = replace(shipped, min_score=options.min_score)
        yolo = replace(yolo, min_score=options.min_score)
    if not options.weights.endswith(".onnx") and find_spec("ultralytics") is None:
        return BlazePoseDetector(shipped, device), "ultralytics is not installed"
    try:
        return YoloDetector(yolo, device), options.weights
    except WeightsError as error:
        return BlazePoseDetector(shipped, device), f"no YOLO weights: {str(error).split(';')[0]}"
