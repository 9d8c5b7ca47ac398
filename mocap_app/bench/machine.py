"""The hardware, versions and threads that belong beside every figure."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .. import __version__
from ..config import AppConfig

LIBRARIES = ("torch", "onnxruntime", "numpy", "opencv-python")
OPTIONAL = ("onnxruntime-gpu", "openvino", "tensorrt", "tensorrt-rtx")


def machine(config: AppConfig) -> dict[str, Any]:
    """Return what the figures of `config` depend on beside the settings."""
    return {
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "cores_usable": usable_cores(),
        "gpu": gpu_name(config.engine.device),
        "threads": {
            "of the networks": config.engine.options.get("threads", 0) or "automatic",
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "not set"),
        },
        "device": config.engine.device,
        "system": platform.platform(),
        "versions": versions(),
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def versions() -> dict[str, str]:
    """Return the versions of the application, of Python and of the libraries that compute."""
    found = {"mocap-app": __version__, "Python": platform.python_version()}
    for name in LIBRARIES + OPTIONAL:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def usable_cores() -> int:
    """Return how many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cpu_name() -> str:
    """Return the processor's name as the system tells it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def gpu_name(device: str) -> str:
    """Return the name of the card that `device` (cpu | cuda:N) is; empty for the CPU or where there is none."""
    if not device.startswith("cuda"):
        return ""
    import torch

    return torch.cuda.get_device_name(device) if torch.cuda.is_available() else ""
