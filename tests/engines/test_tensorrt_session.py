"""The TensorRT session against a stand-in for the library: what it calls, in which order, with whose memory.

The stand-in computes with torch on the CPU, in the memory whose addresses it is given.
"""

from __future__ import annotations

import contextlib
import ctypes
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from small_network import Small, small_network

from engines.errors import RuntimeUnavailableError
from engines.runtime import graph_cache, parity, present, session, tensorrt_build, tensorrt_session
from engines.runtime.network import Trial
from engines.runtime.tensorrt_build import MOST_PEOPLE
from engines.runtime.tensorrt_session import TensorRtSession

pytest.importorskip("onnx")


class FakeContext:
    def __init__(self, calls: list[str]) -> None:
        self.calls = calls
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.addresses: dict[str, int] = {}
        self.accepts, self.works = True, True

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        self.calls.append(f"shape {name} {shape}")
        self.shapes[name] = shape
        return self.accepts

    def set_tensor_address(self, name: str, address: int) -> bool:
        self.calls.append(f"address {name}")
        self.addresses[name] = address
        return True

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        assert set(self.shapes) == {"points", "weights"}, "asked before all inputs had a shape"
        return self.shapes["points"][:1] if name == "sums" else self.shapes["points"]

    def execute_async_v3(self, stream: int) -> bool:
        self.calls.append(f"execute {stream}")
        outputs = Small()(self._memory("points"), self._memory("weights"))
        for name, tensor in zip(("sums", "scaled"), outputs, strict=True):
            array = np.ascontiguousarray(tensor.detach().numpy())
            ctypes.memmove(self.addresses[name], array.ctypes.data, array.nbytes)
        return self.works

    def _memory(self, name: str) -> torch.Tensor:
        count = int(np.prod(self.shapes[name]))
        numbers = (ctypes.c_float * count).from_address(self.addresses[name])
        return torch.from_numpy(np.array(numbers, np.float32).reshape(self.shapes[name]))


class FakeStream:
    cuda_stream = 77

    def __init__(self, calls: list[str]) -> None:
        self.calls = calls

    def synchronize(self) -> None:
        self.calls.append("synchronize")


class FakeLibrary:
    """The part of the library that is used; `plan` None stands for a graph that cannot be built."""

    __name__ = "tensorrt"
    __version__ = "11.4.0"
    NetworkDefinitionCreationFlag = SimpleNamespace(STRONGLY_TYPED=1)

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.context = FakeContext(self.calls)
        self.plan: bytes | None = b"a plan"
        self.loads, self.parses = True, True
        self.Logger = type("Logger", (), {"ERROR": 1, "__init__": lambda _, level: None})

    def Runtime(self, _: object) -> Any:
        engine = SimpleNamespace(create_execution_context=lambda: self.context)
        return SimpleNamespace(
            deserialize_cuda_engine=lambda plan: engine if self.loads and plan == self.plan else None
        )

    def Builder(self, _: object) -> Any:
        def build(network: Any, config: Any) -> bytes | None:
            self.calls.append("build")
            return self.plan

        profile = SimpleNamespace(set_shape=lambda name, *sizes: self.calls.append(f"profile {name} {sizes}"))
        tensor = {"points": (-1, 4), "weights": (-1, 1)}
        inputs = [SimpleNamespace(name=name, shape=shape) for name, shape in tensor.items()]
        cache = SimpleNamespace(serialize=lambda: b"timings")
        config = SimpleNamespace(
            add_optimization_profile=lambda _: self.calls.append("add profile"),
            create_timing_cache=lambda data: self.calls.append(f"timing cache {data!r}"),
            set_timing_cache=lambda cache, ignore_mismatch: True,
            get_timing_cache=lambda: cache,
        )
        network = SimpleNamespace(num_inputs=2, get_input=lambda index: inputs[index])
        return SimpleNamespace(
            create_network=lambda flags: self.calls.append(f"network {flags}") or network,
            create_builder_config=lambda: config,
            create_optimization_profile=lambda: profile,
            build_serialized_network=build,
        )

    def OnnxParser(self, *_: object) -> Any:
        return SimpleNamespace(parse=lambda graph: self.parses, num_errors=1, get_error=lambda _: "no such operator")


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeLibrary:
    library = FakeLibrary()
    for module in (graph_cache, parity, tensorrt_build):
        monkeypatch.setattr(module, "cache_folder", lambda: tmp_path)
    for module in (tensorrt_build, tensorrt_session):
        monkeypatch.setattr(module, "library", lambda: library)
    monkeypatch.setattr(tensorrt_session, "check_device", lambda device: None)
    monkeypatch.setattr(tensorrt_session, "describe_card", lambda device: "a card 8.9 driver 1")
    monkeypatch.setattr(tensorrt_session, "open_stream", lambda device: FakeStream(library.calls))
    monkeypatch.setattr(tensorrt_session, "on_stream", lambda stream: contextlib.nullcontext())
    return library


def arrays(rows: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(rows)
    return rng.normal(size=(rows, 4)).astype(np.float32), rng.normal(size=(rows, 1)).astype(np.float32)


@pytest.mark.parametrize("rows", [1, MOST_PEOPLE, 2 * MOST_PEOPLE + 3])
def test_numbers_come_back_in_order_also_in_parts(rows: int, fake: FakeLibrary) -> None:
    points, weights = arrays(rows)
    found = TensorRtSession(small_network(), "cpu", "fp32").run(points, weights)
    expected = Small()(torch.from_numpy(points), torch.from_numpy(weights))
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs.detach().numpy(), atol=1e-6)


def test_calls_come_in_the_order_that_the_library_wants(fake: FakeLibrary) -> None:
    opened = TensorRtSession(small_network(), "cpu", "fp32")
    fake.calls.clear()
    opened.run(*arrays(2))
    assert fake.calls == [
        "shape points (2, 4)", "address points", "shape weights (2, 1)", "address weights", "address sums",
        "address scaled", "execute 77", "synchronize",
    ]  # fmt: skip


def test_an_engine_is_typed_by_its_graph_profiled_and_built_once(fake: FakeLibrary) -> None:
    for _ in range(2):
        TensorRtSession(small_network(), "cpu", "fp32")
    assert fake.calls == [
        "network 2", "profile points ((1, 4), (1, 4), (8, 4))", "profile weights ((1, 1), (1, 1), (8, 1))",
        "add profile", "timing cache b''", "build",
    ]  # fmt: skip


def test_another_card_or_precision_is_another_engine_with_the_timings_so_far(
    fake: FakeLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    TensorRtSession(small_network(), "cpu", "fp32")
    TensorRtSession(small_network(), "cpu", "fp16")
    assert "timing cache b'timings'" in fake.calls
    monkeypatch.setattr(tensorrt_session, "describe_card", lambda device: "a card 8.9 driver 2")
    TensorRtSession(small_network(), "cpu", "fp32")
    assert fake.calls.count("build") == 3


@pytest.mark.parametrize(
    ("attribute", "message"),
    [("plan", "built no engine"), ("loads", "cannot load its engine"), ("parses", "no such op")],
)
def test_what_goes_wrong_at_the_start_is_said(attribute: str, message: str, fake: FakeLibrary) -> None:
    setattr(fake, attribute, None if attribute == "plan" else False)
    with pytest.raises(RuntimeUnavailableError, match=message):
        TensorRtSession(small_network(), "cpu", "fp32")


@pytest.mark.parametrize("attribute", ["accepts", "works"])
def test_a_refused_run_is_an_error(attribute: str, fake: FakeLibrary) -> None:
    opened = TensorRtSession(small_network(), "cpu", "fp32")
    setattr(fake.context, attribute, False)
    with pytest.raises(RuntimeError, match="TensorRT refused"):
        opened.run(*arrays(1))


def test_half_precision_comes_first_then_single_where_it_is_too_far(
    fake: FakeLibrary, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An engine that is a hundredth off in half precision, as a miscompiled one may be, is not used."""
    real = session.open_candidate
    opened: list[str] = []

    def open_candidate(network: Any, candidate: Any, device: str, threads: int) -> Any:
        opened.append(f"{candidate.runtime} {candidate.precision}")
        made = real(network, candidate, "cpu", threads)
        if candidate.precision == "fp16":
            good, made.run = made.run, lambda *given: tuple(output * 1.01 for output in good(*given))
        return made

    monkeypatch.setattr(session, "open_candidate", open_candidate)
    monkeypatch.setattr(present, "absence", lambda runtime, device: "")
    network = session.LastingSession(small_network(), session.ON_CUDA, "cuda:0", 1)
    assert opened == ["tensorrt fp16", "tensorrt fp32"]
    assert network.runtime == "tensorrt"
    (warning,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert "tensorrt (fp16) was refused: it differs from torch by" in warning


@pytest.mark.runtimes
def test_the_library_has_every_name_that_is_used() -> None:
    if find_spec("tensorrt_rtx") is None:
        pytest.skip("tensorrt-rtx is not installed")
    import tensorrt_rtx as trt

    used = {
        trt: "Builder Logger NetworkDefinitionCreationFlag OnnxParser Runtime __version__",
        trt.Logger: "ERROR",
        trt.NetworkDefinitionCreationFlag: "STRONGLY_TYPED",
        trt.Builder: "create_network create_builder_config create_optimization_profile build_serialized_network",
        trt.IBuilderConfig: "add_optimization_profile create_timing_cache set_timing_cache get_timing_cache",
        trt.INetworkDefinition: "num_inputs get_input",
        trt.ITensor: "name shape",
        trt.IOptimizationProfile: "set_shape",
        trt.OnnxParser: "parse num_errors get_error",
        trt.Runtime: "deserialize_cuda_engine",
        trt.ICudaEngine: "create_execution_context",
        trt.IExecutionContext: "set_input_shape set_tensor_address get_tensor_shape execute_async_v3",
        trt.ITimingCache: "serialize",
    }
    assert [
        f"{owner} {name}" for owner, names in used.items() for name in names.split() if not hasattr(owner, name)
    ] == []


def test_where_half_precision_is_known_to_be_too_far_it_is_not_tried(
    fake: FakeLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(present, "absence", lambda runtime, device: "")
    trial = Trial(lambda: [np.ones((2, 4), np.float32), np.ones((2, 1), np.float32)], half=False)
    tried: list[session.Candidate] = []
    monkeypatch.setattr(session, "open_verified", lambda _, candidate, *rest: tried.append(candidate) or (None, ""))
    inputs = [torch.ones(1, 4), torch.ones(1, 1)]
    session.open_session(Small(), inputs, ("points", "weights"), ("sums", "scaled"), "s", device="cuda:0", trial=trial)
    assert tried == [session.Candidate("tensorrt", "fp32")]
