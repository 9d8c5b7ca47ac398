"""What surrounds the networks: crops, vertices to bodies, and bodies that could not be recovered."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from engines import Regions
from engines.body import load_body
from engines.body.skinning import BodyLayer
from engines.body.topology import load_levels
from engines.errors import WeightsError
from engines.recovery.recovery import Recovery
from engines.recovery.sight import BodySight, EncoderSight, Views
from engines.recovery.vertices import VertexReader, check_body
from engines.training.poses import from_rotation_vectors


@pytest.fixture(scope="module")
def recovery() -> Recovery:
    return Recovery("", "torch", "cpu", 1)


def regions(count: int) -> Regions:
    centers = np.tile(np.float32([160, 120]), (count, 1))
    return Regions(centers, np.full(count, 200, np.float32), np.zeros(count, np.float32))


def t_pose(count: int) -> BodySight:
    rotations = np.tile(np.eye(3, dtype=np.float32), (count, 24, 1, 1))
    rotations[:, 0] = np.diag([1, -1, -1])
    camera = np.tile(np.float32([0.8, 0, 0]), (count, 1))
    return BodySight(rotations, np.zeros((count, 10), np.float32), camera, np.full((count, 24, 2), 128, np.float32))


def test_crops_of_a_published_trunk_are_normalised_and_cut_at_both_sides() -> None:
    picture = np.full((300, 300, 3), 255, np.uint8)
    picture[:, :150] = (255, 0, 0)
    views = Views(
        picture, Regions(np.full((1, 2), 150, np.float32), np.full(1, 256, np.float32), np.zeros(1, np.float32))
    )
    crop = views.normalised_crops(256, 192)
    assert crop.shape == (1, 3, 256, 192)
    np.testing.assert_allclose(crop[0, :, 128, 20], [(1 - 0.485) / 0.229, -0.456 / 0.224, -0.406 / 0.225], rtol=1e-5)
    np.testing.assert_allclose(
        crop[0, :, 128, 180], [(1 - m) / s for m, s in ((0.485, 0.229), (0.456, 0.224), (0.406, 0.225))], rtol=1e-5
    )
    assert np.abs(np.diff(crop[0, 1, 128])).argmax() == 95  # the border between the colours stays in the middle


def test_vertices_give_the_body_and_where_its_joints_lie(rng: np.random.Generator) -> None:
    body = load_body()
    ids = load_levels(body).vertex_ids(0)
    rotations = torch.from_numpy(from_rotation_vectors(rng.normal(0, 0.3, (4, 24, 3)).astype(np.float32)))
    betas = torch.from_numpy(rng.normal(0, 1, (4, 10)).astype(np.float32))
    with torch.no_grad():
        vertices, joints = (t.numpy() for t in BodyLayer(body)(rotations, betas))
    shift = rng.normal(0, 0.2, (4, 1, 3)).astype(np.float32)
    camera = np.float32([[0.7, 0.1, -0.2]] * 4)
    seen = VertexReader(body, ids).read(vertices[:, ids] + shift, camera)
    flat = 0.7 * ((joints + shift)[..., :2] + [0.1, -0.2])
    np.testing.assert_allclose(seen.joints_px, (flat + 1) * 128, atol=0.1)
    np.testing.assert_allclose(seen.rotations, rotations, atol=0.01)
    from_pelvis = VertexReader(body, ids).read(vertices[:, ids] + shift, camera, from_pelvis=True)
    np.testing.assert_allclose(from_pelvis.joints_px[:, 0], [(0.7 * np.float32([0.1, -0.2]) + 1) * 128] * 4, atol=1e-3)


@pytest.mark.parametrize("fault", [np.nan, np.inf])
def test_vertices_that_are_no_numbers_spoil_their_own_row_alone(fault: float) -> None:
    body = load_body()
    ids = load_levels(body).vertex_ids(0)
    vertices = np.stack([body.template[ids]] * 3)
    vertices[1, 7, 2] = fault
    seen = VertexReader(body, ids).read(vertices, np.float32([[0.8, 0, 0]] * 3))
    assert np.isfinite(seen.rotations[[0, 2]]).all()
    assert not np.isfinite(seen.rotations[1]).any()


@pytest.mark.parametrize("part", ["rotations", "betas", "camera", "joints_px"])
def test_what_a_network_fails_on_has_score_zero_and_finite_numbers(recovery: Recovery, part: str) -> None:
    def read(views: Views, _: EncoderSight) -> BodySight:
        sight = t_pose(len(views.regions))
        broken = getattr(sight, part).copy()
        broken[1] = np.nan
        return replace(sight, **{part: broken})

    image = np.full((240, 320, 3), 90, np.uint8)
    result = recovery.predict(image, regions(3), None, read)
    assert result.scores[1] == 0
    for name in ("vertices", "joints", "translation", "global_rotations", "joints_px"):
        assert np.isfinite(getattr(result, name)).all(), name
    whole = recovery.predict(image, regions(1), None, lambda views, _: t_pose(1))
    np.testing.assert_allclose(result.joints[0], whole.joints[0], atol=1e-5)


def test_a_body_left_as_the_network_gives_it_keeps_its_pose_and_joints() -> None:
    recovery = Recovery("", "torch", "cpu", 1, measured=False)
    result = recovery.predict(np.full((240, 320, 3), 90, np.uint8), regions(1), None, lambda views, _: t_pose(1))
    np.testing.assert_allclose(result.joints_px, np.tile(np.float32([160, 120]), (1, 24, 1)), atol=1e-3)
    np.testing.assert_allclose(result.global_rotations[0], np.tile(np.diag([1, -1, -1]), (24, 1, 1)), atol=1e-5)


def test_weights_are_held_to_the_body_they_were_trained_for() -> None:
    body = load_body()
    check_body(Path("w"), "free", body)
    other = replace(body, name="SMPL_NEUTRAL")
    check_body(Path("w"), "SMPL", other)
    for trained_for, found in (("SMPL", body), ("free", other)):
        with pytest.raises(WeightsError, match=rf"vertices of the {trained_for} body; found the body '{found.name}'"):
            check_body(Path("w"), trained_for, found)
