"""Every network as an ONNX graph: whole and valid, nothing left to fold, and the numbers of torch in every runtime."""

from __future__ import annotations

from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exported import LIGHT, network_of
from torch import nn

from engines.runtime import graph_cache, openvino_session, parity, tensorrt_build
from engines.runtime.constants import SPREADING
from engines.runtime.export import export_graph
from engines.runtime.half_precision import HEAD_WIDTH
from engines.runtime.network import Network
from engines.runtime.onnxruntime_session import OnnxRuntimeSession
from engines.runtime.parity import LIMITS_MM, check_parity, measure
from engines.runtime.torch_session import TorchSession, one_torch_thread

onnx = pytest.importorskip("onnx")


HEAVY = [
    ("fastmetro", "S-R50"), ("fastmetro", "L-R50"), ("fastmetro", "S-H64"),
    ("deformer", "R50"), ("deformer", "W48-384"), ("deformer", "W48-6904"),
]  # fmt: skip
"""One of each kind: the other configurations differ from these in a number of layers or queries."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (graph_cache, parity, openvino_session, tensorrt_build):
        monkeypatch.setattr(module, "cache_folder", lambda: tmp_path)


@pytest.fixture(scope="module", params=[pytest.param(pair, id="-".join(filter(None, pair))) for pair in LIGHT])
def light(request: pytest.FixtureRequest) -> Network:
    return network_of(*request.param)


def operators(model: Any) -> Counter:
    return Counter(node.op_type for node in model.graph.node)


def test_the_graph_is_valid_and_folded(light: Network) -> None:
    check_graph(export_graph(light), light)


def check_graph(graph: bytes, network: Network) -> None:
    model = onnx.load_from_string(graph)
    onnx.checker.check_model(model, full_check=True)
    found = operators(model)
    assert not {"GridSample", "Constant", "Identity"} & set(found)
    numbers = {tensor.name for tensor in model.graph.initializer}
    left = [node for node in model.graph.node if numbers.issuperset(filter(None, node.input))]
    assert not [node.name for node in left if node.op_type not in SPREADING]
    assert [value.name for value in model.graph.input] == list(network.input_names)
    for value in (*model.graph.input, *model.graph.output):
        assert value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
        assert value.type.tensor_type.shape.dim[0].dim_param


def test_onnxruntime_computes_what_torch_computes(light: Network) -> None:
    assert check_parity(OnnxRuntimeSession(light, threads=1), light) < LIMITS_MM["fp32"]


def test_half_precision_is_in_the_graph(light: Network) -> None:
    """In the weights alone, as onnxruntime has it: on a CPU it computes between them in single precision."""
    if not light.trial.half:
        pytest.skip("known not to stand half precision")
    model = onnx.load_from_string(export_graph(light, "fp16"))
    kinds = {v.name: v.type.tensor_type.elem_type for v in onnx.shape_inference.infer_shapes(model).graph.value_info}
    kinds |= {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    heavy = [node for node in model.graph.node if node.op_type in ("Conv", "MatMul")]
    halves = [node for node in heavy if kinds.get(node.input[0]) == onnx.TensorProto.FLOAT16]
    assert len(halves) > 0.8 * len(heavy)
    for node in model.graph.node:
        if node.op_type in ("Softmax", "LayerNormalization", "ReduceMean", "InstanceNormalization"):
            assert kinds[node.input[0]] == onnx.TensorProto.FLOAT, node.name
    for value in (*model.graph.input, *model.graph.output):
        assert value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    session = OnnxRuntimeSession(light, threads=1, precision="fp16")
    assert 1e-4 < check_parity(session, light, "fp16") < LIMITS_MM["fp16"]


def test_rounding_between_the_layers_is_near(light: Network) -> None:
    """As a card does it: products of half precision, summed in single precision, and rounded."""
    layers = [m for m in light.module.modules() if isinstance(m, (nn.Conv2d, nn.Linear)) and _is_wide(m)]
    hooks = [layer.register_forward_pre_hook(lambda _, given: (given[0].half().float(),)) for layer in layers]
    hooks += [layer.register_forward_hook(lambda _, given, result: result.half().float()) for layer in layers]
    arrays = light.trial.inputs()
    with one_torch_thread():
        found = TorchSession(light.module).run(*arrays)
        for hook in hooks:
            hook.remove()
        error_mm = light.trial.error_mm(TorchSession(light.module).run(*arrays), found)
    assert (error_mm < LIMITS_MM["fp16"] / 2) == light.trial.half


def _is_wide(layer: nn.Module) -> bool:
    return not isinstance(layer, nn.Linear) or layer.out_features > HEAD_WIDTH


@pytest.mark.slow
@pytest.mark.parametrize("pair", HEAVY, ids="-".join)
def test_a_network_with_a_trunk(pair: tuple[str, str]) -> None:
    """Untrained; in half precision what it says means too little to be measured in millimetres."""
    network = network_of(*pair)
    check_graph(graph_cache.graph_of(network), network)
    assert measure(OnnxRuntimeSession(network, threads=2), network) < LIMITS_MM["fp32"]
    check_graph(export_graph(network, "fp16"), network)


@pytest.mark.runtimes
def test_openvino_computes_what_torch_computes(light: Network) -> None:
    if find_spec("openvino") is None:
        pytest.skip("openvino is not installed")
    session = openvino_session.OpenVinoSession(light, threads=1)
    assert measure(session, light) < LIMITS_MM["fp32"]


@pytest.mark.runtimes
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_tensorrt_builds_an_engine(light: Network, precision: str) -> None:
    """Needs no card: what the engine computes and how fast is not seen here."""
    if find_spec("tensorrt_rtx") is None:
        pytest.skip("tensorrt-rtx is not installed")
    plan = tensorrt_build.engine_of(light, precision, "no card")
    assert len(plan) > 1_000_000
    assert tensorrt_build.engine_of(light, precision, "no card") == plan, "the second time it is read"


@pytest.mark.slow
@pytest.mark.runtimes
@pytest.mark.parametrize("pair", [("fastmetro", "S-R50"), ("deformer", "R50")], ids="-".join)
def test_tensorrt_builds_a_network_with_a_trunk(pair: tuple[str, str]) -> None:
    """The smallest of each family: the largest take a minute each."""
    if find_spec("tensorrt_rtx") is None:
        pytest.skip("tensorrt-rtx is not installed")
    assert len(tensorrt_build.engine_of(network_of(*pair), "fp16", "no card")) > 50_000_000


def test_arrays_of_a_trial_are_what_the_network_takes(light: Network) -> None:
    arrays = light.trial.inputs()
    assert all(len(array) == 4 and array.dtype == np.float32 for array in arrays)
    assert [array.shape[1:] for array in arrays] == [tuple(tensor.shape[1:]) for tensor in light.example_inputs]
