"""The onnxruntime session and the cache of graphs: same numbers as torch, any batch, surviving damage and change."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from small_network import Small, small_network
from torch import Tensor, nn

from engines.errors import RuntimeUnavailableError
from engines.runtime import graph_cache
from engines.runtime.network import Network
from engines.runtime.onnxruntime_session import OnnxRuntimeSession
from engines.runtime.torch_session import one_torch_thread

pytest.importorskip("onnx")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(graph_cache, "cache_folder", lambda: tmp_path)
    return tmp_path / "graphs"


@pytest.fixture
def exports(monkeypatch: pytest.MonkeyPatch) -> list[nn.Module]:
    """What was exported, in order; the export itself is the real one."""
    seen: list[nn.Module] = []
    real = graph_cache.export_graph

    def counted(network: Network, precision: str) -> bytes:
        seen.append(network.module)
        return real(network, precision)

    monkeypatch.setattr(graph_cache, "export_graph", counted)
    return seen


def open_small(seed: int = 0, name: str = "small") -> OnnxRuntimeSession:
    return OnnxRuntimeSession(small_network(Small(seed), name), threads=1)


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
    open_small(name="one-two")
    assert len(list(folder.iterdir())) == 2


def test_precisions_live_side_by_side(folder: Path) -> None:
    network = small_network()
    sizes = [len(graph_cache.graph_of(network, precision)) for precision in ("fp32", "fp16")]
    assert sizes[0] != sizes[1]
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


@pytest.mark.skipif(os.name == "nt", reason="Windows does not keep POSIX permissions")
def test_no_half_written_file_stays(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no")

    monkeypatch.setattr(graph_cache.os, "replace", refuse)
    open_small()
    assert list(folder.glob("*.graph")) == []


def test_what_one_file_cannot_hold_is_refused_at_once() -> None:
    class Huge(Small):
        def __init__(self) -> None:
            super().__init__()
            self.more = nn.Parameter(torch.empty(600_000_000, device="meta"))

    with pytest.raises(RuntimeUnavailableError, match=r"takes 2\.4 GB; .*choose the runtime torch"):
        OnnxRuntimeSession(small_network(Huge()))


def test_a_card_that_onnxruntime_cannot_use_is_said() -> None:
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime was built for NVIDIA cards")
    with pytest.raises(RuntimeUnavailableError, match="install it in place of onnxruntime"):
        OnnxRuntimeSession(small_network(), device="cuda:0")


def test_a_traced_sampling_operator_is_refused() -> None:
    class Sampling(Small):
        def forward(self, points: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
            grid = points.reshape(-1, 1, 2, 2)
            sampled = nn.functional.grid_sample(torch.ones(1, 1, 4, 4).expand(len(points), -1, -1, -1), grid)
            return sampled.flatten(1).sum(1), points * weights

    with pytest.raises(ValueError, match="samples by GridSample; expected gathers"):
        OnnxRuntimeSession(small_network(Sampling()))


def test_onnxruntime_tells_nobody(tmp_path: Path) -> None:
    """It leaves an identifier and a queue of messages in the cache folder where it does."""
    code = (
        "import engines, onnxruntime; import numpy as np; from engines.runtime.onnxruntime_session import open_graph;"
        "from onnx import helper as h; v = [h.make_tensor_value_info(n, 1, [1]) for n in 'ab'];"
        "g = h.make_graph([h.make_node('Relu', ['a'], ['b'])], 'g', v[:1], v[1:]);"
        "m = h.make_model(g, opset_imports=[h.make_opsetid('', 17)], ir_version=10);"
        "open_graph(m.SerializeToString()).run(None, {'a': np.ones(1, np.float32)})"
    )
    environment = {k: v for k, v in os.environ.items() if k not in ("ORT_DISABLE_TELEMETRY", "CI")}
    environment |= {"XDG_CACHE_HOME": str(tmp_path), "HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_torch_gets_its_threads_back() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with one_torch_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_a_wide_network_gives_the_same_numbers_on_all_cores(rng: np.random.Generator) -> None:
    narrow = small_network(key="narrow")
    wide = replace(narrow, key="wide", wide=True)
    session = OnnxRuntimeSession(wide)
    assert (session._wide is not session._session) == ((os.cpu_count() or 1) > 1)
    points, weights = rng.normal(size=(6, 4)).astype(np.float32), rng.normal(size=(6, 1)).astype(np.float32)
    for ours, theirs in zip(session.run(points, weights), OnnxRuntimeSession(narrow).run(points, weights), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    for ours, theirs in zip(session.run(points[:1], weights[:1]), session.run(points, weights), strict=True):
        np.testing.assert_allclose(ours, theirs[:1], atol=1e-6)
