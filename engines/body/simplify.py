"""Edge collapse that keeps vertices where they are: a coarse mesh whose vertices are some of the fine ones.

Quadric error after Garland and Heckbert (SIGGRAPH 1997) with "subset placement": an edge (u, v) is collapsed by
moving u onto v, so that whatever belongs to a vertex (shape directions, weights) is simply selected.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import WeightsError

# Share of the squared edge length (times the area around the vertex) added to the quadric error: spreads the
# remaining vertices over flat regions, which the quadric error alone would empty.
LENGTH_SHARE = 0.02
# A face may turn by less than this in one collapse (cosine).
MIN_TURN_COSINE = 0.3
MAX_NEIGHBOURS = 11

Quadric = tuple[float, ...]
Point = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Simplified:
    """A coarse mesh and how the fine one fell onto it."""

    kept: NDArray[np.int32]
    """`(C,)` ids of the kept vertices in the fine mesh, rising."""
    faces: NDArray[np.int32]
    """`(2C - 4, 3)` triangles in coarse ids, orientation kept."""
    nearest: NDArray[np.int32]
    """`(V,)` coarse id every fine vertex was collapsed onto."""


def simplify(
    vertices: NDArray[np.floating], faces: NDArray[np.integer], count: int, length_share: float = LENGTH_SHARE
) -> Simplified:
    """Collapse edges of a closed triangle mesh until exactly `count` of its vertices remain.

    Args:
        vertices: `(V, 3)` positions.
        faces: `(F, 3)` triangles of a closed manifold.
        count: vertices to keep.
        length_share: weight of the length term, see `LENGTH_SHARE`.

    Raises:
        WeightsError: when no legal collapse is left above `count`.
    """
    mesh = _Mesh(vertices, faces, length_share)
    while mesh.alive_count > count:
        if not mesh.collapse_cheapest():
            raise WeightsError(
                f"The mesh of {len(vertices)} vertices could only be reduced to {mesh.alive_count}, not to {count}. "
                "A closed manifold triangle mesh is expected; check the template's faces."
            )
    return mesh.result()


class _Mesh:
    """A triangle mesh under collapse: faces per vertex, quadrics and a heap of candidate collapses."""

    def __init__(self, vertices: NDArray[np.floating], faces: NDArray[np.integer], length_share: float) -> None:
        self.points: list[Point] = [tuple(p) for p in vertices.astype(float).tolist()]
        self.faces: list[tuple[int, int, int] | None] = [tuple(f) for f in faces.tolist()]
        self.faces_of: list[set[int]] = [set() for _ in self.points]
        for index, face in enumerate(self.faces):
            for vertex in face or ():
                self.faces_of[vertex].add(index)
        self.quadrics, self.areas = _vertex_quadrics(vertices.astype(float), faces)
        self.moved_to = list(range(len(self.points)))
        self.stamps = [0] * len(self.points)
        self.alive_count = len(self.points)
        self.length_share = length_share
        self.heap: list[tuple[float, int, int, int, int]] = []
        for vertex in range(len(self.points)):
            for other in self.neighbours(vertex):
                self.push(vertex, other)

    def neighbours(self, vertex: int) -> set[int]:
        found = {v for f in self.faces_of[vertex] for v in self.faces[f] or ()}
        found.discard(vertex)
        return found

    def push(self, u: int, v: int) -> None:
        """Offer the collapse of u onto v."""
        a, b = self.points[u], self.points[v]
        squared = (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2
        error = _error(self.quadrics[u], b) + _error(self.quadrics[v], b)
        cost = error + self.length_share * self.areas[u] * squared
        heapq.heappush(self.heap, (cost, u, v, self.stamps[u], self.stamps[v]))

    def collapse_cheapest(self) -> bool:
        """Make the cheapest legal collapse; False when none is left."""
        while self.heap:
            _, u, v, stamp_u, stamp_v = heapq.heappop(self.heap)
            if stamp_u == self.stamps[u] and stamp_v == self.stamps[v] and self.is_legal(u, v):
                self.collapse(u, v)
                return True
        return False

    def is_legal(self, u: int, v: int) -> bool:
        """Keep the surface closed, without folds and without stars of very many triangles."""
        around_u, around_v = self.neighbours(u), self.neighbours(v)
        if len(around_u & around_v) != 2 or len(around_u | around_v) - 2 > MAX_NEIGHBOURS:
            return False
        if any(len(self.faces_of[w]) <= 3 for w in around_u & around_v):
            return False
        return all(self._keeps_side(f, u, v) for f in self.faces_of[u] if v not in (self.faces[f] or ()))

    def _keeps_side(self, index: int, u: int, v: int) -> bool:
        face = self.faces[index]
        assert face is not None
        before = _normal(*(self.points[w] for w in face))
        after = _normal(*(self.points[v if w == u else w] for w in face))
        dot = sum(x * y for x, y in zip(before, after, strict=True))
        return dot > MIN_TURN_COSINE * (_squared(before) * _squared(after)) ** 0.5

    def collapse(self, u: int, v: int) -> None:
        for index in self.faces_of[u]:
            face = self.faces[index]
            assert face is not None
            if v in face:
                for w in face:
                    if w != u:
                        self.faces_of[w].discard(index)
                self.faces[index] = None
            else:
                a, b, c = (v if w == u else w for w in face)
                self.faces[index] = (a, b, c)
                self.faces_of[v].add(index)
        self.faces_of[u] = set()
        self.moved_to[u] = v
        self.quadrics[v] = tuple(x + y for x, y in zip(self.quadrics[u], self.quadrics[v], strict=True))
        self.areas[v] += self.areas[u]
        self.stamps[u] += 1
        self.alive_count -= 1
        self._refresh(v)

    def _refresh(self, v: int) -> None:
        """Re-offer the collapses around v, whose quadric grew; a refused one gets its second chance here."""
        self.stamps[v] += 1
        for w in self.neighbours(v):
            self.push(v, w)
            self.push(w, v)
            for x in self.neighbours(w):
                if x != v:
                    self.push(w, x)

    def result(self) -> Simplified:
        kept = np.array([v for v, f in enumerate(self.faces_of) if f], np.int32)
        new_ids = np.full(len(self.points), -1, np.int32)
        new_ids[kept] = np.arange(len(kept), dtype=np.int32)
        target = np.array(self.moved_to)
        while not np.array_equal(target, target[target]):
            target = target[target]
        left = np.array([f for f in self.faces if f is not None], np.int32)
        return Simplified(kept, new_ids[left], new_ids[target])


def _vertex_quadrics(vertices: NDArray[np.floating], faces: NDArray[np.integer]) -> tuple[list[Quadric], list[float]]:
    """Return each vertex's sum of area-weighted plane quadrics (ten numbers) and a third of its faces' area."""
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    cross = np.cross(b - a, c - a)
    double_area = np.linalg.norm(cross, axis=1)
    normal = cross / np.maximum(double_area, 1e-18)[:, None]
    plane = np.concatenate([normal, -np.einsum("fi,fi->f", normal, a)[:, None]], axis=1)
    rows, columns = np.triu_indices(4)
    per_face = plane[:, rows] * plane[:, columns] * (double_area / 2)[:, None]
    quadrics, areas = np.zeros((len(vertices), 10)), np.zeros(len(vertices))
    for corner in faces.T:
        np.add.at(quadrics, corner, per_face)
        np.add.at(areas, corner, double_area / 6)
    return [tuple(q) for q in quadrics.tolist()], areas.tolist()


def _error(q: Quadric, p: Point) -> float:
    """Return the quadric form of a point: squared distances to the planes, weighted by area."""
    x, y, z = p
    return (
        q[0] * x * x + q[4] * y * y + q[7] * z * z + q[9]
        + 2 * (q[1] * x * y + q[2] * x * z + q[3] * x + q[5] * y * z + q[6] * y + q[8] * z)
    )  # fmt: skip


def _normal(a: Point, b: Point, c: Point) -> Point:
    ux, uy, uz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    vx, vy, vz = c[0] - a[0], c[1] - a[1], c[2] - a[2]
    return (uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx)


def _squared(a: Point) -> float:
    return a[0] * a[0] + a[1] * a[1] + a[2] * a[2]
