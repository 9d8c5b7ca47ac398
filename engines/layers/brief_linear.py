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
    """Weights of a layer rounded to bfloat16; sums are kept in single precision by the processor. For inference.

    oneDNN's own form of the weights is kept where torch has that step: putting them in order takes as long as a small
    product, and bias and ReLU come with the product.
    """

    def __init__(self, linear: nn.Linear, returns: torch.dtype = torch.float32, relu: bool = False) -> None:
        """Round the weights of `linear`.

        Args:
            linear: the layer.
            returns: float32, or bfloat16 for another of these layers to take.
            relu: whether a ReLU follows.
        """
        super().__init__()
        self._returns, self._relu = returns, relu
        self._bias = None if linear.bias is None else linear.bias.detach().bfloat16()
        self._weight = linear.weight.detach().bfloat16()
        self._is_packed = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")
        if self._is_packed:
            self._weight = torch.ops.mkldnn._reorder_linear_weight(self._weight)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return what the layer makes of `(..., C)` numbers of either kind."""
        given = tokens.bfloat16()
        if self._is_packed:
            kind = "relu" if self._relu else "none"
            return torch.ops.mkldnn._linear_pointwise(given, self._weight, self._bias, kind, [], "").to(self._returns)
        mixed = functional.linear(given, self._weight, self._bias)
        return (functional.relu(mixed) if self._relu else mixed).to(self._returns)
