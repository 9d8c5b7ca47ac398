"""Perception: image in, boxes and bodies out. Importing this package loads NumPy only."""

from .errors import EngineError, MissingExtraError, RuntimeUnavailableError, UnknownEngineError, WeightsError
from .registry import DETECTORS, ENGINES, EngineSpec, build_detector, build_engine
from .types import BodyModel, Detections, Detector, MeshEngine, MeshResult, Regions

__all__ = [
    "DETECTORS",
    "ENGINES",
    "BodyModel",
    "Detections",
    "Detector",
    "EngineError",
    "EngineSpec",
    "MeshEngine",
    "MeshResult",
    "MissingExtraError",
    "Regions",
    "RuntimeUnavailableError",
    "UnknownEngineError",
    "WeightsError",
    "build_detector",
    "build_engine",
]
