"""From the vertices that a network gives to the body that has them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from ..body import BodyParameters
from ..body.fitting import joints_of
from ..body.parameters import FREE_BODY_NAME, rest_joints
from ..body.vertex_fit import VertexFit
from ..errors import WeightsError
from ..runtime.torch_session import one_torch_thread
from ..types import FloatArray, IntArray
from .sight import CROP_PX, BodySight


def check_body(path: Path, trained_for: str, parameters: BodyParameters) -> None:
    """Raise WeightsError unless the vertices that the weights at `path` predict are this body's.

    The free body has a name; any other is the user's own, and is taken to be the one meant.
    """
    if (trained_for == FREE_BODY_NAME) != (parameters.name == FREE_BODY_NAME):
        raise WeightsError(
            f"{path} predicts vertices of the {trained_for} body; found the body {parameters.name!r}; give the body "
            "that the weights were trained for in engine.options.body (SMPL: the SMPL_NEUTRAL.pkl of your own), or "
            "leave it away for the free body"
        )


class VertexReader:
    """Fits a body to vertices and says where its joints lie in the crop. Used by one thread at a time."""

    def __init__(self, parameters: BodyParameters, ids: IntArray | None = None) -> None:
        """`ids` are the template's vertices that the network gives; None = all."""
        self._parameters = parameters
        self._fit = VertexFit(parameters, ids)

    def read(self, vertices: FloatArray, camera: FloatArray, from_pelvis: bool = False) -> BodySight:
        """Return the bodies of `(N, V, 3)` vertices; rows with numbers that are not finite stay so.

        Args:
            vertices: metres, crop axes: x right, y down, z away; the origin may be anywhere.
            camera: `(N, 3)` weak perspective s, tx, ty in -1..1 of the crop.
            from_pelvis: whether the camera is that of a body whose pelvis is at the origin.
        """
        sound = np.isfinite(vertices).all(axis=(1, 2))
        given = np.where(sound[:, None, None], vertices, np.float32(0)).astype(np.float32)
        with torch.inference_mode(), one_torch_thread():
            fit = self._fit(torch.from_numpy(given))
        rotations, betas = fit.rotations.numpy().copy(), fit.betas.numpy()
        rotations[~sound] = np.nan
        rest = rest_joints(self._parameters, betas)
        root = 0 if from_pelvis else (fit.translation.numpy() + rest[:, 0])[:, None]
        bones = rest - rest[:, np.maximum(self._parameters.parents, 0)]
        joints = joints_of(rotations, bones) + root
        flat = camera[:, None, :1] * (joints[..., :2] + camera[:, None, 1:])
        return BodySight(rotations, betas, camera, ((flat + 1) * (CROP_PX / 2)).astype(np.float32))
