"""What the frozen encoder's landmarks would be if it saw each body well.

Renders confuse the encoder more than photographs do (its landmarks are about twice as far off), so a network
trained on its raw landmarks learns to trust them too little. A small network learns the encoder's usual landmarks
of a known body; drawing the raw landmarks towards these gives training samples of every quality up to very good.
"""

from __future__ import annotations

import time

import numpy as np
import torch
from torch import Tensor, nn

from ..types import FloatArray
from .shards import Samples

_INPUTS, _OUTPUTS = 24 * (2 + 3 + 9), 39 * 8


class LandmarkModel(nn.Module):
    """Body in a crop -> the encoder's usual landmarks."""

    def __init__(self, width: int = 512) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(_INPUTS, width), nn.GELU(), nn.Linear(width, width), nn.GELU(), nn.Linear(width, _OUTPUTS)
        )

    def forward(self, joints_px: Tensor, joints: Tensor, rotations: Tensor) -> tuple[Tensor, Tensor]:
        """Return `(N, 39, 5)` landmarks and `(N, 39, 3)` world landmarks.

        Args:
            joints_px: `(N, 24, 2)` crop pixels.
            joints: `(N, 24, 3)` metres, crop camera axes.
            rotations: `(N, 24, 3, 3)` parent-relative, the root's joint -> crop camera.
        """
        center = joints_px.mean(1, keepdim=True)
        spread = (joints_px - center).square().sum(-1).mean(1).sqrt().clamp_min(4)[:, None, None]
        rooted = joints - joints[:, :1]
        flat = ((joints_px - center) / spread).flatten(1)
        numbers = torch.cat([flat, rooted.flatten(1) * 2, rotations.flatten(1)], 1)
        landmarks, world = self.layers(numbers).unflatten(1, (39, 8)).split([5, 3], -1)
        place = landmarks[..., :2] * spread + center
        return torch.cat([place, landmarks[..., 2:3] * spread, landmarks[..., 3:] * 5], -1), world / 2


def fit_landmark_model(samples: Samples, minutes: float, seed: int = 0) -> LandmarkModel:
    """Return a model of the encoder on its credible samples; robust to those it got wrong."""
    model, rng = LandmarkModel(), np.random.default_rng(seed)
    credible = np.nonzero(samples.presence > 0.8)[0]
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-3, fused=True)
    start = time.monotonic()
    while (passed := (time.monotonic() - start) / 60) < minutes:
        optimiser.param_groups[0]["lr"] = 2e-3 * (0.5 + 0.5 * np.cos(np.pi * passed / minutes))
        rows = rng.choice(credible, 256)
        landmarks, world = model(*_truth(samples, rows))
        off = (landmarks - torch.from_numpy(samples.landmarks[rows])) / torch.tensor([4.0, 4, 10, 3, 3])
        far = (world - torch.from_numpy(samples.world[rows])) / 0.05
        loss = _robust(off) + _robust(far)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
    return model.eval()


@torch.inference_mode()
def usual_landmarks(model: LandmarkModel, samples: Samples) -> tuple[FloatArray, FloatArray]:
    """Return `(N, 39, 5)` landmarks and `(N, 39, 3)` world landmarks the model expects of the samples."""
    batches = np.array_split(np.arange(len(samples)), len(samples) // 4096 + 1)
    parts = [model(*_truth(samples, rows)) for rows in batches]
    return torch.cat([p[0] for p in parts]).numpy(), torch.cat([p[1] for p in parts]).numpy()


def _truth(samples: Samples, rows: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
    arrays = (samples.joints_px, samples.joints, samples.rotations)
    return tuple(torch.from_numpy(a[rows]) for a in arrays)  # type: ignore[return-value]


def _robust(errors: Tensor) -> Tensor:
    """Geman-McClure: what is far off hardly counts."""
    square = errors.square()
    return (square / (1 + square / 4)).mean()
