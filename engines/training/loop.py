"""The training loop of the default networks."""

from __future__ import annotations

import csv
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..deforhmr.model import DefaultNetwork
from ..deforhmr.network import Estimate
from ..layers.landmark_numbers import LandmarkNumbers, landmark_numbers
from ..types import FloatArray
from .landmark_model import LandmarkModel, fit_landmark_model, usual_landmarks
from .losses import LIMB_JOINTS, BodyLoss, Truth
from .shards import Samples, join_samples, read_shards

LEANING = 0.75
"""A trunk whose upward part is smaller than this leans far (41 degrees and more)."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast one stage trains."""

    minutes: float
    learning_rate: float = 1e-3
    batch: int = 128
    first_only: bool = False
    """Train the landmark network alone (fast); otherwise the decoder alone, over the landmark network as it is."""
    weight_decay: float = 1e-2
    feature_dropout: float = 0.1
    """Share of samples that see no feature maps."""
    average_over: int = 1000
    """Steps over which the weights that are kept are averaged (exponentially)."""


class Trainer:
    """Trains a `DefaultNetwork` on shards that may still be growing in number."""

    def __init__(self, network: DefaultNetwork, loss: BodyLoss, folder: Path, log: Path, seed: int = 0) -> None:
        self.network, self.loss, self.folder, self.log = network, loss, folder, log
        self.rng = np.random.default_rng(seed)
        torch.manual_seed(seed)
        self._files = sorted((folder / "train").glob("*.npz"))
        self.samples = read_shards(self._files)
        self.held_out = read_shards(sorted((folder / "held_out").glob("*.npz")))
        self.usual: tuple[FloatArray, FloatArray] | None = None
        self._landmark_model: LandmarkModel | None = None

    def learn_landmarks(self, minutes: float) -> None:
        """Learn the encoder's usual landmarks; batches draw the raw ones towards them from now on."""
        self._landmark_model = fit_landmark_model(self.samples, minutes)
        self.usual = usual_landmarks(self._landmark_model, self.samples)

    def run(self, schedule: Schedule, checkpoint: Path) -> None:
        """Train one stage; a checkpoint and a log row about every minute, shards read anew as they come."""
        chosen = self.network.first if schedule.first_only else self.network.decoder
        optimiser = torch.optim.AdamW(
            chosen.parameters(),
            lr=schedule.learning_rate,
            fused=True,
            weight_decay=schedule.weight_decay,
            betas=(0.9, 0.98),
        )
        average = WeightAverage(self.network, schedule.average_over)
        start = said = time.monotonic()
        seen, losses = 0, []
        while (passed := (time.monotonic() - start) / 60) < schedule.minutes:
            progress = passed / schedule.minutes
            for group in optimiser.param_groups:  # a short warm-up, then a cosine
                group["lr"] = (
                    schedule.learning_rate
                    * min(1, seen / 20000 + 0.02)
                    * (0.5 + 0.5 * np.cos(np.pi * progress) + 0.005)
                )
            losses.append(self._step(optimiser, chosen, schedule))
            average.update()
            seen += schedule.batch
            if time.monotonic() - said > 60:
                with average:
                    self._report(passed, seen, float(np.mean(losses)), schedule)
                    torch.save(self.network.state_dict(), checkpoint)
                losses = []
                self._refresh()
                said = time.monotonic()
        average.settle()
        self._report(schedule.minutes, seen, float(np.mean(losses or [0])), schedule)
        torch.save(self.network.state_dict(), checkpoint)

    def _step(self, optimiser: torch.optim.Optimizer, chosen: torch.nn.Module, schedule: Schedule) -> float:
        rows = draw_rows(self.samples, schedule.batch, self.rng)
        numbers, truth, maps = self.batch(self.samples, rows, not schedule.first_only, self.rng)
        if schedule.first_only:
            with torch.autocast("cpu", torch.bfloat16):
                first = self.network.first(numbers.features)
            value, _ = self.loss(_in_float(first), truth)
        else:
            keep = torch.from_numpy(self.rng.random(len(rows)) >= schedule.feature_dropout)[:, None, None, None]
            means = [getattr(self.network, f"level{n}_mean") for n in range(len(maps))]
            maps = tuple(torch.where(keep, m, mean) for m, mean in zip(maps, means, strict=True))
            with torch.autocast("cpu", torch.bfloat16):
                final = self.network.correct(numbers.features, maps)
            value, _ = self.loss(_in_float(final), truth)
        optimiser.zero_grad(set_to_none=True)
        value.backward()
        torch.nn.utils.clip_grad_norm_(chosen.parameters(), 1.0)
        optimiser.step()
        return float(value.detach())

    def batch(
        self, samples: Samples, rows: np.ndarray, with_maps: bool, rng: np.random.Generator | None
    ) -> tuple[LandmarkNumbers, Truth, tuple[Tensor, ...]]:
        """Return a batch; with `rng`, the landmarks are disturbed a little."""
        landmarks = torch.from_numpy(samples.landmarks[rows])
        world = torch.from_numpy(samples.world[rows])
        if rng is not None:
            if self.usual is not None:
                usual = (torch.from_numpy(part[rows]) for part in self.usual)
                landmarks, world = _draw_towards(landmarks, world, *usual, rng)
            landmarks, world = _disturb(landmarks, world, rng)
        numbers = landmark_numbers(landmarks, world)
        pixels = torch.from_numpy(samples.joints_px[rows])
        presence = torch.from_numpy(samples.presence[rows])
        truth = Truth(
            torch.from_numpy(samples.rotations[rows]), torch.from_numpy(samples.betas[rows]),
            torch.from_numpy(samples.joints[rows]), (pixels - numbers.center) / numbers.spread,
            pixels / 128 - 1, 0.25 + 0.75 * presence,
        )  # fmt: skip
        maps: tuple[Tensor, ...] = ()
        if with_maps:
            maps = tuple(
                torch.from_numpy(m[rows]).float() * torch.from_numpy(s)[:, None, None]
                for m, s in ((samples.map16, samples.step16), (samples.map8, samples.step8))
            )
        return numbers, truth, maps

    @torch.inference_mode()
    def evaluate(self, first_only: bool, limit: int = 2000) -> tuple[float, float, float]:
        """Return PA-MPJPE and MPJPE (mm, limb joints) of credible held-out samples and the picture error (px)."""
        self.network.eval()
        rows = np.nonzero(self.held_out.presence > 0.5)[0][:limit]
        aligned, rooted, flat = [], [], []
        for part in np.array_split(rows, max(1, len(rows) // 200)):
            numbers, truth, maps = self.batch(self.held_out, part, not first_only, None)
            first = self.network.first(numbers.features)
            estimate = first if first_only else self.network.correct(numbers.features, maps)
            joints = self.loss(estimate, truth)[1].numpy()[:, LIMB_JOINTS]
            true = self.held_out.joints[part]
            true = (true - true[:, :1])[:, LIMB_JOINTS]
            rooted.append(np.linalg.norm(joints - true, axis=-1).mean(1))
            aligned.append(_procrustes_error(joints, true))
            pixels = (estimate.joints2d * numbers.spread + numbers.center).numpy()
            flat.append(np.linalg.norm(pixels - self.held_out.joints_px[part], axis=-1)[:, LIMB_JOINTS].mean(1))
        self.network.train()
        return tuple(float(np.concatenate(e).mean()) * f for e, f in ((aligned, 1e3), (rooted, 1e3), (flat, 1)))  # type: ignore[return-value]

    def _report(self, minutes: float, seen: int, loss: float, schedule: Schedule) -> None:
        row = [
            f"{minutes:.1f}",
            seen,
            len(self.samples),
            f"{loss:.4f}",
            *(f"{v:.1f}" for v in self.evaluate(schedule.first_only)),
        ]
        with self.log.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerow(row)

    def _refresh(self) -> None:
        """Read the shards that came since, once they are a tenth of those known."""
        new = sorted(set((self.folder / "train").glob("*.npz")) - set(self._files))
        if len(new) > len(self._files) * 0.1:
            self._files, self.samples = self._files + new, join_samples([self.samples, read_shards(new)])
            if self._landmark_model is not None:
                self.usual = usual_landmarks(self._landmark_model, self.samples)


class WeightAverage:
    """An exponential average of a network's weights; inside `with` the network holds the average."""

    def __init__(self, network: torch.nn.Module, steps: int) -> None:
        self._network, self._steps, self._count = network, steps, 0
        self._kept = [p.detach().clone() for p in network.parameters()]
        self._own: list[Tensor] = []

    @torch.no_grad()
    def update(self) -> None:
        """Take in the network's weights of now."""
        self._count += 1
        share = max(1 / self._steps, 1 / self._count)
        torch._foreach_lerp_(self._kept, [p.detach() for p in self._network.parameters()], share)

    def __enter__(self) -> None:
        self._own = [p.detach().clone() for p in self._network.parameters()]
        self.settle()

    def __exit__(self, *_: object) -> None:
        self._copy(self._own)

    def settle(self) -> None:
        """Leave the average in the network."""
        self._copy(self._kept)

    @torch.no_grad()
    def _copy(self, values: list[Tensor]) -> None:
        for parameter, value in zip(self._network.parameters(), values, strict=True):
            parameter.copy_(value)


def _in_float(estimate: Estimate) -> Estimate:
    """Return the estimate in float32, whatever the network ran in."""
    return Estimate(*(part.float() for part in estimate))


def draw_rows(samples: Samples, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return `count` random rows; bodies that lean far, sit back or lie count three times as much.

    They are one in ten of the crops and by far the hardest.
    """
    rows = rng.integers(len(samples), size=count * 2)
    upright = -samples.rotations[rows, 0, 1, 1]  # the cosine between the trunk and the crop's up
    keep = (upright < LEANING) | (rng.random(len(rows)) < 1 / 3)
    return np.concatenate([rows[keep], rows[~keep]])[:count]


def _draw_towards(
    landmarks: Tensor, world: Tensor, usual: Tensor, usual_world: Tensor, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Return landmarks between the raw and the usual ones: one in six raw, the others 40 to 100 % of the way."""
    count = len(landmarks)
    share = np.where(rng.random(count) < 1 / 6, 0.0, rng.uniform(0.4, 1.0, count)).astype(np.float32)
    way = torch.from_numpy(share)[:, None, None]
    return torch.lerp(landmarks, usual, way), torch.lerp(world, usual_world, way)


def _disturb(landmarks: Tensor, world: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Return landmarks with a little noise of position and of the two logits."""
    noise = torch.from_numpy(rng.normal(size=landmarks.shape).astype(np.float32))
    noise *= torch.tensor([1.2, 1.2, 4.0, 0.4, 0.4])
    jitter = torch.from_numpy(rng.normal(0, 0.008, world.shape).astype(np.float32))
    return landmarks + noise, world + jitter


def _procrustes_error(joints: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return `(N,)` mean joint errors after similarity alignment (Umeyama 1991)."""
    a, b = joints - joints.mean(1, keepdims=True), truth - truth.mean(1, keepdims=True)
    u, s, vt = np.linalg.svd(np.einsum("nki,nkj->nij", b, a))
    sign = np.ones_like(s)
    sign[:, 2] = np.sign(np.linalg.det(u) * np.linalg.det(vt))
    rotation = (u * sign[:, None]) @ vt
    scale = (s * sign).sum(1) / (a**2).sum((1, 2))
    moved = scale[:, None, None] * np.einsum("nij,nkj->nki", rotation, a)
    return np.linalg.norm(moved - b, axis=-1).mean(1)
