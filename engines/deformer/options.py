"""Options of the DeFormer engine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DeformerOptions:
    """What a user may set under `engine.options` for `deformer`."""

    runtime: str = "auto"
    """How the networks run: auto | onnxruntime | torch."""
    weights: str = ""
    """Network weights (safetensors) instead of the shipped ones."""
    body: str = ""
    """A body model file of your own (.npz, or SMPL's .pkl) instead of the shipped free body."""
    threads: int = 0
    """CPU threads of the networks; 0 leaves the choice to the runtime."""

    def __post_init__(self) -> None:
        if self.runtime not in ("auto", "onnxruntime", "torch"):
            raise ValueError(f"runtime: found {self.runtime!r}, expected auto, onnxruntime or torch; change it")
