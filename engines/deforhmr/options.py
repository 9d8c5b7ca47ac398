"""Options of the DeforHMR engine."""

from __future__ import annotations

from dataclasses import dataclass

from ..runtime.names import check_runtime
from ..types import Configuration

_NO_FILE = "no decoder was published; train it over an imported ViTPose-H trunk (mocap-app engines import FILE)"

CONFIGURATIONS = {
    "default": Configuration(
        "decoder of width 128 over the frozen encoder", 4_665_818, "Apache-2.0", "deforhmr_default.safetensors"
    ),
    "paper": Configuration(
        "decoder of width 1,024 over ViTPose-H", 670_597_395, "none", "deforhmr_paper.safetensors", _NO_FILE
    ),
}


@dataclass(frozen=True, slots=True)
class DeforHmrOptions:
    """What a user may set under `engine.options` for `deforhmr`."""

    configuration: str = "default"
    """Which size to run: default | paper; its weights must be at hand."""
    weights: str = ""
    """Weights (safetensors) by their path, instead of the configuration's."""
    runtime: str = "auto"
    """How the networks run: auto | torch | onnxruntime | openvino | tensorrt."""
    body: str = ""
    """A body model file of your own (.npz, or SMPL's .pkl) instead of the shipped free body."""
    threads: int = 0
    """CPU threads of the networks; 0 takes half of the cores."""

    def __post_init__(self) -> None:
        if self.configuration not in CONFIGURATIONS:
            known = ", ".join(CONFIGURATIONS)
            raise ValueError(f"configuration: found {self.configuration!r}, expected one of {known}; change it")
        check_runtime(self.runtime, self.threads)
