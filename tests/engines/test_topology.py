"""Coarse levels: counts, subsets, upsampling and adjacency, on the shipped body and on a small sphere."""

from __future__ import annotations

import numpy as np
import pytest

from engines.body import BodyParameters, load_body
from engines.body.simplify import simplify
from engines.body.topology import BodyLevels, adjacency, build_levels, load_levels
from engines.errors import WeightsError


@pytest.fixture(scope="module")
def body() -> BodyParameters:
    return load_body()


@pytest.fixture(scope="module")
def levels(body: BodyParameters) -> BodyLevels:
    return load_levels(body)


def sphere(rings: int = 12, columns: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """A closed unit sphere of `rings * columns + 2` vertices."""
    pitch = np.pi * np.arange(1, rings + 1) / (rings + 1)
    turn = 2 * np.pi * np.arange(columns) / columns
    grid = [[np.sin(p) * np.cos(t), np.cos(p), np.sin(p) * np.sin(t)] for p in pitch for t in turn]
    vertices = np.array([*grid, [0, 1, 0], [0, -1, 0]], np.float32)
    top, bottom = rings * columns, rings * columns + 1
    faces = []
    for c in range(columns):
        d = (c + 1) % columns
        faces += [[top, d, c], [bottom, (rings - 1) * columns + c, (rings - 1) * columns + d]]
        for r in range(rings - 1):
            a, b = r * columns, (r + 1) * columns
            faces += [[a + c, a + d, b + c], [a + d, b + d, b + c]]
    return vertices, np.array(faces, np.int32)


def assert_closed(faces: np.ndarray, count: int) -> None:
    edges = {(int(a), int(b)) for f in faces for a, b in zip(f, np.roll(f, -1), strict=True)}
    assert len(edges) == 3 * len(faces)
    assert all((b, a) in edges for a, b in edges)
    assert len(edges) // 2 == 3 * count - 6


def test_counts_are_those_of_the_vertex_engines(levels: BodyLevels) -> None:
    assert [len(level.kept) for level in levels.coarse] == [1723, 431]
    assert [len(level.corners) for level in levels.coarse] == [6890, 1723]


def test_every_level_is_a_closed_surface(levels: BodyLevels) -> None:
    for level in levels.coarse:
        assert_closed(level.faces, len(level.kept))


def test_coarse_vertices_are_fine_vertices(body: BodyParameters, levels: BodyLevels) -> None:
    for index, count in enumerate((1723, 431)):
        ids = levels.vertex_ids(index)
        assert len(np.unique(ids)) == count
        assert ids.min() >= 0
        assert ids.max() < body.vertex_count
    assert set(levels.vertex_ids(1)) <= set(levels.vertex_ids(0))


def test_going_up_and_down_again_changes_nothing(levels: BodyLevels) -> None:
    for level in levels.coarse:
        np.testing.assert_allclose(level.upsampling()[level.kept], np.eye(len(level.kept)), atol=1e-6)


def test_upsampling_rows_have_three_shares_that_sum_to_one(levels: BodyLevels) -> None:
    for level in levels.coarse:
        assert level.shares.min() >= 0
        np.testing.assert_allclose(level.shares.sum(axis=1), 1, atol=1e-6)
        assert (np.count_nonzero(level.upsampling(), axis=1) <= 3).all()


def test_upsampling_stays_near_the_surface(body: BodyParameters, levels: BodyLevels) -> None:
    fine = body.template
    for level, mean_mm, far_mm in zip(levels.coarse, (2, 5), (6, 14), strict=True):
        coarse = fine[level.kept]
        rebuilt = (coarse[level.corners] * level.shares[..., None]).sum(axis=1)
        error_mm = 1000 * np.linalg.norm(rebuilt - fine, axis=1)
        assert error_mm.mean() < mean_mm
        assert np.percentile(error_mm, 95) < far_mm
        fine = coarse


def test_limbs_are_not_mixed(body: BodyParameters, levels: BodyLevels) -> None:
    """A vertex of one leg or arm never hangs on a vertex of another, however near they are."""
    limb_of = np.full(24, -1)
    for limb, names in enumerate((("knee", "ankle", "foot"), ("elbow", "wrist", "hand"))):
        for side, shift in (("left", 0), ("right", 2)):
            limb_of[[body.joint_names.index(f"{side}_{name}") for name in names]] = limb + shift
    limbs = limb_of[body.skinning_weights.argmax(axis=1)]
    for level in levels.coarse:
        coarse_limbs = limbs[level.kept]
        own, corner = limbs[:, None], coarse_limbs[level.corners]
        assert (limbs >= 0).sum() > 300  # there is something to mix
        assert ((own == corner) | (own < 0) | (corner < 0)).all()
        limbs = coarse_limbs


def test_adjacency_is_symmetric_and_has_every_edge_once(levels: BodyLevels) -> None:
    for level in levels.coarse:
        matrix = level.adjacency()
        np.testing.assert_array_equal(matrix, matrix.T)
        assert not matrix.diagonal().any()
        assert matrix.sum() == 2 * (3 * len(level.kept) - 6)


def test_levels_of_any_closed_mesh_are_computed() -> None:
    vertices, faces = sphere()
    levels = build_levels(vertices, faces, counts=(121, 40))
    for level in levels.coarse:
        assert_closed(level.faces, len(level.kept))
    first = levels.coarse[0]
    rebuilt = (vertices[first.kept][first.corners] * first.shares[..., None]).sum(axis=1)
    assert np.linalg.norm(rebuilt - vertices, axis=1).max() < 0.1
    assert adjacency(faces, len(vertices)).sum() == 2 * (3 * len(vertices) - 6)


def test_upsampling_reproduces_flat_geometry_exactly() -> None:
    """Points on a box's sides stay where they are when its vertices are thinned out."""
    vertices, faces = sphere()
    box = vertices / np.abs(vertices).max(axis=1, keepdims=True)
    level = build_levels(box, faces, counts=(121,)).coarse[0]
    rebuilt = (box[level.kept][level.corners] * level.shares[..., None]).sum(axis=1)
    inner = np.sort(np.abs(box), axis=1)[:, 1] < 0.6  # well inside a side
    assert inner.sum() > 50
    assert np.linalg.norm(rebuilt - box, axis=1)[inner].max() < 0.002


def test_simplify_keeps_places_and_tells_where_vertices_went() -> None:
    vertices, faces = sphere()
    result = simplify(vertices, faces, 60)
    assert len(result.kept) == 60
    np.testing.assert_array_equal(result.nearest[result.kept], np.arange(60))
    assert np.linalg.norm(vertices[result.kept][result.nearest] - vertices, axis=1).max() < 1.2


def test_a_mesh_that_is_too_small_is_refused() -> None:
    vertices, faces = sphere()
    with pytest.raises(WeightsError, match="242 vertices"):
        build_levels(vertices, faces)


def test_a_mesh_that_cannot_shrink_is_refused() -> None:
    tetrahedron = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]], np.int32)
    with pytest.raises(WeightsError, match="only be reduced to 4"):
        simplify(np.eye(4, 3), tetrahedron, 3)
