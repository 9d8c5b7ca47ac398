"""What file formats want to know of a surface beyond its vertices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .types import FloatArray, IntArray, SkinnedMesh

SHORTEST_NORMAL = 1e-12


def vertex_normals(mesh: SkinnedMesh) -> FloatArray:
    """Return `(V, 3)` float32 unit normals, outward: the mean of the faces around, weighted by their areas.

    A vertex of no face (or of faces without area) gets the upward direction, for a normal must have length 1.
    """
    corners = mesh.vertices.astype(np.float64)[mesh.faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    flat = mesh.faces.ravel()
    sums = [np.bincount(flat, np.repeat(across[:, axis], 3), len(mesh.vertices)) for axis in range(3)]
    normals = np.stack(sums, axis=1)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    unit = np.where(length > SHORTEST_NORMAL, normals / np.maximum(length, SHORTEST_NORMAL), (0.0, 1.0, 0.0))
    return unit.astype(np.float32)


def bindings(mesh: SkinnedMesh) -> tuple[IntArray, FloatArray]:
    """Return `(V, 4)` int32 joints and `(V, 4)` float32 weights that sum to 1; an unused place names joint 0."""
    weights: NDArray[np.float64] = np.maximum(mesh.weights.astype(np.float64), 0.0)
    weights /= weights.sum(axis=1, keepdims=True)
    shares = weights.astype(np.float32)
    return np.where(shares > 0, mesh.joints, 0).astype(np.int32), shares
