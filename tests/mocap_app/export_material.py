"""Takes on disk, of one performer or several, and a format that holds scenes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from engines.body.parameters import load_body, rest_joints
from exporters import Observations, SkinnedMesh, Take, skeleton_from_rest_joints, write_take
from exporters.options import Format

ANY: tuple[str, ...] = ()


def captured_take(
    count: int = 31, fps: float = 30.0, start_s: float = 0.0, subject: int = 1, shape: float = 1.0
) -> Take:
    """Return a take of the free body as it is recorded: a walk along x with a lifted arm."""
    body = load_body()
    betas = np.zeros(10, np.float32)
    betas[0] = shape
    skeleton = skeleton_from_rest_joints(
        rest_joints(body, betas[None])[0], body.parents, body.joint_names, name=body.name
    )
    seconds = np.arange(count) / fps
    rotations = np.tile(np.float32([1, 0, 0, 0]), (count, 24, 1))
    rotations[:, 16, 0], rotations[:, 16, 3] = np.cos(seconds / 4), np.sin(seconds / 4)
    places = np.tile(skeleton.offsets[0], (count, 1))
    places[:, 0] = seconds + start_s
    times = np.round((seconds + start_s) * 1e9).astype(np.int64) + 10**12
    zeros = np.zeros((count, 24, 3), np.float32)
    seen = Observations(
        np.arange(count, dtype=np.int64), zeros, zeros[..., :2].copy(), zeros[..., 0].copy(),
        np.zeros((count, 4), np.float32), betas, np.eye(3, dtype=np.float32),
    )  # fmt: skip
    return Take(skeleton, rotations, places, times, subject, f"person{subject}", {"source_fps": fps}, seen)


def record(folder: Path, stem: str = "dance", people: int = 1) -> list[Path]:
    """Write the takes of a recording; everybody comes half a second after the one before."""
    paths = [folder / f"{stem}_person{n}.npz" for n in range(1, people + 1)]
    for n, path in enumerate(paths):
        write_take(captured_take(start_s=0.5 * n, subject=n + 1, shape=1.0 - n), path)
    return paths


@dataclass
class SceneFormat:
    """A format that holds several performers with surfaces, and notes what it was given."""

    calls: list[dict[str, Any]] = field(default_factory=list)

    def write(
        self, takes: list[Take], path: Path, *, meshes: list[SkinnedMesh | None] | None = None, **choices: Any
    ) -> None:
        self.calls.append({"takes": takes, "meshes": meshes, **choices})
        path.write_text(json.dumps([take.name for take in takes]), encoding="utf-8")

    @property
    def format(self) -> Format:
        return Format(
            "a scene", self.write,
            {"preset": ("unity",), "names": ANY, "fps": ANY, "unit": ("cm", "m"), "t_pose": ("none", "frame", "take")},
            scenes=True,
        )  # fmt: skip
