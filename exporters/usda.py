"""USD as text (`.usda`): UsdSkel skeletons, skinned surfaces and motion.

Written by hand because the text is plain and the library that could do it weighs 150 MB; what it thinks of the text
is tested. Schemas: https://openusd.org/release/api/usd_skel_page_front.html. The stage is y up in metres, a time code
is a frame, a matrix acts on row vectors. Performers face +z as everywhere here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .glb import COLOURS, ROUGHNESS
from .kinematics import rest_joints
from .resample import Gap
from .scene import Performer, Rate, Scene, build_scene, different, tell_gaps
from .surfaces import bindings, vertex_normals
from .types import SkinnedMesh, Take
from .writing import write_atomically

ROOT = "Scene"
_DECIMALS = 7

Array = NDArray[Any]


def write_usda(
    takes: Take | Sequence[Take],
    path: Path | str,
    *,
    meshes: SkinnedMesh | Sequence[SkinnedMesh | None] | None = None,
    names: Mapping[str, str] | None = None,
    fps: Rate | None = None,
    t_pose_first: bool = False,
) -> tuple[Gap, ...]:
    """Write one or several takes as USD text; arguments, answer and errors are those of `glb.write_glb`.

    Names become identifiers as USD wants them: letters, digits and underscores.
    """
    scene = build_scene(takes, meshes=meshes, names=names, fps=fps, t_pose_first=t_pose_first)
    text = format_usda(scene)
    write_atomically(Path(path), lambda file: file.write(text.encode("ascii")))
    tell_gaps(Path(path), scene.gaps)
    return scene.gaps


def format_usda(scene: Scene) -> str:
    """Return a scene as the text of a stage.

    Raises:
        ValueError: two joints of a performer get one identifier.
    """
    head = (
        f'#usda 1.0\n(\n    defaultPrim = "{ROOT}"\n    endTimeCode = {scene.last_frame}\n'
        f"    framesPerSecond = {float(scene.rate)!r}\n    metersPerUnit = 1\n    startTimeCode = 0\n"
        f'    timeCodesPerSecond = {float(scene.rate)!r}\n    upAxis = "Y"\n)\n\n'
    )
    names = different([identifier(p.name) for p in scene.performers])
    parts = [_performer(p, names[n], n) for n, p in enumerate(scene.performers)]
    return f'{head}def Xform "{ROOT}" (\n    kind = "component"\n)\n{{\n{"".join(parts)}}}\n'


def identifier(name: str) -> str:
    """Return the name with everything but ASCII letters, digits and underscores replaced."""
    plain = re.sub(r"[^A-Za-z0-9_]", "_", name) or "_"
    return plain if not plain[0].isdigit() else f"_{plain}"


def _performer(performer: Performer, name: str, number: int) -> str:
    at = f"/{ROOT}/{name}"
    paths = ", ".join(f'"{p}"' for p in _joint_paths(performer))
    rest = rest_joints(performer.skeleton)
    return (
        f'    def SkelRoot "{name}" (\n        prepend apiSchemas = ["SkelBindingAPI"]\n    )\n    {{\n'
        f"        float3[] extent = {_extent(performer)}\n"
        f"        rel skel:skeleton = <{at}/Skeleton>\n\n"
        '        def Skeleton "Skeleton" (\n            prepend apiSchemas = ["SkelBindingAPI"]\n        )\n        {\n'
        f"            uniform matrix4d[] bindTransforms = [{_translations(rest)}]\n"
        f"            uniform token[] joints = [{paths}]\n"
        f"            uniform matrix4d[] restTransforms = [{_translations(performer.skeleton.offsets)}]\n"
        f"            rel skel:animationSource = <{at}/Motion>\n        }}\n\n"
        f'        def SkelAnimation "Motion"\n        {{\n            uniform token[] joints = [{paths}]\n'
        f"{_motion(performer)}        }}\n"
        f"{_surface(performer.mesh, at, number) if performer.mesh is not None else ''}    }}\n"
    )


def _joint_paths(performer: Performer) -> list[str]:
    """Return each joint's name behind those of its parents, as UsdSkel tells the hierarchy."""
    names = [identifier(n) for n in performer.joint_names]
    if len(set(names)) < len(names):
        raise ValueError(f"names: found one identifier twice among {names}, expected a different one for each joint")
    paths: list[str] = []
    for name, parent in zip(names, performer.skeleton.parents, strict=True):
        paths.append(name if parent < 0 else f"{paths[parent]}/{name}")
    return paths


def _extent(performer: Performer) -> str:
    """Return a box round all that the performer can reach, however the joints turn."""
    places = performer.root_translation.astype(np.float64)
    reach = _reach(performer)
    return f"[{_tuples(np.stack([places.min(axis=0) - reach, places.max(axis=0) + reach]))}]"


def _reach(performer: Performer) -> float:
    """Return how far from the root the farthest joint or vertex is when every bone points one way, metres."""
    chain = np.linalg.norm(performer.skeleton.offsets.astype(np.float64), axis=1)
    chain[0] = 0.0
    for j, parent in enumerate(performer.skeleton.parents):
        chain[j] += chain[parent] if parent >= 0 else 0.0
    if performer.mesh is None:
        return float(chain.max())
    joints, _ = bindings(performer.mesh)
    arms = np.linalg.norm(performer.mesh.vertices[:, None] - rest_joints(performer.skeleton)[joints], axis=2)
    return float(max(chain.max(), (chain[joints] + arms).max(initial=0.0)))


def _motion(performer: Performer) -> str:
    """Return the samples of a SkelAnimation: it holds places and scales of all joints, though only the root moves."""
    still = _tuples(performer.skeleton.offsets[1:])
    rotations = performer.rotations_wxyz.astype(np.float64)
    count = rotations.shape[1]
    turns = (f"{f}: [{_tuples(q)}]," for f, q in zip(performer.frames, rotations, strict=True))
    roots = zip(performer.frames, performer.root_translation, strict=True)
    moves = (f"{f}: [{_tuples(p[None])}{', ' + still if still else ''}]," for f, p in roots)
    return (
        f"            quatf[] rotations.timeSamples = {_samples(turns)}"
        f"            half3[] scales = [{', '.join(['(1, 1, 1)'] * count)}]\n"
        f"            float3[] translations.timeSamples = {_samples(moves)}"
    )


def _samples(rows: Iterator[str]) -> str:
    lines = "".join(f"                {row}\n" for row in rows)
    return f"{{\n{lines}            }}\n"


def _surface(mesh: SkinnedMesh, at: str, number: int) -> str:
    joints, weights = bindings(mesh)
    box = np.stack([mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)])
    name = identifier(mesh.name)
    return f"""
        def Mesh "{name}" (
            prepend apiSchemas = ["SkelBindingAPI", "MaterialBindingAPI"]
        )
        {{
            float3[] extent = [{_tuples(box)}]
            int[] faceVertexCounts = [{", ".join(["3"] * len(mesh.faces))}]
            int[] faceVertexIndices = [{_numbers(mesh.faces)}]
            rel material:binding = <{at}/Skin>
            normal3f[] normals = [{_tuples(vertex_normals(mesh))}] (
                interpolation = "vertex"
            )
            point3f[] points = [{_tuples(mesh.vertices)}]
            matrix4d primvars:skel:geomBindTransform = {_translations(np.zeros((1, 3)))}
            int[] primvars:skel:jointIndices = [{_numbers(joints)}] (
                elementSize = {joints.shape[1]}
                interpolation = "vertex"
            )
            float[] primvars:skel:jointWeights = [{_numbers(weights)}] (
                elementSize = {weights.shape[1]}
                interpolation = "vertex"
            )
            rel skel:skeleton = <{at}/Skeleton>
            uniform token subdivisionScheme = "none"
        }}

        def Material "Skin"
        {{
            token outputs:surface.connect = <{at}/Skin/Surface.outputs:surface>

            def Shader "Surface"
            {{
                uniform token info:id = "UsdPreviewSurface"
                color3f inputs:diffuseColor = {_tuples(np.array([COLOURS[number % len(COLOURS)]]))}
                float inputs:roughness = {ROUGHNESS}
                token outputs:surface
            }}
        }}
"""


def _translations(places: Array) -> str:
    """Return matrices that move by `(N, 3)` places, as USD writes them: a row a tuple, the place in the last."""
    rows = (f"( (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), {_tuples(np.append(p, 1.0)[None])} )" for p in places)
    return ", ".join(rows)


def _tuples(rows: Array) -> str:
    rounded = np.round(rows.astype(np.float64), _DECIMALS) + 0.0
    return ", ".join([f"({', '.join([f'{x:.7g}' for x in row])})" for row in rounded.tolist()])


def _numbers(values: Array) -> str:
    return ", ".join([f"{x:.7g}" for x in values.ravel().tolist()])
