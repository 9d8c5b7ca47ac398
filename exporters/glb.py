"""GLB: skeletons, skinned surfaces and motion as binary glTF 2.0, for Blender, Godot, three.js, Unity and Unreal.

glTF is right-handed, y up, metres, and a model faces +z (specification, 3.4): our own world. Each performer has a
node of its own name above the joints; joints rest in the T-pose, standing on the floor with identity rotations, and
all performers move in one animation. Surfaces are nodes at the top, for the specification wants skinned ones there
(3.7.3.3). Keys are in seconds; the rate stands in the animation's `extras.fps`, for glTF has none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .gltf import INDICES, VERTICES, BinaryChunk, glb
from .kinematics import rest_joints
from .resample import Gap
from .scene import Performer, Rate, Scene, build_scene, tell_gaps
from .surfaces import bindings, vertex_normals
from .types import SkinnedMesh, Take
from .writing import write_atomically

GENERATOR = "mocap-app exporters"
COLOURS = ((0.60, 0.62, 0.66), (0.66, 0.50, 0.38), (0.36, 0.54, 0.66), (0.46, 0.60, 0.40))
"""Linear RGB of the performers' surfaces, in turn, so that two who meet can be told apart."""
ROUGHNESS = 0.8
_DECIMALS = 7
_RESTART = 65535  # the index of 16 bits that ends a strip: not a vertex

Objects = list[dict[str, Any]]


def write_glb(
    takes: Take | Sequence[Take],
    path: Path | str,
    *,
    meshes: SkinnedMesh | Sequence[SkinnedMesh | None] | None = None,
    names: Mapping[str, str] | None = None,
    fps: Rate | None = None,
    t_pose_first: bool = False,
) -> tuple[Gap, ...]:
    """Write one or several takes as GLB and return (and log) the spans that had to be bridged by interpolation.

    Args:
        takes: one take, or several with times of one clock.
        path: the file.
        meshes: a surface for each take; None writes bones alone, which most viewers do not draw.
        names: joint name -> name to write, e.g. `skeletons.MIXAMO_NAMES`.
        fps: frames per second; None takes the takes' own.
        t_pose_first: put the T-pose in front as frame 0 of the motion, for programs that ignore the rest pose.

    Raises:
        TakeFileError: no take, or one that is empty or not finite, or the file cannot be written.
        ValueError: `fps` is not a rate, two joints get one name, or the meshes do not fit.
    """
    scene = build_scene(takes, meshes=meshes, names=names, fps=fps, t_pose_first=t_pose_first)
    chunk = BinaryChunk()
    data = glb(document(scene, chunk), chunk)
    write_atomically(Path(path), lambda file: file.write(data))
    tell_gaps(Path(path), scene.gaps)
    return scene.gaps


def document(scene: Scene, chunk: BinaryChunk, skins: bool = True) -> dict[str, Any]:
    """Return the JSON side of a scene as a dictionary, its arrays added to `chunk`.

    Args:
        scene: the performers.
        chunk: takes their arrays.
        skins: mark the joints as bones also where there is no surface; without it they are plain nodes.
    """
    parts: dict[str, Objects] = {"nodes": [], "meshes": [], "materials": [], "skins": []}
    top: list[int] = []
    animation: dict[str, Any] = {"name": scene.name, "channels": [], "samplers": []}
    animation["extras"] = {"fps": round(float(scene.rate), 6)}
    for number, performer in enumerate(scene.performers):
        root = len(parts["nodes"])
        top.append(root)
        parts["nodes"] += _joint_nodes(performer, root)
        if skins or performer.mesh is not None:
            parts["skins"].append(_skin(performer, root, chunk))
        if performer.mesh is not None:
            top.append(len(parts["nodes"]))
            parts["nodes"].append(_mesh_node(performer, len(parts["meshes"]), len(parts["skins"]) - 1))
            parts["materials"].append(_material(performer, number))
            parts["meshes"].append(_mesh(performer.mesh, len(parts["meshes"]), chunk))
        _animate(performer, root, float(scene.rate), animation, chunk)
    head = {"asset": {"version": "2.0", "generator": GENERATOR}, "scene": 0}
    whole = head | {"scenes": [{"name": scene.name, "nodes": top}]} | parts | {"animations": [animation]}
    return {key: value for key, value in whole.items() if value != []}


def joint_node(root: int, joint: int) -> int:
    """Return the number of a joint's node, `root` being that of its performer."""
    return root + 1 + joint


def _joint_nodes(performer: Performer, root: int) -> Objects:
    """Return the performer's own node and those of the joints in the T-pose."""
    nodes: Objects = [{"name": performer.name, "children": [joint_node(root, 0)]}]
    parents = performer.skeleton.parents
    for j, name in enumerate(performer.joint_names):
        node: dict[str, Any] = {"name": name, "translation": _rounded(performer.skeleton.offsets[j])}
        children = [joint_node(root, int(c)) for c in np.flatnonzero(parents == j)]
        nodes.append(node | ({"children": children} if children else {}))
    return nodes


def _rounded(values: np.ndarray) -> list[float]:
    return (np.round(values.astype(np.float64), _DECIMALS) + 0.0).tolist()


def _skin(performer: Performer, root: int, chunk: BinaryChunk) -> dict[str, Any]:
    count = len(performer.joint_names)
    inverse = np.tile(np.eye(4, dtype=np.float32), (count, 1, 1))
    # Stored by columns, so the translation is the last row here.
    inverse[:, 3, :3] = 0.0 - rest_joints(performer.skeleton)
    return {
        "name": performer.name,
        "skeleton": joint_node(root, 0),
        "joints": [joint_node(root, j) for j in range(count)],
        "inverseBindMatrices": chunk.add(inverse),
    }


def _mesh_node(performer: Performer, mesh: int, skin: int) -> dict[str, Any]:
    assert performer.mesh is not None
    return {"name": f"{performer.name}_{performer.mesh.name}", "mesh": mesh, "skin": skin}


def _material(performer: Performer, number: int) -> dict[str, Any]:
    colour = [*COLOURS[number % len(COLOURS)], 1.0]
    surface = {"baseColorFactor": colour, "metallicFactor": 0.0, "roughnessFactor": ROUGHNESS}
    return {"name": f"{performer.name}_skin", "pbrMetallicRoughness": surface}


def _mesh(mesh: SkinnedMesh, material: int, chunk: BinaryChunk) -> dict[str, Any]:
    joints, weights = bindings(mesh)
    small = np.uint8 if joints.max(initial=0) < 256 else np.uint16
    index = np.uint16 if len(mesh.vertices) <= _RESTART else np.uint32
    primitive = {
        "attributes": {
            "POSITION": chunk.add(mesh.vertices, VERTICES, bounds=True),
            "NORMAL": chunk.add(vertex_normals(mesh), VERTICES),
            "JOINTS_0": chunk.add(joints.astype(small), VERTICES),
            "WEIGHTS_0": chunk.add(weights, VERTICES),
        },
        "indices": chunk.add(mesh.faces.ravel().astype(index), INDICES),
        "material": material,
    }
    return {"name": mesh.name, "primitives": [primitive]}


def _animate(performer: Performer, root: int, rate: float, animation: dict[str, Any], chunk: BinaryChunk) -> None:
    """Add the root's places and every joint's rotations to the animation, keys at the frames' seconds."""
    times = chunk.add((performer.frames / rate).astype(np.float32), bounds=True)

    def channel(joint: int, path: str, values: np.ndarray) -> None:
        target = {"node": joint_node(root, joint), "path": path}
        animation["channels"].append({"sampler": len(animation["samplers"]), "target": target})
        sampler = {"input": times, "interpolation": "LINEAR", "output": chunk.add(values)}
        animation["samplers"].append(sampler)

    channel(0, "translation", performer.root_translation)
    xyzw = performer.rotations_wxyz[..., [1, 2, 3, 0]]
    for joint in range(xyzw.shape[1]):
        channel(joint, "rotation", xyzw[:, joint])
