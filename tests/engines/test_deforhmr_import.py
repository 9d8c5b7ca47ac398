"""The published trunks come in whole or not at all."""

from __future__ import annotations

import functools
import sys
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import smpl_levels_file as levels_file
import torch
from safetensors import safe_open
from test_deforhmr_paper import TINY, TINY_DECODER
from torch import Tensor

from engines.backbones.vit import VIT_H, VitConfig, VitTrunk
from engines.deforhmr import importing
from engines.deforhmr.importing import HMR2, VITPOSE, Imported, import_trunk, is_trunk, take_over
from engines.deforhmr.stored import load_paper
from engines.errors import WeightsError
from engines.layers import rotation6d
from mocap_app import cli

State = dict[str, Tensor]
ROOT = [1.0, 0, 0, -1, 0, 0]
"""SMPL's mean root in the interleaved layout."""
INTERLEAVED, CONCATENATED = [1.0, 0, 0, 1, 0, 0], [1.0, 0, 0, 0, 1, 0]


def random_trunk(prefix: str = "backbone.") -> State:
    torch.manual_seed(5)
    return {prefix + key: torch.randn(value.shape) * 0.3 for key, value in VitTrunk(TINY).state_dict().items()}


def vitpose() -> dict[str, Any]:
    head = {
        "keypoint_head.deconv_layers.0.weight": torch.zeros(4, 4, 4, 4),
        "keypoint_head.final_layer.bias": torch.zeros(17),
    }
    return {"meta": {"epoch": 210, "CLASSES": ["person"]}, "state_dict": OrderedDict(random_trunk() | head)}


def hmr2() -> dict[str, Any]:
    pose = torch.tensor(ROOT + INTERLEAVED * 23).reshape(1, 144)
    beside = {
        "smpl_head.transformer.to_token_embedding.weight": torch.zeros(8, 1), "smpl_head.init_body_pose": pose,
        "smpl_head.init_betas": torch.full((1, 10), 0.25), "smpl_head.init_cam": torch.tensor([[0.9, 0.0, 0.0]]),
        "discriminator.betas_fc1.weight": torch.zeros(2), "smpl.faces_tensor": torch.zeros(4, 3, dtype=torch.int64),
        "initialized": torch.tensor(True),
    }  # fmt: skip
    return {
        "epoch": 35, "global_step": 1_000_000, "pytorch-lightning_version": "1.8.1", "callbacks": {},
        "loops": {"fit_loop": {"n": [1, None]}}, "lr_schedulers": [],
        "optimizer_states": [{"state": {0: {"step": torch.tensor(3.0)}}, "param_groups": [{"lr": 1e-5}]}],
        "state_dict": OrderedDict(random_trunk() | beside),
    }  # fmt: skip


def brought(content: Any, tmp_path: Path) -> tuple[Imported, Path]:
    torch.save(content, tmp_path / "published.pth")
    target = tmp_path / "new" / "trunk.safetensors"
    done = import_trunk(tmp_path / "published.pth", target, TINY, TINY_DECODER)
    assert [p.name for p in target.parent.iterdir()] == [target.name]
    return done, target


def with_state(change: Callable[[State], object], make: Callable[[], dict[str, Any]] = vitpose) -> dict[str, Any]:
    content = make()
    change(content["state_dict"])
    return content


@torch.no_grad()
@pytest.mark.parametrize(("make", "source"), [
    (vitpose, VITPOSE), (hmr2, HMR2), (random_trunk, VITPOSE), (lambda: {"state_dict": random_trunk("")}, VITPOSE),
], ids=["vitpose", "hmr2", "bare", "without_prefix"])  # fmt: skip
def test_every_published_layout_answers_as_before(tmp_path: Path, make: Any, source: str) -> None:
    done, target = brought(make(), tmp_path)
    assert done.source == source
    expected = VitTrunk(TINY).eval()
    expected.load_state_dict(random_trunk(""))
    network = load_paper(target, untrained=True)
    images = torch.randn(2, 3, 64, 48)
    assert torch.equal(network.trunk(images), expected(images))
    with pytest.raises(WeightsError, match="holds the image trunk alone"):
        load_paper(target)


def test_what_lies_beside_is_left_behind_by_name(tmp_path: Path) -> None:
    done, _ = brought(vitpose(), tmp_path)
    assert done.left_behind == ("keypoint_head.deconv_layers.0.weight", "keypoint_head.final_layer.bias")
    assert (done.tensors, done.mean) == (len(random_trunk()), False)
    done, _ = brought(hmr2(), tmp_path)
    assert done.left_behind == (
        "smpl_head.transformer.to_token_embedding.weight", "discriminator.betas_fc1.weight", "smpl.faces_tensor",
        "initialized",
    )  # fmt: skip
    assert (done.tensors, done.mean) == (len(random_trunk()) + 3, True)


def named(key: str, value: Tensor) -> Callable[[State], object]:
    return lambda state: state.update({key: value})


@pytest.mark.parametrize(("change", "message"), [
    (lambda s: s.pop("backbone.blocks.1.attn.qkv.bias"), r"missing: backbone\.blocks\.1\.attn\.qkv\.bias;"),
    (lambda s: s.pop("backbone.pos_embed"), r"missing: backbone\.pos_embed;"),
    (lambda s: s.pop("backbone.last_norm.weight"), r"missing: backbone\.last_norm\.weight;"),
    (named("backbone.cls_token", torch.zeros(1, 1, 32)), r"unknown: backbone\.cls_token;"),
    (named("neck.weight", torch.zeros(1)), r"unknown: neck\.weight;"),
    (named("smpl.faces", torch.zeros(1)), r"unknown: smpl\.faces;"),
    (named("backbone.pos_embed", torch.zeros(1, 12, 32)),
     r"of the wrong shape: backbone\.pos_embed \(\[1, 12, 32\], expected \[1, 13, 32\]\)"),
    (named("backbone.last_norm.bias", torch.full((32,), float("inf"))), r"not finite: backbone\.last_norm\.bias"),
    (named("backbone.last_norm.bias", torch.zeros(32, dtype=torch.int32)), r"wrong type: backbone\.last_norm\.bias"),
    (lambda s: [s.pop(k) for k in list(s) if ".blocks.1." in k], r"missing: backbone\.blocks\.1.* and 7 more;"),
])  # fmt: skip
def test_a_key_that_does_not_belong_is_named(tmp_path: Path, change: Callable[[State], object], message: str) -> None:
    with pytest.raises(WeightsError, match=message):
        brought(with_state(change), tmp_path)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(("change", "message"), [
    (named("backbone.last_norm.weight", torch.zeros(768)),
     r"a trunk of 2 blocks, 768 wide; expected 2 blocks, 32 wide"),
    (named("backbone.blocks.7.norm1.bias", torch.zeros(32)), r"a trunk of 8 blocks, 32 wide; expected 2 blocks"),
    (named("backbone.blocks.0.mlp.experts.0.weight", torch.zeros(1)), r"is ViTPose\+, a mixture of experts"),
])  # fmt: skip
def test_another_size_is_refused(tmp_path: Path, change: Callable[[State], object], message: str) -> None:
    with pytest.raises(WeightsError, match=message):
        brought(with_state(change), tmp_path)


def test_precision_is_kept_and_loaded_as_single(tmp_path: Path) -> None:
    content = vitpose()
    content["state_dict"] = {key: value.half() for key, value in content["state_dict"].items()}
    content["state_dict"]["backbone.last_norm.bias"] = torch.zeros(32, dtype=torch.float64)
    _, target = brought(content, tmp_path)
    with safe_open(target, framework="pt") as file:
        assert file.get_tensor("trunk.pos_embed").dtype == torch.float16
        assert file.get_tensor("trunk.last_norm.bias").dtype == torch.float32
        assert file.metadata()["source"] == VITPOSE
    assert {p.dtype for p in load_paper(target, untrained=True).parameters()} == {torch.float32}


@pytest.mark.parametrize("numbers", [ROOT + INTERLEAVED * 23, [1.0, 0, 0, 0, -1, 0] + CONCATENATED * 23])
def test_the_mean_body_is_read_in_the_layout_that_gives_rotations(tmp_path: Path, numbers: list[float]) -> None:
    content = with_state(named("smpl_head.init_body_pose", torch.tensor([numbers]) * 1.2), hmr2)
    _, target = brought(content, tmp_path)
    network = load_paper(target, untrained=True)
    expected = torch.eye(3).repeat(24, 1, 1)
    expected[0] = torch.diag(torch.tensor([1.0, -1.0, -1.0]))
    torch.testing.assert_close(rotation6d.to_matrix(network.mean_rotations6d), expected)
    torch.testing.assert_close(network.mean_rotations6d, rotation6d.from_matrix(expected))
    assert torch.equal(network.mean_betas, torch.full((10,), 0.25))
    torch.testing.assert_close(network.mean_camera, torch.tensor([0.9, 0.0, 0.0]))


@pytest.mark.parametrize(("change", "message"), [
    (named("smpl_head.init_body_pose", torch.zeros(1, 144)), r"holds no rotations in either layout"),
    (named("smpl_head.init_betas", torch.zeros(1, 300)), r"of the wrong shape: smpl_head\.init_betas"),
    (lambda s: s.pop("smpl_head.init_cam"), r"missing: smpl_head\.init_cam;"),
])  # fmt: skip
def test_a_mean_body_that_is_none_is_refused(tmp_path: Path, change: Callable[[State], object], message: str) -> None:
    with pytest.raises(WeightsError, match=message):
        brought(with_state(change, hmr2), tmp_path)


def test_a_checkpoint_without_a_mean_body_starts_from_the_t_pose(tmp_path: Path) -> None:
    done, target = brought(with_state(lambda s: [s.pop(k) for k in list(s) if ".init_" in k], hmr2), tmp_path)
    assert (done.source, done.mean) == (HMR2, False)
    assert torch.equal(load_paper(target, untrained=True).mean_betas, torch.zeros(10))


def settings_class(monkeypatch: pytest.MonkeyPatch, module: str, name: str) -> type:
    made = type(name, (dict,), {"__module__": module})
    parts = module.split(".")
    for n in range(len(parts)):
        monkeypatch.setitem(sys.modules, ".".join(parts[: n + 1]), ModuleType(".".join(parts[: n + 1])))
    setattr(sys.modules[module], name, made)
    return made


def test_settings_of_a_training_run_are_read_without_their_class(tmp_path: Path) -> None:
    content = hmr2()
    with pytest.MonkeyPatch.context() as patch:
        made = settings_class(patch, "yacs.config", "CfgNode")
        settings = made(MODEL=made(IMAGE_SIZE=256, BBOX_SHAPE=[192, 256]))
        settings.__dict__.update({"__immutable__": True, "__deprecated_keys__": set(), "__renamed_keys__": {}})
        torch.save(content | {"hyper_parameters": {"cfg": settings}}, tmp_path / "hmr2.ckpt")
    assert import_trunk(tmp_path / "hmr2.ckpt", tmp_path / "t.safetensors", TINY, TINY_DECODER).source == HMR2
    assert "yacs" not in sys.modules


def test_any_other_class_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        made = settings_class(patch, "omegaconf.dictconfig", "DictConfig")
        torch.save(hmr2() | {"hyper_parameters": made(a=1)}, tmp_path / "other.ckpt")
    with pytest.raises(WeightsError, match=r"nothing in it was run: it names omegaconf\.dictconfig\.DictConfig;"):
        import_trunk(tmp_path / "other.ckpt", tmp_path / "t.safetensors", TINY)


@pytest.mark.parametrize("place", ["beside", "within"])
def test_a_file_with_code_is_refused_and_not_run(tmp_path: Path, place: str) -> None:
    trace = tmp_path / "was_run"
    content = hmr2()
    (content if place == "beside" else content["state_dict"])["backbone.harm"] = levels_file.Runs(trace)
    torch.save(content, tmp_path / "harm.ckpt")
    with pytest.raises(WeightsError, match=r"refused, nothing in it was run: it names (posix|nt)\.mkdir;"):
        import_trunk(tmp_path / "harm.ckpt", tmp_path / "t.safetensors", TINY)
    assert cli.run(["engines", "import", str(tmp_path / "harm.ckpt")]) == 2
    assert not trace.exists()


@pytest.mark.parametrize(("content", "message"), [
    ([1], "holds a list"), ({"state_dict": {"backbone.blocks.0.norm1.bias": "text"}}, "is a str; expected tensors"),
])  # fmt: skip
def test_other_content_is_refused(tmp_path: Path, content: object, message: str) -> None:
    torch.save(content, tmp_path / "other.pth")
    with pytest.raises(WeightsError, match=message):
        import_trunk(tmp_path / "other.pth", tmp_path / "t.safetensors", TINY)


def test_the_full_size_is_taken_over_key_by_key() -> None:
    """Zeros of the published shapes that take no memory, until they are taken over: so of the first block alone."""
    with torch.device("meta"):
        shapes = {key: value.shape for key, value in VitTrunk().state_dict().items()}
    large = {f"backbone.{key}": torch.zeros(()).expand(shape) for key, shape in shapes.items()}
    small = VitConfig(dim=1280, depth=1)
    state = {key: value for key, value in large.items() if ".blocks." not in key or ".blocks.0." in key}
    assert len(large) == 389
    assert len(take_over(state, small, Path("x"))) == 5 + 12
    with pytest.raises(WeightsError, match=r"missing: backbone\.blocks\.1\.norm1\.weight"):
        take_over(state, VIT_H, Path("x"))


@pytest.mark.parametrize(("keys", "expected"), [
    (["backbone.blocks.0.norm1.bias"], True), (["blocks.31.mlp.fc1.weight"], True), (["neck.blocks.0.a"], False),
    (["transformer_1.encoder.layers.0.norm1.bias", "backbone.stage2.0.a"], False), ([], False),
])  # fmt: skip
def test_a_trunk_is_known_by_its_blocks(keys: list[str], expected: bool) -> None:
    assert is_trunk(keys) is expected


@pytest.fixture
def small_cli(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command with the tests' sizes in place of ViT-H's."""
    small = functools.partial(import_trunk, config=TINY, decoder=TINY_DECODER)
    monkeypatch.setattr(importing, "import_trunk", small)


@pytest.mark.usefixtures("small_cli")
def test_the_command_sees_which_family_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save(vitpose(), tmp_path / "vitpose-h.pth")
    assert cli.run(["engines", "import", str(tmp_path / "vitpose-h.pth")]) == 0
    said = capsys.readouterr().out
    tensors = len(random_trunk())
    assert f"vitpose-h.safetensors: ViTPose's image trunk for DeforHMR (paper), {tensors} tensors taken over" in said
    assert "left behind: keypoint_head (2)" in said
    assert "no bodies until a decoder is trained" in said
    assert "Licence: Apache-2.0 (ViTPose);" in said
    torch.save(hmr2(), tmp_path / "epoch=35-step=1000000.ckpt")
    assert (
        cli.run(["engines", "import", str(tmp_path / "epoch=35-step=1000000.ckpt"), "--target", str(tmp_path / "t")])
        == 0
    )
    said = capsys.readouterr().out
    assert "left behind: smpl_head (1), discriminator (1), smpl (1), initialized (1)" in said
    assert "Licence: MIT (4D-Humans), and SMPL's licence, whose mean body it holds;" in said
    assert (tmp_path / "t").is_file()


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Return the one line that the command refuses with."""
    assert cli.run(["engines", "import", *map(str, arguments)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("mocap-app: error: ")
    assert said.count("\n") == 1
    return said


def test_the_command_says_what_does_not_belong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.pth"
    assert "checkpoint not found: looked for" in refused(capsys, file)
    torch.save(vitpose(), file)
    assert "expected it with FastMETRO alone; leave it away" in refused(capsys, file, "--topology", tmp_path / "m.npz")
    assert "expected 32 blocks, 1280 wide (ViTPose-H)" in refused(capsys, file)
    torch.save({"fc.weight": torch.zeros(1)}, file)
    assert (
        "is of no family known here, its keys are fc.weight; expected a published checkpoint of FastMETRO"
        in refused(capsys, file)
    )
    torch.save({"transformer_1.encoder.layers.0.norm1.bias": torch.zeros(1)}, file)
    assert "mesh_downsampling.npz" in refused(capsys, file)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.pth"]
