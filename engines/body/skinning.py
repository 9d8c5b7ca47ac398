"""Posing a body: linear blend skinning as in SMPL (Loper et al., SIGGRAPH Asia 2015, equations 2 to 9)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from .parameters import BodyParameters


class BodyLayer(nn.Module):
    """Turns rotations and shape numbers into vertices and joints.

    The constants are buffers that move with the module but stay out of its state dict: they belong to the body's
    file. There is no control flow on data, so the layer traces and exports.
    """

    template: Tensor
    shape_directions: Tensor
    pose_directions: Tensor | None
    skinning_weights: Tensor
    joint_template: Tensor
    joint_directions: Tensor
    faces: Tensor
    order: Tensor
    places: Tensor
    parent_slots: Tensor
    parents: Tensor
    has_parent: Tensor
    bottom_row: Tensor

    def __init__(self, parameters: BodyParameters) -> None:
        super().__init__()
        self.parameters_used = parameters
        vertex_count, _, shape_count = parameters.shape_directions.shape
        shape_rows = parameters.shape_directions.transpose(2, 0, 1).reshape(shape_count, vertex_count * 3)
        pose_rows = None
        if parameters.pose_directions is not None:
            pose_rows = parameters.pose_directions.transpose(2, 0, 1).reshape(-1, vertex_count * 3)
        regressor = parameters.joint_regressor.astype(np.float64)
        joint_directions = np.einsum("jv,vis->jis", regressor, parameters.shape_directions)
        self._keep("template", parameters.template)
        self._keep("shape_directions", shape_rows)
        self._keep("pose_directions", pose_rows)
        self._keep("skinning_weights", parameters.skinning_weights)
        self._keep("joint_template", (regressor @ parameters.template).astype(np.float32))
        self._keep("joint_directions", joint_directions.astype(np.float32))
        self._keep("faces", parameters.faces.astype(np.int64))
        self._keep_tree(parameters.parents)

    def _keep_tree(self, parents: np.ndarray) -> None:
        """Keep the order in which whole levels of the tree are posed at once."""
        levels = _depth_levels(parents)
        order = np.array([0, *(joint for joints, _ in levels for joint in joints)])
        self._level_sizes = [len(joints) for joints, _ in levels]
        self._keep("order", order)
        self._keep("places", np.argsort(order))
        self._keep("parent_slots", np.array([slot for _, slots in levels for slot in slots]))
        self._keep("parents", np.maximum(parents, 0).astype(np.int64))
        self._keep("has_parent", (parents >= 0).astype(np.float32)[:, None])
        self._keep("bottom_row", np.array([0, 0, 0, 1], np.float32))

    def _keep(self, name: str, values: np.ndarray | None) -> None:
        tensor = None if values is None else torch.from_numpy(np.array(values, order="C"))
        self.register_buffer(name, tensor, persistent=False)

    def restrict(self, ids: np.ndarray) -> BodyLayer:
        """Pose these vertices of the template alone from now on; return the layer."""
        chosen = torch.from_numpy(ids.astype(np.int64))
        self.template, self.skinning_weights = self.template[chosen], self.skinning_weights[chosen]
        self.shape_directions = self.shape_directions.unflatten(1, (-1, 3))[:, chosen].flatten(1)
        if self.pose_directions is not None:
            self.pose_directions = self.pose_directions.unflatten(1, (-1, 3))[:, chosen].flatten(1)
        return self

    def forward(self, rotations: Tensor, betas: Tensor) -> tuple[Tensor, Tensor]:
        """Pose N bodies.

        Args:
            rotations: `(N, 24, 3, 3)` joint -> parent; the root's is the global orientation.
            betas: `(N, S)`.

        Returns:
            Vertices `(N, V, 3)` and joints `(N, 24, 3)` in metres; the root joint stays at its rest place
            (smplx.SMPL with `transl` = 0 does the same).
        """
        vertices, rest = self.shaped(betas)
        if self.pose_directions is not None:
            feature = (rotations[:, 1:] - torch.eye(3, dtype=rotations.dtype, device=rotations.device)).flatten(1)
            vertices = vertices + (feature @ self.pose_directions).unflatten(1, (-1, 3))
        turns, joints = self.joint_transforms(rotations, rest)
        shifts = joints - (turns @ rest[..., None])[..., 0]
        affine = torch.cat([turns, shifts[..., None]], dim=3).flatten(2)  # (N, 24, 12): rows of 3 x 4
        # Vertices go last, one plane per number: several times faster than a small matrix per vertex.
        per_vertex = (affine.transpose(1, 2) @ self.skinning_weights.T).unflatten(1, (3, 4))
        planes = vertices.transpose(1, 2).contiguous()
        moved = per_vertex[:, :, 3]
        for axis in range(3):
            moved = torch.addcmul(moved, per_vertex[:, :, axis], planes[:, None, axis])
        return moved.transpose(1, 2).contiguous(), joints

    def shaped(self, betas: Tensor) -> tuple[Tensor, Tensor]:
        """Return the unposed `(N, V, 3)` vertices and `(N, 24, 3)` joints of `(N, S)` betas."""
        vertices = self.template + (betas @ self.shape_directions).unflatten(1, (-1, 3))
        joints = self.joint_template + torch.einsum("jis,ns->nji", self.joint_directions, betas)
        return vertices, joints

    def joint_transforms(self, rotations: Tensor, rest: Tensor) -> tuple[Tensor, Tensor]:
        """Return `(N, 24, 3, 3)` rotations joint -> body and `(N, 24, 3)` joints, level by level of the tree."""
        bones = rest - rest.index_select(1, self.parents) * self.has_parent
        bottom = self.bottom_row.expand(*rotations.shape[:2], 1, 4)
        local = torch.cat([torch.cat([rotations, bones[..., None]], dim=3), bottom], dim=2)
        local = local.index_select(1, self.order)
        levels, begin = [local[:, :1]], 1
        for size, slots in zip(self._level_sizes, self.parent_slots.split(self._level_sizes), strict=True):
            end = begin + size
            levels.append(levels[-1].index_select(1, slots) @ local[:, begin:end])
            begin = end
        whole = torch.cat(levels, dim=1).index_select(1, self.places)
        return whole[:, :, :3, :3], whole[:, :, :3, 3]


def _depth_levels(parents: np.ndarray) -> list[tuple[list[int], list[int]]]:
    """Return per depth below the root: joints, and their parents' slots in the level above."""
    levels: list[tuple[list[int], list[int]]] = []
    above = [0]
    while True:
        joints = [int(j) for j in np.flatnonzero(np.isin(parents, above))]
        if not joints:
            return levels
        levels.append((joints, [above.index(int(parents[j])) for j in joints]))
        above = joints
