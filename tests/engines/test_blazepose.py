"""The BlazePose networks against the interpreter of the published files: kept answers, and the files themselves."""

from __future__ import annotations

from pathlib import Path

import blazepose_reference as reference
import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from engines.backbones.blazepose.load import load_person_detection, load_pose_encoder
from engines.backbones.blazepose.person_detection import PersonDetection
from engines.backbones.blazepose.plans import POSE_PLANS
from engines.backbones.blazepose.pose_encoder import EncoderOutput, PoseEncoder
from engines.errors import WeightsError
from engines.weights import find_weights

PIXEL, LOGIT, METRE, PROBABILITY, FEATURE = 0.01, 1e-3, 1e-4, 1e-4, 1e-3
PICTURES = ("4dhumans_pexels_lunge.jpg", "4dhumans_skates.jpg", "camerahmr_pexels.jpg")


@pytest.fixture(scope="module")
def golden() -> dict[str, np.ndarray]:
    with np.load(reference.GOLDEN) as file:
        return dict(file)


@pytest.fixture(scope="module")
def encoder() -> PoseEncoder:
    return load_pose_encoder()


@pytest.fixture(scope="module")
def detection() -> PersonDetection:
    return load_person_detection()


def as_tensor(*pictures: np.ndarray) -> Tensor:
    return torch.from_numpy(np.stack(pictures).astype(np.float32)).permute(0, 3, 1, 2)


def encode(encoder: PoseEncoder, *pictures: np.ndarray) -> EncoderOutput:
    with torch.inference_mode():
        return encoder(as_tensor(*(picture / np.float32(255) for picture in pictures)))


def assert_near(found: Tensor, expected: np.ndarray, tolerance: float) -> None:
    assert found.shape == expected.shape
    assert np.abs(found.numpy() - expected).max() <= tolerance


def test_encoder_gives_the_kept_answers(encoder: PoseEncoder, golden: dict[str, np.ndarray]) -> None:
    output = encode(encoder, reference.formula_picture(256))
    assert golden["presence"] > 0.5
    assert_near(output.landmarks[0, :, :3], golden["landmarks"][:, :3], PIXEL)
    assert_near(output.landmarks[0, :, 3:], golden["landmarks"][:, 3:], LOGIT)
    assert_near(output.world[0], golden["world"], METRE)
    assert_near(output.presence[0], golden["presence"], PROBABILITY)


@pytest.mark.parametrize(("map16", "map8"), [("pyramid", "landmark"), ("trunk", "trunk")])
def test_feature_maps_are_those_of_the_published_graph(map16: str, map8: str, golden: dict[str, np.ndarray]) -> None:
    encoder = load_pose_encoder("full", map16=map16, map8=map8)
    output = encode(encoder, reference.formula_picture(256))
    assert output.map16.shape == (1, encoder.map16_channels, 16, 16)
    assert output.map8.shape == (1, encoder.map8_channels, 8, 8)
    assert_near(output.map16[0].mean(dim=(1, 2)), golden[f"{map16}16"], FEATURE)
    assert_near(output.map8[0].mean(dim=(1, 2)), golden[f"{map8}8"], FEATURE)


def test_detection_gives_the_kept_answers(detection: PersonDetection, golden: dict[str, np.ndarray]) -> None:
    with torch.inference_mode():
        boxes, scores = detection(as_tensor(reference.formula_picture(224) / np.float32(127.5) - 1))
    assert golden["scores"].max() > 0.5
    assert_near(boxes[0, :: reference.BOX_STEP], golden["boxes"], PIXEL)
    assert_near(scores[0, :, 0], golden["scores"], 3 * LOGIT)


def test_people_of_one_batch_do_not_touch_each_other(encoder: PoseEncoder) -> None:
    picture = reference.formula_picture(256)
    mirrored = np.ascontiguousarray(picture[:, ::-1])
    together, alone = encode(encoder, mirrored, picture), encode(encoder, picture)
    for both, one in zip(together, alone, strict=True):
        assert torch.allclose(both[1:], one, atol=1e-2, rtol=1e-3)


def test_nothing_of_the_encoder_is_trained(encoder: PoseEncoder) -> None:
    assert not any(parameter.requires_grad for parameter in encoder.parameters())
    assert not encoder.training


@pytest.mark.parametrize("variant", sorted(POSE_PLANS))
def test_every_variant_has_the_stated_shapes(variant: str) -> None:
    with torch.device("meta"):
        encoder = PoseEncoder(POSE_PLANS[variant])
        output = encoder(torch.zeros(2, 3, 256, 256))
    assert output.landmarks.shape == (2, 39, 5)
    assert output.world.shape == (2, 39, 3)
    assert output.presence.shape == (2,)
    assert output.map16.shape == (2, encoder.map16_channels, 16, 16)
    assert output.map8.shape == (2, encoder.map8_channels, 8, 8)


def test_weights_of_another_network_are_refused() -> None:
    with pytest.raises(WeightsError, match="PoseEncoder"):
        load_pose_encoder("lite", find_weights("blazepose_full.safetensors"))


def test_an_unknown_variant_is_refused() -> None:
    with pytest.raises(ValueError, match="lite, full, heavy"):
        load_pose_encoder("huge")


def original(name: str) -> reference.Original:
    """The published file `name` from the folder that the environment names; skips where it is not there."""
    pytest.importorskip("ai_edge_litert")
    try:
        return reference.Original(find_weights(name))
    except WeightsError as error:
        pytest.skip(str(error))


def real_pictures(shared: Path, side_px: int) -> list[np.ndarray]:
    paths = [shared / "data" / "images2d" / "hmr_demos" / name for name in PICTURES]
    pictures = [cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB) for path in paths if path.is_file()]
    if not pictures:
        pytest.skip("the pictures of ../shared are absent")
    return [cv2.resize(picture, (side_px, side_px), interpolation=cv2.INTER_AREA) for picture in pictures]


@pytest.mark.weights
@pytest.mark.parametrize("variant", sorted(POSE_PLANS))
def test_encoder_agrees_with_the_published_file(variant: str, shared: Path) -> None:
    published = original(f"pose_landmark_{variant}.tflite")
    try:
        encoder = load_pose_encoder(variant)
    except WeightsError as error:
        pytest.skip(str(error))
    for picture in real_pictures(shared, published.side_px):
        expected, found = published.run(picture / np.float32(255)), encode(encoder, picture)
        landmarks = expected[reference.LANDMARKS].reshape(1, 39, 5)
        assert_near(found.landmarks[..., :3], landmarks[..., :3], PIXEL)
        assert_near(found.landmarks[..., 3:], landmarks[..., 3:], LOGIT)
        assert_near(found.world, expected[reference.WORLD].reshape(1, 39, 3), METRE)
        assert_near(found.presence, expected[reference.PRESENCE].reshape(1), PROBABILITY)


@pytest.mark.weights
def test_detection_agrees_with_the_published_file(detection: PersonDetection, shared: Path) -> None:
    published = original(reference.DETECTION_FILE)
    for picture in real_pictures(shared, published.side_px):
        scaled = picture / np.float32(127.5) - 1
        expected = published.run(scaled)
        with torch.inference_mode():
            boxes, scores = detection(as_tensor(scaled))
        assert_near(boxes, expected[reference.BOXES], PIXEL)
        assert_near(scores, expected[reference.SCORES], 3 * LOGIT)
