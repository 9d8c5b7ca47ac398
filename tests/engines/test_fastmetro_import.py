"""Published checkpoints come in whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import fastmetro_formula as formula
import numpy as np
import pytest
import smpl_levels_file as levels_file
import torch
from torch import Tensor

from engines.body.smpl_levels import SparseRows
from engines.errors import WeightsError
from engines.fastmetro.config import FastMetroConfig
from engines.fastmetro.importing import CLASSIFIER, published_name, read_published, recognise, take_over
from engines.fastmetro.network import FastMetro
from engines.fastmetro.stored import load_network
from mocap_app import cli

FILE = Path("some_state_dict.bin")
S_R50 = FastMetroConfig(1, "resnet50")
GOLDEN = Path(__file__).resolve().parents[1] / "golden"


def on_meta(config: FastMetroConfig) -> FastMetro:
    with torch.device("meta"):
        return FastMetro(config, formula.topology())


def published(config: FastMetroConfig) -> dict[str, Tensor]:
    """Zeros of the published layout that take no memory."""
    return {
        published_name(key, config): torch.zeros((), dtype=value.dtype).expand(value.shape)
        for key, value in on_meta(config).state_dict().items()
    }


def entries(rows: SparseRows) -> levels_file.Entries:
    row, slot = np.nonzero(rows.weights)
    return row, rows.columns[row, slot], rows.weights[row, slot]


@pytest.fixture
def levels_npz(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The formula's mesh as the file a user would have."""
    path = tmp_path / "mesh_downsampling.npz"
    topology = formula.topology()
    assert topology.to_middle is not None
    fine, middle = entries(topology.to_fine), entries(topology.to_middle)
    levels_file.write(path, monkeypatch, topology.adjacent, fine, middle)
    return path


@pytest.mark.parametrize("config", [
    S_R50, FastMetroConfig(3, "hrnet_w64"), FastMetroConfig(3, "hrnet_w64", regressor=True),
    FastMetroConfig(2, "resnet50", table2=True),
])  # fmt: skip
def test_every_published_layout_is_recognised(config: FastMetroConfig) -> None:
    shapes = {key: tuple(value.shape) for key, value in published(config).items()}
    assert recognise(shapes, FILE) == config


def test_resnet_keys_are_the_releases_numbered_ones() -> None:
    state = published(S_R50)
    assert len(state) == 85 + 318
    for key in ("backbone.0.weight", "backbone.1.running_var", "backbone.4.0.conv1.weight",
                "backbone.4.0.downsample.0.weight", "backbone.7.2.bn3.num_batches_tracked"):  # fmt: skip
        assert key in state


@pytest.mark.parametrize(("change", "message"), [
    (lambda s: s.pop("xyz_regressor.bias"), r"missing: xyz_regressor\.bias;"),
    (lambda s: s.pop("backbone.4.0.conv1.weight"), r"missing: backbone\.4\.0\.conv1\.weight;"),
    (lambda s: s.update(extra=torch.zeros(1)), "unknown: extra;"),
    (lambda s: s.update({"cam_predictor.weight": torch.zeros(3, 64)}),
     r"of the wrong shape: cam_predictor\.weight \(\[3, 64\], expected \[3, 128\]\)"),
    (lambda s: s.update({"cam_predictor.bias": torch.tensor([0.0, float("nan"), 0.0])}),
     r"not finite: cam_predictor\.bias"),
    (lambda s: s.update({"cam_predictor.bias": torch.zeros(3, dtype=torch.int64)}),
     r"of the wrong type: cam_predictor\.bias"),
    (lambda s: s.update({"backbone.classifier.weight": torch.zeros(1000, 2048)}),
     r"unknown: backbone\.classifier\.weight"),
    (lambda s: [s.pop(k) for k in list(s) if k.startswith("transformer_2.")], r"missing: transformer_2.* more;"),
])  # fmt: skip
def test_a_key_that_does_not_belong_is_named(change, message: str) -> None:
    state = published(S_R50)
    change(state)
    with pytest.raises(WeightsError, match=message):
        take_over(state, on_meta(S_R50), FILE)


def test_only_hrnets_own_classifier_is_left_behind() -> None:
    config = FastMetroConfig(3, "hrnet_w64")
    network = on_meta(config)
    state = published(config)
    assert len(state) == 205 + 1956 - 2
    state |= {key: torch.zeros(()).expand(shape) for key, shape in CLASSIFIER.items()}
    state["backbone.classifier.bias"] = torch.zeros(10)
    with pytest.raises(WeightsError, match=r"wrong shape: backbone\.classifier\.bias \(\[10\], expected \[1000\]\)"):
        take_over(state, network, FILE)


def test_the_hand_network_is_refused_politely() -> None:
    shapes = {"joint_token_embed.weight": (21, 512), "vertex_token_embed.weight": (195, 512)}
    with pytest.raises(WeightsError, match=r"hand network.*expected a body network"):
        recognise(shapes, FILE)


@pytest.mark.parametrize("shapes", [
    {}, {"fc.weight": (1, 1)}, {f"transformer_1.encoder.layers.{n}.norm1.bias": (512,) for n in range(4)},
])  # fmt: skip
def test_another_network_is_refused(shapes: dict[str, tuple[int, ...]]) -> None:
    with pytest.raises(WeightsError, match="expected FastMETRO's 1, 2 or 3"):
        recognise(shapes, FILE)


def test_a_file_with_code_is_refused_and_not_run(tmp_path: Path) -> None:
    trace = tmp_path / "was_run"
    torch.save({"cam_predictor.bias": levels_file.Runs(trace)}, tmp_path / "harm.bin")
    with pytest.raises(WeightsError, match=r"refused, nothing in it was run: it names (posix|nt)\.mkdir;") as refused:
        read_published(tmp_path / "harm.bin")
    assert not trace.exists()
    assert "weights_only" not in str(refused.value), "the message must not teach how to run the file"
    torch.save({"cam_predictor.bias": SparseRows}, tmp_path / "class.bin")
    with pytest.raises(WeightsError, match=r"it names engines\.body\.smpl_levels\.SparseRows;"):
        read_published(tmp_path / "class.bin")


@pytest.mark.parametrize(("content", "message"), [
    ([1, 2], "holds a list"),
    ({"epoch": 3, "state_dict": {}}, "entry 'epoch' is a int"),
    ({7: torch.zeros(1)}, "entry 7 is a Tensor"),
    ({"a": torch.zeros(2).to_sparse()}, "entry 'a' is a Tensor"),
])  # fmt: skip
def test_other_content_is_refused(tmp_path: Path, content: object, message: str) -> None:
    torch.save(content, tmp_path / "other.bin")
    with pytest.raises(WeightsError, match=message):
        read_published(tmp_path / "other.bin")


def test_an_absent_or_damaged_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"checkpoint not found.*FastMETRO-L-H64_3dpw_state_dict\.bin"):
        read_published(tmp_path / "absent.bin")
    for content in (b"", b"\x80\x02garbage", b"PK\x03\x04 no archive"):
        (tmp_path / "damaged.bin").write_bytes(content)
        with pytest.raises(WeightsError, match="was refused"):
            read_published(tmp_path / "damaged.bin")


def test_levels_are_asked_for_before_the_checkpoint_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["engines", "import", str(tmp_path / "a.bin")]) == 2
    said = capsys.readouterr().err
    assert "mesh_downsampling.npz" in said
    assert "GraphCMR" in said
    assert cli.run(["engines", "import"]) == 2


def imported(config: FastMetroConfig, tmp_path: Path, levels_npz: Path) -> FastMetro:
    """Save a checkpoint of the published layout, bring it in by the command, load what was written."""
    state = {
        key: formula.weight(key, tuple(value.shape)) if not key.startswith("backbone.") else value.clone()
        for key, value in published(config).items()
    }
    if config.trunk == "hrnet_w64":
        state |= {key: torch.zeros(shape) for key, shape in CLASSIFIER.items()}
    torch.save(state, tmp_path / "some_state_dict.bin")
    target = tmp_path / "new" / "fastmetro.safetensors"
    done = cli.run(["engines", "import", str(tmp_path / "some_state_dict.bin"), "--target", str(target)])
    assert done == 0
    assert [p.name for p in target.parent.iterdir()] == [target.name]
    return load_network(target)[0]


@torch.no_grad()
def test_an_imported_network_answers_as_the_published_one(
    tmp_path: Path, levels_npz: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = imported(S_R50, tmp_path, levels_npz)
    assert "FastMETRO-S-R50, 403 tensors" in capsys.readouterr().out
    assert network.config == S_R50
    assert not network.training
    read = network.from_features(formula.features())
    expected = json.loads((GOLDEN / "fastmetro_formula.json").read_text(encoding="utf-8"))["S"]
    np.testing.assert_allclose(read.camera, expected["pred_cam"]["all"], atol=1e-4)
    np.testing.assert_allclose(read.joints[0], expected["pred_3d_joints"]["sample0"], atol=1e-4)
    for name, vertices in (("intermediate", read.middle), ("fine", read.fine)):
        part = expected[f"pred_3d_vertices_{name}"]
        np.testing.assert_allclose(vertices.flatten()[:4], part["first4"], atol=1e-4)
        np.testing.assert_allclose(vertices.flatten()[-4:], part["last4"], atol=1e-4)
    assert network(torch.zeros(1, 3, 224, 224)).fine.shape == (1, 6890, 3)


@pytest.mark.slow
@torch.no_grad()
def test_the_largest_network_comes_in_too(tmp_path: Path, levels_npz: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = FastMetroConfig(3, "hrnet_w64", regressor=True)
    network = imported(config, tmp_path, levels_npz)
    said = capsys.readouterr().out
    assert f"FastMETRO-L-H64, {242 + 1954} tensors" in said
    assert "left behind: backbone.classifier.weight, backbone.classifier.bias" in said
    read = network.from_features(formula.features())
    expected = json.loads((GOLDEN / "fastmetro_formula.json").read_text(encoding="utf-8"))["L"]
    np.testing.assert_allclose(read.camera, expected["pred_cam"]["all"], atol=1e-4)
    assert read.parameters is not None
    np.testing.assert_allclose(read.parameters.betas, expected["pred_betas"]["all"], atol=1e-4)
    assert network(torch.zeros(1, 3, 224, 224)).fine.shape == (1, 6890, 3)


def test_a_file_of_another_kind_is_no_network(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"a": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match="its format is None"):
        load_network(tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match="could not be read"):
        load_network(tmp_path / "absent.safetensors")


def test_a_stored_network_comes_back_with_its_levels(tmp_path: Path) -> None:
    from engines.fastmetro.stored import save_network

    config = FastMetroConfig(1, table2=True, widths=(32, 16), feature_channels=8)
    network = FastMetro(config, formula.topology()).eval()
    save_network(tmp_path / "n.safetensors", config, formula.topology(), network.state_dict())
    again = load_network(tmp_path / "n.safetensors")[0]
    features = torch.randn(1, 8, 7, 7)
    with torch.no_grad():
        torch.testing.assert_close(again.from_features(features).fine, network.from_features(features).fine)
