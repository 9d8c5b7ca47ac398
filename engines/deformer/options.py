"""Options of the DeFormer engine."""

from __future__ import annotations

from dataclasses import dataclass

from ..runtime.names import check_runtime
from ..types import Configuration

_NONE = "none"
_NO_FILE = "the author published no weights; train it"

CONFIGURATIONS = {
    "default": Configuration(
        "445 queries of width 64 over the frozen encoder", 3_506_668, "Apache-2.0", "deformer_default.safetensors"
    ),
    "R50": Configuration("ResNet-50, 256 x 256, 445 queries", 29_478_010, _NONE, "deformer_r50.safetensors", _NO_FILE),
    "W48": Configuration("HRNet-W48, 256 x 256, 445 queries", 70_070_394, _NONE, "deformer_w48.safetensors", _NO_FILE),
    "W48-384": Configuration("the same, 384 x 288", 70_070_394, _NONE, "deformer_w48_384.safetensors", _NO_FILE),
    "W48-1737": Configuration("the same, 1,737 queries", 69_656_810, _NONE, "deformer_w48_1737.safetensors", _NO_FILE),
    "W48-6904": Configuration("the same, 6,904 queries", 70_979_562, _NONE, "deformer_w48_6904.safetensors", _NO_FILE),
}


@dataclass(frozen=True, slots=True)
class DeformerOptions:
    """What a user may set under `engine.options` for `deformer`."""

    configuration: str = "default"
    """Which size to run: default | R50 | W48 | W48-384 | W48-1737 | W48-6904; its weights must be at hand."""
    weights: str = ""
    """Network weights (safetensors) by their path, instead of the configuration's."""
    body: str = ""
    """The body model file (.npz, or SMPL's .pkl) that the weights were trained for; empty for the free body."""
    runtime: str = "auto"
    """How the networks run: auto | torch | onnxruntime | openvino | tensorrt."""
    threads: int = 0
    """CPU threads of the networks; 0 takes half of the cores."""

    def __post_init__(self) -> None:
        if self.configuration not in CONFIGURATIONS:
            known = ", ".join(CONFIGURATIONS)
            raise ValueError(f"configuration: found {self.configuration!r}, expected one of {known}; change it")
        check_runtime(self.runtime, self.threads)
