"""Which devices torch can compute on here."""

from __future__ import annotations

import torch

from ..errors import RuntimeUnavailableError


def check_device(device: str) -> None:
    """Raise RuntimeUnavailableError unless torch can compute on `device`: `cpu`, `cuda` or `cuda:N`."""
    if not device.startswith("cuda"):
        return
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    number = device.partition(":")[2] or "0"
    if number.isdigit() and int(number) < count:
        return
    if torch.version.cuda is None:
        found = "the installed torch is the one without CUDA; install torch for CUDA (see pytorch.org)"
    elif count == 0:
        found = "torch finds no NVIDIA graphics card here; check its driver with nvidia-smi"
    else:
        found = f"expected one of {', '.join(f'cuda:{n}' for n in range(count))}; choose one of these"
    raise RuntimeUnavailableError(f"device {device} is not at hand: {found}, or use --device cpu")
