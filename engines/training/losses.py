"""What the default networks are trained to do."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..body.joints import SMPL_PARENTS
from ..deforhmr.landmarks import joint_rotations
from ..deforhmr.network import Estimate

# Rotations of the trunk and thighs move more of the body than those of hands and feet.
_ROTATION_WEIGHTS = torch.ones(24)
_ROTATION_WEIGHTS[[0]] = 3.0
_ROTATION_WEIGHTS[[10, 11, 22, 23]] = 0.3
LIMB_JOINTS = (1, 2, 4, 5, 7, 8, 16, 17, 18, 19, 20, 21)


@dataclass(frozen=True, slots=True)
class Truth:
    """The answer of a batch, on the device."""

    rotations: Tensor
    betas: Tensor
    joints: Tensor
    joints2d: Tensor
    """`(B, 24, 2)` (pixels - landmark centre) / landmark spread."""
    joints_crop: Tensor
    """`(B, 24, 2)` crop coordinates -1..1."""
    weight: Tensor
    """`(B,)`."""


def forward_kinematics(rotations: Tensor, rest: Tensor) -> tuple[Tensor, Tensor]:
    """Return `(B, 24, 3)` joints relative to the root and `(B, 24, 3, 3)` global rotations."""
    turned, places = [rotations[:, 0]], [torch.zeros_like(rest[:, 0])]
    for joint in range(1, 24):
        parent = SMPL_PARENTS[joint]
        turned.append(turned[parent] @ rotations[:, joint])
        bone = rest[:, joint] - rest[:, parent]
        places.append(places[parent] + (turned[parent] @ bone[..., None])[..., 0])
    return torch.stack(places, 1), torch.stack(turned, 1)


class BodyLoss:
    """Rotation, joint, picture and shape errors of an estimate, in one number."""

    def __init__(self, rest_joints: Tensor, rest_directions: Tensor) -> None:
        """Prepare for `(24, 3)` rest joints and `(24, 3, 10)` shape directions."""
        self._rest, self._directions = rest_joints, rest_directions

    def __call__(self, estimate: Estimate, truth: Truth) -> tuple[Tensor, Tensor]:
        """Return the loss and the `(B, 24, 3)` joints of the estimate, relative to its root."""
        rotations = joint_rotations(estimate)
        rest = self._rest + (self._directions @ estimate.betas[:, None, :, None])[..., 0]
        joints, turned = forward_kinematics(rotations, rest)
        true_rest = self._rest + (self._directions @ truth.betas[:, None, :, None])[..., 0]
        true_joints, true_turned = forward_kinematics(truth.rotations, true_rest)
        weights = _ROTATION_WEIGHTS[:, None, None]
        local = ((rotations - truth.rotations).square() * weights).mean((1, 2, 3))
        overall = ((turned - true_turned).square() * weights).mean((1, 2, 3))
        places = (joints - true_joints).abs().mean((1, 2)) + 0.5 * centred_and_scaled(joints, true_joints)
        picture = (estimate.joints2d - truth.joints2d).abs().mean((1, 2))
        flat = estimate.camera[:, None, :1] * (joints[..., :2] + estimate.camera[:, None, 1:])
        weak = (flat - truth.joints_crop).abs().mean((1, 2))
        shape = (estimate.betas - truth.betas).square().mean(1)
        total = 2 * local + 2 * overall + 12 * places + 2 * picture + weak + 0.03 * shape
        return (total * truth.weight).mean(), joints


def centred_and_scaled(joints: Tensor, truth: Tensor) -> Tensor:
    """Return `(B,)` metres: mean error after both are centred and scaled alike (no turning)."""
    a, b = joints - joints.mean(1, keepdim=True), truth - truth.mean(1, keepdim=True)
    scale = b.square().sum((1, 2)).sqrt() / a.square().sum((1, 2)).sqrt().clamp_min(1e-3)
    return (a * scale[:, None, None] - b).abs().mean((1, 2))
