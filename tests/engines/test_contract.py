"""What every registered engine promises (`MeshEngine`) and every detector (`Detector`)."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from networks import is_heavy, write_random

from engines import DETECTORS, ENGINES, MissingExtraError, Regions, WeightsError, build_detector, build_engine
from engines.evaluation.datasets import read_line
from engines.geometry import default_intrinsics, project, regions_from_boxes
from engines.runtime.names import RUNTIMES
from engines.types import Detector, Image, MeshEngine

REPOSITORY = Path(__file__).resolve().parents[2]


def every_configuration() -> list:
    """The engines as they come, then each light configuration without weights, untrained."""
    others = [(e, c) for e in sorted(ENGINES) for c in ENGINES[e].configurations if c != "default" and not is_heavy(c)]
    return [
        *(pytest.param((name, ""), id=name) for name in sorted(ENGINES)),
        *(pytest.param(pair, id="-".join(pair)) for pair in others),
    ]


@pytest.fixture(scope="module", params=every_configuration())
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    name, untrained = request.param
    options = {}
    if untrained:
        weights = write_random(name, untrained, tmp_path_factory.mktemp("weights") / "w.safetensors")
        options = {"weights": str(weights), "runtime": "torch"}
    try:
        built = build_engine(name, options)
    except (MissingExtraError, WeightsError) as error:
        pytest.skip(str(error))
    yield built
    built.close()
    built.close()


@pytest.fixture
def trained(engine: MeshEngine, request: pytest.FixtureRequest) -> MeshEngine:
    if request.node.callspec.params["engine"][1]:
        pytest.skip("what an untrained network says of a person means nothing")
    return engine


@pytest.fixture(scope="module", params=sorted(DETECTORS))
def detector(request: pytest.FixtureRequest):
    try:
        built = build_detector(request.param, yolox_where_ultralytics_is_absent(request.param))
    except (MissingExtraError, WeightsError) as error:
        pytest.skip(str(error))
    yield built
    built.close()
    built.close()


def yolox_where_ultralytics_is_absent(name: str) -> dict[str, str]:
    if name == "yolo" and find_spec("ultralytics") is None:
        return {"weights": str(REPOSITORY.parent / "shared" / "data" / "weights" / "yolox_nano.onnx")}
    return {}


@pytest.fixture
def image() -> Image:
    """A dark figure and a bright one on grey, read-only as a source hands it on."""
    picture = np.full((240, 320, 3), 128, np.uint8)
    picture[40:210, 60:110] = 20
    picture[30:220, 200:260] = (230, 60, 60)
    picture.setflags(write=False)
    return picture


@pytest.fixture
def regions() -> Regions:
    centers = np.array([[85, 125], [230, 125], [-400, 900]], np.float32)
    return Regions(centers, np.array([210, 240, 300], np.float32), np.array([0, 0.4, -2], np.float32))


def take(regions: Regions, rows: list[int]) -> Regions:
    return Regions(regions.centers_px[rows], regions.sides_px[rows], regions.angles_rad[rows])


def test_shapes_follow_the_body_model(engine: MeshEngine, image: Image, regions: Regions) -> None:
    result, model = engine.predict(image, regions), engine.body_model
    joints = len(model.joint_names)
    assert result.joints.shape == (3, joints, 3)
    assert result.vertices.shape == (3, model.faces.max() + 1, 3)
    assert result.shape.shape == (3, model.rest_joint_directions.shape[2])
    assert (model.parents[1:] < np.arange(1, joints)).all()
    assert model.parents[0] == -1


def test_numbers_are_finite_and_in_range(engine: MeshEngine, image: Image, regions: Regions) -> None:
    result = engine.predict(image, regions)
    for name in ("vertices", "joints", "translation", "global_rotations", "shape", "joints_px", "confidence"):
        assert np.isfinite(getattr(result, name)).all(), name
    assert ((result.scores >= 0) & (result.scores <= 1)).all()
    assert ((result.confidence >= 0) & (result.confidence <= 1)).all()
    assert np.isfinite(result.next_regions.centers_px).all()
    products = np.einsum("njab,njcb->njac", result.global_rotations, result.global_rotations)
    np.testing.assert_allclose(products, np.broadcast_to(np.eye(3), products.shape), atol=1e-4)
    np.testing.assert_allclose(np.linalg.det(result.global_rotations), 1, atol=1e-4)


def test_camera_given_is_the_camera_used(engine: MeshEngine, image: Image, regions: Regions) -> None:
    camera = default_intrinsics(320, 240) * np.array([[1.3, 1, 1], [1, 1.3, 1], [1, 1, 1]], np.float32)
    result = engine.predict(image, take(regions, [0, 1]), camera)
    np.testing.assert_array_equal(result.intrinsics, camera)


def test_body_lies_where_its_joints_are_seen(trained: MeshEngine, shared: Path) -> None:
    """Pixels may be measured rather than projected; on a plain person the body has to agree with them."""
    (item,) = read_line(shared / "data", "balancing_cam01", 1)
    low, high = item.labels_px.min(axis=0), item.labels_px.max(axis=0)
    region = regions_from_boxes(np.concatenate([low, high])[None].astype(np.float32))
    result = trained.predict(item.image, trained.predict(item.image, region).next_regions)
    projected = project(result.joints + result.translation[:, None], result.intrinsics)
    apart = np.linalg.norm(projected - result.joints_px, axis=2)
    assert np.median(apart) < 0.02 * region.sides_px[0]


def test_tells_what_runs_its_networks(engine: MeshEngine) -> None:
    known = set(RUNTIMES) - {"auto"}
    assert set(filter(None, engine.runtime.split(", "))) <= known
    assert bool(engine.runtime) == (engine.body_model.name != "synthetic")


def test_root_is_the_origin(engine: MeshEngine, image: Image, regions: Regions) -> None:
    result = engine.predict(image, regions)
    np.testing.assert_allclose(result.joints[:, 0], 0, atol=1e-5)


def test_rows_keep_their_order(engine: MeshEngine, image: Image, regions: Regions) -> None:
    there, back = engine.predict(image, regions), engine.predict(image, take(regions, [2, 1, 0]))
    np.testing.assert_allclose(back.joints[::-1], there.joints, atol=1e-3)
    np.testing.assert_allclose(back.scores[::-1], there.scores, atol=1e-4)


def test_nobody_asked_for_is_nobody(engine: MeshEngine, image: Image) -> None:
    result = engine.predict(image, Regions.empty())
    assert len(result) == 0
    assert len(result.next_regions) == 0
    assert result.joints.shape[1:] == (len(engine.body_model.joint_names), 3)


def test_same_input_same_result(engine: MeshEngine, image: Image, regions: Regions) -> None:
    before = image.copy()
    first, second = engine.predict(image, regions), engine.predict(image, regions)
    np.testing.assert_array_equal(first.vertices, second.vertices)
    np.testing.assert_array_equal(first.next_regions.centers_px, second.next_regions.centers_px)
    np.testing.assert_array_equal(image, before)


def test_smallest_picture(engine: MeshEngine, regions: Regions) -> None:
    result = engine.predict(np.zeros((1, 1, 3), np.uint8), take(regions, [0]))
    assert np.isfinite(result.vertices).all()


def test_detections_are_sorted_and_inside(detector: Detector, image: Image) -> None:
    before = image.copy()
    found = detector.detect(image)
    assert (np.diff(found.scores) <= 0).all()
    assert ((found.scores >= 0) & (found.scores <= 1)).all()
    assert (found.boxes_xyxy >= 0).all()
    assert (found.boxes_xyxy <= (320, 240, 320, 240)).all()
    assert (found.boxes_xyxy[:, 2:] >= found.boxes_xyxy[:, :2]).all()
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(detector.detect(image).boxes_xyxy, found.boxes_xyxy)


@pytest.mark.parametrize("size", [(1, 1), (1, 200), (200, 1)])
def test_detector_takes_any_size(detector: Detector, size: tuple[int, int]) -> None:
    found = detector.detect(np.zeros((*size, 3), np.uint8))
    assert np.isfinite(found.boxes_xyxy).all()
