"""Performers on one time line at a constant rate: what every format that holds a scene begins with."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import TakeFileError
from .resample import NS_PER_S, Gap, Resampled, resample, take_rate
from .rotations import continuous_signs
from .types import FloatArray, Skeleton, SkinnedMesh, Take

logger = logging.getLogger(__name__)

Rate = float | str | Fraction


@dataclass(frozen=True, slots=True)
class Performer:
    """One performer's motion as keys at whole frames, T of them, for J joints."""

    name: str
    """Differs from every other performer's."""
    skeleton: Skeleton
    joint_names: tuple[str, ...]
    """As they are to be written; J different ones."""
    frames: NDArray[np.int64]
    """`(T,)`, rising; 0 is where the scene begins. Between keys that are apart, a pose is held or interpolated."""
    rotations_wxyz: FloatArray
    """`(T, J, 4)` float32 unit quaternions as in `Take`, no sign on the far side of the one before."""
    root_translation: FloatArray
    """`(T, 3)` float32, metres, world frame."""
    mesh: SkinnedMesh | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """One or more performers who play together."""

    name: str
    rate: Fraction
    """Frames per second, exact."""
    performers: tuple[Performer, ...]
    gaps: tuple[Gap, ...]
    """Spans that had to be bridged by interpolation."""

    @property
    def last_frame(self) -> int:
        """Number of the last frame; the first is 0."""
        return max(int(p.frames[-1]) for p in self.performers)


def build_scene(
    takes: Take | Sequence[Take],
    *,
    meshes: SkinnedMesh | Sequence[SkinnedMesh | None] | None = None,
    names: Mapping[str, str] | None = None,
    fps: Rate | None = None,
    t_pose_first: bool = False,
) -> Scene:
    """Bring takes to one constant rate, each beginning where its own times say.

    Args:
        takes: one take, or several with times of one clock (each is moved to the nearest frame of the common rate).
        meshes: surfaces for all takes or none; one of them may be None.
        names: joint name -> name to write; joints not named keep theirs.
        fps: frames per second; None takes the highest of the takes' own rates.
        t_pose_first: put the rest pose in front as frame 0; the motion then begins at frame 1.

    Raises:
        TakeFileError: there is no take, or one is empty or not finite.
        ValueError: `fps` is not a rate, two joints get one name, or the meshes do not fit the takes.
    """
    takes = [takes] if isinstance(takes, Take) else list(takes)
    for take in takes:
        check_take(take)
    if not takes:
        raise TakeFileError("takes: found none, expected at least one; name the takes to write")
    surfaces = _surfaces(takes, meshes)
    rate = fps if fps is not None else max(take_rate(take) for take in takes)
    resampled = [resample(take, rate) for take in takes]
    start_ns = min(int(r.take.timestamps_ns[0]) for r in resampled)
    performer_names = different([take.name or "performer" for take in takes])
    performers = tuple(
        _performer(name, r, mesh, names or {}, start_ns, t_pose_first)
        for name, r, mesh in zip(performer_names, resampled, surfaces, strict=True)
    )
    gaps = tuple(gap for r in resampled for gap in r.gaps)
    return Scene(takes[0].name, resampled[0].rate, performers, gaps)


def check_take(take: Take) -> None:
    """Raise TakeFileError unless the take has an instant and finite numbers throughout."""
    if len(take) == 0:
        raise TakeFileError(
            f"take {take.name}: found no instant, expected at least one; a motion file cannot be empty, so leave this "
            "performer out"
        )
    if not (np.isfinite(take.rotations_wxyz).all() and np.isfinite(take.root_translation).all()):
        raise TakeFileError(
            f"take {take.name}: found numbers that are not finite, expected finite rotations and places; cut these "
            "instants out before exporting"
        )


def tell_gaps(path: Path, gaps: Sequence[Gap]) -> None:
    """Log how much of a written file is interpolated."""
    if gaps:
        seconds = sum(gap.end_ns - gap.start_ns for gap in gaps) / NS_PER_S
        logger.info("%s: bridged %d gap(s), %.2f s in all, by interpolation", path, len(gaps), seconds)


def written_names(skeleton: Skeleton, names: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names to write for the joints; ValueError when two are the same."""
    written = tuple(names.get(n, n) for n in skeleton.joint_names)
    if len(set(written)) < len(written):
        raise ValueError(f"names: found one name twice among {list(written)}, expected a different one for each joint")
    return written


def different(names: Sequence[str]) -> list[str]:
    """Return the names, with a number behind each that would come twice."""
    told: list[str] = []
    for name in names:
        number = 1
        while (name if number == 1 else f"{name}_{number}") in told:
            number += 1
        told.append(name if number == 1 else f"{name}_{number}")
    return told


def _surfaces(takes: Sequence[Take], meshes: Any) -> list[SkinnedMesh | None]:
    if meshes is None:
        return [None] * len(takes)
    surfaces = [meshes] if isinstance(meshes, SkinnedMesh) else list(meshes)
    if len(surfaces) != len(takes):
        raise ValueError(f"meshes: found {len(surfaces)} for {len(takes)} takes, expected one each")
    for take, mesh in zip(takes, surfaces, strict=True):
        if mesh is not None:
            _check_mesh(mesh, len(take.skeleton.joint_names))
    return surfaces


def _check_mesh(mesh: SkinnedMesh, joint_count: int) -> None:
    for field, numbers, limit in (("joints", mesh.joints, joint_count), ("faces", mesh.faces, len(mesh.vertices))):
        if numbers.size and not (numbers.min() >= 0 and numbers.max() < limit):
            raise ValueError(
                f"mesh {mesh.name}, {field}: found numbers from {numbers.min()} to {numbers.max()}, expected 0 to "
                f"{limit - 1}"
            )
    if not (np.isfinite(mesh.vertices).all() and np.isfinite(mesh.weights).all() and (mesh.weights.sum(1) > 0).all()):
        raise ValueError(f"mesh {mesh.name}: found vertices or weights that are not finite, or a vertex without weight")


def _performer(
    name: str, resampled: Resampled, mesh: SkinnedMesh | None, names: Mapping[str, str], start_ns: int, t_pose: bool
) -> Performer:
    take = resampled.take
    first = round(Fraction(int(take.timestamps_ns[0]) - start_ns, NS_PER_S) * resampled.rate)
    frames = first + np.arange(len(take), dtype=np.int64)
    rotations, places = take.rotations_wxyz, take.root_translation
    if t_pose:
        # A performer who comes later waits in the first pose, not on the way to it.
        waits = 1 if first > 0 else 0
        frames = np.concatenate([np.arange(1 + waits), frames + 1])
        rest = np.zeros_like(rotations[:1])
        rest[..., 0] = 1.0
        rotations = np.concatenate([rest, rotations[:waits], rotations])
        places = np.concatenate([take.skeleton.offsets[None, 0], places[:waits], places])
    return Performer(
        name,
        take.skeleton,
        written_names(take.skeleton, names),
        frames,
        continuous_signs(rotations),
        places,
        mesh,
    )
