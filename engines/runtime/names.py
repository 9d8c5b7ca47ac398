"""The runtimes by name; imports nothing heavy."""

from __future__ import annotations

RUNTIMES = ("auto", "torch", "onnxruntime", "openvino", "tensorrt")
"""What the option `runtime` of an engine may be."""


def check_runtime(runtime: str, threads: int = 0) -> None:
    """Raise ValueError unless these may be an engine's options `runtime` and `threads`."""
    if runtime not in RUNTIMES:
        known = f"{', '.join(RUNTIMES[:-1])} or {RUNTIMES[-1]}"
        raise ValueError(f"runtime: found {runtime!r}, expected {known}; change it")
    if threads < 0:
        raise ValueError(f"threads: found {threads}, expected 0 or more; change it")
