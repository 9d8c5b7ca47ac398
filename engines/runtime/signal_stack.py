"""Keeping a thread's alternate signal stack from a library that replaces it (Linux)."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager


class _Stack(ctypes.Structure):
    """`stack_t` of sigaltstack(2)."""

    _fields_ = (("place", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t))


@contextmanager
def kept_signal_stack() -> Iterator[None]:
    """Put this thread's alternate signal stack back as it was.

    OpenVINO's CPU plugin gives a thread that compiles a network a stack of its own for signals, and at the network's
    end puts back the one it found. With two networks that may be the other one's, freed by then; as Python's handlers
    run on that stack, the next Ctrl-C would end the program without saving anything.
    """
    if sys.platform != "linux":
        yield
        return
    call = ctypes.CDLL(None).sigaltstack
    before = _Stack()
    known = call(None, ctypes.byref(before)) == 0
    try:
        yield
    finally:
        if known:
            call(ctypes.byref(before), None)
