"""Takes to files and back, by suffix."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from .amass import write_amass
from .bvh import write_bvh
from .bvh_reader import read_bvh
from .c3d import write_c3d
from .errors import UnknownFormatError
from .fbx import write_fbx
from .glb import write_glb
from .journal import JOURNAL_SUFFIX, read_journal
from .npz import read_npz, write_npz
from .trc import write_trc
from .types import Take
from .usd import write_usd
from .usda import write_usda
from .vrma import write_vrma

WRITERS: dict[str, Callable[[Take, Path], Any]] = {
    ".npz": write_npz,
    ".bvh": write_bvh,
    ".fbx": write_fbx,
    ".glb": write_glb,
    ".vrma": write_vrma,
    ".usda": write_usda,
    ".usdc": write_usd,
    ".usdz": write_usd,
    ".amass.npz": write_amass,
    ".trc": write_trc,
    ".c3d": write_c3d,
}
READERS: dict[str, Callable[[Path], Take]] = {".npz": read_npz, ".bvh": read_bvh, JOURNAL_SUFFIX: read_journal}


def write_take(take: Take, path: Path | str) -> None:
    """Write a take in the format its suffix names, replacing a file of that name (see `numbered_path`).

    Raises:
        UnknownFormatError: no such format.
        MissingExtraError: the format needs an optional library.
        TakeFileError: the file cannot be written, or the take has nothing the format could hold.
    """
    path = Path(path)
    _of_suffix(WRITERS, path)(take, path)


def read_take(path: Path | str) -> Take:
    """Read a take from a native file, a journal or a BVH.

    Raises:
        UnknownFormatError: no such format.
        TakeFileError: the file is absent, damaged or not what its suffix says.
    """
    path = Path(path)
    return _of_suffix(READERS, path)(path)


def _of_suffix(table: dict[str, Callable], path: Path) -> Callable:
    # ".amass.npz" before ".npz".
    function = table.get("".join(path.suffixes[-2:]).lower()) or table.get(path.suffix.lower())
    if function is None:
        raise UnknownFormatError(
            f'{path.name}: found the suffix "{path.suffix}", expected one of {", ".join(table)}; rename the file'
        )
    return function
