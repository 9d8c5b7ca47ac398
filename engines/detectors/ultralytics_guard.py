"""Importing ultralytics without its side effects: no network calls, and global settings put back afterwards."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np

from ..runtime.cache import cache_folder


def import_ultralytics() -> Any:
    """Return the ultralytics package, imported with its network habits off.

    It reads these switches while it is imported: online checks, installing packages by itself, where its settings
    are kept. `sync` would send usage events.
    """
    os.environ.setdefault("YOLO_OFFLINE", "true")
    os.environ.setdefault("YOLO_AUTOINSTALL", "false")
    os.environ.setdefault("YOLO_CONFIG_DIR", str(cache_folder()))
    cache_folder().mkdir(parents=True, exist_ok=True)
    import torch  # noqa: F401  first, so that ultralytics finds the thread count already decided
    import ultralytics

    ultralytics.settings.update({"sync": False})
    _ensure_torchvision()
    return ultralytics


@contextmanager
def settings_kept() -> Iterator[None]:
    """Put back what ultralytics changes for the whole process: threads of torch and OpenCV, print options."""
    import cv2
    import torch

    threads, cv_threads, options = torch.get_num_threads(), cv2.getNumThreads(), np.get_printoptions()
    omp = os.environ.get("OMP_NUM_THREADS")
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        cv2.setNumThreads(cv_threads)
        np.set_printoptions(**options)
        torch.set_printoptions(profile="default")
        if omp is None:
            os.environ.pop("OMP_NUM_THREADS", None)


def _ensure_torchvision() -> None:
    """Stand in for torchvision where its real import fails.

    The Linux wheel of torchvision needs CUDA libraries and does not import beside a CPU torch. ultralytics asks it
    for one function alone while predicting, `ops.nms`, and has its own version of that.
    """
    try:
        import torchvision  # noqa: F401
    except (ImportError, RuntimeError, OSError):
        from ultralytics.utils.nms import TorchNMS

        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        stub, operations = ModuleType("torchvision"), ModuleType("torchvision.ops")
        operations.nms = TorchNMS.nms  # type: ignore[attr-defined]
        stub.ops, stub.__version__ = operations, "0.0"  # type: ignore[attr-defined]
        sys.modules.update({"torchvision": stub, "torchvision.ops": operations})
