"""What a graph would compute anew in every run although it never changes: computed once, and kept as a number."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

ROUNDS = 4
"""A folded length lets the next shapes be known; more rounds find nothing more in our networks."""
LARGEST_RESULT = 4_000_000
"""Numbers in a folded result: one that is larger is cheaper to compute than to store."""
SPREADING = frozenset({"ConstantOfShape", "Expand", "Tile"})
"""Repeat what they are given: their results are kept where they are small alone."""
LARGEST_SPREAD = 10_000


def fold_constants(model: Any) -> Any:
    """Return the ONNX model with everything folded that depends on no input; the batch stays open.

    A traced graph asks for the length of every axis of every tensor; all but the batch are known beforehand.
    """
    import onnx

    for _ in range(ROUNDS):
        before = len(model.graph.node)
        _drop_identities(model.graph)
        model = onnx.shape_inference.infer_shapes(model, data_prop=True)
        _know_lengths(model.graph)
        _compute(model)
        _drop_unused(model.graph)
        if len(model.graph.node) == before:
            break
    del model.graph.value_info[:]
    return onnx.shape_inference.infer_shapes(model)


def _drop_identities(graph: Any) -> None:
    """Let users of a copy use the original."""
    outputs = {output.name for output in graph.output}
    original: dict[str, str] = {}
    for node in list(graph.node):
        for index, name in enumerate(node.input):
            node.input[index] = original.get(name, name)
        if node.op_type == "Identity" and node.output[0] not in outputs:
            original[node.output[0]] = node.input[0]
            graph.node.remove(node)


def _know_lengths(graph: Any) -> None:
    """Replace questions for a length by the length, where it is known."""
    shapes = {value.name: value.type.tensor_type.shape.dim for value in (*graph.value_info, *graph.input)}
    asked = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "Shape" and not node.attribute}
    numbers = _numbers(graph)
    for node in list(graph.node):
        if node.op_type == "Shape" and node.output[0] in asked:
            lengths = [_length(dim) for dim in shapes.get(node.input[0], [])]
            if lengths and None not in lengths:
                _replace(graph, node, np.array(lengths, np.int64))
        elif node.op_type == "Gather" and node.input[0] in asked and node.input[1] in numbers:
            known = shapes.get(asked[node.input[0]], [])
            chosen = [_length(known[int(i)]) if known else None for i in np.ravel(numbers[node.input[1]])]
            if None not in chosen:
                shape = numbers[node.input[1]].shape
                _replace(graph, node, np.array(chosen, np.int64).reshape(shape))


def _length(dim: Any) -> int | None:
    return int(dim.dim_value) if dim.HasField("dim_value") else None


def _numbers(graph: Any) -> dict[str, np.ndarray]:
    """Return the small constants by name."""
    from onnx import numpy_helper

    small = (tensor for tensor in graph.initializer if np.prod(tensor.dims) <= 64)
    found = {tensor.name: numpy_helper.to_array(tensor) for tensor in small}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            found[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
    return found


def _replace(graph: Any, node: Any, value: np.ndarray) -> None:
    from onnx import numpy_helper

    graph.initializer.append(numpy_helper.from_array(value, node.output[0]))
    graph.node.remove(node)


def _compute(model: Any) -> None:
    """Run all nodes that depend on constants alone, at once, and keep what the others need of them."""
    too_large: set[str] = set()
    while True:
        fixed, moving = _parted(model.graph, too_large)
        needed = _uses(moving, model.graph) & {name for node in fixed for name in node.output}
        values = _evaluate(model, fixed, sorted(needed))
        spread = {name for node in fixed if node.op_type in SPREADING for name in node.output}
        larger = {n for n, value in values.items() if value.size > (LARGEST_SPREAD if n in spread else LARGEST_RESULT)}
        if not larger:
            break
        too_large |= larger
    del model.graph.node[:]
    model.graph.node.extend(moving)
    _add_constants(model.graph, values)


def _parted(graph: Any, too_large: set[str]) -> tuple[list[Any], list[Any]]:
    """Return the nodes that depend on constants alone, and the others; results too large are left to be computed."""
    constant = {tensor.name for tensor in graph.initializer}
    fixed: list[Any] = []
    moving: list[Any] = []
    for node in graph.node:
        is_fixed = constant.issuperset(filter(None, node.input)) and too_large.isdisjoint(node.output)
        (fixed if is_fixed else moving).append(node)
        constant.update(node.output if is_fixed else ())
    return fixed, moving


def _evaluate(model: Any, nodes: list[Any], wanted: list[str]) -> dict[str, np.ndarray]:
    import onnx
    from onnx.reference import ReferenceEvaluator

    if not wanted:
        return {}
    used = _uses(nodes, None)
    part = onnx.helper.make_graph(
        nodes, "constants", [],
        [onnx.helper.make_value_info(name, onnx.TypeProto()) for name in wanted],
        [tensor for tensor in model.graph.initializer if tensor.name in used],
    )  # fmt: skip
    results = ReferenceEvaluator(onnx.helper.make_model(part, opset_imports=model.opset_import)).run(None, {})
    return {name: np.asarray(value) for name, value in zip(wanted, results, strict=True)}


def _add_constants(graph: Any, values: dict[str, np.ndarray]) -> None:
    from onnx import numpy_helper

    graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in values.items())


def _uses(nodes: Iterable[Any], graph: Any) -> set[str]:
    used = {name for node in nodes for name in node.input}
    return used | ({output.name for output in graph.output} if graph is not None else set())


def _drop_unused(graph: Any) -> None:
    """Drop nodes and constants whose results nobody takes."""
    nodes = list(graph.node)
    while True:
        used = _uses(nodes, graph)
        kept = [node for node in nodes if used.intersection(node.output)]
        if len(kept) == len(nodes):
            break
        nodes = kept
    del graph.node[:]
    graph.node.extend(nodes)
    kept_tensors = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept_tensors)
