"""A graph in half precision where that pays: the numbers go in and out as float32.

The precision is written into the graph, for TensorRT 11 takes it from there alone. Matrix products and convolutions
are computed in half precision, and what only moves or adds up their results follows them. Norms, softmax, reductions,
where a map is sampled, and the few numbers that a head gives stay in single precision.
"""

from __future__ import annotations

from typing import Any

import numpy as np

HEAVY = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})
FOLLOWING = frozenset(
    {
        "Add", "Clip", "Concat", "DepthToSpace", "Div", "Erf", "Expand", "Flatten", "Gather", "GatherElements",
        "MaxPool", "Mul", "Pad", "Relu", "Reshape", "Resize", "Slice", "Split", "Squeeze", "Transpose", "Unsqueeze",
    }
)  # fmt: skip
"""In half precision where all they are given is."""
FIRST_INPUT_ALONE = frozenset({"Resize"})
"""Their other inputs are lengths and factors, never values."""
HEAD_WIDTH = 16
"""A matrix product of no more columns is a head: it costs nothing and its numbers are coordinates."""
SHAPING = frozenset({"Concat", "Flatten", "Reshape", "Sigmoid", "Squeeze", "Transpose", "Unsqueeze"})
"""What may stand between a head and what the graph gives."""
LARGEST_HALF = 65504.0


def to_half(model: Any) -> Any:
    """Return the ONNX model, constants folded before, with half precision inside."""
    return _Conversion(model).convert()


class _Conversion:
    def __init__(self, model: Any) -> None:
        import onnx

        self._onnx = onnx
        self._model = onnx.shape_inference.infer_shapes(model)
        graph = self._model.graph
        self._constants = {tensor.name: tensor for tensor in graph.initializer}
        floats = {t.name for t in graph.initializer if t.data_type == onnx.TensorProto.FLOAT}
        values = (*graph.value_info, *graph.input, *graph.output)
        self._floats = floats | {v.name for v in values if v.type.tensor_type.elem_type == onnx.TensorProto.FLOAT}
        self._outputs = {output.name for output in graph.output}
        self._heads = _last_heavy(graph)
        self._halves: set[str] = set()
        self._twins: dict[tuple[str, bool], str] = {}
        self._nodes: list[Any] = []

    def convert(self) -> Any:
        graph = self._model.graph
        for node in list(graph.node):
            half = self._is_half(node)
            self._give(node, half)
            self._nodes.append(node)
            self._take(node, half)
        del graph.node[:]
        graph.node.extend(self._nodes)
        used = {name for node in self._nodes for name in node.input}
        kept = [tensor for name, tensor in self._constants.items() if name in used]
        del graph.initializer[:]
        graph.initializer.extend(kept)
        del graph.value_info[:]
        return self._model

    def _is_half(self, node: Any) -> bool:
        if node.op_type in HEAVY:
            return not self._is_head(node)
        if node.op_type not in FOLLOWING:
            return False
        variable = [name for name in self._values(node) if name not in self._constants]
        return bool(variable) and all(name in self._halves for name in variable)

    def _is_head(self, node: Any) -> bool:
        if node.output[0] in self._heads:
            return True
        weight = self._constants.get(node.input[1])
        if node.op_type not in ("Gemm", "MatMul") or weight is None:
            return False
        turned = any(a.name == "transB" and a.i for a in node.attribute)
        return int(weight.dims[0 if turned else -1]) <= HEAD_WIDTH

    def _values(self, node: Any) -> list[str]:
        names = node.input[:1] if node.op_type in FIRST_INPUT_ALONE else node.input
        return [name for name in names if name in self._floats]

    def _give(self, node: Any, half: bool) -> None:
        """Let the node take its inputs in the precision it works in."""
        if node.op_type in ("Shape", "Cast"):
            return
        values = self._values(node)
        for index, name in enumerate(node.input):
            if name in values and (name in self._halves) != half:
                node.input[index] = self._twin(name, half)

    def _twin(self, name: str, half: bool) -> str:
        """Return the name of the same numbers in the other precision."""
        if (name, half) not in self._twins:
            twin = f"{name}_{'half' if half else 'single'}"
            self._twins[name, half] = twin
            if name in self._constants:
                self._constants[twin] = self._halved(name, twin)
            else:
                self._cast(name, twin, half)
        return self._twins[name, half]

    def _halved(self, name: str, twin: str) -> Any:
        numbers = self._onnx.numpy_helper.to_array(self._constants[name])
        clipped = np.clip(numbers, -LARGEST_HALF, LARGEST_HALF).astype(np.float16)
        return self._onnx.numpy_helper.from_array(clipped, twin)

    def _cast(self, name: str, result: str, half: bool) -> None:
        kind = self._onnx.TensorProto.FLOAT16 if half else self._onnx.TensorProto.FLOAT
        self._nodes.append(self._onnx.helper.make_node("Cast", [name], [result], name=f"to_{result}", to=kind))

    def _take(self, node: Any, half: bool) -> None:
        """Note what the node gives; an output of the whole graph is given back in single precision."""
        if not half:
            return
        for index, name in enumerate(node.output):
            if name in self._outputs:
                node.output[index] = inner = f"{name}_inner"
                self._cast(inner, name, half=False)
                self._twins[name, True] = inner
            else:
                self._halves.add(name)


def _last_heavy(graph: Any) -> set[str]:
    """Return the results of the matrix products and convolutions whose numbers the graph gives as they are.

    Pixels and metres: half precision knows pixels above 128 to an eighth.
    """
    maker = {name: node for node in graph.node for name in node.output}
    asked, heads = [output.name for output in graph.output], set()
    while asked:
        node = maker.get(asked.pop())
        if node is not None and node.op_type in HEAVY:
            heads.add(node.output[0])
        elif node is not None and node.op_type in SHAPING:
            asked.extend(node.input)
    return heads
