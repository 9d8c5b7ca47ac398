"""Options of the FastMETRO engine."""

from __future__ import annotations

from dataclasses import dataclass

from ..runtime.names import check_runtime
from ..types import Configuration

_PUBLISHED = "MIT code; trained on data sets and SMPL's mesh with licences of their own"
_IMPORT = "import a published checkpoint: mocap-app engines import FILE"
_NO_FILE = "no file was published; train it"

CONFIGURATIONS = {
    "default": Configuration(
        "transformers of width 128 and 64 over the frozen encoder", 3_915_920, "Apache-2.0",
        "fastmetro_default.safetensors",
    ),
    "S-R50": Configuration("1 layer, ResNet-50", 33_549_398, _PUBLISHED, "fastmetro_s_r50.safetensors", _IMPORT),
    "M-R50": Configuration("2 layers, ResNet-50", 41_368_662, _PUBLISHED, "fastmetro_m_r50.safetensors", _NO_FILE),
    "L-R50": Configuration("3 layers, ResNet-50", 49_187_926, _PUBLISHED, "fastmetro_l_r50.safetensors", _NO_FILE),
    "S-H64": Configuration("1 layer, HRNet-W64", 136_052_310, _PUBLISHED, "fastmetro_s_h64.safetensors", _NO_FILE),
    "M-H64": Configuration("2 layers, HRNet-W64", 143_871_574, _PUBLISHED, "fastmetro_m_h64.safetensors", _NO_FILE),
    "L-H64": Configuration("3 layers, HRNet-W64", 151_690_838, _PUBLISHED, "fastmetro_l_h64.safetensors", _IMPORT),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FastMetroOptions:
    """What a user may set under `engine.options` for `fastmetro`."""

    configuration: str = "default"
    """Which size to run: default | S-R50 | M-R50 | L-R50 | S-H64 | M-H64 | L-H64; its weights must be at hand."""
    weights: str = ""
    """Weights (safetensors) by their path: written by `mocap-app engines import`, or of your own training."""
    body: str = ""
    """The body model file (.npz, or SMPL's .pkl) that the weights were trained for; empty for the free body."""
    runtime: str = "auto"
    """How the network runs: auto | torch | onnxruntime | openvino | tensorrt."""
    threads: int = 0
    """CPU threads of the networks; 0 takes half of the cores."""

    def __post_init__(self) -> None:
        if self.configuration not in CONFIGURATIONS:
            known = ", ".join(CONFIGURATIONS)
            raise ValueError(f"configuration: found {self.configuration!r}, expected one of {known}; change it")
        check_runtime(self.runtime, self.threads)
