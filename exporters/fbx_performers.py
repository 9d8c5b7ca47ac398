"""What a file of several performers says of each: names that no other has, and motion on one time line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from .errors import TakeFileError
from .fbx_presets import FbxPreset
from .resample import NS_PER_S, Resampled, resample, take_rate
from .rotations import continuous_euler, euler_from_quaternion
from .skeletons import smpl_name
from .types import FloatArray, SkinnedMesh, Take

_ORDER = "ZYX"
"""Intrinsic order that the SDK calls XYZ: R = Rz Ry Rx."""


@dataclass(frozen=True, slots=True)
class Names:
    """What one performer's objects are called in the file."""

    joints: tuple[str, ...]
    holder: str | None
    mesh: str | None


def names_of(takes: Sequence[Take], meshes: Sequence[SkinnedMesh | None], preset: FbxPreset) -> list[Names]:
    """Return the names of every performer; of several, each gets a prefix and a node of its own.

    Raises:
        ValueError: two objects would get one name, or one none.
    """
    named = [
        _names(take, mesh, preset, prefix) for take, mesh, prefix in zip(takes, meshes, _prefixes(takes), strict=True)
    ]
    flat = [n for one in named for n in (*one.joints, one.holder, one.mesh) if n is not None]
    wrong = sorted({n for n in flat if not n or flat.count(n) > 1})
    if wrong:
        raise ValueError(
            f"names: found {', '.join(map(repr, wrong))} twice or empty, expected a different name for every joint, "
            "mesh and node; change the names to write"
        )
    return named


def _prefixes(takes: Sequence[Take]) -> list[str]:
    subjects = [t.subject for t in takes]
    numbers = subjects if len(set(subjects)) == len(takes) else range(1, len(takes) + 1)
    return [""] if len(takes) == 1 else [f"person{n}" for n in numbers]


def _names(take: Take, mesh: SkinnedMesh | None, preset: FbxPreset, prefix: str) -> Names:
    def written(name: str) -> str:
        return f"{prefix}_{name}" if prefix else name

    joints = [preset.names.get(n, preset.names.get(smpl_name(n), n)) for n in take.skeleton.joint_names]
    # Without a node of their own, Blender would put two performers into one armature.
    holder = written(preset.holder) if preset.holder else prefix or None
    return Names(tuple(written(n) for n in joints), holder, written(mesh.name) if mesh else None)


def resample_together(takes: Sequence[Take], fps: float | str | Fraction | None) -> list[Resampled]:
    """Bring takes to one constant rate, that of the first where `fps` is None.

    Raises:
        TakeFileError: a take is empty or not finite.
        ValueError: `fps` is not a rate.
    """
    for take in takes:
        _check(take)
    rate = take_rate(takes[0]) if fps is None else fps
    return [resample(take, rate) for take in takes]


def _check(take: Take) -> None:
    if len(take) == 0:
        raise TakeFileError(
            f"take {take.name}: found no instant, expected at least one; an FBX cannot be empty, so leave this "
            "performer out"
        )
    finite = np.isfinite(take.rotations_wxyz).all(axis=(1, 2)) & np.isfinite(take.root_translation).all(axis=1)
    if not finite.all():
        raise TakeFileError(
            f"take {take.name}: found numbers that are not finite at {np.count_nonzero(~finite)} instant(s), first at "
            f"number {np.argmin(finite)}, expected finite rotations and places; cut these instants out before exporting"
        )


def frames_on_one_line(resampled: Sequence[Resampled]) -> list[NDArray[np.int64]]:
    """Return for each take `(F,)` numbers of its instants, F the frames from the first to the last of anybody.

    Before they come and after they go, performers stand still. A start between two frames moves to the nearest.
    """
    start = min(int(r.take.timestamps_ns[0]) for r in resampled)
    delays = [round((int(r.take.timestamps_ns[0]) - start) * r.rate / NS_PER_S) for r in resampled]
    count = max(delay + len(r.take) for delay, r in zip(delays, resampled, strict=True))
    return [
        np.clip(np.arange(count, dtype=np.int64) - delay, 0, len(r.take) - 1)
        for delay, r in zip(delays, resampled, strict=True)
    ]


def angles_deg(rotations_wxyz: FloatArray) -> FloatArray:
    """Return `(F, J, 3)` float32 degrees about x, y, z of `(F, J, 4)` rotations, as curves without jumps."""
    angles = continuous_euler(euler_from_quaternion(rotations_wxyz.astype(np.float64), _ORDER), _ORDER)
    return np.degrees(angles[..., ::-1]).astype(np.float32)
