"""What the default networks learn from: the encoder's view of rendered crops, disturbed as photographs disturb it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..types import FloatArray
from .landmark_model import LandmarkModel, fit_landmark_model, usual_landmarks
from .shards import Samples, join_samples, read_shards

LEANING = 0.75
"""A trunk whose upward part is smaller than this leans far (41 degrees and more)."""


class Batches:
    """Samples of shards that may still be growing in number, and held-out ones."""

    def __init__(self, folder: Path, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self._folder = folder / "train"
        self._files = sorted(self._folder.glob("*.npz"))
        self.samples = read_shards(self._files)
        self.held_out = read_shards(sorted((folder / "held_out").glob("*.npz")))
        self.usual: tuple[FloatArray, FloatArray] | None = None
        self._landmark_model: LandmarkModel | None = None
        self.raw_share = 1 / 6
        """Share of samples whose landmarks are those of the render; the others are drawn to the usual ones."""

    def learn_landmarks(self, minutes: float) -> None:
        """Learn the encoder's usual landmarks; batches draw the raw ones towards them from now on."""
        self._landmark_model = fit_landmark_model(self.samples, minutes)
        self.usual = usual_landmarks(self._landmark_model, self.samples)

    def refresh(self) -> None:
        """Read the shards that came since, once they are a tenth of those known."""
        new = sorted(set(self._folder.glob("*.npz")) - set(self._files))
        if len(new) > len(self._files) * 0.1:
            self._files, self.samples = self._files + new, join_samples([self.samples, read_shards(new)])
            if self._landmark_model is not None:
                self.usual = usual_landmarks(self._landmark_model, self.samples)

    def draw(self, count: int) -> np.ndarray:
        """Return `count` random rows; bodies that lean far, sit back or lie count three times as much.

        They are one in ten of the crops and by far the hardest.
        """
        rows = self.rng.integers(len(self.samples), size=count * 2)
        upright = -self.samples.rotations[rows, 0, 1, 1]  # the cosine between the trunk and the crop's up
        keep = (upright < LEANING) | (self.rng.random(len(rows)) < 1 / 3)
        return np.concatenate([rows[keep], rows[~keep]])[:count]

    def landmarks(self, samples: Samples, rows: np.ndarray) -> tuple[Tensor, Tensor]:
        """Return `(B, 39, 5)` landmarks and `(B, 39, 3)` world landmarks; those to train on are disturbed."""
        landmarks, world = torch.from_numpy(samples.landmarks[rows]), torch.from_numpy(samples.world[rows])
        if samples is self.held_out:
            return landmarks, world
        if self.usual is not None:
            usual = (torch.from_numpy(part[rows]) for part in self.usual)
            landmarks, world = _draw_towards(landmarks, world, *usual, self.raw_share, self.rng)
        return _disturb(landmarks, world, self.rng)


def read_maps(samples: Samples, rows: np.ndarray) -> list[Tensor]:
    """Return the encoder's maps, finest first: `(B, 48, 16, 16)` and `(B, 288, 8, 8)`."""
    stored = ((samples.map16, samples.step16), (samples.map8, samples.step8))
    return [torch.from_numpy(m[rows]).float() * torch.from_numpy(step)[:, None, None] for m, step in stored]


def credible_rows(samples: Samples, limit: int) -> list[np.ndarray]:
    """Return the rows in which the encoder is sure to see a person, at most `limit`, in parts of about 200."""
    rows = np.nonzero(samples.presence > 0.5)[0][:limit]
    return np.array_split(rows, max(1, len(rows) // 200))


def _draw_towards(
    landmarks: Tensor, world: Tensor, usual: Tensor, usual_world: Tensor, raw: float, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Return landmarks between the raw and the usual ones: a share raw, the others 40 to 100 % of the way."""
    count = len(landmarks)
    share = np.where(rng.random(count) < raw, 0.0, rng.uniform(0.4, 1.0, count)).astype(np.float32)
    way = torch.from_numpy(share)[:, None, None]
    return torch.lerp(landmarks, usual, way), torch.lerp(world, usual_world, way)


def _disturb(landmarks: Tensor, world: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Return landmarks with a little noise of position and of the two logits."""
    noise = torch.from_numpy(rng.normal(size=landmarks.shape).astype(np.float32))
    noise *= torch.tensor([1.2, 1.2, 4.0, 0.4, 0.4])
    jitter = torch.from_numpy(rng.normal(0, 0.008, world.shape).astype(np.float32))
    return landmarks + noise, world + jitter
