"""TRC: joint centres as markers, in text, for OpenSim and other biomechanics programs.

Tab-separated, millimetres, y up as OpenSim has it; a performer who faces the camera faces +z. Layout:
https://opensimconfluence.atlassian.net (Marker (.trc) Files).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from .coordinates import MM_PER_M
from .kinematics import forward_kinematics
from .resample import Gap
from .scene import Performer, Rate, Scene, build_scene, tell_gaps
from .types import FloatArray, Take
from .writing import write_atomically


def write_trc(
    take: Take, path: Path | str, *, names: Mapping[str, str] | None = None, fps: Rate | None = None
) -> tuple[Gap, ...]:
    """Write a take's joint centres and return (and log) the spans that had to be bridged by interpolation.

    Args:
        take: one performer.
        path: the file.
        names: joint name -> marker name; joints not named keep theirs.
        fps: frames per second; None takes the take's own.

    Raises:
        TakeFileError: the take is empty or not finite, or the file cannot be written.
        ValueError: `fps` is not a rate, or two markers get one name.
    """
    scene = build_scene(take, names=names, fps=fps)
    text = format_trc(scene, Path(path).name)
    write_atomically(Path(path), lambda file: file.write(text.encode("utf-8")))
    tell_gaps(Path(path), scene.gaps)
    return scene.gaps


def joint_centres(performer: Performer) -> FloatArray:
    """Return where the joints are: `(T, J, 3)` float32, metres, world frame."""
    return forward_kinematics(performer.skeleton, performer.rotations_wxyz, performer.root_translation)


def format_trc(scene: Scene, file_name: str) -> str:
    """Return the first performer of a scene as the text of a TRC file."""
    performer, rate = scene.performers[0], float(scene.rate)
    # A blank ends no marker's name.
    names = ["_".join(name.split()) for name in performer.joint_names]
    frames, markers = len(performer.frames), len(names)
    axes = [f"{axis}{number}" for number in range(1, markers + 1) for axis in "XYZ"]
    lines = [
        f"PathFileType\t4\t(X/Y/Z)\t{file_name}",
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
        f"{rate:.6f}\t{rate:.6f}\t{frames}\t{markers}\tmm\t{rate:.6f}\t1\t{frames}",
        "Frame#\tTime\t" + "\t\t\t".join(names) + "\t\t",
        "\t\t" + "\t".join(axes),
        "",
    ]
    rows_mm = joint_centres(performer).astype(np.float64).reshape(frames, -1) * MM_PER_M
    for n, row in enumerate((np.round(rows_mm, 4) + 0.0).tolist()):
        lines.append(f"{n + 1}\t{n / rate:.6f}\t" + "\t".join([f"{x:.4f}" for x in row]))
    return "\n".join(lines) + "\n"
