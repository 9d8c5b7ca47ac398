"""Training of the network of body parameters (DeforHMR)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from ..deforhmr.model import DefaultNetwork
from ..deforhmr.network import Estimate
from ..evaluation.metrics import pa_mpjpe
from ..layers.landmark_numbers import LandmarkNumbers, landmark_numbers
from .batches import Batches, credible_rows, read_maps
from .loop import Schedule
from .losses import LIMB_JOINTS, BodyLoss, Truth
from .shards import Samples


class BodyTask:
    """Rotations, shape and camera of the default DeforHMR network."""

    def __init__(self, network: DefaultNetwork, loss: BodyLoss, batches: Batches) -> None:
        self.network, self._loss, self._batches = network, loss, batches

    @torch.no_grad()
    def prepare(self, count: int = 2000) -> None:
        """Store the statistics of the feature maps and the mean joints in the network."""
        samples = self._batches.samples
        rows = np.random.default_rng(0).permutation(len(samples))[:count]
        for level, features in enumerate(read_maps(samples, rows)):
            mean, spread = features.mean((0, 2, 3)), features.std((0, 2, 3)).clamp_min(1e-3)
            getattr(self.network, f"level{level}_mean").copy_(mean[None, :, None, None])
            getattr(self.network, f"level{level}_scale").copy_(1 / spread[None, :, None, None])
        self.network.first.mean_joints2d.copy_(self._numbers(samples, rows)[1].joints2d.mean(0))

    def part(self, schedule: Schedule) -> nn.Module:
        """Return the landmark network or the decoder."""
        return self.network.first if schedule.first_only else self.network.decoder

    def loss(self, rows: np.ndarray, schedule: Schedule) -> Tensor:
        """Return the loss of some training samples."""
        numbers, truth = self._numbers(self._batches.samples, rows)
        with torch.autocast("cpu", torch.bfloat16):
            if schedule.first_only:
                estimate = self.network.first(numbers.features)
            else:
                estimate = self.network.correct(numbers.features, self._some_maps(rows, schedule.feature_dropout))
        return self._loss(Estimate(*(part.float() for part in estimate)), truth)[0]

    def _some_maps(self, rows: np.ndarray, dropout: float) -> tuple[Tensor, ...]:
        keep = torch.from_numpy(self._batches.rng.random(len(rows)) >= dropout)[:, None, None, None]
        maps = read_maps(self._batches.samples, rows)
        means = [getattr(self.network, f"level{n}_mean") for n in range(len(maps))]
        return tuple(torch.where(keep, m, mean) for m, mean in zip(maps, means, strict=True))

    def _numbers(self, samples: Samples, rows: np.ndarray) -> tuple[LandmarkNumbers, Truth]:
        numbers = landmark_numbers(*self._batches.landmarks(samples, rows))
        pixels = torch.from_numpy(samples.joints_px[rows])
        truth = Truth(
            torch.from_numpy(samples.rotations[rows]), torch.from_numpy(samples.betas[rows]),
            torch.from_numpy(samples.joints[rows]), (pixels - numbers.center) / numbers.spread,
            pixels / 128 - 1, 0.25 + 0.75 * torch.from_numpy(samples.presence[rows]),
        )  # fmt: skip
        return numbers, truth

    @torch.inference_mode()
    def evaluate(self, schedule: Schedule, limit: int = 2000) -> tuple[float, ...]:
        """Return PA-MPJPE and MPJPE (mm, limb joints) of credible held-out samples and the picture error (px)."""
        held_out = self._batches.held_out
        aligned, rooted, flat = [], [], []
        for part in credible_rows(held_out, limit):
            numbers, truth = self._numbers(held_out, part)
            if schedule.first_only:
                estimate = self.network.first(numbers.features)
            else:
                estimate = self.network.correct(numbers.features, tuple(read_maps(held_out, part)))
            joints = self._loss(estimate, truth)[1].numpy()[:, LIMB_JOINTS]
            true = held_out.joints[part]
            true = (true - true[:, :1])[:, LIMB_JOINTS]
            rooted.append(np.linalg.norm(joints - true, axis=-1).mean(1))
            aligned.append([pa_mpjpe(*pair) for pair in zip(joints, true, strict=True)])
            pixels = (estimate.joints2d * numbers.spread + numbers.center).numpy()
            flat.append(np.linalg.norm(pixels - held_out.joints_px[part], axis=-1)[:, LIMB_JOINTS].mean(1))
        return tuple(
            float(np.concatenate(errors).mean()) * unit for errors, unit in ((aligned, 1e3), (rooted, 1e3), (flat, 1))
        )
