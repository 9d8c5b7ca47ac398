"""FBX: bones, skinned surfaces and motion in one binary file (version 7.4), by a writer of our own.

A bone's rest rotation is the identity, and all nodes and the bind pose stand in the T-pose on the floor: y up, facing
+z, in centimetres or metres. Motion is one key a frame at an exact rate, from time 0 on.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .fbx_animation import Movement, add_stack
from .fbx_mesh import add_mesh
from .fbx_performers import Names, angles_deg, frames_on_one_line, names_of, resample_together
from .fbx_presets import FbxPreset, find_preset
from .fbx_scene import UNITS_PER_M, Scene
from .fbx_skeleton import Placed, add_bind_pose, add_bones, add_holder
from .resample import Gap, Resampled
from .types import SkinnedMesh, Take
from .writing import write_atomically

logger = logging.getLogger(__name__)

T_POSE_STACK = "T-Pose"
_T_POSE_FRAMES = 2
"""Of the T-pose's own take; some programs leave out a take that lasts no time."""


def write_fbx(
    takes: Take | Sequence[Take],
    path: Path | str,
    *,
    meshes: SkinnedMesh | Sequence[SkinnedMesh | None] | None = None,
    preset: str | FbxPreset = "blender",
    names: Mapping[str, str] | None = None,
    unit: str | None = None,
    t_pose: str | None = None,
    fps: float | str | Fraction | None = None,
) -> tuple[Gap, ...]:
    """Write one performer or several as FBX and return (and log) the spans that were bridged by interpolation.

    Several performers share one time line; each one's names begin with "person" and its number, and hang on a node of
    that name. Before they come and after they go, they stand still.

    Args:
        takes: one take, or one for each performer; they may begin at different times.
        path: where to; a file of that name is replaced.
        meshes: surface of each performer in the rest pose of their skeleton, None for bones alone.
        preset: a name in `FBX_PRESETS`, or choices of your own; what follows and is not None overrides it.
        names: SMPL joint name -> name to write, e.g. `skeletons.MIXAMO_NAMES`; joints not named keep theirs.
        unit: unit of the file, "cm" or "m".
        t_pose: show the T-pose in a take of its own before the motion ("take"), as the motion's frame 0 ("frame"), or
            not ("none"). Nodes and bind pose stand in it anyway.
        fps: frames per second; None takes the first take's own (`source_fps` of its metadata).

    Raises:
        TakeFileError: a take is empty or not finite, or the file cannot be written.
        ValueError: a choice that there is not, a mesh that does not fit its skeleton, or one name twice.
    """
    takes = [takes] if isinstance(takes, Take) else list(takes)
    surfaces = _surfaces(takes, meshes)
    chosen = _chosen(preset, names, unit, t_pose)
    named = names_of(takes, surfaces, chosen)
    resampled = resample_together(takes, fps)
    content = _content(resampled, surfaces, named, chosen)
    write_atomically(Path(path), lambda file: file.write(content))
    return _gaps(path, resampled)


def _chosen(
    preset: str | FbxPreset, names: Mapping[str, str] | None, unit: str | None, t_pose: str | None
) -> FbxPreset:
    base = find_preset(preset) if isinstance(preset, str) else preset
    return replace(
        base,
        names=base.names if names is None else names,
        unit=base.unit if unit is None else unit,
        t_pose=base.t_pose if t_pose is None else t_pose,
    )


def _surfaces(
    takes: Sequence[Take], meshes: SkinnedMesh | Sequence[SkinnedMesh | None] | None
) -> list[SkinnedMesh | None]:
    if not takes:
        raise ValueError("takes: found none, expected at least one; an FBX cannot be empty")
    if meshes is None or isinstance(meshes, SkinnedMesh):
        surfaces = [meshes] * (len(takes) if meshes is None else 1)
    else:
        surfaces = list(meshes)
    if len(surfaces) != len(takes):
        raise ValueError(f"meshes: found {len(surfaces)}, expected one (or None) for each of {len(takes)} takes")
    for take, mesh in zip(takes, surfaces, strict=True):
        if mesh is not None:
            _check_mesh(mesh, len(take.skeleton.joint_names))
    return surfaces


def _check_mesh(mesh: SkinnedMesh, joint_count: int) -> None:
    for what, numbers, below in (("joints", mesh.joints, joint_count), ("faces", mesh.faces, len(mesh.vertices))):
        if numbers.size and not (numbers.min() >= 0 and numbers.max() < below):
            raise ValueError(
                f"mesh {mesh.name}: found {what} from {numbers.min()} to {numbers.max()}, expected 0 to {below - 1}; "
                "take the surface that belongs to the take's skeleton"
            )
    if not (np.isfinite(mesh.vertices).all() and np.isfinite(mesh.weights).all()):
        raise ValueError(f"mesh {mesh.name}: found numbers that are not finite, expected finite vertices and weights")


def _content(
    resampled: Sequence[Resampled], surfaces: Sequence[SkinnedMesh | None], named: Sequence[Names], chosen: FbxPreset
) -> bytes:
    scene = Scene()
    bones = [
        _add_performer(scene, r.take, mesh, names, chosen.unit)
        for r, mesh, names in zip(resampled, surfaces, named, strict=True)
    ]
    rows = frames_on_one_line(resampled)
    still = [np.zeros(0, np.int64)] * len(resampled)
    rate, stacks = resampled[0].rate, []
    if chosen.t_pose == "take":
        movements = _movements(resampled, bones, still, chosen.unit, rest_frames=_T_POSE_FRAMES)
        stacks.append(add_stack(scene, T_POSE_STACK, movements, rate))
    movements = _movements(resampled, bones, rows, chosen.unit, rest_frames=int(chosen.t_pose == "frame"))
    stacks.append(add_stack(scene, resampled[0].take.name or "take", movements, rate))
    return scene.to_bytes(chosen.unit, rate, stacks)


def _add_performer(scene: Scene, take: Take, mesh: SkinnedMesh | None, names: Names, unit: str) -> list[Placed]:
    holder = add_holder(scene, names.holder) if names.holder else None
    bones = add_bones(scene, take.skeleton, names.joints, unit, holder)
    standing = [Placed(holder, np.zeros(3)), *bones] if holder else list(bones)
    if mesh is not None and names.mesh is not None:
        standing.append(add_mesh(scene, mesh, names.mesh, bones, unit, holder))
    add_bind_pose(scene, names.mesh or names.joints[0], standing)
    return bones


def _movements(
    resampled: Sequence[Resampled],
    bones: Sequence[Sequence[Placed]],
    rows: Sequence[NDArray[np.int64]],
    unit: str,
    rest_frames: int,
) -> list[Movement]:
    """Return how each performer moves: `rest_frames` in the T-pose, then the instants `rows` of the take."""
    return [
        _movement(r.take, own, frames, UNITS_PER_M[unit], rest_frames)
        for r, own, frames in zip(resampled, bones, rows, strict=True)
    ]


def _movement(
    take: Take, bones: Sequence[Placed], frames: NDArray[np.int64], units_per_m: float, rest_frames: int
) -> Movement:
    still = np.tile(np.array((1, 0, 0, 0), np.float32), (rest_frames, len(bones), 1))
    rotations = np.concatenate([still, take.rotations_wxyz[frames]])
    standing = np.tile(take.skeleton.offsets[0], (rest_frames, 1))
    places = np.concatenate([standing, take.root_translation[frames]]).astype(np.float64) * units_per_m
    return Movement([b.item for b in bones], places.astype(np.float32), angles_deg(rotations))


def _gaps(path: Path | str, resampled: Sequence[Resampled]) -> tuple[Gap, ...]:
    for r in resampled:
        if r.gaps:
            frames = sum(g.frames for g in r.gaps)
            logger.info("%s: %s: bridged %d gap(s), %d frame(s)", path, r.take.name, len(r.gaps), frames)
    return tuple(gap for r in resampled for gap in r.gaps)
