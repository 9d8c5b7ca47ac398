"""C3D: joint centres as points, for biomechanics laboratories (https://www.c3d.org). Needs ezc3d (extra `c3d`).

Millimetres, z up as laboratories have it (the file's X_SCREEN and Y_SCREEN say so); a performer who faces the camera
faces -y.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .coordinates import MM_PER_M, z_up_position
from .errors import missing_extra
from .resample import Gap
from .scene import Rate, build_scene, tell_gaps
from .trc import joint_centres
from .types import Take
from .writing import write_atomically


def write_c3d(
    take: Take, path: Path | str, *, names: Mapping[str, str] | None = None, fps: Rate | None = None
) -> tuple[Gap, ...]:
    """Write a take's joint centres and return (and log) the spans that had to be bridged by interpolation.

    Args:
        take: one performer.
        path: the file.
        names: joint name -> label; joints not named keep theirs.
        fps: frames per second; None takes the take's own.

    Raises:
        MissingExtraError: ezc3d is not installed.
        TakeFileError: the take is empty or not finite, or the file cannot be written.
        ValueError: `fps` is not a rate, or two points get one name.
    """
    try:
        import ezc3d
    except ImportError as error:
        raise missing_extra(".c3d", "ezc3d", "c3d") from error
    scene = build_scene(take, names=names, fps=fps)
    performer = scene.performers[0]
    points_mm = z_up_position(joint_centres(performer)) * MM_PER_M
    data = _encoded(ezc3d.c3d(), points_mm, performer.joint_names, float(scene.rate))
    write_atomically(Path(path), lambda file: file.write(data))
    tell_gaps(Path(path), scene.gaps)
    return scene.gaps


def _encoded(file: Any, points_mm: NDArray[np.float64], labels: tuple[str, ...], rate: float) -> bytes:
    """Return a C3D of `(T, N, 3)` points through an empty file of the library's."""
    group = file["parameters"]["POINT"]
    group["RATE"]["value"] = [rate]
    group["LABELS"]["value"] = list(labels)
    group["UNITS"]["value"] = ["mm"]
    file.add_parameter("POINT", "X_SCREEN", ["+X"])
    file.add_parameter("POINT", "Y_SCREEN", ["+Z"])
    homogeneous = np.concatenate([points_mm, np.ones((*points_mm.shape[:2], 1))], axis=2)
    file["data"]["points"] = homogeneous.transpose(2, 1, 0)
    # The library writes to paths alone.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "points.c3d")
        file.write(str(path))
        return path.read_bytes()
