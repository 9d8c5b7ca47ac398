"""Training of the networks of vertices (FastMETRO, DeFormer)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ..body import BodyParameters
from ..body.joints import LSP_JOINTS
from ..body.skinning import BodyLayer
from ..body.topology import BodyLevels
from ..deformer.default import DefaultNetwork as DeformerNetwork
from ..evaluation.metrics import pa_mpjpe
from ..fastmetro.default import DefaultNetwork as FastMetroNetwork
from ..layers.landmark_numbers import landmark_numbers
from .batches import Batches, credible_rows, read_maps
from .loop import Schedule
from .losses import centred_and_scaled
from .shards import Samples

HALF_CROP_PX = 128.0
JOINTS = len(LSP_JOINTS)
LIMBS = tuple(range(12))
"""All of the 14 joints but neck and head."""
VERTEX_WEIGHT, JOINT_WEIGHT, ALIGNED_WEIGHT, PICTURE_WEIGHT, MIDDLE_WEIGHT = 12.0, 6.0, 6.0, 2.0, 12.0


class MeshTruth(NamedTuple):
    """The answer of a batch; metres, crop axes, from the pelvis."""

    points: Tensor
    """`(B, 445, 3)`: 14 joints, then the coarse vertices."""
    middle: Tensor
    """`(B, 1723, 3)`."""
    scale: Tensor
    """`(B, 1)` crop coordinates (-1..1) per metre at the pelvis."""
    pelvis: Tensor
    """`(B, 2)` crop coordinates of the pelvis."""
    joints_crop: Tensor
    """`(B, 14, 2)` crop coordinates of the joints."""
    weight: Tensor
    """`(B,)`."""

    def flat(self) -> Tensor:
        """Return the `(B, 445, 3)` points in crop coordinates by weak perspective, z in the same unit."""
        return self.scale[:, None] * self.points + nn.functional.pad(self.pelvis, (0, 1))[:, None]


class MeshGuess(NamedTuple):
    """What a network says of a batch."""

    points: Tensor
    """As of the truth, but from anywhere."""
    middle: Tensor | None
    camera: Tensor
    """`(B, 3)` s, tx, ty, belonging to the points."""
    states: tuple[Tensor, ...] = ()
    """`(B, 445, 3)` in crop coordinates, one after each step of a loop."""


class MeshTask:
    """Vertices, joints and camera."""

    def __init__(
        self, network: FastMetroNetwork | DeformerNetwork, body: BodyParameters, levels: BodyLevels, batches: Batches
    ) -> None:
        self.network, self._batches = network, batches
        self._layer = BodyLayer(body).restrict(levels.vertex_ids(0))
        self._coarse = torch.from_numpy(levels.coarse[1].kept.astype(np.int64))

    @torch.no_grad()
    def prepare(self, count: int = 2000) -> None:
        """Store the statistics of the feature maps and the mean mesh in the network."""
        samples = self._batches.samples
        rows = np.random.default_rng(0).permutation(len(samples))[:count]
        maps = read_maps(samples, rows)
        norms = self.network.norms if isinstance(self.network, DeformerNetwork) else [self.network.norm]
        for norm, features in zip(norms, maps[-len(norms) :], strict=True):
            norm.learn(features)
        self.network.first.mean_points.copy_(self._truth(samples, rows).points.mean(0))

    def part(self, schedule: Schedule) -> nn.Module:
        """Return the landmark network or the transformers."""
        return self.network.first if schedule.first_only else self.network.network

    def loss(self, rows: np.ndarray, schedule: Schedule) -> Tensor:
        """Return the loss of some training samples."""
        guess = self._guess(self._batches.samples, rows, schedule)
        return mesh_loss(guess, self._truth(self._batches.samples, rows))

    def _guess(self, samples: Samples, rows: np.ndarray, schedule: Schedule) -> MeshGuess:
        features = landmark_numbers(*self._batches.landmarks(samples, rows)).features
        with torch.autocast("cpu", torch.bfloat16, enabled=samples is self._batches.samples):
            start = self.network.first(features)
            if schedule.first_only:
                return MeshGuess(start.points.float(), None, start.camera.float())
            maps = read_maps(samples, rows)
            if samples is self._batches.samples:
                maps = self._drop(maps, schedule.feature_dropout)
            if isinstance(self.network, DeformerNetwork):
                return _of_deformer(self.network, start, maps)
            read = self.network.correct(features, start, maps[-1])
            points = torch.cat([read.joints, read.coarse], 1)
            return MeshGuess(points.float(), read.middle.float(), read.camera.float())

    def _drop(self, maps: list[Tensor], share: float) -> list[Tensor]:
        """Return the maps, some samples' replaced by the mean."""
        keep = torch.from_numpy(self._batches.rng.random(len(maps[0])) >= share)[:, None, None, None]
        norms = self.network.norms if isinstance(self.network, DeformerNetwork) else [self.network.norm]
        kept = maps[-len(norms) :]
        return [torch.where(keep, m, norm.mean) for m, norm in zip(kept, norms, strict=True)]

    @torch.no_grad()
    def _truth(self, samples: Samples, rows: np.ndarray) -> MeshTruth:
        middle, joints = self._layer(torch.from_numpy(samples.rotations[rows]), torch.from_numpy(samples.betas[rows]))
        pelvis = joints[:, :1]
        points = torch.cat([joints[:, LSP_JOINTS], middle[:, self._coarse]], 1) - pelvis
        crop = torch.from_numpy(samples.joints_px[rows]) / HALF_CROP_PX - 1
        depth = torch.from_numpy(samples.joints[rows, 0, 2])
        scale = torch.from_numpy(samples.focal_px[rows]) / HALF_CROP_PX / depth
        weight = 0.25 + 0.75 * torch.from_numpy(samples.presence[rows])
        return MeshTruth(points, middle - pelvis, scale[:, None], crop[:, 0], crop[:, LSP_JOINTS], weight)

    @torch.inference_mode()
    def evaluate(self, schedule: Schedule, limit: int = 300) -> tuple[float, ...]:
        """Return PA-MPJPE and MPJPE (mm, limb joints), vertex error (mm, from the pelvis) and picture error (px).

        Of credible held-out samples.
        """
        rows: list[tuple[float, ...]] = []
        for part in credible_rows(self._batches.held_out, limit):
            guess = self._guess(self._batches.held_out, part, schedule)
            truth = self._truth(self._batches.held_out, part)
            points, true = rooted(guess.points), rooted(truth.points)
            flat = guess.camera[:, None, :1] * (guess.points[:, :JOINTS, :2] + guess.camera[:, None, 1:])
            off = 1e3 * (points - true).norm(dim=-1)
            seen = HALF_CROP_PX * (flat - truth.joints_crop)[:, LIMBS].norm(dim=-1).mean(1)
            aligned = [
                1e3 * pa_mpjpe(a[LIMBS, :], b[LIMBS, :]) for a, b in zip(points.numpy(), true.numpy(), strict=True)
            ]
            rows += zip(
                aligned, off[:, LIMBS].mean(1).tolist(), off[:, JOINTS:].mean(1).tolist(), seen.tolist(), strict=True
            )
        return tuple(np.mean(rows, axis=0).tolist())


def _of_deformer(network: DeformerNetwork, start, maps: list[Tensor]) -> MeshGuess:  # type: ignore[no-untyped-def]
    read = network.correct(start, maps)
    points = torch.cat([read.joints, read.meshes[0]], 1)
    return MeshGuess(
        points.float(), read.meshes[1].float(), read.camera.float(), tuple(state.float() for state in read.states)
    )


def rooted(points: Tensor) -> Tensor:
    """Return `(B, 445, 3)` points from midway between the hips."""
    return points - points[:, 2:4].mean(1, keepdim=True)


def mesh_loss(guess: MeshGuess, truth: MeshTruth) -> Tensor:
    """Return the weighted mean of the losses of METRO's family: L1 of vertices, joints, projected joints.

    Beside them: the joints once more, centred and of one size, so that depth and size are not all that counts.
    """
    points, true = rooted(guess.points), rooted(truth.points)
    total = VERTEX_WEIGHT * _mean(points[:, JOINTS:] - true[:, JOINTS:])
    total = total + JOINT_WEIGHT * _mean(points[:, :JOINTS] - true[:, :JOINTS])
    total = total + ALIGNED_WEIGHT * centred_and_scaled(points, true)
    flat = guess.camera[:, None, :1] * (guess.points[:, :JOINTS, :2] + guess.camera[:, None, 1:])
    total = total + PICTURE_WEIGHT * _mean(flat - truth.joints_crop)
    if guess.middle is not None:
        middle = guess.middle - guess.points[:, 2:4].mean(1, keepdim=True)
        true_middle = truth.middle - truth.points[:, 2:4].mean(1, keepdim=True)
        total = total + MIDDLE_WEIGHT * _mean(middle - true_middle)
    flat_truth = truth.flat() if guess.states else None
    for state in guess.states:
        total = total + VERTEX_WEIGHT / len(guess.states) * _mean(state - flat_truth)
    return (total * truth.weight).mean()


def _mean(differences: Tensor) -> Tensor:
    return differences.abs().mean((1, 2))
