"""What assimp reads from a file: its own JSON, its nodes moved along its own keys."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

Node = dict[str, Any]


def read(path: Path, take: str, unit_m: float) -> dict[str, Any]:
    """Return a report like that of the other readers; assimp leaves lengths in the file's unit of `unit_m` metres.

    Raises:
        RuntimeError: assimp did not read it.
    """
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "scene.json"
        command = ["assimp", "export", str(path), str(target), "-fassjson", "-jiv"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        if not target.is_file():
            raise RuntimeError((done.stdout + done.stderr).strip()[-200:])
        scene = json.loads(target.read_text(encoding="utf-8"))
    clips = [clip for clip in scene.get("animations", []) if take in clip["name"]] or scene.get("animations", [])
    if not clips:
        raise RuntimeError("no animation")
    return _report(scene, clips[-1], unit_m)


def version() -> str:
    """Return assimp's name and version."""
    told = subprocess.run(["assimp", "version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"Version ([\d.]+)", told)
    return f"assimp {found[1] if found else '?'}"


def _report(scene: Node, clip: Node, unit_m: float) -> dict[str, Any]:
    ticks = clip["tickspersecond"] or 1.0
    times = np.unique([round(key[0] / ticks, 5) for c in clip["channels"] for key in c["rotationkeys"]])
    fps = (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 0.0
    frames = times[0] + np.arange(len(times)) / fps if fps else times
    world: dict[str, np.ndarray] = {}
    local = {c["name"]: _channel(c, frames * ticks) for c in clip["channels"]}
    _walk(scene["rootnode"], np.tile(np.eye(4), (len(frames), 1, 1)), local, world)
    places = {name: (unit_m * matrix[:, :3, 3]).tolist() for name, matrix in world.items()}
    boxes = _boxes(scene, world, unit_m)
    return {
        "reader": version(),
        "joints": list(world),
        "frame_count": len(frames),
        "fps": float(fps),
        "frames": {str(t): {name: at[t] for name, at in places.items()} for t in range(len(frames))},
        "mesh_bbox": {} if boxes is None else {str(t): {"surface": boxes[t].tolist()} for t in range(len(frames))},
    }


def _walk(node: Node, above: np.ndarray, local: dict[str, np.ndarray], world: dict[str, np.ndarray]) -> None:
    own = local.get(node["name"])
    world[node["name"]] = above @ (np.reshape(node["transformation"], (4, 4)) if own is None else own)
    for child in node.get("children", []):
        _walk(child, world[node["name"]], local, world)


def _channel(channel: Node, ticks: np.ndarray) -> np.ndarray:
    """Return `(T, 4, 4)`: a node's keys at the wanted times."""
    matrices = np.tile(np.eye(4), (len(ticks), 1, 1))
    matrices[:, :3, :3] = _matrices(_between(channel["rotationkeys"], ticks, turns=True))
    matrices[:, :3, :3] *= _between(channel["scalingkeys"], ticks)[:, None]
    matrices[:, :3, 3] = _between(channel["positionkeys"], ticks)
    return matrices


def _between(keys: list[Any], ticks: np.ndarray, turns: bool = False) -> np.ndarray:
    """Return values at `ticks`, straight between neighbouring keys."""
    at, values = np.array([key[0] for key in keys]), np.array([key[1] for key in keys], float)
    if turns:  # a quaternion and its opposite are one turn: keep neighbours on one side
        signs = np.where((values[1:] * values[:-1]).sum(axis=1) < 0, -1.0, 1.0)
        values[1:] *= np.cumprod(signs)[:, None]
    return np.stack([np.interp(ticks, at, column) for column in values.T], axis=1)


def _matrices(wxyz: np.ndarray) -> np.ndarray:
    w, x, y, z = (wxyz / np.linalg.norm(wxyz, axis=1, keepdims=True)).T
    rows = [
        (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    ]
    return np.moveaxis(np.array(rows), -1, 0)


def _boxes(scene: Node, world: dict[str, np.ndarray], unit_m: float) -> np.ndarray | None:
    """Return `(T, 2, 3)` metres of the largest mesh that bones move."""
    meshes = [mesh for mesh in scene.get("meshes", []) if mesh.get("bones") and len(mesh["vertices"]) > 3 * 1000]
    if not meshes:
        return None
    mesh = max(meshes, key=lambda mesh: len(mesh["vertices"]))
    vertices = np.c_[np.reshape(mesh["vertices"], (-1, 3)), np.ones(len(mesh["vertices"]) // 3)]
    count = len(next(iter(world.values())))
    moved = np.zeros((count, len(vertices), 3))
    for bone in mesh["bones"]:
        rows = np.array([row for row, _ in bone["weights"]], int)
        shares = np.array([share for _, share in bone["weights"]])[:, None]
        matrices = world[bone["name"]] @ np.reshape(bone["offsetmatrix"], (4, 4))
        for t in range(count if len(rows) else 0):
            moved[t, rows] += shares * (vertices[rows] @ matrices[t, :3].T)
    return unit_m * np.stack([moved.min(axis=1), moved.max(axis=1)], axis=1)
