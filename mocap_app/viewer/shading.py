"""What is computed once of a surface before it is drawn. No Qt, no OpenGL: may be done on any thread, ahead of time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engines.rendering.normals import VertexNormals
from engines.types import FloatArray, IntArray

from .scene import Scene
from .scene_shapes import openness

KEPT = 4
"""Surfaces remembered: the body of the engine, those of takes."""


@dataclass(frozen=True, slots=True)
class Shading:
    """Of all bodies that share these faces."""

    faces: IntArray
    normals: VertexNormals
    folds: FloatArray
    """`(V,)` float32, see `openness`."""


_known: list[Shading] = []


def shading_of(scene: Scene) -> Shading:
    """Return the shading of a scene's surfaces, computed for the first of them; a twentieth of a second at first."""
    count = scene.vertices.shape[1]
    for shading in tuple(_known):
        if len(shading.folds) == count and are_same(shading.faces, scene.faces):
            return shading
    normals, first = VertexNormals(scene.faces, count), scene.vertices[0]
    shading = Shading(scene.faces, normals, openness(first, normals(first), scene.faces))
    _known[:] = [*_known[1 - KEPT :], shading]
    return shading


def are_same(faces: np.ndarray, others: np.ndarray) -> bool:
    """Say whether two meshes have the same faces."""
    return faces is others or np.array_equal(faces, others)
