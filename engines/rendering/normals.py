"""Smooth vertex normals of meshes that share their faces."""

from __future__ import annotations

import numpy as np

from ..types import FloatArray, IntArray


class VertexNormals:
    """Computes area-weighted vertex normals; the face order is prepared once."""

    def __init__(self, faces: IntArray, vertex_count: int) -> None:
        """Prepare for `(F, 3)` int32 `faces` over `vertex_count` vertices."""
        self._faces = faces
        corners = faces.reshape(-1)
        order = np.argsort(corners, kind="stable")
        self._face_of_corner = (order // 3).astype(np.int32)
        self._used, self._starts = np.unique(corners[order], return_index=True)
        self._vertex_count = vertex_count

    def __call__(self, vertices: FloatArray) -> FloatArray:
        """Return `(V, 3)` float32 unit normals of `(V, 3)` vertices (zero where no face touches)."""
        a, b, c = vertices[self._faces[:, 0]], vertices[self._faces[:, 1]], vertices[self._faces[:, 2]]
        u, v = (b - a).T, (c - a).T
        face_normals = np.empty((len(a), 3), np.float32)  # written out: np.cross takes twice as long
        face_normals[:, 0] = u[1] * v[2] - u[2] * v[1]
        face_normals[:, 1] = u[2] * v[0] - u[0] * v[2]
        face_normals[:, 2] = u[0] * v[1] - u[1] * v[0]
        sums = np.zeros((self._vertex_count, 3), np.float32)
        sums[self._used] = np.add.reduceat(face_normals[self._face_of_corner], self._starts, axis=0)
        return sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)
