"""The body that plays the clip: its skeleton, its feet and, frame by frame, its skin."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engines.body.parameters import BodyParameters, load_body, rest_joints
from engines.types import FloatArray
from exporters import SMPL_JOINT_NAMES, Take, skeleton_from_rest_joints
from exporters.rotations import matrix_from_quaternion

from .clip import Performer
from .footsteps import FootShape

BATCH = 16
"""Frames posed at once."""


class Actor:
    """The free body in one shape."""

    def __init__(self, betas: FloatArray | None = None, body: BodyParameters | None = None) -> None:
        """Take the shipped body and `(S,)` shape numbers; None is the mean body."""
        self.body = body or load_body()
        self.betas = np.zeros(self.body.shape_count, np.float32) if betas is None else betas
        self.rest_vertices = self.body.template + self.body.shape_directions @ self.betas
        self.rest_joints = rest_joints(self.body, self.betas[None])[0]
        self.performer = self._performer()

    def _performer(self) -> Performer:
        floor = float(self.rest_vertices[:, 1].min())
        ankle, ball = (self.rest_joints[SMPL_JOINT_NAMES.index(f"left_{n}")] for n in ("ankle", "foot"))
        below = np.array([ankle[0], floor, ankle[2]])
        sole = self.rest_vertices[(self.rest_vertices[:, 0] > 0) & (self.rest_vertices[:, 1] < floor + 0.004)]
        heel = np.array([ankle[0], floor, sole[:, 2].min()])
        shape = FootShape(float(ankle[1] - floor), _in_the_middle(ball - below), _in_the_middle(heel - below))
        return Performer(skeleton_from_rest_joints(self.rest_joints, floor_y_m=floor), shape)

    def skins(self, take: Take) -> Iterator[FloatArray]:
        """Yield `(V, 3)` float32 metres, world frame, for each time of the take."""
        import torch

        from engines.body.skinning import BodyLayer

        layer = BodyLayer(self.body)
        matrices = matrix_from_quaternion(take.rotations_wxyz).astype(np.float32)
        # The layer leaves the root joint at its rest place; the take says where it is.
        shifts = take.root_translation - self.rest_joints[0]
        for start in range(0, len(take), BATCH):
            turned = torch.from_numpy(matrices[start : start + BATCH])
            with torch.no_grad():
                betas = torch.from_numpy(self.betas)[None].expand(len(turned), -1)
                vertices = layer(turned, betas)[0].numpy()
            yield from vertices + shifts[start : start + BATCH, None]


def _in_the_middle(point: FloatArray) -> FloatArray:
    """Return the point without its sideways part, so that both feet share one shape."""
    return point * np.array([0.0, 1.0, 1.0])
