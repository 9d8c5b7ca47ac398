"""The 3-D view without Qt: the orbit camera, scenes, and what is drawn, looked at pixel by pixel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from engines.errors import RuntimeUnavailableError
from engines.rendering.context import create_context
from engines.synthetic import SyntheticEngine, SyntheticOptions
from engines.types import Regions
from mocap_app.config import MotionConfig, SmoothingConfig
from mocap_app.motion.solver import MotionSolver
from mocap_app.types import Frame, FrameResult, Tracks
from mocap_app.viewer.orbit import (
    CLOSEST_M,
    DEFAULT_CAMERA,
    FARTHEST_M,
    HIGHEST_RAD,
    LOWEST_RAD,
    OrbitCamera,
)
from mocap_app.viewer.scene import Scene, SourceCamera, Trails, scene_of
from mocap_app.viewer.scene_drawing import SceneDrawing
from mocap_app.viewer.scene_shapes import ball, openness
from mocap_app.viewer.scene_style import THEMES, Look, colors_of

WIDTH, HEIGHT = 320, 240
SIZE_WH = (WIDTH, HEIGHT)
ASPECT = WIDTH / HEIGHT
CAMERAS = [
    OrbitCamera(),
    OrbitCamera((0.3, 1.1, -2.0), 3.0, 2.0, 0.6),
    DEFAULT_CAMERA,
    OrbitCamera(pitch_rad=HIGHEST_RAD, yaw_rad=-1.0),
    OrbitCamera((1.0, 0.2, 5.0), 20.0, -2.5, -0.4),
]


def ndc(camera: OrbitCamera, points: object) -> np.ndarray:
    """Return `(K, 3)` normalized device coordinates of world points."""
    rows = np.atleast_2d(np.asarray(points, float))
    clip = np.c_[rows, np.ones(len(rows))] @ (camera.projection(ASPECT) @ camera.view()).T
    return clip[:, :3] / clip[:, 3:]


def pixel_of(camera: OrbitCamera, point: object) -> tuple[int, int]:
    """Return column and row, from the top left, of a world point."""
    x, y, _ = ndc(camera, point)[0]
    return round((x + 1) / 2 * WIDTH), round((1 - y) / 2 * HEIGHT)


# The orbit camera


@pytest.mark.parametrize("camera", CAMERAS)
def test_the_target_is_in_the_middle_and_matrices_are_rigid(camera: OrbitCamera) -> None:
    assert camera.view().dtype == camera.projection(ASPECT).dtype == np.float32
    middle = ndc(camera, camera.target)[0]
    np.testing.assert_allclose(middle[:2], 0, atol=1e-5)
    assert -1 < middle[2] < 1
    np.testing.assert_allclose(camera.axes @ camera.axes.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(camera.axes) == pytest.approx(1)
    eye = camera.view() @ [*camera.position, 1]
    np.testing.assert_allclose(eye, (0, 0, 0, 1), atol=1e-5)
    assert np.linalg.norm(camera.position - camera.target) == pytest.approx(camera.distance_m, rel=1e-5)


@pytest.mark.parametrize(
    ("side", "looks_along", "right"),
    [("front", (0, 0, -1), (1, 0, 0)), ("side", (-1, 0, 0), (0, 0, -1)), ("top", (0, -1, 0), (1, 0, 0))],
)
def test_front_side_and_top_look_along_the_right_axes(
    side: str, looks_along: tuple[int, ...], right: tuple[int, ...]
) -> None:
    camera = getattr(OrbitCamera((1.0, 0.9, -3.0), 4.0, 0.7, 0.2), side)()
    np.testing.assert_allclose(-camera.axes[:, 2], looks_along, atol=1e-12)
    np.testing.assert_allclose(camera.axes[:, 0], right, atol=1e-12)
    target = np.array(camera.target)
    assert ndc(camera, target + np.array(right) * 0.5)[0, 0] > 0.05
    if side != "top":
        assert ndc(camera, target + np.array((0, 0.5, 0)))[0, 1] > 0.05


def test_nearer_is_larger_and_in_front() -> None:
    camera = OrbitCamera().front()
    near, far = ndc(camera, [(0.2, 0.9, 1.0), (0.2, 0.9, -1.0)])
    assert near[0] > far[0] > 0
    assert near[2] < far[2]


def test_orbit_stops_above_and_zoom_stops_near_and_far() -> None:
    camera = OrbitCamera()
    assert camera.orbited(0, 9).pitch_rad == pytest.approx(HIGHEST_RAD)
    assert camera.orbited(0, -9).pitch_rad == pytest.approx(LOWEST_RAD)
    assert abs(camera.orbited(40, 0).yaw_rad) <= np.pi
    assert camera.zoomed(1e-9).distance_m == CLOSEST_M
    assert camera.zoomed(1e9).distance_m == FARTHEST_M
    assert camera.orbited(0.3, 0.1).target == camera.target


@pytest.mark.parametrize("camera", CAMERAS)
def test_a_pan_moves_what_is_looked_at_by_so_much_of_the_picture(camera: OrbitCamera) -> None:
    before = camera.target
    x, y, _ = ndc(camera.panned(0.25, -0.1), before)[0]
    assert x * ASPECT == pytest.approx(-0.5, abs=1e-4)
    assert y == pytest.approx(0.2, abs=1e-4)


@pytest.mark.parametrize("camera", CAMERAS)
@pytest.mark.parametrize("aspect", [0.4, 1.0, 2.5])
def test_framing_fills_the_picture(camera: OrbitCamera, aspect: float, rng: np.random.Generator) -> None:
    points = rng.normal((3, 1, -4), (0.5, 0.6, 0.4), (50, 3))
    framed = camera.framing(points, aspect)
    assert framed.sees(points, aspect)
    assert not framed.zoomed(0.6).sees(points, aspect)
    assert (framed.yaw_rad, framed.pitch_rad) == (camera.yaw_rad, camera.pitch_rad)
    assert camera.framing(np.zeros((0, 3)), aspect) == camera
    assert camera.framing(np.full((1, 3), np.nan), aspect) == camera


def test_the_way_to_another_view_goes_round_the_shorter_side() -> None:
    start, end = OrbitCamera((0, 1, 0), 2.0, 3.0, 0.1), OrbitCamera((1, 1, 0), 8.0, -3.0, 0.3)
    middle = start.towards(end, 0.5)
    assert abs(np.cos(middle.yaw_rad) + 1) < 1e-6
    assert (middle.target, middle.distance_m, middle.pitch_rad) == ((0.5, 1, 0), 4.0, pytest.approx(0.2))
    assert start.towards(end, 1.0) == end
    assert start.towards(end, 0.0) == start


# Scenes


def seen_people(pitch_deg: float = 0.0, smoothing: bool = False) -> tuple[FrameResult, MotionSolver]:
    """Return two dolls as the application sees them; the second was not recovered."""
    engine = SyntheticEngine(SyntheticOptions())
    solver = MotionSolver(
        engine.body_model, MotionConfig(camera_pitch_deg=pitch_deg, smoothing=SmoothingConfig(enabled=smoothing))
    )
    image = np.zeros((480, 640, 3), np.uint8)
    image[120:380, 180:260] = 255
    regions = Regions(
        np.array([(220, 250), (500, 250)], np.float32), np.full(2, 300, np.float32), np.array((0.2, 0), np.float32)
    )
    meshes = engine.predict(image, regions)
    tracks = Tracks(np.array((3, 4)), np.zeros((2, 4), np.float32), meshes.scores)
    frame = Frame(image, 0, 0)
    poses = solver.solve(frame, tracks, meshes)
    return FrameResult(frame, tracks, meshes, poses, {}, solver.floor_y_m), solver


@pytest.mark.parametrize("pitch_deg", [0.0, 12.0])
def test_a_live_result_stands_in_the_world_and_its_camera_sees_it_where_it_was_seen(pitch_deg: float) -> None:
    result, solver = seen_people(pitch_deg)
    scene = scene_of(result, solver.body_model, pitch_deg)
    assert scene.track_ids.tolist() == [3], "who was not recovered is not shown"
    assert scene.vertices.dtype == scene.joints.dtype == np.float32
    camera = scene.camera
    assert camera is not None
    assert camera.size_wh == (640, 480)
    assert camera.position[1] == pytest.approx(-result.floor_y_m)
    measured = result.meshes.joints[0] + result.meshes.translation[0]
    np.testing.assert_allclose(scene.joints[0], camera.to_world(measured), atol=1e-4)
    surface = result.meshes.vertices[0] + result.meshes.translation[0]
    np.testing.assert_allclose(scene.vertices[0], camera.to_world(surface), atol=1e-4)
    assert scene.joints[0, 0, 1] > 0.5, "the pelvis is over the floor"
    in_camera = (scene.joints[0] - camera.position) @ camera.rotation
    pixels = in_camera @ camera.intrinsics.T
    np.testing.assert_allclose(pixels[:, :2] / pixels[:, 2:], result.meshes.joints_px[0], atol=0.05)


def test_joints_are_those_of_the_filtered_pose() -> None:
    result, solver = seen_people()
    turned = replace(result.poses[0], root_translation=np.array((5, 1, 5), np.float32))
    scene = scene_of(replace(result, poses=(turned, result.poses[1])), solver.body_model)
    np.testing.assert_allclose(scene.joints[0, 0], (5, 1, 5))
    middle = scene_of(result, solver.body_model).joints[0, 0]
    before = scene_of(result, solver.body_model).vertices[0] - middle
    np.testing.assert_allclose(scene.vertices[0] - scene.joints[0, 0], before, atol=1e-5)


def test_a_result_without_people_is_an_empty_scene_with_a_camera() -> None:
    result, solver = seen_people()
    nobody = SyntheticEngine(SyntheticOptions()).predict(result.frame.image, Regions.empty())
    tracks = Tracks(np.zeros(0, np.int64), np.zeros((0, 4), np.float32), np.zeros(0, np.float32))
    scene = scene_of(FrameResult(result.frame, tracks, nobody, (), {}), solver.body_model)
    assert len(scene) == 0
    assert scene.camera is not None


def test_a_scene_checks_its_arrays() -> None:
    with pytest.raises(ValueError, match="track_ids"):
        Scene(joints=np.zeros((2, 1, 3), np.float32), parents=np.array([-1], np.int32))
    with pytest.raises(ValueError, match="trails"):
        Scene(trails=(np.zeros((1, 3), np.float32),))


def one_joint(*places: tuple[float, float, float]) -> Scene:
    """Return people who are a joint each."""
    joints = np.array(places, np.float32).reshape(-1, 1, 3)
    return Scene(joints=joints, parents=np.array([-1], np.int32), track_ids=np.arange(1, len(places) + 1))


def test_trails_are_bounded_and_forget() -> None:
    trails = Trails(seconds=2.0)
    for step in range(2000):
        scene = trails.with_trails(one_joint((step * 0.05, 1, 0), (0, 1, 0)), step * 0.01)
    moving, resting = scene.trails
    assert 190 <= len(moving) <= 202
    np.testing.assert_allclose(moving[-1], (1999 * 0.05, 1, 0), atol=1e-4)
    assert len(resting) <= 1, "who stands leaves no way"
    back = trails.with_trails(one_joint((50, 1, 0)), 18.5)
    assert back.trails[0][:-1, 0].max() < 1850 * 0.05, "going back in time takes back what lay ahead"
    assert not len(trails.with_trails(one_joint(), 99.0).trails)
    assert not trails._ways


# What is drawn


class Studio:
    """Draws scenes in a context of its own and returns the picture, `(H, W, 3)` int, the top row first."""

    def __init__(self) -> None:
        self.context = create_context()
        self.drawing = SceneDrawing(self.context)
        self.target = self.context.framebuffer(
            self.context.renderbuffer(SIZE_WH, 4), self.context.depth_renderbuffer(SIZE_WH)
        )

    def picture(self, scene: Scene, camera: OrbitCamera = CAMERAS[0], look: Look | None = None) -> np.ndarray:
        self.drawing.draw(scene, camera, self.target, SIZE_WH, look)
        pixels = np.frombuffer(self.target.read(components=4), np.uint8).reshape(HEIGHT, WIDTH, 4)[::-1]
        assert (pixels[..., 3] == 255).all(), "the window behind would shine through"
        return pixels[..., :3].astype(int)

    def close(self) -> None:
        self.drawing.close()
        self.drawing.close()
        assert self.context.error == "GL_NO_ERROR"
        self.context.release()


@pytest.fixture(scope="module")
def studio() -> Iterator[Studio]:
    try:
        opened = Studio()
    except RuntimeUnavailableError as error:
        pytest.skip(f"no OpenGL can be had: {error}")
    yield opened
    opened.close()


def sphere(*places: tuple[float, float, float], radius: float = 0.12) -> Scene:
    """Return people who are a ball each, with one joint in its middle."""
    corners = ball(16, 24)[:, :3] * radius
    vertices = np.array([corners + place for place in places], np.float32)
    faces = np.arange(len(corners), dtype=np.int32).reshape(-1, 3)
    return replace(one_joint(*places), vertices=vertices, faces=faces)


def changed(picture: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.abs(picture - other).max(axis=2) > 12


@pytest.mark.parametrize("camera", [CAMERAS[0], CAMERAS[0].side(), OrbitCamera((0, 0.9, 0), 6.0, 0.6, 0.5)])
def test_a_mesh_appears_at_the_projected_place_in_its_colour(studio: Studio, camera: OrbitCamera) -> None:
    place = (0.6, 1.3, -0.5)
    empty, picture = studio.picture(Scene(), camera), studio.picture(sphere(place), camera)
    column, row = pixel_of(camera, place)
    far = pixel_of(camera, np.array(place) + camera.axes[:, 0] * 0.12)[0] - column
    rows, columns = np.nonzero(changed(picture, empty)[: pixel_of(camera, (0.6, 0.9, -0.5))[1]])
    assert abs(columns.mean() - column) < 1.5
    assert abs(rows.mean() - row) < 1.5
    assert columns.max() - columns.min() == pytest.approx(2 * far, abs=3)
    red, green, blue = picture[row, column] / picture[row, column].max()
    expected = colors_of(np.array([1]))[0] / colors_of(np.array([1])).max()
    np.testing.assert_allclose((red, green, blue), expected, atol=0.12)


def test_the_nearer_body_hides_the_farther_in_whichever_order(studio: Studio) -> None:
    camera = OrbitCamera((0, 1.3, 0), 4.0)
    for places in (((0, 1.3, 0.5), (0, 1.3, -0.5)), ((0, 1.3, -0.5), (0, 1.3, 0.5))):
        picture = studio.picture(sphere(*places), camera)
        near = colors_of(np.array([1 if places[0][2] > 0 else 2]))[0]
        assert np.argmax(picture[HEIGHT // 2, WIDTH // 2]) == np.argmax(near)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_a_shadow_darkens_the_floor_below_and_fades_with_height(studio: Studio, theme: str) -> None:
    camera, look = OrbitCamera((0, 0.3, 0), 4.0, pitch_rad=0.4), Look("mesh", theme=theme)
    empty = studio.picture(Scene(), camera, look)
    below = pixel_of(camera, (0.07, 0, 0.07))

    def darker(height_m: float) -> int:
        picture = studio.picture(sphere((0, height_m, 0), radius=0.05), camera, look)
        return int(empty[below[1], below[0]].sum() - picture[below[1], below[0]].sum())

    assert darker(0.06) > 9
    assert darker(0.06) > darker(1.0) >= 0
    beside = pixel_of(camera, (1.2, 0, 0))
    assert (
        studio.picture(sphere((0, 0.06, 0)), camera, look)[beside[1], beside[0]] == empty[beside[1], beside[0]]
    ).all()


def test_folds_get_less_light_than_what_lies_open() -> None:
    corners = np.array([(1, 0, 0), (0, 0, 1), (-1, 0, 0), (0, 0, -1)], np.float32)
    faces = np.array([(0, 2, 1), (0, 3, 2), (0, 4, 3), (0, 1, 4)], np.int32)
    up = np.tile(np.float32((0, 1, 0)), (5, 1))
    light = {y: openness(np.r_[np.float32([(0, y, 0)]), corners], up, faces)[0] for y in (-2.0, -0.5, 0.0, 0.5)}
    assert light[0.5] == light[0.0] == 1
    assert 0 < light[-2.0] < light[-0.5] < 1


def source_camera() -> SourceCamera:
    lens = np.array([[400, 0, 320], [0, 400, 240], [0, 0, 1]], np.float32)
    return SourceCamera(np.array((0, 1.2, 0), np.float32), np.diag((1, -1, -1)).astype(np.float32), lens, (640, 480))


def test_the_frustum_appears_with_its_corners(studio: Studio) -> None:
    camera = OrbitCamera((0, 1.2, 0), 3.0, 0.8, 0.3)
    source = source_camera()
    difference = changed(studio.picture(Scene(camera=source), camera), studio.picture(Scene(), camera))
    corners = source.corners(0.42)
    assert corners[0, 1] > corners[3, 1], "the picture's top is up"
    assert (corners[:, 2] < 0).all(), "it looks along -z"
    for start, end in [(source.position, corner) for corner in corners] + [(corners[0], corners[1])]:
        column, row = pixel_of(camera, (start + end) / 2)
        assert difference[row - 2 : row + 3, column - 2 : column + 3].any()
    assert difference.sum() < 0.1 * WIDTH * HEIGHT


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_an_empty_scene_shows_a_floor_on_the_themes_ground(studio: Studio, theme: str) -> None:
    picture = studio.picture(Scene(), DEFAULT_CAMERA, Look(theme=theme))
    assert np.ptp(picture[HEIGHT // 2 :].reshape(-1, 3), axis=0).min() > 8, "the grid can be seen"
    np.testing.assert_allclose(picture[0].mean(axis=0) / 255, THEMES[theme].top, atol=0.02)
    assert (picture.mean() > 128) == (theme == "light")


def test_the_kept_floor_is_the_floor(studio: Studio) -> None:
    camera = OrbitCamera((0.1, 0.9, 0), 4.0, 0.3, 0.2)
    first, kept, copied = (studio.picture(Scene(), camera) for _ in range(3))
    assert (first == kept).all()
    assert (first == copied).all()
    assert (studio.picture(Scene(), camera, Look(theme="light")) != first).any()
    assert (studio.picture(Scene(), camera.orbited(0.1, 0)) != first).any()
    assert (studio.picture(Scene(), camera) == first).all()


def stick(*places: tuple[float, float, float]) -> Scene:
    """Return people who are one upright bone inside a ball."""
    scene = sphere(*places, radius=0.3)
    half = np.array((0, 0.2, 0), np.float32)
    joints = np.concatenate([scene.joints - half, scene.joints + half], axis=1)
    return replace(scene, joints=joints, parents=np.array([-1, 0], np.int32))


def test_modes_show_surface_bones_or_bones_through_the_surface(studio: Studio) -> None:
    scene, camera = stick((0, 1, 0)), OrbitCamera((0, 1, 0), 3.0)
    mesh, bones, both = (studio.picture(scene, camera, Look(mode)) for mode in ("mesh", "skeleton", "both"))
    empty = studio.picture(Scene(), camera)
    beside, on_bone = pixel_of(camera, (0.2, 1, 0)), pixel_of(camera, (0, 0.9, 0))
    assert not changed(bones, empty)[beside[1], beside[0]]
    assert changed(bones, empty)[on_bone[1], on_bone[0]]
    assert (mesh[beside[1], beside[0]] == both[beside[1], beside[0]]).all()
    assert changed(mesh, both)[on_bone[1], on_bone[0]]
    alone = studio.picture(replace(scene, vertices=Scene().vertices), camera, Look("mesh"))
    assert (alone == bones).all(), "without a surface bones are shown in every mode"


def test_a_trail_is_drawn_where_the_root_was_and_can_be_hidden(studio: Studio) -> None:
    camera = OrbitCamera((0, 1, 0), 4.0)
    way = np.array([(x, 1.0, 0.0) for x in np.linspace(-1, 0, 30)], np.float32)
    scene = replace(one_joint((0, 1, 0)), trails=(way,))
    shown, hidden = studio.picture(scene, camera), studio.picture(scene, camera, Look(trail=False))
    column, row = pixel_of(camera, (-0.25, 1, 0))
    assert changed(shown, hidden)[row - 1 : row + 2, column].any()
    assert not changed(shown, hidden)[:, WIDTH // 2 + 12 :].any()


def test_lines_behind_the_camera_leave_no_streaks(studio: Studio) -> None:
    source = source_camera()
    camera = OrbitCamera((0, 1.2, -1), 0.8)  # stands between the source and its picture, and looks away from both
    difference = changed(studio.picture(Scene(camera=source), camera), studio.picture(Scene(), camera))
    behind = replace(source, position=np.array((0, 1.2, 5), np.float32))
    nothing = changed(studio.picture(Scene(camera=behind), camera), studio.picture(Scene(), camera))
    assert not nothing.any()
    assert difference.mean() < 0.1


def test_people_and_faces_may_change_from_frame_to_frame(studio: Studio) -> None:
    camera = OrbitCamera((0, 1, 0), 6.0)
    many = [(x, 1.0, 0.0) for x in np.linspace(-1.5, 1.5, 7)]
    for make in (stick, sphere):
        for count in (1, 7, 0, 2):
            picture = studio.picture(make(*many[:count]), camera, Look("both")) if count else None
            if picture is not None:
                column, row = pixel_of(camera, many[count - 1])
                assert changed(picture, studio.picture(Scene(), camera))[row, column]
    assert studio.context.error == "GL_NO_ERROR"
