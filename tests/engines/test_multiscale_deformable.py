"""Multi-scale deformable attention: against the published operator's output, its start, and its habits at borders."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest
import torch

from engines.layers.multiscale_deformable import (
    MultiscaleDeformableAttention,
    attend_levels,
)
from engines.layers.sampling import sample, sample_gathered

SIZES = ((64, 64), (32, 32), (16, 16), (8, 8), (1, 1))
SMALL = ((8, 8), (4, 4), (1, 1))


def parameters(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def plain(levels: int) -> MultiscaleDeformableAttention:
    """One head and point that hands through what it samples."""
    module = MultiscaleDeformableAttention(4, 1, levels, 1)
    with torch.no_grad():
        module.offsets.bias.zero_()
        for layer in (module.value, module.out):
            layer.weight.copy_(torch.eye(4))
    return module


def at_level(module: MultiscaleDeformableAttention, level: int) -> MultiscaleDeformableAttention:
    with torch.no_grad():
        module.weights.bias.copy_(torch.where(torch.arange(module.levels) == level, 0.0, -1e4))
    return module


@pytest.mark.parametrize("exporting", [False, True])
def test_agrees_with_the_published_operator(shared: Path, exporting: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.onnx, "is_in_onnx_export", lambda: exporting)
    case = np.load(shared / "golden" / "msda_core.npz")
    state = np.random.RandomState(zlib.crc32(b"msda-value"))
    values = torch.from_numpy(state.standard_normal((2, 5441, 4, 8)).astype(np.float32))
    sizes = [(int(h), int(w)) for h, w in case["shapes"]]
    assert tuple(sizes) == SIZES
    found = attend_levels(values, sizes, torch.from_numpy(case["locations"]), torch.from_numpy(case["weights"]))
    np.testing.assert_allclose(found.numpy(), case["output"], atol=1e-5)


@pytest.mark.parametrize("align_corners", [False, True])
def test_gathers_equal_the_sampling_operator_everywhere(align_corners: bool) -> None:
    torch.manual_seed(0)
    features = torch.randn(2, 3, 5, 7, dtype=torch.float64)
    grid = torch.rand(2, 40, 3, 2, dtype=torch.float64) * 6 - 3  # a third inside, the rest around
    grid[0, 0] = torch.tensor([[-1.0, -1.0], [1.0, 1.0], [0.0, -11.0]], dtype=torch.float64)
    found = sample_gathered(features, grid, align_corners)
    torch.testing.assert_close(found, sample(features, grid, align_corners), atol=1e-9, rtol=0)


def test_gathers_survive_what_is_no_number() -> None:
    grid = torch.full((1, 1, 2, 2), float("nan"))
    assert sample_gathered(torch.ones(1, 1, 4, 4), grid, True).shape == (1, 1, 1, 2)


def test_parameter_counts_are_the_published_modules() -> None:
    assert parameters(MultiscaleDeformableAttention(256, 8, 5, 4)) == 254_944
    assert parameters(MultiscaleDeformableAttention(256, 8, 4, 4)) == 230_272


def test_starts_as_a_star_with_equal_weights() -> None:
    module = MultiscaleDeformableAttention(256, 8, 5, 4)
    star = module.offsets.bias.detach().reshape(8, 5, 4, 2)
    steps = torch.arange(1.0, 5.0)
    for level in range(5):
        torch.testing.assert_close(star[0, level], torch.stack([steps, torch.zeros(4)], -1), atol=1e-5, rtol=0)
        torch.testing.assert_close(star[1, level], torch.stack([steps, steps], -1), atol=1e-5, rtol=0)
    assert not module.offsets.weight.any()
    assert not module.weights.weight.any()
    assert not module.weights.bias.any()


def test_a_step_of_one_cell_samples_the_next_cell() -> None:
    torch.manual_seed(0)
    memory = torch.randn(1, sum(h * w for h, w in SMALL), 4)
    first = 0
    for level, (height, width) in enumerate(SMALL[:2]):
        module = at_level(plain(len(SMALL)), level)
        cells = memory[0, first : first + height * width].reshape(height, width, 4)
        place = torch.tensor([[[(1 + 0.5) / width, (2 + 0.5) / height]]])
        step = torch.tensor([1 / width, 0.0])
        zero = torch.zeros(1, 1, 4)
        torch.testing.assert_close(module(zero, place, memory, SMALL)[0, 0], cells[2, 1], atol=1e-5, rtol=0)
        torch.testing.assert_close(module(zero, place + step, memory, SMALL)[0, 0], cells[2, 2], atol=1e-5, rtol=0)
        first += height * width


def test_the_whole_picture_fades_towards_the_border() -> None:
    module = at_level(plain(len(SMALL)), 2)
    memory = torch.ones(1, 81, 4)
    for place, expected in (((0.5, 0.5), 1.0), ((0.0, 0.5), 0.5), ((0.0, 0.0), 0.25), ((-0.6, 0.5), 0.0)):
        found = module(torch.zeros(1, 1, 4), torch.tensor([[place]]), memory, SMALL)
        torch.testing.assert_close(found, torch.full((1, 1, 4), expected), atol=1e-5, rtol=0)


def test_weights_share_one_softmax_over_levels_and_points() -> None:
    """With constant memory and points near the middle, the output is the memory: weights sum to one."""
    module = MultiscaleDeformableAttention(4, 2, 2, 3)
    with torch.no_grad():
        module.offsets.bias.mul_(0.1)
        module.weights.bias.normal_()
        for layer in (module.value, module.out):
            layer.weight.copy_(torch.eye(4))
    found = module(torch.zeros(1, 1, 4), torch.full((1, 1, 2), 0.5), torch.ones(1, 80, 4), SMALL[:2])
    torch.testing.assert_close(found, torch.ones(1, 1, 4), atol=1e-5, rtol=0)


def test_a_width_that_heads_cannot_share_is_refused() -> None:
    with pytest.raises(ValueError, match="found 10"):
        MultiscaleDeformableAttention(10, 4, 1, 1)
