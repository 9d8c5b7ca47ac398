"""What the libraries behind the runtimes may raise."""

from __future__ import annotations

import sys

from ..errors import RuntimeUnavailableError

_ONNXRUNTIME = "onnxruntime.capi.onnxruntime_pybind11_state"
_NAMES = (
    "EPFail", "Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf", "ModelRequiresCompilation",
    "NoSuchFile", "NotImplemented", "RuntimeException",
)  # fmt: skip


def failures() -> tuple[type[Exception], ...]:
    """Return what an export, a session or one of its runs may raise on some machine.

    onnxruntime's own classes share no base but Exception; they are here once it is imported.
    """
    kinds: list[type[Exception]] = [
        RuntimeUnavailableError, ImportError, RuntimeError, OSError, ValueError, TypeError, NotImplementedError,
        AttributeError, MemoryError,
    ]  # fmt: skip
    state = sys.modules.get(_ONNXRUNTIME)
    return (*kinds, *(kind for name in _NAMES if (kind := getattr(state, name, None)) is not None))
