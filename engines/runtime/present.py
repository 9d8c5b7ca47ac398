"""Which runtimes can be tried on this machine, and what the others lack."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from ..errors import RuntimeUnavailableError
from .names import RUNTIMES

MODULES = {
    "torch": ("torch",),
    "onnxruntime": ("onnxruntime",),
    "openvino": ("openvino",),
    "tensorrt": ("tensorrt", "tensorrt_rtx"),
}
"""By runtime, the modules that do; the first one found is taken."""
INSTALL = {
    "torch": "install the application again",
    "onnxruntime": "install the application again",
    "openvino": 'pip install "mocap-app[openvino]"',
    "tensorrt": 'pip install "mocap-app[rtx]" (RTX cards) or "mocap-app[tensorrt]" (server cards)',
}


class RuntimeAbsentError(RuntimeUnavailableError):
    """Not installed or not made for this device: nothing is wrong with it."""


def module_of(runtime: str) -> str:
    """Return the name of the installed module behind a runtime; empty where there is none."""
    return next((name for name in MODULES[runtime] if find_spec(name) is not None), "")


def version_of(runtime: str) -> str:
    """Return the installed library and its version; empty where there is none."""
    module = module_of(runtime)
    for distribution in (module, f"{module}-gpu", f"{module}-cu13", f"{module}-cu12"):
        try:
            return f"{module} {version(distribution)}" if module else ""
        except PackageNotFoundError:
            continue
    return module


def absence(runtime: str, device: str = "cpu") -> str:
    """Return why a runtime cannot be tried on a device (`cpu` | `cuda:N`), and what to do; empty where it can be."""
    if not module_of(runtime):
        return f"{' or '.join(MODULES[runtime])} is not installed; {INSTALL[runtime]}"
    cuda = device.startswith("cuda")
    if runtime == "tensorrt" and not cuda:
        return "it computes on NVIDIA cards alone; choose one with --device cuda:0"
    if runtime == "openvino" and cuda:
        return "it computes on the CPU alone; use --device cpu"
    if runtime == "onnxruntime" and cuda:
        return _onnxruntime_without_cuda()
    return ""


def _onnxruntime_without_cuda() -> str:
    import onnxruntime

    offered = onnxruntime.get_available_providers()
    if "CUDAExecutionProvider" in offered:
        return ""
    return f"the installed one offers {', '.join(offered)}; for NVIDIA cards install onnxruntime-gpu in its place"


def require(runtime: str, device: str) -> None:
    """Raise RuntimeAbsentError where a runtime cannot be tried on a device."""
    reason = absence(runtime, device)
    if reason:
        raise RuntimeAbsentError(f"the runtime {runtime} cannot be used on {device}: {reason}, or use the runtime auto")


def table(device: str = "cpu") -> list[tuple[str, str, str]]:
    """Return the name of every runtime, its library with version, and why it cannot be used on the device."""
    return [(name, version_of(name), absence(name, device)) for name in RUNTIMES if name != "auto"]
