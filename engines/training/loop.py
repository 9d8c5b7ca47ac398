"""The training loop, whatever is trained."""

from __future__ import annotations

import csv
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from .batches import Batches


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast one stage trains."""

    minutes: float
    learning_rate: float = 1e-3
    batch: int = 128
    first_only: bool = False
    """Train the first estimate, made from the landmarks, alone (fast); otherwise what corrects it alone."""
    weight_decay: float = 1e-2
    feature_dropout: float = 0.1
    """Share of samples that see no feature maps."""
    average_over: int = 1000
    """Steps over which the weights that are kept are averaged (exponentially)."""
    warm_up: int = 20_000
    """Samples over which the learning rate rises."""
    raw_share: float = 1 / 6
    """Share of samples whose landmarks are those of the render; the others are drawn to the usual ones."""
    samples: int = 0
    """How many samples to train on at the most; 0 for as many as there is time for."""
    report_s: float = 60.0
    """Seconds between two checkpoints and log rows."""


class Task(Protocol):
    """A network, what it is trained to do, and how well it does it."""

    network: nn.Module

    def part(self, schedule: Schedule) -> nn.Module:
        """Return the part of the network that a stage trains."""

    def loss(self, rows: np.ndarray, schedule: Schedule) -> Tensor:
        """Return the loss of some training samples."""

    def evaluate(self, schedule: Schedule) -> tuple[float, ...]:
        """Return errors of held-out samples."""


class Trainer:
    """Trains a task, stage by stage."""

    def __init__(self, task: Task, batches: Batches, log: Path) -> None:
        self.task, self.batches, self.log = task, batches, log

    def run(self, schedule: Schedule, checkpoint: Path) -> None:
        """Train one stage; a checkpoint and a log row now and then, shards read anew as they come."""
        self.batches.raw_share = schedule.raw_share
        part = self.task.part(schedule)
        optimiser = torch.optim.AdamW(
            part.parameters(),
            lr=schedule.learning_rate,
            fused=True,
            weight_decay=schedule.weight_decay,
            betas=(0.9, 0.98),
        )
        average = WeightAverage(self.task.network, schedule.average_over)
        start = said = time.monotonic()
        seen, losses = 0, []
        while (done := progress(schedule, seen, passed := (time.monotonic() - start) / 60)) < 1:
            for group in optimiser.param_groups:
                group["lr"] = learning_rate(schedule, seen, done)
            losses.append(self._step(optimiser, part, schedule))
            average.update()
            seen += schedule.batch
            if time.monotonic() - said > schedule.report_s:
                with average:
                    self._report(passed, seen, losses, schedule)
                    torch.save(self.task.network.state_dict(), checkpoint)
                losses = []
                self.batches.refresh()
                said = time.monotonic()
        average.settle()
        self._report(schedule.minutes, seen, losses, schedule)
        torch.save(self.task.network.state_dict(), checkpoint)

    def _step(self, optimiser: torch.optim.Optimizer, part: nn.Module, schedule: Schedule) -> float:
        value = self.task.loss(self.batches.draw(schedule.batch), schedule)
        optimiser.zero_grad(set_to_none=True)
        value.backward()
        torch.nn.utils.clip_grad_norm_(part.parameters(), 1.0)
        optimiser.step()
        return float(value.detach())

    def _report(self, minutes: float, seen: int, losses: list[float], schedule: Schedule) -> None:
        self.task.network.eval()
        errors = self.task.evaluate(schedule)
        self.task.network.train()
        loss = float(np.mean(losses or [0]))
        row = [f"{minutes:.1f}", seen, len(self.batches.samples), f"{loss:.4f}", *(f"{error:.1f}" for error in errors)]
        with self.log.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerow(row)


def progress(schedule: Schedule, seen: int, passed: float) -> float:
    """Return how much of a stage is done after `seen` samples and `passed` minutes: 1 at its end."""
    return max(passed / schedule.minutes, seen / schedule.samples if schedule.samples else 0)


def learning_rate(schedule: Schedule, seen: int, done: float) -> float:
    """Return the rate after `seen` samples and a part `done` of the stage: a short warm-up, then a cosine."""
    cosine = 0.5 + 0.5 * np.cos(np.pi * done) + 0.005
    return float(schedule.learning_rate * min(1, seen / schedule.warm_up + 0.02) * cosine)


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
