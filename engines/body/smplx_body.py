"""The same body as a module of the smplx library, for tools that expect one (extra `smpl`)."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np

from ..errors import MissingExtraError
from .parameters import FREE_BODY_NAME, POSE_COUNT, BodyParameters
from .regions import extreme_vertices


def build_smplx(parameters: BodyParameters, batch_size: int = 1) -> Any:
    """Return an `smplx.SMPL` module of these parameters.

    smplx picks its extra joints 24 to 44 by vertex number: numbers of the free body are handed to it, an SMPL
    file is left to its own.

    Args:
        parameters: The body.
        batch_size: Size of the module's own pose and shape parameters.

    Raises:
        MissingExtraError: smplx is not installed.
    """
    try:
        import smplx
    except ImportError as error:
        raise MissingExtraError(
            "The library smplx is not installed, which this body module is made with; pip install mocap-app[smpl]"
        ) from error
    is_free = parameters.name == FREE_BODY_NAME
    with contextlib.redirect_stdout(io.StringIO()):  # it prints that ten shape numbers are few
        return smplx.SMPL(
            model_path="",
            data_struct=smplx.utils.Struct(**smpl_entries(parameters)),
            vertex_ids=extreme_vertices(parameters) if is_free else None,
            batch_size=batch_size,
        )


def smpl_entries(parameters: BodyParameters) -> dict[str, np.ndarray]:
    """Return the parameters under the keys of SMPL's files (`numpy.savez` of them is such a file)."""
    pose_directions = parameters.pose_directions
    if pose_directions is None:
        pose_directions = np.zeros((parameters.vertex_count, 3, POSE_COUNT), np.float32)
    joints = np.arange(len(parameters.parents))
    return {
        "v_template": parameters.template,
        "shapedirs": parameters.shape_directions,
        "posedirs": pose_directions,
        "weights": parameters.skinning_weights,
        "J_regressor": parameters.joint_regressor,
        "f": parameters.faces,
        "kintree_table": np.stack([parameters.parents, joints]).astype(np.int64),
    }
