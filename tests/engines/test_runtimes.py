"""The choice of a runtime: the order, the comparison with torch, one warning, and going on where one fails in use."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from small_network import Small, small_network
from torch import Tensor

from engines import Regions, build_engine
from engines.errors import RuntimeUnavailableError
from engines.runtime import graph_cache, parity, present, session
from engines.runtime.names import RUNTIMES, check_runtime
from engines.runtime.network import Network, relative_error_mm
from engines.runtime.session import Candidate, LastingSession, open_session
from engines.runtime.torch_session import TorchSession

ONES = np.ones((3, 4), np.float32), np.ones((3, 1), np.float32)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for module in (graph_cache, parity):
        monkeypatch.setattr(module, "cache_folder", lambda: tmp_path)
    return tmp_path


class Fake:
    """Computes as torch does but for an error, and fails at the n-th run."""

    def __init__(self, network: Network, name: str, error: float = 0.0, fails_at: int = 0) -> None:
        self.identity = f"{name} 1.0 {error}"
        self._torch, self._error, self._fails_at, self.runs = TorchSession(network.module), error, fails_at, 0

    def run(self, *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
        self.runs += 1
        if self.runs == self._fails_at:
            raise RuntimeError("the driver went away")
        return tuple(output + np.float32(self._error) for output in self._torch.run(*arrays))


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict]:
    """Arguments of a Fake by runtime; every runtime named there is present, all others but torch absent."""
    table: dict[str, dict] = {}

    def open_fake(network: Network, candidate: Candidate, *_: object) -> Fake:
        return Fake(network, candidate.runtime, **table[candidate.runtime])

    def find(name: str) -> str | None:
        runtime = next(r for r, modules in present.MODULES.items() if name in modules)
        return name if runtime in table or runtime == "torch" else None

    monkeypatch.setattr(session, "open_candidate", open_fake)
    monkeypatch.setattr(present, "find_spec", find)
    return table


def open_small(runtime: str = "auto") -> LastingSession:
    inputs = [torch.ones(1, 4), torch.ones(1, 1)]
    return open_session(Small(), inputs, ("points", "weights"), ("sums", "scaled"), "small", runtime)  # type: ignore[return-value]


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize(
    ("here", "expected"), [(["onnxruntime", "openvino"], "onnxruntime"), (["openvino"], "openvino"), ([], "torch")]
)
def test_auto_takes_the_first_that_is_here_and_says_why(
    here: list[str], expected: str, fakes: dict, caplog: pytest.LogCaptureFixture
) -> None:
    fakes.update({name: {} for name in here})
    with caplog.at_level(logging.INFO):
        assert open_small().runtime == expected
    assert f"small runs in {expected}" in caplog.text
    assert not warnings_of(caplog), "what is not installed is no fault"
    if expected != "onnxruntime":
        assert "onnxruntime is not installed" in caplog.text


def test_one_that_computes_something_else_is_refused_with_one_warning(
    fakes: dict, caplog: pytest.LogCaptureFixture
) -> None:
    fakes.update(onnxruntime={"error": 0.01}, openvino={"error": float("nan")})
    assert open_small().runtime == "torch"
    (warning,) = warnings_of(caplog)
    assert "onnxruntime (fp32) was refused: it differs from torch by" in warning
    assert "openvino (fp32) was refused: it differs from torch by nan mm" in warning
    assert warning.endswith("torch takes over")


def test_one_asked_for_by_name_is_not_replaced_at_the_start(fakes: dict) -> None:
    fakes.update(onnxruntime={"error": 0.01}, openvino={})
    with pytest.raises(RuntimeUnavailableError, match=r"differs from torch.*expected at most 0.1 mm; use another"):
        open_small("onnxruntime")
    with pytest.raises(RuntimeUnavailableError, match=r"tensorrt cannot be used on cpu: .* or use the runtime auto"):
        open_small("tensorrt")


@pytest.mark.parametrize("runtime", ["auto", "onnxruntime"])
def test_one_that_fails_in_use_is_replaced_and_nothing_is_lost(
    runtime: str, fakes: dict, caplog: pytest.LogCaptureFixture
) -> None:
    fakes.update(onnxruntime={"fails_at": 2 + 3})  # two runs are the comparison's
    network = open_small(runtime)
    expected = Small()(*map(torch.from_numpy, ONES))
    for _ in range(6):
        for ours, theirs in zip(network.run(*ONES), expected, strict=True):
            np.testing.assert_allclose(ours, theirs.detach().numpy(), atol=1e-6)
    assert network.runtime == "torch"
    (warning,) = warnings_of(caplog)
    assert "onnxruntime failed in use (RuntimeError: the driver went away); torch takes over" in warning


def test_the_next_one_is_compared_too(fakes: dict) -> None:
    fakes.update(onnxruntime={"fails_at": 3}, openvino={"error": 0.01})
    network = open_small()
    network.run(*ONES)
    assert network.runtime == "torch"


def test_what_torch_refuses_is_raised(fakes: dict) -> None:
    with pytest.raises(RuntimeError):
        open_small().run(np.ones((3, 5), np.float32), ONES[1])


def test_a_verdict_is_reached_once(fakes: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    fakes.update(onnxruntime={})
    measured = []
    real = parity.measure
    monkeypatch.setattr(parity, "measure", lambda *args: measured.append(args) or real(*args))
    for _ in range(3):
        open_small()
    fakes.update(onnxruntime={"error": 1e-6})  # another identity: a new version, say
    open_small()
    assert len(measured) == 2


def test_a_corrupted_graph_is_refused_and_made_again(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    onnx = pytest.importorskip("onnx")
    open_small("onnxruntime")
    (path,) = (folder / "graphs").glob("small-fp32-*")
    model = onnx.load_from_string(graph_cache.read_kept(path))
    weights = next(t for t in model.graph.initializer if list(t.dims) == [4, 4])
    weights.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(weights) * np.float32(1.01), weights.name))
    graph_cache.keep(path, model.SerializeToString())  # whole, its digest right: only the numbers tell
    with pytest.raises(RuntimeUnavailableError, match="differs from torch"):
        open_small("onnxruntime")
    np.testing.assert_allclose(open_small("onnxruntime").run(*ONES)[1], ONES[0])


def test_the_batch_of_the_example_is_not_in_the_graph() -> None:
    class Fixed(Small):
        def forward(self, points: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
            return self.layer(points).reshape(int(points.shape[0]), 4).sum(dim=1), points * weights

    with pytest.raises(RuntimeUnavailableError):
        LastingSession(small_network(Fixed()), [Candidate("onnxruntime")], "cpu", 1)


def test_a_module_that_cannot_be_exported_says_so() -> None:
    class Odd(Small):
        def forward(self, points: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
            return torch.linalg.eigvals(points.T @ points).real, points * weights

    with pytest.raises(RuntimeUnavailableError, match=r"onnxruntime \(fp32\) was refused: UnsupportedOperatorError"):
        LastingSession(small_network(Odd()), [Candidate("onnxruntime")], "cpu", 1)


def test_the_worst_output_counts() -> None:
    expected = [np.full((4, 3), 2.0), np.zeros(4)]
    assert relative_error_mm(expected, [expected[0] + 0.002, expected[1]]) == pytest.approx(1.0)
    assert relative_error_mm(expected, [expected[0], expected[1] + 0.002]) == pytest.approx(20.0)


@pytest.mark.parametrize("engine", ["deforhmr", "fastmetro", "deformer"])
def test_the_option_is_checked_in_every_engine(engine: str) -> None:
    with pytest.raises(ValueError, match=r"found 'onnx', expected auto, torch, onnxruntime, openvino or tensorrt"):
        build_engine(engine, {"runtime": "onnx"})
    with pytest.raises(ValueError, match="threads: found -1"):
        build_engine(engine, {"threads": -1})
    for runtime in RUNTIMES:
        check_runtime(runtime)


def test_an_engine_goes_on_where_its_runtime_fails(caplog: pytest.LogCaptureFixture) -> None:
    """As in a recording: pictures go in, the third run of each network fails, bodies go on coming out the same."""
    engine = build_engine("deforhmr")
    picture = np.full((256, 256, 3), 90, np.uint8)
    regions = Regions(np.full((1, 2), 128, np.float32), np.full(1, 200, np.float32), np.zeros(1, np.float32))
    first = engine.predict(picture, regions)
    for network in (engine._recovery._encoder, engine._network.session):  # type: ignore[attr-defined]
        real, network._session = network._session, _FailsAtThird(network._session)
        assert network.runtime == "onnxruntime"
        assert real is not network._session
    for _ in range(4):
        np.testing.assert_allclose(engine.predict(picture, regions).vertices, first.vertices, atol=1e-4)
    assert len(warnings_of(caplog)) == 2


@pytest.mark.runtimes
def test_openvino_tells_nobody(tmp_path: Path) -> None:
    """It leaves an identifier in the home folder, and a thread that sends, where it does."""
    if find_spec("openvino") is None:
        pytest.skip("openvino is not installed")
    code = (
        "import threading; from engines.runtime.openvino_session import import_openvino; import_openvino().Core();"
        "assert threading.active_count() == 1, threading.enumerate()"
    )
    environment = {k: v for k, v in os.environ.items() if k != "CI"} | {"HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


class _FailsAtThird:
    def __init__(self, real: session.NetworkSession) -> None:
        self._real, self._runs = real, 0

    def run(self, *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
        self._runs += 1
        if self._runs == 3:
            raise RuntimeError("lost")
        return self._real.run(*arrays)


@pytest.mark.runtimes
@pytest.mark.skipif(sys.platform == "win32", reason="a signal is another thing there")
def test_ctrl_c_is_no_crash_after_openvino_ends() -> None:
    """Two networks that end in the order they were made: each had a stack for signals of its own."""
    pytest.importorskip("openvino")
    code = (
        "import gc, signal\n"
        "from engines import build_engine\n"
        "engine = build_engine('deforhmr', {'runtime': 'openvino'})\n"
        "del engine\n"
        "gc.collect()\n"
        "try:\n"
        "    signal.raise_signal(signal.SIGINT)\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "interrupted\n"), done.stderr


@pytest.mark.parametrize(("error", "precision"), [(0.001, "bf16"), (0.01, "fp32")])
def test_torch_by_name_takes_the_brief_form_where_it_is_close_enough(
    error: float, precision: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Near(Small):
        def forward(self, points: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
            sums, scaled = super().forward(points, weights)
            return sums * (1 + error), scaled

    monkeypatch.setattr(session, "has_bfloat16", lambda: True)
    caplog.set_level(logging.INFO)
    network = small_network()
    opened = open_session(
        network.module, network.example_inputs, network.input_names, network.output_names, "near", "torch", brief=Near
    )
    exact = TorchSession(network.module).run(*ONES)[0]
    np.testing.assert_allclose(opened.run(*ONES)[0], exact * (1 + (error if precision == "bf16" else 0)), rtol=1e-6)
    assert len(warnings_of(caplog)) == (precision == "fp32")


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["fp16", "fp32"])
def test_a_recorded_graph_computes_what_torch_computes(precision: str, rng: np.random.Generator) -> None:
    if not torch.cuda.is_available():
        pytest.skip("torch finds no NVIDIA card")
    from engines.runtime.cuda_graph_session import CudaGraphSession

    network = small_network(key="graph")
    graph = CudaGraphSession(network, "cuda:0", precision)
    for rows in (3, 1, 8, 3):
        arrays = rng.normal(size=(rows, 4)).astype(np.float32), rng.normal(size=(rows, 1)).astype(np.float32)
        for ours, theirs in zip(graph.run(*arrays), TorchSession(network.module).run(*arrays), strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-2 if precision == "fp16" else 1e-5)
