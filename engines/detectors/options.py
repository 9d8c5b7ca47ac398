"""Settings of the detectors; imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class YoloOptions:
    """An ultralytics model, or an ONNX file of YOLO or YOLOX layout."""

    weights: str = "yolo11n.pt"
    """Model name (fetched once where there is internet), or a path to a `.pt` or `.onnx` file."""
    min_score: float = 0.35
    """People scored lower are left out, 0 to 1."""
    max_overlap: float = 0.6
    """Of two boxes that overlap more (intersection over union), the weaker is left out."""
    image_size_px: int = 640
    """Side the picture is reduced to; an ONNX file of fixed size has its own."""


@dataclass(frozen=True, slots=True)
class BlazePoseDetectorOptions:
    """The shipped detector."""

    min_score: float = 0.3
    """People scored lower are left out, 0 to 1."""
    max_overlap: float = 0.4
    """Of two people whose boxes overlap more (intersection over union), the weaker is left out."""
    tiles: bool = True
    """Look at overlapping parts of the picture too, where the whole shows nobody: finds small people."""
    turns: bool = True
    """Look at the turned picture too, where nobody is found: finds people upside down or lying."""


@dataclass(frozen=True, slots=True)
class AutoDetectorOptions:
    """YOLO where its library and weights are at hand, else the shipped detector."""

    weights: str = "yolo11n.pt"
    """YOLO's model: its name, or a path to a `.pt` or `.onnx` file."""
    min_score: float | None = None
    """People scored lower are left out, 0 to 1; null takes the chosen detector's own limit."""
