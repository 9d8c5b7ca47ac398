"""A skinned surface in an FBX file: geometry, material, and one cluster of vertices for each bone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .fbx_nodes import Node, Value
from .fbx_scene import UNITS_PER_M, Scene, SceneObject
from .fbx_skeleton import Placed, add_model, translation_matrix
from .types import SkinnedMesh

_SKIN_RGB = (0.8, 0.7, 0.6)


def add_mesh(
    scene: Scene, mesh: SkinnedMesh, name: str, bones: Sequence[Placed], unit: str, holder: SceneObject | None
) -> Placed:
    """Add a surface bound to `bones` in the T-pose; J bones, the mesh's joints are numbers of these."""
    geometry = scene.add("Geometry", name, "Geometry", "Mesh")
    _describe_surface(geometry.node, mesh, mesh.vertices.astype(np.float64) * UNITS_PER_M[unit])
    model = add_model(scene, name, "Mesh", np.zeros(3))
    scene.connect(model, holder)
    scene.connect(geometry, model)
    scene.connect(_add_material(scene, f"{name}_material"), model)
    skin = scene.add("Deformer", name, "Deformer", "Skin")
    skin.node.add("Version", 101)
    skin.node.add("Link_DeformAcuracy", 50.0)  # spelt so in the format
    skin.node.add("SkinningType", "Linear")
    scene.connect(skin, geometry)
    for j, bone in enumerate(bones):
        _add_cluster(scene, skin, bone, *weights_of(mesh, j))
    return Placed(model, np.zeros(3))


def vertex_normals(vertices: NDArray[np.float64], faces: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return `(V, 3)` unit normals, each the mean of the faces around weighted by area; up where there are none."""
    first, second, third = (vertices[faces[:, k]] for k in range(3))
    of_faces = np.cross(second - first, third - first)
    normals = np.stack(
        [np.bincount(faces.ravel(), np.repeat(of_faces[:, axis], 3), minlength=len(vertices)) for axis in range(3)],
        axis=1,
    )
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    return np.where(length > 0, normals / np.where(length > 0, length, 1.0), (0.0, 1.0, 0.0))


def weights_of(mesh: SkinnedMesh, joint: int) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return the vertices that a joint moves, rising, and their shares."""
    shares = np.where(mesh.joints == joint, mesh.weights, 0.0).sum(axis=1, dtype=np.float64)
    moved = np.flatnonzero(shares > 0)
    return moved.astype(np.int32), shares[moved]


def _describe_surface(node: Node, mesh: SkinnedMesh, vertices: NDArray[np.float64]) -> None:
    node.add("GeometryVersion", 124)
    node.add("Vertices", vertices.ravel())
    corners = mesh.faces.copy()
    corners[:, -1] = ~corners[:, -1]  # the last corner of a face is marked so
    node.add("PolygonVertexIndex", corners.ravel())
    normals = _add_layer_element(node, "LayerElementNormal", "ByVertice", "Direct")  # spelt so in the format
    normals.add("Normals", vertex_normals(vertices, mesh.faces).ravel())
    materials = _add_layer_element(node, "LayerElementMaterial", "AllSame", "IndexToDirect")
    materials.add("Materials", np.zeros(1, np.int32))
    layer = node.add("Layer", 0)
    layer.add("Version", 100)
    for kind in ("LayerElementNormal", "LayerElementMaterial"):
        entry = layer.add("LayerElement")
        entry.add("Type", kind)
        entry.add("TypedIndex", 0)


def _add_layer_element(node: Node, kind: str, mapping: str, reference: str) -> Node:
    element = node.add(kind, 0)
    element.add("Version", 101)
    element.add("Name", "")
    element.add("MappingInformationType", mapping)
    element.add("ReferenceInformationType", reference)
    return element


def _add_material(scene: Scene, name: str) -> SceneObject:
    material = scene.add("Material", name, "Material", "")
    material.node.add("Version", 102)
    material.node.add("ShadingModel", "lambert")
    material.node.add("MultiLayer", 0)
    colour: tuple[Value, ...] = ("DiffuseColor", "Color", "", "A", *_SKIN_RGB)
    material.node.add_table(colour)
    return material


def _add_cluster(
    scene: Scene, skin: SceneObject, bone: Placed, moved: NDArray[np.int32], shares: NDArray[np.float64]
) -> None:
    cluster = scene.add("Deformer", "", "SubDeformer", "Cluster")
    cluster.node.add("Version", 100)
    cluster.node.add("UserData", "", "")
    if len(moved):
        cluster.node.add("Indexes", moved)
        cluster.node.add("Weights", shares)
    cluster.node.add("Transform", translation_matrix(-bone.place))  # from the mesh to the bone, when they are bound
    cluster.node.add("TransformLink", translation_matrix(bone.place))  # from the bone to the world
    scene.connect(cluster, skin)
    scene.connect(bone.item, cluster)
