"""Perception: image in, boxes and bodies out. Importing this package loads NumPy only."""

import os

from .errors import EngineError, MissingExtraError, RuntimeUnavailableError, UnknownEngineError, WeightsError
from .registry import DETECTORS, ENGINES, EngineSpec, build_detector, build_engine
from .types import BodyModel, Detections, Detector, MeshEngine, MeshResult, Regions, Sighting

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
    "Sighting",
    "UnknownEngineError",
    "WeightsError",
    "build_detector",
    "build_engine",
]

# onnxruntime tells its maker what it runs and on which machine: from 1.29 on also on Linux and macOS, unless this is
# set when it is imported. Whoever wants to take part sets it to 0.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
