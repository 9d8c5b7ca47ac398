"""A linear layer computed in bfloat16, on processors that have instructions for it: about twice as fast."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def has_bfloat16() -> bool:
    """Return whether this processor multiplies bfloat16 itself; elsewhere it is emulated, and slower than float32."""
    flags = torch.cpu.get_capabilities()
    return any(flags.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))


class BriefLinear(nn.Module):
    """Weights of a layer rounded to bfloat16; sums are kept in single precision by the processor. For inference."""

    def __init__(self, linear: nn.Linear, returns: torch.dtype = torch.float32) -> None:
        """Round the weights of `linear`; `returns` is float32, or bfloat16 for another of these layers to take."""
        super().__init__()
        self.register_buffer("weight", linear.weight.detach().bfloat16(), persistent=False)
        bias = None if linear.bias is None else linear.bias.detach().bfloat16()
        self.register_buffer("bias", bias, persistent=False)
        self._returns = returns

    def forward(self, tokens: Tensor) -> Tensor:
        """Return what the layer makes of `(..., C)` numbers of either kind."""
        return functional.linear(tokens.bfloat16(), self.weight, self.bias).to(self._returns)
