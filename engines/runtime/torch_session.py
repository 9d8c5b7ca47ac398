"""A torch network run by torch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Let torch work on one thread: for tasks so small that others cost more than they save.

    OpenMP's threads spin on their cores for a while after each task, in the way of everything else.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class TorchSession:
    """Runs a network eagerly. Belongs to one thread at a time."""

    def __init__(self, module: nn.Module, device: str = "cpu", identity: str = "") -> None:
        """Move `module`, in evaluation mode, to `device` (cpu | cuda:N); `identity` is for the parity gate."""
        self.identity = identity
        self._module = module.to(device).eval()
        self._device = device

    def run(self, *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return the outputs of one array per input."""
        with torch.inference_mode():
            outputs = self._module(*(torch.from_numpy(np.ascontiguousarray(a)).to(self._device) for a in arrays))
        outputs = (outputs,) if isinstance(outputs, torch.Tensor) else outputs
        return tuple(output.float().cpu().numpy() for output in outputs)
