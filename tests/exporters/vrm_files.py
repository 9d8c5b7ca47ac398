"""Small `.vrm` files whose every number is known: the JSON of a humanoid without a mesh."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

from exporters import HUMANOID_BONES, Skeleton
from exporters.rotations import inverse, multiply, quaternion_from_rotvec, rotate

# Rest rotations for raw bones: any will do, as long as they differ.
RNG = np.random.default_rng(3)


def write_vrm(
    path: Path, skeleton: Skeleton, version: int, scale: float = 1.0, without: tuple[str, ...] = (), raw: bool = False
) -> Path:
    """Write an avatar `scale` times as large as `skeleton`, lacking the bones `without`.

    Above the hips is a node that is shifted (and with `raw` turned): the avatar's hips still stand over the origin.
    With `raw` every bone has axes of its own, as VRM 1.0 allows.
    """
    bones = {n: b for n, b in HUMANOID_BONES.items() if b not in without}
    offsets = skeleton.offsets.astype(np.float64) * scale
    shift = np.array((0.0, 0.3, 0.1))
    world = {-1: quaternion_from_rotvec(np.array((0.0, 0.7, 0.0) if raw else np.zeros(3)))}
    nodes: list[dict[str, Any]] = [node("Armature", shift, world[-1], version, [1])]
    numbers = {}
    for j, (name, parent) in enumerate(zip(skeleton.joint_names, skeleton.parents, strict=True)):
        if name not in bones:
            continue
        offset = offsets[j].copy()
        while parent > 0 and skeleton.joint_names[parent] not in bones:
            offset, parent = offset + offsets[parent], skeleton.parents[parent]
        world[j] = quaternion_from_rotvec(RNG.normal(size=3)) if raw else world[-1]
        above = world[int(parent)]
        place = rotate(inverse(above), offset - shift if j == 0 else offset)
        numbers[j] = len(nodes)
        nodes.append(node(name, place, multiply(inverse(above), world[j]), version, []))
        if j:
            nodes[numbers[int(parent)]]["children"].append(numbers[j])
    named = {bones[skeleton.joint_names[j]]: n for j, n in numbers.items()}
    write_glb(path, {"asset": {"version": "2.0"}, "nodes": nodes, "extensions": humanoid(named, version)})
    return path


def node(name: str, place: np.ndarray, turn: np.ndarray, version: int, children: list[int]) -> dict[str, Any]:
    """A glTF node; VRM 0.x faces -z, so what we have in a space that faces +z is turned half round."""
    w, x, y, z = turn
    half = -1 if version == 0 else 1
    told = {"translation": [half * place[0], place[1], half * place[2]], "rotation": [half * x, y, half * z, w]}
    return {"name": name, "children": children, **{k: [float(v) for v in values] for k, values in told.items()}}


def humanoid(nodes: dict[str, int], version: int) -> dict[str, Any]:
    lower = {name[0].lower() + name[1:]: number for name, number in nodes.items()}
    if version == 0:
        return {"VRM": {"humanoid": {"humanBones": [{"bone": b, "node": n} for b, n in lower.items()]}}}
    return {"VRMC_vrm": {"specVersion": "1.0", "humanoid": {"humanBones": {b: {"node": n} for b, n in lower.items()}}}}


def write_glb(path: Path, gltf: dict[str, Any]) -> None:
    text = json.dumps(gltf).encode()
    text += b" " * (-len(text) % 4)
    # A chunk of binary data follows, as in every real file; nobody may look at it.
    binary = struct.pack("<I4s", 8, b"BIN\0") + b"\xff" * 8
    length = 12 + 8 + len(text) + len(binary)
    path.write_bytes(struct.pack("<4sII", b"glTF", 2, length) + struct.pack("<I4s", len(text), b"JSON") + text + binary)
