"""The onnxruntime session: same numbers as torch, any batch, and a cache that survives damage and change."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engines.backbones.blazepose.load import load_pose_encoder
from engines.errors import RuntimeUnavailableError
from engines.runtime import graph_cache, onnxruntime_session
from engines.runtime.onnxruntime_session import OnnxRuntimeSession
from engines.runtime.torch_session import one_torch_thread

pytest.importorskip("onnx")
NAMES = (["points", "weights"], ["sums", "scaled"])


class Small(nn.Module):
    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4, bias=False)
        with torch.no_grad():
            self.layer.weight.copy_(torch.sin(torch.arange(16.0) + seed).reshape(4, 4))
        self.eval()

    def forward(self, points: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        return self.layer(points).sum(dim=1), points * weights


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(graph_cache, "cache_folder", lambda: tmp_path)
    return tmp_path / "graphs"


@pytest.fixture
def exports(monkeypatch: pytest.MonkeyPatch) -> list[nn.Module]:
    """What was exported, in order; the export itself is the real one."""
    seen: list[nn.Module] = []

    def counted(module: nn.Module, *rest: object) -> bytes:
        seen.append(module)
        return graph_cache.export_graph(module, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(onnxruntime_session, "export_graph", counted)
    return seen


def open_small(seed: int = 0, name: str = "small") -> OnnxRuntimeSession:
    return OnnxRuntimeSession(Small(seed), (torch.ones(2, 4), torch.ones(2, 1)), *NAMES, cache_key=name, threads=1)


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_any_batch_gives_the_numbers_of_torch(batch: int, rng: np.random.Generator) -> None:
    points = rng.normal(size=(batch, 4)).astype(np.float32)
    weights = rng.normal(size=(batch, 1)).astype(np.float32)
    with torch.inference_mode():
        expected = Small()(torch.from_numpy(points), torch.from_numpy(weights))
    found = open_small().run(points, weights)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-6)


def test_arrays_in_another_memory_order_are_read_right(rng: np.random.Generator) -> None:
    points = np.asfortranarray(rng.normal(size=(3, 4)).astype(np.float32))
    weights = np.ones((3, 1), np.float32)
    np.testing.assert_allclose(open_small().run(points, weights)[1], points)


def test_a_graph_is_exported_once(exports: list[nn.Module], folder: Path) -> None:
    for _ in range(2):
        open_small()
    assert len(exports) == 1
    assert [path.suffix for path in folder.iterdir()] == [".graph"]


def test_other_weights_are_another_graph(exports: list[nn.Module], folder: Path) -> None:
    first, second = open_small(0), open_small(1)
    ones = np.ones((1, 4), np.float32), np.ones((1, 1), np.float32)
    assert len(exports) == 2
    assert abs(first.run(*ones)[0][0] - second.run(*ones)[0][0]) > 1e-3
    assert len(list(folder.iterdir())) == 1, "the older graph of the same name should go"


def test_other_names_live_side_by_side(folder: Path) -> None:
    open_small(name="one")
    open_small(name="two")
    assert len(list(folder.iterdir())) == 2


@pytest.mark.parametrize("damage", [b"", b"\x00" * 40, b"cut"], ids=["empty", "zeros", "cut"])
def test_a_damaged_graph_is_made_again(damage: bytes, exports: list[nn.Module], folder: Path) -> None:
    open_small()
    (kept,) = folder.iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(whole[: len(whole) // 2] if damage == b"cut" else damage)
    open_small()
    assert len(exports) == 2
    assert kept.read_bytes() == whole


def test_a_folder_that_cannot_be_written_is_no_obstacle(folder: Path) -> None:
    folder.write_bytes(b"a file where the folder should be")
    assert len(open_small().run(np.ones((1, 4), np.float32), np.ones((1, 1), np.float32))) == 2


def test_a_module_that_cannot_be_exported_says_so() -> None:
    class Odd(Small):
        def forward(self, points: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
            return torch.linalg.eigvals(points.T @ points).real, points * weights

    with pytest.raises(RuntimeUnavailableError, match="choose the runtime torch"):
        OnnxRuntimeSession(Odd(), (torch.ones(2, 4), torch.ones(2, 1)), *NAMES, cache_key="odd")


def test_a_graph_that_computes_something_else_is_not_used() -> None:
    class Fickle(Small):
        def forward(self, points: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
            traced = 2.0 if torch.jit.is_tracing() else 1.0
            return self.layer(points).sum(dim=1), points * weights * traced

    with pytest.raises(RuntimeUnavailableError, match="differs from torch"):
        OnnxRuntimeSession(Fickle(), (torch.ones(2, 4), torch.ones(2, 1)), *NAMES, cache_key="fickle")


def test_the_pose_encoder_runs(rng: np.random.Generator) -> None:
    encoder = load_pose_encoder()
    names = list(encoder(torch.zeros(1, 3, 256, 256))._fields)
    session = OnnxRuntimeSession(encoder, (torch.rand(2, 3, 256, 256),), ["crops"], names, "encoder", threads=1)
    crops = rng.random((3, 3, 256, 256)).astype(np.float32)
    with torch.inference_mode():
        expected = encoder(torch.from_numpy(crops))
    for ours, theirs in zip(session.run(crops), expected, strict=True):
        scale = max(theirs.abs().max().item(), 0.1)
        np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-3 * scale)


@pytest.mark.skipif(os.name == "nt", reason="Windows does not keep POSIX permissions")
def test_no_half_written_file_stays(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no")

    monkeypatch.setattr(graph_cache.os, "replace", refuse)
    open_small()
    assert list(folder.glob("*.graph")) == []


def test_torch_gets_its_threads_back() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with one_torch_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
