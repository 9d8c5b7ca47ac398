"""FastMETRO against the published code's answers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import fastmetro_formula as formula
import fastmetro_reference as reference
import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from engines.body.topology import adjacency
from engines.fastmetro.config import LAYERS, FastMetroConfig
from engines.fastmetro.network import FastMetro
from engines.fastmetro.regressor import nearest_rotations
from engines.fastmetro.topology import Topology
from engines.layers.brief_linear import BriefLinear
from engines.layers.packed_attention import PackedAttention
from engines.layers.position import sine_position
from engines.runtime.network import relative_error_mm
from engines.runtime.parity import LIMITS_MM

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
TOLERANCE = 1e-4
PARAMETERS = {"S": 10_041_366, "M": 17_860_630, "L": 25_679_894}
PARAMETERS_TABLE2 = {"S": 9_231_366, "M": 17_050_630, "L": 24_869_894}
REGRESSOR_PARAMETERS = 9_734_370
GFLOPS = {"S": 4.601, "M": 9.029, "L": 13.458}


def on_meta(size: str, **options: object) -> FastMetro:
    with torch.device("meta"):
        return FastMetro(FastMetroConfig(LAYERS[size], **options), formula.topology()).eval()  # type: ignore[arg-type]


def filled(size: str, **options: object) -> FastMetro:
    network = on_meta(size, **options)
    shapes = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    network.load_state_dict(formula.state(shapes), assign=True)
    return network.requires_grad_(False)


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def everything(network: FastMetro) -> dict[str, Tensor]:
    """Outputs and intermediates under the names of the published code, sequence first where that has it."""
    seen: dict[str, Tensor] = {}

    def keep(name: str):
        def hook(module: nn.Module, inputs: object, output: object) -> None:
            if isinstance(output, Tensor):
                seen[name] = output
            else:
                seen.update({f"{name}_{k}": t.transpose(0, 1) for k, t in zip(("cam", "img", "jv"), output)})

        return hook

    parts = {"conv_1x1": network.conv_1x1, "t1": network.transformer_1, "t2": network.transformer_2}
    handles = [part.register_forward_hook(keep(name)) for name, part in parts.items()]
    read = network.from_features(formula.features())
    for handle in handles:
        handle.remove()
    assert read.parameters is not None
    return seen | {
        "pred_cam": read.camera,
        "pred_3d_joints": read.joints,
        "pred_3d_vertices_coarse": read.coarse,
        "pred_3d_vertices_intermediate": read.middle,
        "pred_3d_vertices_fine": read.fine,
        "pred_rotmat": nearest_rotations(read.parameters.matrices),
        "pred_betas": read.parameters.betas,
    }


def assert_summary(found: Tensor, expected: Mapping[str, object], name: str) -> None:
    flat = found.double().flatten()
    assert list(found.shape) == expected["shape"], name
    for key, part in (("first4", flat[:4]), ("last4", flat[-4:])):
        np.testing.assert_allclose(part, expected[key], atol=TOLERANCE, rtol=0, err_msg=f"{name} {key}")
    for key, part in (("all", found), ("sample0", found[0])):
        if key in expected:
            np.testing.assert_allclose(part, expected[key], atol=TOLERANCE, rtol=0, err_msg=f"{name} {key}")
    for key, total in (("sum", flat.sum()), ("sum_abs", flat.abs().sum())):
        assert float(total) == pytest.approx(expected[key], abs=flat.numel() * 1e-6, rel=1e-6), f"{name} {key}"


@pytest.mark.parametrize("size", ["S", pytest.param("M", marks=pytest.mark.slow), "L"])
@torch.no_grad()
def test_every_tensor_of_the_formula_case(size: str) -> None:
    expected = json.loads((GOLDEN / "fastmetro_formula.json").read_text(encoding="utf-8"))[size]
    network = filled(size, regressor=True)
    found = everything(network)
    for name, summary in expected.items():
        assert_summary(found[name], summary, name)
    full = GOLDEN.parents[1].parent / "shared" / "golden" / f"fastmetro_{size}_formula_out.npz"
    if full.is_file():
        with np.load(full) as arrays:
            worst = {name: float(np.abs(arrays[name] - found[name].numpy()).max()) for name in arrays}
        assert set(worst) == set(expected)
        assert max(worst.values()) < TOLERANCE, worst
    network.settle()
    settled = everything(network)
    assert max(float((settled[name] - found[name]).abs().max()) for name in expected) < 1e-5


@torch.no_grad()
def test_torchs_own_layers_say_the_same() -> None:
    network = filled("S")
    features = formula.features()
    camera, places, fine = reference.PlainFastMetro(1, network).eval()(features)
    network.settle()
    read = network.from_features(features)
    torch.testing.assert_close(read.camera, camera, atol=1e-5, rtol=0)
    torch.testing.assert_close(torch.cat([read.joints, read.coarse], 1), places, atol=1e-5, rtol=0)
    torch.testing.assert_close(read.fine, fine, atol=1e-5, rtol=0)


def test_the_formula_is_the_published_one(shared: Path) -> None:
    with np.load(shared / "golden" / "synthetic_topology.npz") as stored:
        topology = formula.topology()
        np.testing.assert_array_equal(topology.adjacent, stored["adjacency431"])
        dense = np.zeros((6890, 1723), np.float32)
        dense[stored["U_row"], stored["U_col"]] = stored["U_val"]
    ours = np.zeros_like(dense)
    np.add.at(ours, (np.arange(6890)[:, None], topology.to_fine.columns), topology.to_fine.weights)
    np.testing.assert_allclose(ours, dense, atol=1e-7)


@pytest.mark.parametrize("size", LAYERS)
def test_parameters_and_keys(size: str) -> None:
    network = on_meta(size)
    assert count(network) == PARAMETERS[size]
    assert count(on_meta(size, table2=True)) == PARAMETERS_TABLE2[size]
    assert count(on_meta(size, regressor=True)) == PARAMETERS[size] + REGRESSOR_PARAMETERS
    expected = json.loads((GOLDEN / "fastmetro_keys.json").read_text(encoding="utf-8"))[f"fastmetro_{size}"]
    assert len(network.state_dict()) == expected["entries"]
    assert digest(network) == expected["sha256"]


def test_keys_with_the_regressor() -> None:
    expected = json.loads((GOLDEN / "fastmetro_keys.json").read_text(encoding="utf-8"))["fastmetro_S_smpl"]["shapes"]
    network = on_meta("S", regressor=True)
    assert {key: list(value.shape) for key, value in network.state_dict().items()} == expected


def digest(network: nn.Module) -> str:
    """Sha256 of the sorted lines "key shape" of a module's state."""
    lines = sorted(f"{key} {list(value.shape)}\n" for key, value in network.state_dict().items())
    return hashlib.sha256("".join(lines).encode()).hexdigest()


@pytest.mark.parametrize(("part", "expected"), [
    ("transformer_1.encoder.layers.0", 3_152_384), ("transformer_2.encoder.layers.0", 198_272),
    ("transformer_1.decoder.layers.0", 4_204_032), ("transformer_2.decoder.layers.0", 264_576),
    ("conv_1x1", 1_049_088), ("xyz_regressor", 387), ("cam_predictor", 387), ("smpl_parameter_regressor", 9_734_370),
])  # fmt: skip
def test_parameters_of_the_pieces(part: str, expected: int) -> None:
    assert count(on_meta("S", regressor=True).get_submodule(part)) == expected


@pytest.mark.parametrize("size", LAYERS)
def test_arithmetic_from_the_feature_map(size: str) -> None:
    network = on_meta(size).to("meta")  # buffers too
    with FlopCounterMode(display=False) as counter:
        read = network.from_features(torch.empty(1, 2048, 7, 7, device="meta"))
    assert counter.get_total_flops() / 1e9 == pytest.approx(GFLOPS[size], abs=6e-4)
    assert [tuple(t.shape) for t in read[:5]] == [(1, 3), (1, 14, 3), (1, 431, 3), (1, 1723, 3), (1, 6890, 3)]


def test_mask() -> None:
    blocked = formula.topology().blocked(14)
    assert blocked.shape == (445, 445)
    assert int(blocked.sum()) == 182_794
    assert not blocked[:14].any()
    assert not blocked[:, :14].any()
    assert not np.diagonal(blocked).any()


def test_a_blocked_pair_has_no_weight_at_all() -> None:
    torch.manual_seed(1)
    attention = PackedAttention(16, 4).eval()
    tokens = torch.randn(2, 5, 16)
    blocked = torch.zeros(5, 5)
    blocked[0, 3] = -1e4
    changed = tokens.clone()
    changed[:, 3] = 100
    before, after = (attention(tokens, t, t, blocked) for t in (tokens, changed))
    assert torch.equal(before[:, 0], after[:, 0])
    assert not torch.allclose(before[:, 1], after[:, 1])


def test_packed_attention_is_torchs_own() -> None:
    torch.manual_seed(1)
    theirs = nn.MultiheadAttention(32, 4, batch_first=True).eval()
    ours = PackedAttention(32, 4).eval()
    ours.load_state_dict(theirs.state_dict())
    queries, keys, values = torch.randn(2, 5, 32), torch.randn(2, 7, 32), torch.randn(2, 7, 32)
    torch.testing.assert_close(ours(queries, keys, values), theirs(queries, keys, values, need_weights=False)[0])


def test_position_values() -> None:
    wide = sine_position(7, 7, 512)
    expected = [0.7818313837, 0.6234899163, 0.7414839864, 0.6709705591]
    np.testing.assert_allclose(wide[0, :4], expected, atol=1e-6)
    expected = [-0.7818319201, 0.6234892607, -0.9555468559, 0.2948392928]
    np.testing.assert_allclose(wide[3 * 7 + 5, 256:260], expected, atol=2e-6)
    assert float(wide.double().sum()) == pytest.approx(12354.991, abs=0.01)
    assert float(sine_position(7, 7, 128).double().sum()) == pytest.approx(3055.244, abs=0.01)


@torch.no_grad()
def test_the_table_2_layout_upsamples_by_its_fixed_matrix() -> None:
    torch.manual_seed(2)
    config = FastMetroConfig(1, table2=True, widths=(32, 16), feature_channels=8)
    read = FastMetro(config, formula.topology()).eval().from_features(torch.randn(2, 8, 7, 7))
    torch.testing.assert_close(read.middle, read.coarse[:, torch.arange(1723) % 431])
    with pytest.raises(ValueError, match="no upsampling to the middle level"):
        FastMetro(config, Topology(formula.adjacent(), formula.to_fine()))


def test_training_reaches_every_parameter_but_not_through_the_regressor() -> None:
    torch.manual_seed(3)
    config = FastMetroConfig(1, regressor=True, widths=(32, 16), feature_channels=8)
    network = FastMetro(config, formula.topology()).train()
    network.settle()  # must be ignored in training
    features = torch.randn(2, 8, 7, 7)
    read = network.from_features(features)
    assert read.parameters is not None
    (read.fine.square().sum() + read.joints.sum() + read.camera.sum()).backward(retain_graph=True)
    without = [n for n, p in network.named_parameters() if p.grad is None and "regressor.regressor" not in n]
    assert not without
    before = network.vertex_token_embed.weight.grad.clone()
    (read.parameters.matrices.square().sum() + read.parameters.betas.square().sum()).backward()
    assert torch.equal(network.vertex_token_embed.weight.grad, before)


def test_rotations_are_proper_and_flipped_as_a_whole(rng: np.random.Generator) -> None:
    matrices = torch.from_numpy(rng.standard_normal((50, 3, 3)).astype(np.float32))
    rotations = nearest_rotations(matrices)
    eye = torch.eye(3).expand(50, 3, 3)
    torch.testing.assert_close(rotations @ rotations.transpose(1, 2), eye, atol=1e-5, rtol=0)
    torch.testing.assert_close(torch.linalg.det(rotations), torch.ones(50), atol=1e-5, rtol=0)
    torch.testing.assert_close(nearest_rotations(-matrices), rotations, atol=1e-5, rtol=0)


def test_topology_of_the_free_body() -> None:
    from engines.body.parameters import load_body
    from engines.body.topology import load_levels

    levels = load_levels(load_body())
    topology = Topology.of_body(levels)
    assert topology.adjacent.shape == (431, 431)
    edges = adjacency(levels.coarse[1].faces, 431).astype(bool)
    np.testing.assert_array_equal(topology.adjacent, edges | np.eye(431, dtype=bool))
    assert int(topology.blocked(14).sum()) == 431 * 431 - 431 - 2 * 1287
    assert topology.to_fine.columns.shape == (6890, 3)
    assert topology.to_middle is not None
    np.testing.assert_allclose(topology.to_middle.weights.sum(1), 1, atol=1e-5)


@torch.no_grad()
def test_in_bfloat16_the_vertices_stay_within_the_gate_and_the_rest_is_shared() -> None:
    network = filled("S")
    network.settle()
    brief = network.brief()
    exact, rounded = (read.from_features(formula.features()).fine for read in (network, brief))
    # The formula's mesh is no person: the gate for networks without a length of their own.
    off_mm = relative_error_mm([exact.numpy()], [rounded.numpy()])
    assert 0 < off_mm < LIMITS_MM["bf16"]
    assert brief.xyz_regressor.weight is network.xyz_regressor.weight
    assert isinstance(brief.transformer_1.decoder.layers[0].linear1, BriefLinear)
    assert network.transformer_1.decoder.layers[0].linear1.weight.dtype is torch.float32
