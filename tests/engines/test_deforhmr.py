"""The DeforHMR decoder against the paper's numbers, and the parts of its default configuration."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engines.deforhmr.model import DefaultNetwork
from engines.deforhmr.network import DEFAULT, PAPER, QUERIES, Decoder, mean_estimate
from engines.geometry import apply_affine, default_intrinsics, project, region_matrices
from engines.layers import rotation6d
from engines.layers.attention import attend, join_heads, split_heads
from engines.layers.deformable import DeformableContext, OffsetNetwork, reference_grid, sample_map
from engines.layers.landmark_numbers import landmark_numbers
from engines.recovery.camera import crop_to_camera, solve_translation
from engines.recovery.evidence import joint_confidence, next_regions
from engines.types import Regions


def count(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_parameter_counts_of_the_paper_configuration() -> None:
    with torch.device("meta"):
        decoder = Decoder(PAPER)
    assert count(decoder.layers[0]) == 6_606_720
    assert count(decoder.layers[0].cross_attention.levels[0].offsets) == 4_480
    assert decoder.layers[0].cross_attention.levels[0].bias.numel() == 38_400
    assert count(decoder) == 39_685_395


def test_paper_decoder_reads_192_keys_with_25_queries() -> None:
    decoder = Decoder(PAPER).eval()
    context = torch.randn(1, 1280, 16, 12)
    level = decoder.layers[0].cross_attention.levels[0]
    sampled, bias = level(context)
    assert sampled.shape == (1, 192, 1280)
    assert bias.shape == (1, 8, 25, 192)
    result = decoder([context], mean_estimate(1))
    assert result.rotations6d.shape == (1, 24, 6)
    assert result.betas.shape == (1, 10)
    assert result.camera.shape == (1, 3)


def test_zero_offsets_give_the_context_back() -> None:
    context = torch.randn(2, 8, 16, 12, dtype=torch.float64)
    grid = reference_grid(16, 12, torch.float64).expand(2, -1, -1, -1)
    torch.testing.assert_close(sample_map(context, grid), context, atol=1e-6, rtol=0)


def test_offsets_stay_within_the_tanh_bound() -> None:
    network = OffsetNetwork(16, (16, 12), groups=4, kernel=3, scale=2.0)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=5.0)
    shift = (network(torch.randn(3, 16, 16, 12)) - network.grid).abs()
    assert shift[..., 0].max() <= 2 / 15 + 1e-6
    assert shift[..., 1].max() <= 2 / 11 + 1e-6
    assert shift.max() > 0.05  # the bound was put to the test


def test_offsets_do_not_depend_on_the_queries() -> None:
    level = DeformableContext(8, (16, 12), QUERIES, heads=4, groups=4, kernel=3, scale=2.0)
    context = torch.randn(1, 8, 16, 12)
    sampled, bias = level(context)
    order = torch.randperm(QUERIES)
    level.bias.data = level.bias.data[:, order]
    sampled_again, bias_again = level(context)
    torch.testing.assert_close(sampled, sampled_again)
    torch.testing.assert_close(bias[:, :, order], bias_again)


def test_dat_offsets_and_sampling_equal_the_published_operator(shared) -> None:  # type: ignore[no-untyped-def]
    """The official DAT module's offset network, grouping and sampling (its own off-grid reference passed in)."""
    golden = np.load(shared / "golden" / "dat_attention_orf2.npz")
    weights = {k[2:]: torch.from_numpy(golden[k]) for k in golden.files if k.startswith("w:")}
    network = OffsetNetwork(32, (16, 12), groups=2, kernel=3, scale=2.0)
    network.layers[0].load_state_dict({k: weights[f"conv_offset.0.{k}"] for k in ("weight", "bias")})
    network.layers[1].norm.load_state_dict({k: weights[f"conv_offset.1.norm.{k}"] for k in ("weight", "bias")})
    network.layers[3].load_state_dict({"weight": weights["conv_offset.3.weight"]})
    x = torch.from_numpy(golden["x"])
    query = torch.nn.functional.conv2d(x, weights["proj_q.weight"], weights["proj_q.bias"])
    network.grid = torch.from_numpy(golden["ref"]).reshape(-1, 16, 12, 2)[0]
    found = network(query).detach()
    expected = torch.from_numpy(golden["pos"]).reshape(found.shape)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_dat_attention_made_of_our_parts_equals_the_published_one(shared) -> None:  # type: ignore[no-untyped-def]
    """Grouping, sampled keys and sampled bias (its table by displacement instead of ours by place) to the output."""
    golden = np.load(shared / "golden" / "dat_attention_orf2.npz")
    weights = {k[2:]: torch.from_numpy(golden[k]) for k in golden.files if k.startswith("w:")}

    def projected(name: str, features: torch.Tensor) -> torch.Tensor:
        maps = features.reshape(2, 32, 16, 12)
        return torch.nn.functional.conv2d(maps, weights[f"proj_{name}.weight"], weights[f"proj_{name}.bias"]).flatten(2)

    x, positions = torch.from_numpy(golden["x"]), torch.from_numpy(golden["pos"]).reshape(4, 16, 12, 2)
    sampled = sample_map(x.reshape(4, 16, 16, 12), positions)
    q, k, v = (split_heads(projected(n, t).mT, 4) for n, t in (("q", x), ("k", sampled), ("v", sampled)))
    displacements = (reference_grid(16, 12).reshape(1, 192, 1, 2) - positions.reshape(4, 1, 192, 2)) / 2
    tables = weights["rpe_table"].reshape(1, 2, 2, 31, 23).expand(2, -1, -1, -1, -1).reshape(4, 2, 31, 23)
    bias = sample_map(tables, displacements).reshape(2, 4, 192, 192)
    found = projected("out", join_heads(attend(q, k, v, bias)).mT).reshape(2, 32, 16, 12)
    torch.testing.assert_close(found, torch.from_numpy(golden["y"]), atol=1e-5, rtol=0)


def test_six_numbers_give_proper_rotations() -> None:
    matrices = rotation6d.to_matrix(torch.randn(200, 6))
    torch.testing.assert_close(matrices @ matrices.mT, torch.eye(3).expand(200, 3, 3), atol=1e-5, rtol=0)
    torch.testing.assert_close(torch.linalg.det(matrices), torch.ones(200), atol=1e-5, rtol=0)
    torch.testing.assert_close(rotation6d.to_matrix(rotation6d.from_matrix(matrices)), matrices, atol=1e-5, rtol=0)


def test_interleaved_layout_of_the_spin_family_decodes_facing_the_camera() -> None:
    root = rotation6d.to_matrix(rotation6d.from_interleaved(torch.tensor([1.0, 0, 0, -1, 0, 0])))
    torch.testing.assert_close(root, torch.diag(torch.tensor([1.0, -1.0, -1.0])))


@pytest.mark.parametrize("config", [PAPER, DEFAULT], ids=["paper", "default"])
def test_zero_read_outs_return_the_estimate_they_start_from(config) -> None:  # type: ignore[no-untyped-def]
    decoder = Decoder(config).eval()
    for parameter in decoder.read_out.parameters():
        torch.nn.init.zeros_(parameter)
    context = [torch.randn(1, v.channels, v.height, v.width) for v in config.levels]
    landmarks = torch.randn(1, 39, config.landmark_numbers) if config.landmark_tokens else None
    start = mean_estimate(1)
    for found, expected in zip(decoder(context, start, landmarks), start, strict=True):
        torch.testing.assert_close(found, expected)


def test_landmark_numbers_do_not_depend_on_place_and_size_in_the_crop() -> None:
    landmarks, world = torch.randn(1, 39, 5) * 30 + 100, torch.randn(1, 39, 3)
    moved = landmarks.clone()
    moved[..., :2] = moved[..., :2] * 1.3 + 7
    moved[..., 2] *= 1.3
    first, second = landmark_numbers(landmarks, world), landmark_numbers(moved, world)
    torch.testing.assert_close(first.features[..., :8], second.features[..., :8], atol=1e-4, rtol=1e-4)


def test_default_network_gives_rotations_for_every_crop() -> None:
    network = DefaultNetwork().eval()
    landmarks = torch.randn(2, 39, 5) * 50, torch.randn(2, 39, 3)
    result = network(*landmarks, torch.randn(2, 48, 16, 16), torch.randn(2, 288, 8, 8))
    assert result.rotations.shape == (2, 24, 3, 3)
    torch.testing.assert_close(torch.linalg.det(result.rotations), torch.ones(2, 24), atol=1e-4, rtol=0)
    assert result.joints_px.shape == (2, 24, 2)


def test_translation_is_solved_exactly_from_exact_joints(rng) -> None:  # type: ignore[no-untyped-def]
    intrinsics = default_intrinsics(1280, 720)
    joints = rng.normal(0, 0.4, (5, 24, 3)).astype(np.float32)
    truth = rng.uniform([-1, -1, 3], [1, 1, 6], (5, 3)).astype(np.float32)
    pixels = project(joints + truth[:, None], intrinsics)
    found = solve_translation(joints, pixels, np.ones((5, 24), np.float32), intrinsics, np.full(5, 4.0, np.float32))
    np.testing.assert_allclose(found, truth, atol=0.01)


def test_crop_axes_turn_with_the_region_and_look_along_its_ray() -> None:
    intrinsics = default_intrinsics(640, 480)
    centers = np.array([[320, 240], [600, 100]], np.float32)
    regions = Regions(centers, np.full(2, 100, np.float32), np.array([np.pi / 2, 0], np.float32))
    turned = crop_to_camera(regions, intrinsics)
    np.testing.assert_allclose(turned[0] @ [0, -1, 0], [1, 0, 0], atol=1e-6)  # the region's up is picture right
    np.testing.assert_allclose(project(turned[1] @ np.float32([0, 0, 1]), intrinsics), centers[1], atol=1e-2)


def test_next_region_follows_the_alignment_points_back_into_the_picture() -> None:
    region = Regions(np.array([[300, 200]], np.float32), np.array([150], np.float32), np.array([0.4], np.float32))
    matrices = region_matrices(region, 256)
    landmarks = np.zeros((1, 39, 5), np.float32)
    picture = np.array([[[310, 190], [310, 130]]], np.float32)  # upright, radius 60
    landmarks[:, 33:35, :2] = apply_affine(matrices, picture)
    found = next_regions(landmarks, matrices)
    np.testing.assert_allclose(found.centers_px, [[310, 190]], atol=1e-2)
    np.testing.assert_allclose(found.sides_px, [150], atol=1e-2)
    np.testing.assert_allclose(found.angles_rad, [0], atol=1e-4)


def test_confidence_follows_the_landmarks_of_the_joint() -> None:
    landmarks = np.full((1, 39, 5), 6.0, np.float32)
    landmarks[0, 15, 3] = -6.0  # the left wrist is hidden
    confidence = joint_confidence(landmarks, np.ones(1, np.float32))
    assert confidence[0, 20] < 0.01
    assert confidence[0, 21] > 0.9
