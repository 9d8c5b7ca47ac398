"""The renderer: where triangles land, what covers what, which way is up."""

from __future__ import annotations

import numpy as np
import pytest

from engines.errors import RuntimeUnavailableError
from engines.geometry import project
from engines.rendering import Light, MeshRenderer, Surface
from engines.rendering.normals import VertexNormals
from engines.rendering.renderer import blend_over, plain_surface

SIZE_WH = (160, 120)
LENS = np.array([[100, 0, 80], [0, 100, 60], [0, 0, 1]], np.float32)
TRIANGLE = np.array([[0, 1, 2]], np.int32)
QUAD = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
FLAT = Light(key_color=(0, 0, 0), fill_color=(0, 0, 0), ambient=(1, 1, 1))
RED, GREEN = (200, 0, 0), (0, 200, 0)


@pytest.fixture(scope="module", autouse=True)
def driver() -> None:
    try:
        MeshRenderer(TRIANGLE, SIZE_WH).close()
    except RuntimeUnavailableError as error:
        pytest.skip(str(error))


def corners_px(points_px: np.ndarray, depth_m: float) -> np.ndarray:
    """Return camera-frame points `(V, 3)` that land on the given pixels."""
    lifted = (points_px - LENS[:2, 2]) / (LENS[0, 0], LENS[1, 1]) * depth_m
    return np.column_stack([lifted, np.full(len(points_px), depth_m)]).astype(np.float32)


def rectangle(x0: float, y0: float, x1: float, y1: float, depth_m: float) -> np.ndarray:
    return corners_px(np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], float), depth_m)


def flat(vertex_count: int, color: tuple[int, int, int]) -> Surface:
    return Surface(plain_surface(vertex_count, color).colors, gloss=0.0)


@pytest.mark.parametrize("samples", [0, 4])
def test_rectangle_covers_exactly_its_pixels(samples: int) -> None:
    body = rectangle(20, 30, 60, 90, 2.0)
    np.testing.assert_allclose(project(body, LENS)[0], (20, 30), atol=1e-3)
    with MeshRenderer(QUAD, SIZE_WH, samples) as renderer:
        picture = renderer.draw(body[None], LENS, [flat(4, RED)], FLAT)
    assert picture.shape == (120, 160, 4)
    assert picture.dtype == np.uint8
    expected = np.zeros((120, 160), np.uint8)
    expected[30:90, 20:60] = 255
    np.testing.assert_array_equal(picture[..., 3], expected)
    np.testing.assert_array_equal(picture[60, 40], (200, 0, 0, 255))


def test_triangle_points_the_right_way() -> None:
    body = corners_px(np.array([[10, 10], [110, 10], [10, 110]], float), 3.0)
    with MeshRenderer(TRIANGLE, SIZE_WH) as renderer:
        alpha = renderer.draw(body[None], LENS, light=FLAT)[..., 3]
    assert alpha[15, 15] == 255
    assert alpha[15, 90] == 255
    assert alpha[90, 15] == 255
    assert alpha[90, 90] == 0
    assert (alpha > 127).sum() == pytest.approx(100 * 100 / 2, rel=0.01)


def test_edges_are_blended_and_premultiplied() -> None:
    body = rectangle(20.5, 30, 60, 90, 2.0)
    with MeshRenderer(QUAD, SIZE_WH, samples=4) as renderer:
        picture = renderer.draw(body[None], LENS, [flat(4, RED)], FLAT)
    edge = picture[60, 20].astype(int)
    assert 60 < edge[3] < 200
    assert edge[0] == pytest.approx(edge[3] * 200 / 255, abs=2)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_nearer_body_hides_the_farther(order: tuple[int, int]) -> None:
    bodies = np.stack([rectangle(20, 20, 80, 80, 2.0), rectangle(50, 50, 120, 100, 3.0)])
    surfaces = [flat(4, RED), flat(4, GREEN)]
    with MeshRenderer(QUAD, SIZE_WH) as renderer:
        picture = renderer.draw(bodies[list(order)], LENS, [surfaces[n] for n in order], FLAT)
    assert tuple(picture[65, 65, :3]) == RED
    assert tuple(picture[90, 100, :3]) == GREEN


def test_bodies_that_cross_are_cut_where_they_cross() -> None:
    leaning = np.array([[-1, -0.5, 1.5], [1, -0.5, 4.0], [1, 0.5, 4.0], [-1, 0.5, 1.5]], np.float32)
    wall = rectangle(0, 0, 160, 120, 2.5)
    with MeshRenderer(QUAD, SIZE_WH) as renderer:
        picture = renderer.draw(np.stack([wall, leaning]), LENS, [flat(4, GREEN), flat(4, RED)], FLAT)
    # The leaning plane is at 2.5 m where x = -0.2 m: pixel 80 + 100 * -0.2 / 2.5 = 72.
    assert tuple(picture[60, 68, :3]) == RED
    assert tuple(picture[60, 76, :3]) == GREEN


def test_nobody_leaves_the_picture_empty() -> None:
    with MeshRenderer(QUAD, SIZE_WH) as renderer:
        assert not renderer.draw(np.zeros((0, 4, 3), np.float32), LENS).any()
        renderer.draw(rectangle(0, 0, 160, 120, 1.0)[None], LENS)
        assert not renderer.draw(np.zeros((0, 4, 3), np.float32), LENS).any()


def test_light_from_the_left_lights_the_left() -> None:
    rest = np.array([[-1, -1, 3], [0, -1, 2], [0, 1, 2], [-1, 1, 3], [0, -1, 2], [1, -1, 3], [1, 1, 3], [0, 1, 2]])
    faces = np.array([[0, 1, 2], [0, 2, 3], [4, 5, 6], [4, 6, 7]], np.int32)
    light = Light(key_direction=(-1, 0, 0), fill_color=(0, 0, 0), ambient=(0.1, 0.1, 0.1))
    with MeshRenderer(faces, SIZE_WH) as renderer:
        picture = renderer.draw(rest[None].astype(np.float32), LENS, light=light)
    assert picture[60, 60, 0] > 2 * picture[60, 100, 0] > 0


def test_normals_are_unit_and_outward() -> None:
    vertices = rectangle(0, 0, 100, 100, 1.0)
    normals = VertexNormals(QUAD, 5)(np.vstack([vertices, [[9, 9, 9]]]).astype(np.float32))
    np.testing.assert_allclose(np.abs(normals[:4]), [[0, 0, 1]] * 4, atol=1e-6)
    np.testing.assert_array_equal(normals[4], (0, 0, 0))
    with MeshRenderer(QUAD, SIZE_WH) as renderer:
        np.testing.assert_allclose(renderer.normals(vertices), normals[:4])


def test_drawing_lies_over_the_picture() -> None:
    picture = np.full((120, 160, 3), 100, np.uint8)
    with MeshRenderer(QUAD, SIZE_WH) as renderer:
        drawing = renderer.draw(rectangle(20, 30, 60, 90, 2.0)[None], LENS, [flat(4, RED)], FLAT)
    mixed = blend_over(picture, drawing)
    assert tuple(mixed[60, 40]) == RED
    assert tuple(mixed[10, 10]) == (100, 100, 100)
    assert tuple(blend_over(picture, drawing, 0.5)[60, 40]) == (150, 50, 50)


def test_closing_twice_is_allowed() -> None:
    renderer = MeshRenderer(QUAD, SIZE_WH)
    renderer.close()
    renderer.close()
