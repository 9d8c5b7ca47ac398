"""The skeleton of a glTF, GLB or VRM file: its nodes' rest transforms, and what a VRM says they are."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .bone_maps import BoneMap
from .errors import TakeFileError
from .rotations import inverse, matrix_from_quaternion, multiply, quaternion_from_matrix, rotate
from .skeletons import HUMANOID_BONES
from .types import FloatArray, Skeleton

_JSON_CHUNK = 0x4E4F534A
Matrix = NDArray[np.float64]


def read_gltf_skeleton(path: Path) -> tuple[Skeleton, FloatArray, BoneMap]:
    """Return the skeleton with offsets in each parent's axes, its `(J, 4)` rest rotations, and a VRM's own bone map.

    The joints are those of all skins, the humanoid's bones and whatever lies between; the root is the lowest node
    that all of them hang on.

    Raises:
        TakeFileError: the file is absent, damaged, or holds no skeleton.
    """
    content = _read_json(path)
    try:
        return _skeleton_of(content, path)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise _damaged(path, f"nodes that do not fit together ({type(error).__name__}: {error})") from error


def _read_json(path: Path) -> dict[str, Any]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise TakeFileError(
            f"{path}: cannot be read ({error.strerror or error}); expected a glTF or VRM model; check the path"
        ) from error
    try:
        text = _json_chunk(data) if data[:4] == b"glTF" else data
        content = json.loads(text.decode("utf-8-sig"))
    except (ValueError, struct.error, RecursionError) as error:
        raise _damaged(path, f"no glTF ({error})") from error
    if not isinstance(content, dict):
        raise _damaged(path, "no glTF object")
    return content


def _json_chunk(data: bytes) -> bytes:
    version, _, length, kind = struct.unpack_from("<IIII", data, 4)
    if version != 2 or kind != _JSON_CHUNK or 20 + length > len(data):
        raise ValueError("its first part is not the JSON of a glTF 2, or is cut short")
    return data[20 : 20 + length]


def _damaged(path: Path, found: str) -> TakeFileError:
    return TakeFileError(
        f"{path}: found {found}; expected a glTF 2 or VRM model with a skeleton; export it again from the program "
        "that made it"
    )


def _skeleton_of(content: dict[str, Any], path: Path) -> tuple[Skeleton, FloatArray, BoneMap]:
    nodes = content.get("nodes") or []
    parents = np.full(len(nodes), -1)
    for number, node in enumerate(nodes):
        parents[[int(child) for child in node.get("children", ())]] = number
    humanoid = _humanoid(content.get("extensions") or {})
    wanted = {int(n) for skin in content.get("skins", ()) for n in skin["joints"]} | set(humanoid.values())
    if not wanted:
        raise _damaged(path, f"{len(nodes)} nodes but neither a skin nor a humanoid")
    order = _joints(parents, wanted)
    names = _names(nodes, order)
    world = _world_transforms(nodes, parents)
    places = np.array([world[n][:3, 3] for n in order])
    turns = quaternion_from_matrix(np.array([_rotation_of(world[n]) for n in order]))
    above = np.array([order.index(parents[n]) if k else -1 for k, n in enumerate(order)], np.int32)
    rest, offsets = turns.copy(), places.copy()
    for k in range(1, len(order)):
        rest[k] = multiply(inverse(turns[above[k]]), turns[k])
        offsets[k] = rotate(inverse(turns[above[k]]), places[k] - places[above[k]])
    # Models stand on y = 0, or are built about a point inside.
    offsets[0] = (0.0, places[0, 1] - min(float(places[:, 1].min()), 0.0), 0.0)
    if not (np.isfinite(offsets).all() and np.isfinite(rest).all()):
        raise ValueError("numbers that are not finite")
    skeleton = Skeleton(path.stem, tuple(names), above, offsets.astype(np.float32))
    return skeleton, rest.astype(np.float32), {joint: names[order.index(n)] for joint, n in humanoid.items()}


def _humanoid(extensions: dict[str, Any]) -> dict[str, int]:
    """Return node numbers by SMPL joint name, of either version of VRM."""
    newer = extensions.get("VRMC_vrm", {}).get("humanoid", {}).get("humanBones", {})
    older = extensions.get("VRM", {}).get("humanoid", {}).get("humanBones", [])
    bones = {name: int(bone["node"]) for name, bone in newer.items()}
    bones |= {bone["bone"]: int(bone["node"]) for bone in older}
    named = {joint: f"{bone[0].lower()}{bone[1:]}" for joint, bone in HUMANOID_BONES.items()}
    found = {joint: bones[bone] for joint, bone in named.items() if bone in bones}
    # The arms hang on the uppermost bone of the spine, whatever a model calls it.
    if "spine3" not in found:
        top = next((joint for joint in ("spine2", "spine1") if joint in found), None)
        if top is not None:
            found["spine3"] = found.pop(top)
    return found


def _joints(parents: NDArray[Any], wanted: set[int]) -> list[int]:
    """Return the nodes that make the skeleton, a parent before its children."""
    ways = [_way_up(parents, node) for node in sorted(wanted)]
    shared = [node for node in ways[0] if all(node in way for way in ways)]
    if not shared:
        raise ValueError("joints in trees of their own")
    root = shared[0]
    kept = {node for way in ways for node in way[: way.index(root) + 1]}
    order = [root]
    for node in order:
        order += [int(child) for child in np.flatnonzero(parents == node) if child in kept]
    return order


def _way_up(parents: NDArray[Any], node: int) -> list[int]:
    way = [node]
    while parents[way[-1]] >= 0:
        way.append(int(parents[way[-1]]))
        if len(way) > len(parents):
            raise ValueError("nodes that hang on themselves")
    return way


def _names(nodes: list[dict[str, Any]], order: list[int]) -> list[str]:
    names: list[str] = []
    for node in order:
        wished = str(nodes[node].get("name") or f"node_{node}")
        names.append(wished if wished not in names else f"{wished}_{node}")
    return names


def _world_transforms(nodes: list[dict[str, Any]], parents: NDArray[Any]) -> list[Matrix]:
    local = [_local_transform(node) for node in nodes]
    world: list[Matrix] = []
    for number in range(len(nodes)):
        transform = np.eye(4)
        for node in _way_up(parents, number):
            transform = local[node] @ transform
        world.append(transform)
    return world


def _local_transform(node: dict[str, Any]) -> Matrix:
    if "matrix" in node:
        return np.array(node["matrix"], np.float64).reshape(4, 4).T  # glTF writes columns
    x, y, z, w = (float(v) for v in node.get("rotation", (0, 0, 0, 1)))
    transform = np.eye(4)
    scale = np.array(node.get("scale", (1, 1, 1)), np.float64)
    transform[:3, :3] = matrix_from_quaternion(np.array([w, x, y, z])) * scale
    transform[:3, 3] = node.get("translation", (0, 0, 0))
    return transform


def _rotation_of(transform: Matrix) -> Matrix:
    """Return the rotation in a transform that may scale."""
    lengths = np.linalg.norm(transform[:3, :3], axis=0)
    if not (lengths > 0).all():
        raise ValueError("a node scaled to nothing")
    u, _, v = np.linalg.svd(transform[:3, :3] / lengths)
    return (u * (1, 1, np.linalg.det(u @ v))) @ v
