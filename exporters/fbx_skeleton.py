"""Bones in an FBX file: a chain of models in the T-pose, and the pose the surface is bound in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .fbx_nodes import Value
from .fbx_scene import UNITS_PER_M, Scene, SceneObject
from .kinematics import rest_joints
from .types import FloatArray, Skeleton

_DRAWN_SIZE_M = 0.03


@dataclass(frozen=True, slots=True)
class Placed:
    """An object and where it stands in the T-pose, in the file's unit; nothing is turned there."""

    item: SceneObject
    place: NDArray[np.float64]
    """`(3,)`"""


def add_holder(scene: Scene, name: str) -> SceneObject:
    """Add a still node that a performer's bones and surface hang on."""
    attribute = scene.add("NodeAttribute", name, "NodeAttribute", "Null")
    attribute.node.add("TypeFlags", "Null")
    holder = add_model(scene, name, "Null", np.zeros(3))
    scene.connect(attribute, holder)
    scene.connect(holder, None)
    return holder


def add_bones(
    scene: Scene, skeleton: Skeleton, names: Sequence[str], unit: str, holder: SceneObject | None
) -> list[Placed]:
    """Add a model for each joint, in the T-pose: its place is its offset from the parent's, nothing is turned."""
    bones: list[Placed] = []
    offsets = skeleton.offsets.astype(np.float64) * UNITS_PER_M[unit]
    places = rest_places(skeleton, unit)
    for j, parent in enumerate(skeleton.parents):
        attribute = scene.add("NodeAttribute", names[j], "NodeAttribute", "LimbNode")
        attribute.node.add_table(("Size", "double", "Number", "", _DRAWN_SIZE_M * UNITS_PER_M[unit]))
        attribute.node.add("TypeFlags", "Skeleton")
        bone = add_model(scene, names[j], "LimbNode", offsets[j])
        scene.connect(attribute, bone)
        scene.connect(bone, holder if parent < 0 else bones[parent].item)
        bones.append(Placed(bone, places[j]))
    return bones


def rest_places(skeleton: Skeleton, unit: str) -> NDArray[np.float64]:
    """Return `(J, 3)`: where the joints are in the T-pose standing on the floor, in the file's unit."""
    joints: FloatArray = rest_joints(skeleton)
    return joints.astype(np.float64) * UNITS_PER_M[unit]


def add_model(scene: Scene, name: str, subclass: str, place: NDArray[np.float64]) -> SceneObject:
    """Add a node of the scene, `(3,)` from its parent in the file's unit, neither turned nor scaled."""
    model = scene.add("Model", name, "Model", subclass)
    model.node.add("Version", 232)
    model.node.add_table(
        ("RotationActive", "bool", "", "", 1),
        ("InheritType", "enum", "", "", 1),
        ("DefaultAttributeIndex", "int", "Integer", "", 0),
        _vector("Lcl Translation", place),
        _vector("Lcl Rotation", np.zeros(3)),
        _vector("Lcl Scaling", np.ones(3)),
    )
    model.node.add("Shading", True)
    model.node.add("Culling", "CullingOff")
    return model


def add_bind_pose(scene: Scene, name: str, placed: Sequence[Placed]) -> None:
    """Say in which pose the surface is bound: everything where it stands in the T-pose."""
    pose = scene.add("Pose", name, "Pose", "BindPose").node
    pose.add("Type", "BindPose")
    pose.add("Version", 100)
    pose.add("NbPoseNodes", len(placed))
    for one in placed:
        entry = pose.add("PoseNode")
        entry.add("Node", one.item.number)
        entry.add("Matrix", translation_matrix(one.place))


def translation_matrix(offset: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return `(16,)`: a shift by `(3,)` as the format stores matrices, for row vectors."""
    matrix = np.eye(4)
    matrix[3, :3] = offset
    return matrix.ravel()


def _vector(name: str, values: NDArray[np.float64]) -> tuple[Value, ...]:
    return (name, name, "", "A", *values.tolist())
