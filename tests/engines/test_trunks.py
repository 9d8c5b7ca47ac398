"""The published trunks: keys, sizes and arithmetic."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from engines.backbones.hrnet import HrnetTrunk
from engines.backbones.resnet import ResNetTrunk

KEYS = Path(__file__).resolve().parents[1] / "golden" / "fastmetro_keys.json"
CLASSIFIER = {"backbone.classifier.weight": [1000, 2048], "backbone.classifier.bias": [1000]}


def on_meta(trunk: type[nn.Module]) -> nn.Module:
    with torch.device("meta"):
        return trunk().eval()


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def gflops(module: nn.Module, size: int) -> float:
    with FlopCounterMode(display=False) as counter:
        assert module(torch.empty(1, 3, size, size, device="meta")).shape == (1, 2048, size // 32, size // 32)
    return counter.get_total_flops() / 1e9


def test_resnet50_is_the_published_size() -> None:
    trunk = on_meta(ResNetTrunk)
    assert count(trunk) == 23_508_032
    assert len(trunk.state_dict()) == 318
    assert gflops(trunk, 224) == pytest.approx(8.174, abs=0.01)  # 4.089 G multiply-adds less the classifier's 2 M


def test_hrnet_w64_is_the_published_size() -> None:
    trunk = on_meta(HrnetTrunk)
    assert count(trunk) + 1000 * 2048 + 1000 == 128_059_944
    assert gflops(trunk, 224) == pytest.approx(57.79, abs=0.01)


def test_hrnet_w64_has_the_published_keys() -> None:
    expected = json.loads(KEYS.read_text(encoding="utf-8"))["hrnet_w64_backbone"]
    shapes = {f"backbone.{key}": list(value.shape) for key, value in on_meta(HrnetTrunk).state_dict().items()}
    shapes |= CLASSIFIER
    assert len(shapes) == expected["entries"] == 1956
    lines = sorted(f"{key} {shape}\n" for key, shape in shapes.items())
    assert hashlib.sha256("".join(lines).encode()).hexdigest() == expected["sha256"]


def test_maps_of_every_stride() -> None:
    images = torch.empty(2, 3, 64, 96, device="meta")
    assert [tuple(m.shape) for m in on_meta(ResNetTrunk).maps(images)] == [
        (2, 256, 16, 24), (2, 512, 8, 12), (2, 1024, 4, 6), (2, 2048, 2, 3),
    ]  # fmt: skip
    assert [tuple(m.shape) for m in on_meta(HrnetTrunk).branches(images)] == [
        (2, 64, 16, 24), (2, 128, 8, 12), (2, 256, 4, 6), (2, 512, 2, 3),
    ]  # fmt: skip


@torch.no_grad()
def test_resnet50_computes_what_torchvision_computes() -> None:
    models = pytest.importorskip("torchvision.models", reason="torchvision comes with the extra yolo")
    torch.manual_seed(4)
    theirs = models.resnet50(weights=None).eval()
    for module in theirs.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.5, 1.5)
    ours = ResNetTrunk().eval()
    ours.load_state_dict({key: value for key, value in theirs.state_dict().items() if not key.startswith("fc.")})
    images = torch.randn(1, 3, 64, 64)
    expected = nn.Sequential(*list(theirs.children())[:-2])(images)
    torch.testing.assert_close(ours(images), expected)
