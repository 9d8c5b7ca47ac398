"""Avatars from `.vrm` files, of VRM 0.x and 1.0 (https://vrm.dev): the bones, out of the glTF's JSON alone."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .avatars import BONES, REQUIRED_BONES, Avatar
from .errors import StreamError
from .rotations import matrix_from_quaternion, quaternion_from_matrix

Array = NDArray[Any]

_JSON_CHUNK = b"JSON"
_HALF_TURN = np.diag((-1.0, 1.0, -1.0, 1.0))
_LOWEST_HIPS_M = 0.05
_LARGEST = 1e6
"""No avatar's node is scaled or shifted by so much; products of such numbers stay finite."""


def read_vrm(path: str | Path) -> Avatar:
    """Return the avatar of a `.vrm` file; meshes, textures and everything but the bones are not looked at.

    Raises:
        StreamError: the file is absent, no VRM, or its humanoid lacks a bone that every humanoid has.
    """
    try:
        gltf = _read_json(Path(path).expanduser())
        nodes, is_vrm0 = _humanoid(gltf)
        absent = [b for b in REQUIRED_BONES if b not in nodes]
        if absent:
            raise ValueError(f"a humanoid without {', '.join(absent)}")
        return _avatar(gltf, nodes, is_vrm0)
    except OSError as error:
        raise StreamError(f"{path}: cannot be read ({error.strerror}); expected a .vrm file; check the path") from error
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, struct.error) as error:
        raise StreamError(
            f"{path}: found {error}, expected an avatar of VRM 0.x or 1.0 standing on the floor; export it again as VRM"
        ) from error


def _read_json(path: Path) -> Any:
    """Return the JSON of a GLB file (glTF 2.0, section 4)."""
    with path.open("rb") as file:
        magic, version, _ = struct.unpack("<4sII", file.read(12))
        if magic != b"glTF" or version != 2:
            raise ValueError("no glTF 2 in one file")
        length, kind = struct.unpack("<I4s", file.read(8))
        if kind != _JSON_CHUNK:
            raise ValueError("no JSON where glTF has it")
        return json.loads(file.read(length))


def _humanoid(gltf: Any) -> tuple[dict[str, int], bool]:
    """Return node numbers by HumanBodyBones name, and whether it is VRM 0.x."""
    extensions = gltf.get("extensions", {})
    if "VRMC_vrm" in extensions:
        bones = extensions["VRMC_vrm"]["humanoid"]["humanBones"]
        found = {name: bone["node"] for name, bone in bones.items()}
    elif "VRM" in extensions:
        found = {bone["bone"]: bone["node"] for bone in extensions["VRM"]["humanoid"]["humanBones"]}
    else:
        raise ValueError("a glTF without a VRM humanoid")
    nodes = {name[0].upper() + name[1:]: node for name, node in found.items()}
    return {name: nodes[name] for name in BONES if name in nodes}, "VRMC_vrm" not in extensions


def _avatar(gltf: Any, nodes: dict[str, int], is_vrm0: bool) -> Avatar:
    locals_, parents = _local_matrices(gltf, is_vrm0), _parents(gltf)
    models = {-1: np.eye(4)}
    for node in nodes.values():
        _place(node, locals_, parents, models)
    rest = np.stack([models[n] for n in nodes.values()])
    above = np.stack([models[parents[n]] for n in nodes.values()])
    hips_m = rest[0, :3, 3]
    if not np.isfinite(rest).all() or hips_m[1] < _LOWEST_HIPS_M:
        raise ValueError(f"hips at a height of {hips_m[1]:g} m")
    offsets = np.stack([locals_[n][:3, 3] for n in nodes.values()])
    return Avatar(tuple(nodes), offsets, _rotations(rest), _rotations(above), hips_m, np.linalg.inv(above[0]))


def _local_matrices(gltf: Any, is_vrm0: bool) -> list[Array]:
    """Return each node's `(4, 4)`; a VRM 0.x avatar faces -z, so all its axes are turned half round."""
    matrices = [_local_matrix(node) for node in gltf["nodes"]]
    if not all((np.abs(matrix) < _LARGEST).all() for matrix in matrices):  # also where one is no number
        raise ValueError(f"a node whose numbers are not below {_LARGEST:g}")
    return [_HALF_TURN @ m @ _HALF_TURN for m in matrices] if is_vrm0 else matrices


def _local_matrix(node: Any) -> Array:
    if "matrix" in node:
        return np.array(node["matrix"], np.float64).reshape(4, 4).T  # columns first
    x, y, z, w = node.get("rotation", (0, 0, 0, 1))
    matrix = np.eye(4)
    matrix[:3, :3] = matrix_from_quaternion(np.array((w, x, y, z), np.float64)) * node.get("scale", (1, 1, 1))
    matrix[:3, 3] = node.get("translation", (0, 0, 0))
    return matrix


def _parents(gltf: Any) -> dict[int, int]:
    parents = dict.fromkeys(range(len(gltf["nodes"])), -1)
    return parents | {child: n for n, node in enumerate(gltf["nodes"]) for child in node.get("children", ())}


def _place(node: int, locals_: list[Array], parents: dict[int, int], models: dict[int, Array]) -> None:
    """Add the `(4, 4)` node -> model of `node`, and of the nodes above it, to `models`."""
    chain: list[int] = []
    while node not in models:
        if node in chain:
            raise ValueError("a node above itself")
        chain.append(node)
        node = parents[node]
    for child in reversed(chain):
        models[child] = models[parents[child]] @ locals_[child]


def _rotations(matrices: Array) -> Array:
    """Return `(B, 4)` the rotations in `(B, 4, 4)`, whatever their scale."""
    axes = matrices[:, :3, :3]
    return quaternion_from_matrix(axes / np.linalg.norm(axes, axis=1, keepdims=True))
