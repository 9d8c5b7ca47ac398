"""What a body consists of, and reading it from a file.

Template frame: y up, facing +z, the person's left at +x, metres, T-pose. The free body has its pelvis joint at
the origin, whatever its shape, so that a translation is the pelvis' place; an SMPL file keeps its own origin.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import WeightsError
from ..types import FloatArray, IntArray, check_array
from ..weights import find_weights
from .joints import JOINT_COUNT, SMPL_JOINT_NAMES
from .smpl_pickle import read_smpl_pickle

FREE_BODY_FILE = "body_free.npz"
FREE_BODY_NAME = "free"
SHAPE_COUNT = 10
"""Shape directions used; an SMPL file may hold more, in falling importance."""
POSE_COUNT = (JOINT_COUNT - 1) * 9
SMPL_KEYS = ("v_template", "shapedirs", "posedirs", "weights", "J_regressor", "f", "kintree_table")


@dataclass(frozen=True, slots=True)
class BodyParameters:
    """A body model's constants. V vertices, F faces, S shape directions."""

    name: str
    template: FloatArray
    """`(V, 3)` metres, the mean body in T-pose."""
    shape_directions: FloatArray
    """`(V, 3, S)` metres per unit of a shape number distributed about N(0, 1)."""
    pose_directions: FloatArray | None
    """`(V, 3, 207)` metres per entry of `R - I` of the 23 joints below the root; None = no correctives."""
    skinning_weights: FloatArray
    """`(V, 24)`, rows sum to 1."""
    joint_regressor: FloatArray
    """`(24, V)`, rows sum to 1: joints of a shaped body from its vertices."""
    faces: IntArray
    """`(F, 3)` vertex ids, counter-clockwise seen from outside."""
    parents: IntArray
    """`(24,)`, -1 for the root, a parent before its children."""
    joint_names: tuple[str, ...] = SMPL_JOINT_NAMES

    def __post_init__(self) -> None:
        check_array("template", self.template, (None, 3), np.float32)
        count = len(self.template)
        check_array("shape_directions", self.shape_directions, (count, 3, None), np.float32)
        if self.pose_directions is not None:
            check_array("pose_directions", self.pose_directions, (count, 3, POSE_COUNT), np.float32)
        check_array("skinning_weights", self.skinning_weights, (count, JOINT_COUNT), np.float32)
        check_array("joint_regressor", self.joint_regressor, (JOINT_COUNT, count), np.float32)
        check_array("faces", self.faces, (None, 3), np.int32)
        check_array("parents", self.parents, (JOINT_COUNT,), np.int32)

    @property
    def vertex_count(self) -> int:
        """V."""
        return len(self.template)

    @property
    def shape_count(self) -> int:
        """S."""
        return self.shape_directions.shape[2]


def rest_joints(parameters: BodyParameters, betas: FloatArray | None = None) -> FloatArray:
    """Return joints of the unposed body: `(24, 3)` for the mean body or `(N, 24, 3)` for `(N, S)` betas."""
    mean = parameters.joint_regressor @ parameters.template
    if betas is None:
        return mean
    directions = np.einsum("jv,vis->jis", parameters.joint_regressor, parameters.shape_directions)
    return (mean + np.einsum("jis,ns->nji", directions, betas)).astype(np.float32)


def load_body(path: Path | None = None) -> BodyParameters:
    """Return the shipped free body, or the body in a file the user owns.

    Args:
        path: None, an `.npz` (of this package or with SMPL's keys) or SMPL's own `.pkl`. A pickle is read
            without running anything in it.

    Raises:
        WeightsError: The file is absent, refused, or not a body of 24 joints.
    """
    found = find_weights(FREE_BODY_FILE, str(path) if path else "")
    content = read_smpl_pickle(found) if found.suffix == ".pkl" else _read_npz(found)
    if "weight_joints" in content:
        return _from_compact(content)
    missing = [key for key in SMPL_KEYS if key not in content]
    if missing:
        raise WeightsError(
            f"{found} lacks {', '.join(missing)}; a body file in the SMPL layout holds {', '.join(SMPL_KEYS)}; "
            "give the file as it is downloaded from its licensor (SMPL_NEUTRAL.pkl or .npz)."
        )
    return _from_smpl(found, content)


def _read_npz(path: Path) -> dict[str, Any]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            return dict(archive.items())
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise WeightsError(
            f"{path} could not be read as a body ({error}); a .npz of plain arrays or SMPL's .pkl is expected; "
            "check the path and the download."
        ) from error


def _from_compact(content: Mapping[str, Any]) -> BodyParameters:
    """Unfold this package's own compact form."""
    template = content["template"].astype(np.float32)
    weights = np.zeros((len(template), JOINT_COUNT), np.float32)
    values = content["weight_values"].astype(np.float32)
    values /= values.sum(axis=1, keepdims=True)
    np.add.at(weights, (np.arange(len(template))[:, None], content["weight_joints"]), values)
    regressor = np.zeros((JOINT_COUNT, len(template)), np.float32)
    regressor[content["regressor_joints"], content["regressor_vertices"]] = content["regressor_values"]
    return BodyParameters(
        name=str(content["name"]),
        template=template,
        shape_directions=content["shape_directions"].astype(np.float32),
        pose_directions=None,
        skinning_weights=weights,
        joint_regressor=regressor / regressor.sum(axis=1, keepdims=True),
        faces=content["faces"].astype(np.int32),
        parents=content["parents"].astype(np.int32),
    )


def _from_smpl(path: Path, content: Mapping[str, Any]) -> BodyParameters:
    """Take over a model with SMPL's keys (Loper et al. 2015)."""
    parents = np.asarray(content["kintree_table"])[0].astype(np.int64)
    parents[0] = -1  # stored as 2**32 - 1
    arrays = {key: np.asarray(content[key]) for key in SMPL_KEYS}
    try:
        return BodyParameters(
            name=path.stem,
            template=arrays["v_template"].astype(np.float32),
            shape_directions=arrays["shapedirs"][..., :SHAPE_COUNT].astype(np.float32),
            pose_directions=arrays["posedirs"].astype(np.float32),
            skinning_weights=arrays["weights"].astype(np.float32),
            joint_regressor=arrays["J_regressor"].astype(np.float32),
            faces=arrays["f"].astype(np.int32),
            parents=parents.astype(np.int32),
        )
    except (ValueError, IndexError) as error:
        raise WeightsError(
            f"{path} is not an SMPL body ({error}); 24 joints are expected (SMPL-H and SMPL-X have more); "
            "give a file of SMPL itself."
        ) from error
