"""A torch network run by torch."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn


class TorchSession:
    """Runs a network eagerly. Belongs to one thread at a time."""

    def __init__(self, module: nn.Module, device: str = "cpu") -> None:
        """Move `module`, in evaluation mode, to `device` (cpu | cuda:N)."""
        self._module = module.to(device).eval()
        self._device = device

    def run(self, *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return the outputs of one array per input."""
        with torch.inference_mode():
            outputs = self._module(*(torch.from_numpy(np.ascontiguousarray(a)).to(self._device) for a in arrays))
        outputs = (outputs,) if isinstance(outputs, torch.Tensor) else outputs
        return tuple(output.float().cpu().numpy() for output in outputs)
