"""Options of the DeforHMR engine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DeforHmrOptions:
    """What a user may set under `engine.options` for `deforhmr`."""

    runtime: str = "auto"
    """How the networks run: auto | onnxruntime | torch."""
    weights: str = ""
    """Decoder weights (safetensors) instead of the shipped ones."""
    body: str = ""
    """A body model file of your own (.npz, or SMPL's .pkl) instead of the shipped free body."""
    threads: int = 0
    """CPU threads of the networks; 0 takes half of the cores."""

    def __post_init__(self) -> None:
        if self.runtime not in ("auto", "onnxruntime", "torch"):
            raise ValueError(f"runtime: found {self.runtime!r}, expected auto, onnxruntime or torch")
