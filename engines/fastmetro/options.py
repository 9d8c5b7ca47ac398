"""Options of the FastMETRO engine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FastMetroOptions:
    """What a user may set under `engine.options` for `fastmetro`."""

    weights: str = ""
    """Weights (safetensors): written by `mocap-app engines import`, or of your own training."""
    body: str = ""
    """The body model file (.npz, or SMPL's .pkl) that the weights were trained for; empty for the free body."""
    runtime: str = "auto"
    """How the network runs: auto | onnxruntime | torch."""
    threads: int = 0
    """CPU threads of the network; 0 leaves the choice to the runtime."""

    def __post_init__(self) -> None:
        if self.runtime not in ("auto", "onnxruntime", "torch"):
            raise ValueError(f"runtime: found {self.runtime!r}, expected auto, onnxruntime or torch; change it")
        if self.threads < 0:
            raise ValueError(f"threads: found {self.threads}, expected 0 or more; change it")
