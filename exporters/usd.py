"""USD in its binary forms: `.usdc`, a tenth of the text, and `.usdz`, the package that phones and Apple's tools show.

Both are the text of `usda` turned by the library usd-core (extra `usd`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .errors import missing_extra
from .resample import Gap
from .scene import Rate, build_scene, tell_gaps
from .types import SkinnedMesh, Take
from .usda import format_usda
from .writing import write_atomically


def write_usd(
    takes: Take | Sequence[Take],
    path: Path | str,
    *,
    meshes: SkinnedMesh | Sequence[SkinnedMesh | None] | None = None,
    names: Mapping[str, str] | None = None,
    fps: Rate | None = None,
    t_pose_first: bool = False,
) -> tuple[Gap, ...]:
    """Write takes as `.usdc` or `.usdz`, whichever `path` ends in; the rest is as for `glb.write_glb`.

    Raises:
        MissingExtraError: usd-core is not installed.
    """
    path = Path(path)
    try:
        from pxr import Sdf, UsdUtils
    except ImportError as error:
        raise missing_extra(path.suffix, "usd-core", "usd") from error
    scene = build_scene(takes, meshes=meshes, names=names, fps=fps, t_pose_first=t_pose_first)
    data = _binary(format_usda(scene), path.suffix.lower() == ".usdz", Sdf, UsdUtils)
    write_atomically(path, lambda file: file.write(data))
    tell_gaps(path, scene.gaps)
    return scene.gaps


def _binary(text: str, packed: bool, sdf: Any, usd_utils: Any) -> bytes:
    # The library writes to paths alone, and chooses the format by the suffix.
    with tempfile.TemporaryDirectory() as folder:
        crate, package = Path(folder, "scene.usdc"), Path(folder, "scene.usdz")
        layer = sdf.Layer.CreateAnonymous(".usda")
        layer.ImportFromString(text)
        layer.Export(str(crate))
        if packed:
            usd_utils.CreateNewUsdzPackage(str(crate), str(package))
        return (package if packed else crate).read_bytes()
