"""Coarse versions of a body mesh for engines that predict vertices: levels of 431, 1,723 and 6,890 vertices.

Computed from whatever template is given (METRO and Graphormer ship such levels for SMPL's mesh; none of their
files is used). A coarse level's vertices are a subset of the finer one's, so going down is selection; going up,
every fine vertex is the point of a coarse triangle nearest to it, so three weights per row that sum to 1.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import WeightsError
from ..types import FloatArray, IntArray
from ..weights import find_weights
from .parameters import BodyParameters
from .simplify import simplify

COARSE_COUNTS = (1723, 431)
"""Vertices of the coarse levels of a 6,890-vertex template, finest first."""
FREE_LEVELS_FILE = "body_free_levels.npz"


@dataclass(frozen=True, slots=True)
class CoarseLevel:
    """One coarse mesh and its ties to the next finer one. C coarse, V finer vertices."""

    kept: IntArray
    """`(C,)` ids of this level's vertices in the finer level; `finer[kept]` goes down."""
    faces: IntArray
    """`(2C - 4, 3)` triangles in this level's ids."""
    corners: IntArray
    """`(V, 3)` this level's vertices that each finer vertex is made of."""
    shares: FloatArray
    """`(V, 3)` their weights, 0 to 1, rows sum to 1; `(coarse[corners] * shares[..., None]).sum(1)` goes up."""

    def upsampling(self) -> FloatArray:
        """Return the dense `(V, C)` matrix from this level to the finer one."""
        matrix = np.zeros((len(self.corners), len(self.kept)), np.float32)
        np.add.at(matrix, (np.arange(len(self.corners))[:, None], self.corners), self.shares)
        return matrix

    def adjacency(self) -> FloatArray:
        """Return the `(C, C)` symmetric 0/1 matrix of this level's edges, zero on the diagonal."""
        return adjacency(self.faces, len(self.kept))


@dataclass(frozen=True, slots=True)
class BodyLevels:
    """The coarse levels of one template, finest first."""

    coarse: tuple[CoarseLevel, ...]

    def vertex_ids(self, level: int) -> IntArray:
        """Return the ids, in the template, of the vertices of coarse level `level` (0 = finest coarse one)."""
        ids = self.coarse[0].kept
        for step in self.coarse[1 : level + 1]:
            ids = ids[step.kept]
        return ids


def adjacency(faces: IntArray, count: int) -> FloatArray:
    """Return the `(count, count)` symmetric 0/1 matrix of a mesh's edges, zero on the diagonal."""
    matrix = np.zeros((count, count), np.float32)
    for first, second in ((0, 1), (1, 2), (2, 0)):
        matrix[faces[:, first], faces[:, second]] = 1
        matrix[faces[:, second], faces[:, first]] = 1
    return matrix


def load_levels(body: BodyParameters) -> BodyLevels:
    """Return the coarse levels of a body: read for the shipped one, computed (seconds) for any other."""
    stored, faces = _read_levels(find_weights(FREE_LEVELS_FILE))
    if faces.shape == body.faces.shape and np.array_equal(faces, body.faces):
        return stored
    return build_levels(body.template, body.faces)


def build_levels(template: FloatArray, faces: IntArray, counts: tuple[int, ...] = COARSE_COUNTS) -> BodyLevels:
    """Reduce a closed `(V, 3)` mesh to each of `counts` in turn.

    Raises:
        WeightsError: The mesh is not closed or too small for `counts`.
    """
    if len(template) <= max(counts):
        raise WeightsError(
            f"The template has {len(template)} vertices; coarse levels of {counts} need more; give smaller counts."
        )
    levels = []
    for count in counts:
        reduced = simplify(template, faces, count)
        coarse = template[reduced.kept]
        corners, shares = _nearest_on_surface(template, coarse, reduced.faces, reduced.nearest)
        levels.append(CoarseLevel(reduced.kept, reduced.faces, corners, shares))
        template, faces = coarse, reduced.faces
    return BodyLevels(tuple(levels))


def write_levels(path: Path, levels: BodyLevels, faces: IntArray) -> None:
    """Write levels (vertex counts below 65,536) and the faces of the template they belong to."""
    arrays: dict[str, np.ndarray] = {"faces": faces.astype(np.uint16)}
    for index, level in enumerate(levels.coarse):
        arrays |= {f"{name}_{index}": getattr(level, name).astype(np.uint16) for name in ("kept", "faces", "corners")}
        arrays[f"shares_{index}"] = level.shares
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]


def _read_levels(path: Path) -> tuple[BodyLevels, IntArray]:
    try:
        with np.load(path, allow_pickle=False) as content:
            levels = tuple(_level_from(content, index) for index in range(len(COARSE_COUNTS)))
            return BodyLevels(levels), content["faces"].astype(np.int32)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise WeightsError(
            f"{path} could not be read ({error}); the coarse levels written by write_levels are expected; "
            "install the package again."
        ) from error


def _level_from(content: Mapping[str, np.ndarray], index: int) -> CoarseLevel:
    kept, faces, corners = (content[f"{name}_{index}"].astype(np.int32) for name in ("kept", "faces", "corners"))
    return CoarseLevel(kept, faces, corners, content[f"shares_{index}"])


def _nearest_on_surface(
    points: FloatArray, coarse: FloatArray, faces: IntArray, nearest: IntArray
) -> tuple[IntArray, FloatArray]:
    """Return corners and shares of the coarse surface's point nearest to each point.

    Only triangles within two edges of the vertex a point was collapsed onto are looked at, so that a finger never
    lands on its neighbour.
    """
    around = _triangles_around(faces, len(coarse))
    corners, shares = np.empty((len(points), 3), np.int32), np.empty((len(points), 3), np.float32)
    for owner in range(len(coarse)):
        members = np.flatnonzero(nearest == owner)
        chosen = faces[around[owner]]
        weights, squared = _project(points[members].astype(float), coarse[chosen].astype(float))
        best = squared.argmin(axis=1)
        corners[members] = chosen[best]
        shares[members] = weights[np.arange(len(members)), best]
    return corners, shares


def _triangles_around(faces: IntArray, count: int) -> list[np.ndarray]:
    """Return for each vertex the triangles that touch it or a neighbour of it."""
    touching: list[list[int]] = [[] for _ in range(count)]
    for index, face in enumerate(faces.tolist()):
        for vertex in face:
            touching[vertex].append(index)
    return [np.unique([t for v in np.unique(faces[own]) for t in touching[v]]) for own in touching]


def _project(points: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return `(P, T, 3)` barycentric weights of each triangle's nearest point and `(P, T)` squared distances.

    The nearest point is the foot on the plane where that lies inside, else the best foot on the three edges.
    """
    inside = _plane_foot(points, triangles)
    candidates = [inside] + [_edge_foot(points, triangles, i) for i in range(3)]
    weights = np.stack(candidates)  # (4, P, T, 3)
    feet = np.einsum("kptc,tci->kpti", weights, triangles)
    squared = ((feet - points[:, None]) ** 2).sum(-1)
    squared[0, (inside < 0).any(-1)] = np.inf
    best = squared.argmin(axis=0)[None]
    chosen = np.take_along_axis(weights, best[..., None], axis=0)[0]
    return chosen, np.take_along_axis(squared, best, axis=0)[0]


def _plane_foot(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Return barycentric weights of the foot on each triangle's plane (Ericson 2005, section 3.4)."""
    a = triangles[:, 0]
    u, v = triangles[:, 1] - a, triangles[:, 2] - a
    offset = points[:, None] - a
    uu, uv, vv = (u * u).sum(-1), (u * v).sum(-1), (v * v).sum(-1)
    ou, ov = (offset * u).sum(-1), (offset * v).sum(-1)
    area = np.maximum(uu * vv - uv * uv, 1e-24)
    second, third = (vv * ou - uv * ov) / area, (uu * ov - uv * ou) / area
    return np.stack([1 - second - third, second, third], axis=-1)


def _edge_foot(points: np.ndarray, triangles: np.ndarray, corner: int) -> np.ndarray:
    """Return barycentric weights of the nearest point of the edge that starts at `corner`."""
    other = (corner + 1) % 3
    start, along = triangles[:, corner], triangles[:, other] - triangles[:, corner]
    length = np.maximum((along * along).sum(-1), 1e-24)
    share = np.clip(((points[:, None] - start) * along).sum(-1) / length, 0, 1)
    weights = np.zeros((*share.shape, 3))
    weights[..., corner], weights[..., other] = 1 - share, share
    return weights
