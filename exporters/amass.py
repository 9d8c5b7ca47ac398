"""AMASS-style `.npz`: motion as research code around SMPL reads it (https://amass.is.tue.mpg.de).

| key | shape, dtype | meaning |
|---|---|---|
| poses | (F,156) float64 | axis-angle of SMPL+H's 52 joints: root, 21 of the body, 15 of each hand (ours rest) |
| trans | (F,3) float64 | metres: the place of the pelvis joint, less `pelvis_offset_m` |
| betas | (16,) float64 | zeros, the mean body: see below |
| gender | () str | neutral |
| mocap_framerate | () float64 | frames per second; again as mocap_frame_rate, which newer files of AMASS say |
| up_axis | () str | "z" as in AMASS, or "y" |
| free_body_betas | (S,) float32 | the performer's shape numbers of the body they were measured with |
| metadata | () str | JSON: the take's own, and what is said here |

AMASS is z up, so that is the default: a performer who faces the camera faces -y. The layout is that of SMPL+H, of
which SMPL readers take the first 66 numbers; SMPL's two hand joints have no counterpart there. Shape numbers belong
to one body model: those of our free body would make another person of SMPL's, so they stand under a name of their
own. A body model whose pelvis does not rest in its origin adds that place to `trans`; tell it as `pelvis_offset_m`
where it matters.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .coordinates import z_up_position, z_up_quaternion
from .errors import TakeFileError
from .resample import Gap
from .rotations import rotvec_from_quaternion
from .scene import Performer, Rate, build_scene, tell_gaps
from .skeletons import SMPL_JOINT_NAMES, smpl_name
from .types import Take
from .writing import json_text, write_atomically

JOINTS = 52
BODY_JOINTS = 22
"""The first joints of SMPL+H, in SMPL's own order."""
SHAPE_NUMBERS = 16
_NOTE = (
    "betas are zeros, for the performer's shape numbers (free_body_betas) belong to the body model that measured them, "
    "not to SMPL; trans is where the pelvis joint is, less pelvis_offset_m"
)


def write_amass(
    take: Take,
    path: Path | str,
    *,
    fps: Rate | None = None,
    up: str = "z",
    pelvis_offset_m: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> tuple[Gap, ...]:
    """Write a take as AMASS does and return (and log) the spans that had to be bridged by interpolation.

    Args:
        take: one performer with the joints of SMPL.
        path: the file, `.amass.npz` by habit: `.npz` alone is the native take.
        fps: frames per second; None takes the take's own.
        up: "z" as AMASS itself, or "y".
        pelvis_offset_m: where the reader's body model has the pelvis joint in its rest pose.

    Raises:
        TakeFileError: the take is empty, not finite or without SMPL's joints, or the file cannot be written.
        ValueError: `fps` is not a rate, or `up` not an axis.
    """
    if up not in ("y", "z"):
        raise ValueError(f'up: found "{up}", expected "z" (as AMASS) or "y"')
    scene = build_scene(take, fps=fps)
    rate = float(scene.rate)
    poses, places = _motion(scene.performers[0], up)
    told = take.metadata | {"up_axis": up, "pelvis_offset_m": list(pelvis_offset_m), "note": _NOTE}
    betas = take.observations.betas if take.observations is not None else np.zeros(0, np.float32)
    arrays: dict[str, NDArray[Any]] = {
        "poses": poses,
        "trans": places - np.asarray(pelvis_offset_m, np.float64),
        "betas": np.zeros(SHAPE_NUMBERS),
        "gender": np.array("neutral"),
        "mocap_framerate": np.array(rate),
        "mocap_frame_rate": np.array(rate),
        "up_axis": np.array(up),
        "free_body_betas": betas,
        "metadata": np.array(json_text(told)),
    }
    # mypy takes the arrays for savez_compressed's own flag.
    write_atomically(Path(path), lambda file: np.savez_compressed(file, **arrays))  # type: ignore[arg-type]
    tell_gaps(Path(path), scene.gaps)
    return scene.gaps


def _motion(performer: Performer, up: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return `(F, 156)` radians and the pelvis' `(F, 3)` metres."""
    rotations = performer.rotations_wxyz[:, _body_joints(performer)].astype(np.float64)
    places = performer.root_translation.astype(np.float64)
    if up == "z":
        rotations[:, 0] = z_up_quaternion(rotations[:, 0])
        places = z_up_position(places)
    poses = np.zeros((len(rotations), JOINTS, 3))
    poses[:, :BODY_JOINTS] = rotvec_from_quaternion(rotations)
    return poses.reshape(len(poses), -1), places


def _body_joints(performer: Performer) -> list[int]:
    names = [smpl_name(name) for name in performer.skeleton.joint_names]
    missing = [name for name in SMPL_JOINT_NAMES[:BODY_JOINTS] if name not in names]
    if missing:
        raise TakeFileError(
            f"skeleton {performer.skeleton.name}: found no {', '.join(missing)}, expected the SMPL joints, which AMASS "
            "numbers; export a take of this application"
        )
    return [names.index(name) for name in SMPL_JOINT_NAMES[:BODY_JOINTS]]
