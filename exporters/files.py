"""Takes to files and back, by suffix."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .amass import write_amass
from .bvh import T_POSES, write_bvh
from .bvh_reader import read_bvh
from .c3d import write_c3d
from .coordinates import UNITS_PER_M, UP_AXES
from .errors import UnknownFormatError, missing_extra
from .fbx import write_fbx
from .fbx_presets import FBX_PRESETS
from .glb import write_glb
from .journal import JOURNAL_SUFFIX, read_journal
from .npz import read_npz, write_npz
from .options import ExportOptions, Format, choices_for
from .trc import write_trc
from .types import SkinnedMesh, Take
from .usd import write_usd
from .usda import write_usda
from .vrma import write_vrma

ANY: tuple[str, ...] = ()
SCENE = {"names": ANY, "fps": ANY, "t_pose": ("none", "frame")}
T_POSE_FIRST = {"t_pose": "t_pose_first"}
FORMATS: dict[str, Format] = {
    ".npz": Format("the native take, lossless", write_npz),
    ".bvh": Format(
        "motion as text, one performer", write_bvh,
        {"names": ANY, "fps": ANY, "unit": tuple(UNITS_PER_M), "up": UP_AXES, "t_pose": T_POSES, "rest_on_floor": ANY},
    ),
    ".fbx": Format(
        "bones, surface and motion of all performers", write_fbx,
        {"preset": tuple(FBX_PRESETS), "names": ANY, "fps": ANY, "unit": ("cm", "m"),
         "t_pose": ("none", "frame", "take")},
        scenes=True,
    ),
    ".glb": Format("glTF: bones, surface and motion of all performers", write_glb, SCENE, True, T_POSE_FIRST),
    ".vrma": Format("motion for any VRM avatar", write_vrma, {"fps": ANY}),
    ".usda": Format("USD as text: bones, surface and motion of all performers", write_usda, SCENE, True, T_POSE_FIRST),
    ".usdc": Format("USD, compact (extra usd)", write_usd, SCENE, True, T_POSE_FIRST),
    ".usdz": Format("USD in one package (extra usd)", write_usd, SCENE, True, T_POSE_FIRST),
    ".amass.npz": Format("arrays as AMASS has them", write_amass, {"fps": ANY, "up": UP_AXES}),
    ".trc": Format("joint centres for OpenSim", write_trc, {"names": ANY, "fps": ANY}),
    ".c3d": Format("joint centres for biomechanics (extra c3d)", write_c3d, {"names": ANY, "fps": ANY}),
}  # fmt: skip
"""Suffix -> how such a file is written."""
_USD = ("pxr", "usd-core", "usd")
LIBRARIES = {".usdc": _USD, ".usdz": _USD, ".c3d": ("ezc3d", "ezc3d", "c3d")}
"""Suffix -> module, library and extra without which it cannot be written."""
READERS: dict[str, Callable[[Path], Take]] = {".npz": read_npz, ".bvh": read_bvh, JOURNAL_SUFFIX: read_journal}


def write_take(take: Take, path: Path | str, options: ExportOptions | None = None) -> None:
    """Write a take in the format its suffix names, replacing a file of that name (see `numbered_path`).

    Raises:
        UnknownFormatError: no such format.
        MissingExtraError: the format needs an optional library.
        TakeFileError: the file cannot be written, or the take has nothing the format could hold.
        ValueError: an option that the format cannot honour.
    """
    write_takes([take], path, options)


def write_takes(
    takes: Sequence[Take],
    path: Path | str,
    options: ExportOptions | None = None,
    meshes: Sequence[SkinnedMesh | None] | None = None,
) -> None:
    """Write takes into one file; more than one, and surfaces, only where the format holds scenes.

    Args:
        takes: performers with times of one clock.
        path: the file; one of that name is replaced.
        options: None leaves all to the format.
        meshes: for each take its surface or None; left out where the format holds none.

    Raises:
        UnknownFormatError: no such format.
        TakeFileError: the file cannot be written, or a take has nothing the format could hold.
        ValueError: an option that the format cannot honour, or more takes than it holds.
    """
    path = Path(path)
    suffix = suffix_of(path)
    format_ = FORMATS[suffix]
    choices = choices_for(options or ExportOptions(), suffix, format_)
    if format_.scenes:
        format_.write(list(takes), path, meshes=None if meshes is None else list(meshes), **choices)
    elif len(takes) == 1:
        format_.write(takes[0], path, **choices)
    else:
        raise ValueError(f"takes: found {len(takes)}, expected 1 for {suffix}; write a file for each")


def check_installed(suffix: str) -> None:
    """Raise MissingExtraError where files of `suffix` cannot be written for want of a library."""
    if suffix in LIBRARIES:
        module, library, extra = LIBRARIES[suffix]
        if find_spec(module) is None:
            raise missing_extra(suffix, library, extra)


def read_take(path: Path | str) -> Take:
    """Read a take from a native file, a journal or a BVH.

    Raises:
        UnknownFormatError: no such format.
        TakeFileError: the file is absent, damaged or not what its suffix says.
    """
    path = Path(path)
    return READERS[_known_suffix(READERS, path)](path)


def suffix_of(path: Path | str) -> str:
    """Return the suffix in `FORMATS` that a file's name ends with.

    Raises:
        UnknownFormatError: none of them.
    """
    return _known_suffix(FORMATS, Path(path))


def _known_suffix(table: dict[str, Any], path: Path) -> str:
    # The longest first: "x.amass.npz" is no native take.
    for suffix in sorted(table, key=len, reverse=True):
        if path.name.lower().endswith(suffix):
            return suffix
    raise UnknownFormatError(
        f'{path.name}: found the suffix "{path.suffix}", expected one of {", ".join(table)}; rename the file'
    )
