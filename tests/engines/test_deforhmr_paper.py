"""DeforHMR's paper configuration as a whole: counts, the mean it starts from, files, export."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from engines.backbones.vit import VitConfig, VitTrunk
from engines.deforhmr.network import PAPER, Decoder, Layer, Level
from engines.deforhmr.paper import PaperNetwork
from engines.deforhmr.stored import load_paper, save_paper
from engines.errors import WeightsError

TINY = VitConfig(64, 48, dim=32, depth=2, heads=4, mlp_dim=64)
TINY_DECODER = replace(PAPER, levels=(Level(32, 4, 3),), dim=24, depth=2, heads=4, head_dim=8, mlp_dim=24)


def tiny(seed: int = 3) -> PaperNetwork:
    torch.manual_seed(seed)
    return PaperNetwork(VitTrunk(TINY), Decoder(TINY_DECODER)).eval()


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_the_whole_is_670_million_parameters_and_only_the_decoder_learns() -> None:
    with torch.device("meta"):
        network = PaperNetwork()
    assert count(network) == 670_597_395
    assert sum(p.numel() for p in network.parameters() if p.requires_grad) == 39_685_395
    context = network.trunk(torch.empty(2, 3, 256, 192, device="meta"))
    assert context.shape == (2, 1280, 16, 12)


def test_shared_layers_are_those_of_the_hmr2_decoder() -> None:
    """HMR2.0: the same layers without offsets and bias grids, one query made from a scalar, three read-outs."""
    with torch.device("meta"):
        layers = nn.ModuleList(Layer(PAPER) for _ in range(PAPER.depth))
        for layer in layers:
            layer.cross_attention.levels = nn.ModuleList()
        token, position = nn.Linear(1, PAPER.dim), nn.Embedding(1, PAPER.dim)
        read_outs = nn.ModuleList(nn.Linear(PAPER.dim, n) for n in (144, 10, 3))
    assert count(layers[0]) == 6_563_840
    decoder = count(layers) + count(token) + count(position)
    assert decoder == 39_386_112
    assert decoder + count(read_outs) == 39_547_037


@torch.no_grad()
def test_scores_of_25_queries_at_192_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    softmax = torch.softmax
    monkeypatch.setattr(torch, "softmax", lambda scores, dim: seen.append(tuple(scores.shape)) or softmax(scores, dim))
    decoder = Decoder(replace(PAPER, depth=1)).eval()
    network = PaperNetwork(VitTrunk(VitConfig(depth=0)), decoder).eval()
    network(torch.randn(2, 3, 256, 192))
    assert seen == [(2, 8, 25, 25), (2, 8, 25, 192)]


@torch.no_grad()
def test_zero_read_outs_give_the_mean_body_facing_the_camera() -> None:
    network = tiny()
    for parameter in network.decoder.read_out.parameters():
        nn.init.zeros_(parameter)
    found = network(torch.randn(2, 3, 64, 48))
    expected = torch.eye(3).repeat(2, 24, 1, 1)
    expected[:, 0] = torch.diag(torch.tensor([1.0, -1.0, -1.0]))
    assert torch.equal(found.rotations, expected)
    assert torch.equal(found.betas, torch.zeros(2, 10))
    torch.testing.assert_close(found.camera, torch.tensor([[0.9, 0.0, 0.0]] * 2))


@torch.no_grad()
def test_queries_change_places_only_together_with_their_bias_grids() -> None:
    layer = Layer(TINY_DECODER).eval()
    grids = layer.cross_attention.levels[0].bias
    nn.init.normal_(grids)
    tokens, context = torch.randn(1, 25, 24), [torch.randn(1, 32, 4, 3)]
    order = torch.randperm(25)
    before = layer(tokens, context, None)[:, order]
    assert (layer(tokens[:, order], context, None) - before).abs().max() > 1e-3
    grids.copy_(grids[:, order].clone())
    torch.testing.assert_close(layer(tokens[:, order], context, None), before, atol=1e-5, rtol=0)


def test_a_decoder_for_another_context_is_refused() -> None:
    with pytest.raises(ValueError, match="the decoder's levels: found"):
        PaperNetwork(VitTrunk(TINY), Decoder(replace(TINY_DECODER, levels=(Level(32, 4, 4),))))


def test_training_teaches_the_decoder_alone() -> None:
    network = tiny().train()
    assert network.decoder.training
    assert not network.trunk.training
    found = network(torch.randn(1, 3, 64, 48))
    (found.rotations.sum() + found.betas.sum() + found.camera.sum()).backward()
    assert all(p.grad is None for p in network.trunk.parameters())
    assert network.decoder.tokens.grad is not None


@torch.no_grad()
def test_a_trained_network_comes_back_from_its_file(tmp_path: Path) -> None:
    network = tiny()
    network.mean_betas.fill_(0.5)
    save_paper(tmp_path / "new" / "n.safetensors", network.state_dict(), TINY, TINY_DECODER)
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["n.safetensors"]
    again = load_paper(tmp_path / "new" / "n.safetensors")
    assert not again.training
    images = torch.randn(2, 3, 64, 48)
    for found, expected in zip(again(images), network(images), strict=True):
        torch.testing.assert_close(found, expected)


def test_a_trunk_alone_recovers_no_bodies(tmp_path: Path) -> None:
    trunk = {key: value for key, value in tiny().state_dict().items() if key.startswith("trunk.")}
    save_paper(tmp_path / "trunk.safetensors", trunk, TINY, TINY_DECODER)
    with pytest.raises(WeightsError, match=r"holds the image trunk alone; expected a decoder.*none was ever published"):
        load_paper(tmp_path / "trunk.safetensors")
    network = load_paper(tmp_path / "trunk.safetensors", untrained=True)
    assert network.decoder.tokens.requires_grad
    assert not any(p.requires_grad or p.is_meta for p in network.trunk.parameters())
    assert not any(b.is_meta for b in network.buffers())


@pytest.mark.parametrize("lost", ["decoder.tokens", "trunk.last_norm.bias", "mean_betas"])
def test_a_file_that_lacks_a_tensor_is_no_network(tmp_path: Path, lost: str) -> None:
    state = tiny().state_dict()
    del state[lost]
    save_paper(tmp_path / "n.safetensors", state, TINY, TINY_DECODER)
    with pytest.raises(WeightsError, match=rf"could not be read as DeforHMR's paper configuration: .*{lost}"):
        load_paper(tmp_path / "n.safetensors")


def test_a_file_of_another_kind_is_no_network(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"a": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match="its format is None"):
        load_paper(tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match="could not be read"):
        load_paper(tmp_path / "absent.safetensors")


@torch.no_grad()
def test_onnxruntime_gives_the_same_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnx")
    from engines.runtime import graph_cache
    from engines.runtime.network import Network, doubled
    from engines.runtime.onnxruntime_session import OnnxRuntimeSession

    monkeypatch.setattr(graph_cache, "cache_folder", lambda: tmp_path)
    network = tiny()
    names = ["rotations", "betas", "camera"]
    inputs = [torch.randn(1, 3, 64, 48)]
    session = OnnxRuntimeSession(Network(network, inputs, ["crops"], names, "paper-tiny", doubled(inputs)))
    images = torch.randn(2, 3, 64, 48)
    for found, expected in zip(session.run(images.numpy()), network(images), strict=True):
        torch.testing.assert_close(torch.from_numpy(found), expected, atol=1e-4, rtol=0)


@pytest.mark.slow
@torch.no_grad()
def test_the_whole_network_in_full_size_recovers_something_finite() -> None:
    torch.manual_seed(1)
    found = PaperNetwork().eval()(torch.randn(1, 3, 256, 192))
    assert found.rotations.shape == (1, 24, 3, 3)
    torch.testing.assert_close(torch.linalg.det(found.rotations), torch.ones(1, 24), atol=1e-4, rtol=0)
    assert torch.isfinite(found.betas).all()
    assert torch.isfinite(found.camera).all()
