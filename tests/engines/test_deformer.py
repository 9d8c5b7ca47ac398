"""The DeFormer network: its counts, its loop, where it looks, and what it puts out."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from engines.body import BodyParameters, load_body
from engines.body.joints import LSP_JOINT_NAMES
from engines.body.topology import load_levels
from engines.deformer.blocks import Layer
from engines.deformer.config import DeformerConfig, with_trunk
from engines.deformer.network import Deformer, MeshRead
from engines.deformer.options import DeformerOptions
from engines.deformer.tokens import TokenMesh, token_mesh
from engines.layers.multiscale_deformable import MultiscaleDeformableAttention
from engines.layers.sparse_attention import DenseMask, TileSparse

SMALL = DeformerConfig(channels=(4, 4, 8, 8), size_hw=(64, 64), dim=32, heads=2, points=2, mlp_dim=32)


@pytest.fixture(scope="module")
def body() -> BodyParameters:
    return load_body()


def mesh_of(body: BodyParameters, vertices: int) -> TokenMesh:
    return token_mesh(body, load_levels(body), vertices, rings=2)


@pytest.fixture(scope="module")
def coarse(body: BodyParameters) -> TokenMesh:
    return mesh_of(body, 431)


def small(mesh: TokenMesh, **changes: object) -> Deformer:
    torch.manual_seed(0)
    return Deformer(replace(SMALL, **changes), mesh).eval()


def maps_of(config: DeformerConfig, batch: int = 2) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    sizes = config.level_sizes[:-1]
    return [torch.randn(batch, c, *s, generator=generator) for c, s in zip(config.channels, sizes, strict=True)]


def read(network: Deformer, start: torch.Tensor | None = None) -> MeshRead:
    with torch.no_grad():
        return network.from_maps(maps_of(network.config), start)


@pytest.mark.parametrize(("size_hw", "cells"), [((256, 256), 5441), ((384, 288), 9181)])
def test_cells_of_the_five_levels(size_hw: tuple[int, int], cells: int) -> None:
    sizes = with_trunk("hrnet_w48", size_hw).level_sizes
    assert len(sizes) == 5
    assert sum(h * w for h, w in sizes) == cells


@pytest.mark.parametrize("trunk", ["resnet50", "hrnet_w48"])
def test_trunks_give_the_maps_that_the_configuration_names(coarse: TokenMesh, trunk: str) -> None:
    config = with_trunk(trunk)
    with torch.device("meta"):
        network = Deformer(config, coarse)
        maps = network.trunk(torch.empty(1, 3, 384, 288))
    assert [tuple(m.shape[1:]) for m in maps] == [
        (c, *s) for c, s in zip(config.channels, with_trunk(trunk, (384, 288)).level_sizes[:-1], strict=True)
    ]


@pytest.mark.parametrize(("vertices", "tokens"), [(431, 445), (1723, 1737), (6890, 6904)])
def test_queries(body: BodyParameters, vertices: int, tokens: int) -> None:
    config = DeformerConfig(vertices=vertices)
    mesh = mesh_of(body, vertices)
    assert config.tokens == tokens == mesh.pattern.tokens == len(mesh.template)
    assert mesh.pattern.padded == {445: 448, 1737: 1744, 6904: 6912}[tokens]


def test_parameters_of_a_layer() -> None:
    layer = Layer(DeformerConfig())
    picture = sum(p.numel() for p in layer.picture.parameters())
    assert picture == 254_944
    mesh, forward, norms = 4 * (256 * 256 + 256), 256 * 1024 * 2 + 1024 + 256, 3 * 512
    assert sum(p.numel() for p in layer.parameters()) == picture + mesh + forward + norms


def test_dense_at_few_tokens_and_tiles_at_many(body: BodyParameters, coarse: TokenMesh) -> None:
    assert isinstance(small(coarse).core, DenseMask)
    assert isinstance(small(mesh_of(body, 1723), vertices=1723).core, TileSparse)


def test_shapes_and_upsampling(coarse: TokenMesh) -> None:
    result = read(small(coarse))
    assert [tuple(s.shape) for s in result.states] == [(2, 445, 3)] * 3
    assert tuple(result.joints.shape) == (2, 14, 3)
    assert [tuple(m.shape) for m in result.meshes] == [(2, 431, 3), (2, 1723, 3), (2, 6890, 3)]
    assert result.scale.shape == (2,)
    assert result.camera.shape == (2, 3)


def test_a_new_network_starts_at_a_metre_and_repeats_its_first_estimate(coarse: TokenMesh) -> None:
    """Corrections whose last layer is zero are a fixed point of the loop."""
    result = read(small(coarse))
    for before, after in pairwise(result.states):
        assert torch.equal(before, after)
    torch.testing.assert_close(result.scale, torch.ones(2))


def test_corrections_move_the_estimate(coarse: TokenMesh) -> None:
    network = small(coarse)
    with torch.no_grad():
        network.corrections[0][-1].bias.copy_(torch.tensor([0.1, 0.2, 0.3]))
    result = read(network)
    moved = result.states[1] - result.states[0]
    torch.testing.assert_close(moved, torch.tensor([0.1, 0.2, 0.3]).expand_as(moved), atol=1e-5, rtol=0)
    torch.testing.assert_close(result.states[2], result.states[1])


def test_a_given_start_is_kept_by_a_new_correcting_network(coarse: TokenMesh) -> None:
    network = small(coarse, corrects_start=True)
    assert network.first is None
    start = torch.from_numpy(coarse.template)[None].repeat(2, 1, 1) + 0.1
    result = read(network, start)
    assert len(result.states) == 3
    torch.testing.assert_close(result.states[-1], start)
    root = start[:, [2, 3]].mean(dim=1)
    torch.testing.assert_close(result.joints, start[:, :14] - root[:, None], atol=1e-6, rtol=0)


def test_camera_projects_the_body_back_to_where_it_was_seen(coarse: TokenMesh) -> None:
    network = small(coarse)
    with torch.no_grad():
        network.scale[-1].bias.fill_(2.0)
    result = read(network)
    scale, shift = result.camera[:, :1, None], result.camera[:, None, 1:]
    seen = scale * (result.joints[..., :2] + shift)
    torch.testing.assert_close(seen, result.states[-1][:, :14, :2], atol=1e-5, rtol=0)


def test_reference_points_follow_the_state(coarse: TokenMesh) -> None:
    corners = torch.tensor([[[-1.0, -1.0, 5.0], [0.0, 0.0, 5.0], [0.75, 1.0, 5.0]]])
    square, tall = small(coarse), small(coarse, size_hw=(128, 96))
    assert square.reference(corners)[0].tolist() == [[0, 0], [0.5, 0.5], [0.875, 1]]
    assert tall.reference(corners)[0, 1:].tolist() == [[0.5, 0.5], [1, 1]]


def test_the_network_looks_where_the_state_is(coarse: TokenMesh) -> None:
    """Paint one cell of the finest map: only a start that puts the body there changes the tokens' reading."""
    network = small(coarse, corrects_start=True, steps=1, rings=1)
    for module in network.modules():
        if isinstance(module, MultiscaleDeformableAttention):
            torch.nn.init.zeros_(module.offsets.bias)
    torch.nn.init.normal_(network.corrections[0][-1].weight)
    start = torch.from_numpy(coarse.template)[None].clone()
    start[:, :, :2] = 0.5
    memory = torch.zeros(1, sum(h * w for h, w in SMALL.level_sizes), SMALL.dim)
    painted = memory.clone()
    painted[0, 12 * 16 + 12] = 5.0  # around (0.78, 0.78) of the picture
    layer = network.steps[0][0]

    def tokens(cells: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return layer(network.tokens[None], network.embed(at), network.reference(at), cells, network.core)

    near = tokens(painted, start + 0.05) - tokens(memory, start + 0.05)
    far = tokens(painted, -start) - tokens(memory, -start)
    assert near.abs().max() > 0.01
    assert far.abs().max() == 0


def test_template_faces_the_camera_and_fits(coarse: TokenMesh) -> None:
    at = dict(zip(LSP_JOINT_NAMES, coarse.template[:14], strict=True))
    assert at["head"][1] < at["neck"][1] < at["left_knee"][1] < at["left_ankle"][1]  # y down
    assert at["left_wrist"][0] > 0.3 > -0.3 > at["right_wrist"][0]  # its left is the picture's right
    assert np.ptp(coarse.template[14:], axis=0).max() == pytest.approx(1.6, abs=0.05)
    assert np.abs(coarse.template[:, :2]).max() < 0.85


def test_upsampled_template_is_the_template(body: BodyParameters, coarse: TokenMesh) -> None:
    network = small(coarse, corrects_start=True)
    result = read(network, torch.from_numpy(coarse.template)[None].repeat(2, 1, 1))
    fine = mesh_of(body, 6890).template[14:]
    root = coarse.template[[2, 3]].mean(axis=0)
    distance = np.linalg.norm(result.meshes[-1][0].numpy() + root - fine, axis=1)
    assert distance.mean() < 0.006  # half crop heights: about as many metres


def test_gradients_reach_every_weight(coarse: TokenMesh) -> None:
    network = small(coarse).train()
    for correction in network.corrections:
        torch.nn.init.normal_(correction[-1].weight, std=0.1)
    torch.nn.init.normal_(network.scale[-1].weight, std=0.1)
    result = network.from_maps(maps_of(network.config))
    loss = sum(s.square().sum() for s in result.states) + sum(m.abs().sum() for m in result.meshes)
    loss = loss + result.joints.abs().sum()
    loss.backward()
    missing = [name for name, p in network.named_parameters() if p.grad is None]
    assert not missing


@pytest.mark.parametrize("pre_norm", [False, True])
@pytest.mark.parametrize("layers", [1, 2])
def test_flags(coarse: TokenMesh, pre_norm: bool, layers: int) -> None:
    network = small(coarse, pre_norm=pre_norm, layers_per_step=layers, whole_tiles=False)
    assert sum(len(step) for step in network.steps) == 3 * layers
    assert torch.isfinite(read(network).meshes[-1]).all()


@pytest.mark.slow
@pytest.mark.parametrize("vertices", [1723, 6890])
def test_more_queries_run(body: BodyParameters, vertices: int) -> None:
    config = DeformerConfig(channels=(8, 8, 8, 8), vertices=vertices)
    network = Deformer(config, mesh_of(body, vertices)).eval()
    with torch.no_grad():
        result = network.from_maps(maps_of(config, 1))
    assert result.meshes[0].shape == (1, vertices, 3)
    assert result.meshes[-1].shape == (1, 6890, 3)
    assert torch.isfinite(result.meshes[-1]).all()


@pytest.mark.slow
@pytest.mark.parametrize("trunk", ["resnet50", "hrnet_w48"])
def test_whole_networks_run(coarse: TokenMesh, trunk: str) -> None:
    config = with_trunk(trunk, (384, 288))
    network = Deformer(config, coarse).eval()
    with torch.no_grad():
        result = network(torch.zeros(1, 3, 384, 288))
    assert torch.isfinite(result.meshes[-1]).all()


def test_impossible_configurations_are_refused() -> None:
    for changes, text in (
        ({"vertices": 500}, "found 500"), ({"trunk": "vgg"}, "vgg"), ({"size_hw": (250, 256)}, "250"),
        ({"vertices": 6890, "whole_tiles": False}, "6904"), ({"trunk": "resnet50"}, "channels"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=text):
            DeformerConfig(**changes)
    with pytest.raises(ValueError, match="runtime"):
        DeformerOptions(runtime="magic")


def test_images_need_a_trunk(coarse: TokenMesh) -> None:
    with pytest.raises(ValueError, match="from_maps"):
        small(coarse)(torch.zeros(1, 3, 64, 64))
