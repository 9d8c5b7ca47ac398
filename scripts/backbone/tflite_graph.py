"""Reads the convolutions of a .tflite file (pip install tflite): constants decoded, dead branches left out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tflite
from numpy.typing import NDArray

Constant = NDArray[np.generic]
OPERATOR_NAMES = {value: name for name, value in vars(tflite.BuiltinOperator).items() if isinstance(value, int)}
TYPES = {tflite.TensorType.FLOAT32: np.float32, tflite.TensorType.FLOAT16: np.float16}
# Members of the SparseIndexVector union.
INDEX_VECTORS = {1: tflite.Int32Vector, 2: tflite.Uint16Vector, 3: tflite.Uint8Vector}
CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")


@dataclass(frozen=True, slots=True)
class Convolution:
    """One convolution in torch's layout: `weight (out, in / groups, h, w)`, `bias (out,)`."""

    weight: Constant
    bias: Constant


class Graph:
    """One model file and the order of its operators."""

    def __init__(self, path: Path) -> None:
        self.model = tflite.Model.GetRootAsModel(path.read_bytes(), 0)
        self.graph = self.model.Subgraphs(0)
        self.operators = [self.graph.Operators(i) for i in range(self.graph.OperatorsLength())]
        self.producers = {int(t): op for op in self.operators for t in op.OutputsAsNumpy()}

    def kind(self, operator: tflite.Operator) -> str:
        """Return the name of an operator."""
        code = self.model.OperatorCodes(operator.OpcodeIndex())
        return OPERATOR_NAMES[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]

    def convolutions(self, dropped_shapes: tuple[tuple[int, ...], ...] = ()) -> list[Convolution]:
        """Return the convolutions in file order that the outputs depend on.

        Args:
            dropped_shapes: Outputs of these shapes do not count.
        """
        outputs = [int(t) for t in self.graph.OutputsAsNumpy() if self.shape(t) not in dropped_shapes]
        needed = self.ancestors(outputs)
        wanted = [op for op in self.operators if self.kind(op) in CONVOLUTIONS and int(op.Outputs(0)) in needed]
        return [self.convolution(op) for op in wanted]

    def ancestors(self, tensors: list[int]) -> set[int]:
        """Return the tensors that `tensors` are computed from, with themselves."""
        found, open_ends = set(), list(tensors)
        while open_ends:
            tensor = open_ends.pop()
            if tensor not in found:
                found.add(tensor)
                if tensor in self.producers:
                    open_ends += [int(t) for t in self.producers[tensor].InputsAsNumpy()]
        return found

    def convolution(self, operator: tflite.Operator) -> Convolution:
        """Return an operator's weights, transposed from TensorFlow's layout."""
        weight, bias = (self.constant(int(operator.Inputs(i))) for i in (1, 2))
        axes = (3, 0, 1, 2) if self.kind(operator) == "DEPTHWISE_CONV_2D" else (0, 3, 1, 2)
        return Convolution(np.ascontiguousarray(weight.transpose(axes)), bias)

    def shape(self, tensor: int) -> tuple[int, ...]:
        """Return a tensor's shape."""
        table = self.graph.Tensors(tensor)
        return tuple(int(n) for n in table.ShapeAsNumpy()) if table.ShapeLength() else ()

    def constant(self, tensor: int) -> Constant:
        """Return a constant, looking through DEQUANTIZE and DENSIFY; the stored precision is kept."""
        while tensor in self.producers:
            tensor = int(self.producers[tensor].Inputs(0))
        table = self.graph.Tensors(tensor)
        values = np.frombuffer(self.model.Buffers(table.Buffer()).DataAsNumpy().tobytes(), TYPES[table.Type()])
        sparsity = table.Sparsity()
        return values.reshape(self.shape(tensor)) if sparsity is None else densify(values, sparsity, self.shape(tensor))


def densify(values: Constant, sparsity: tflite.SparsityParameters, shape: tuple[int, ...]) -> Constant:
    """Return the dense form of a sparse tensor.

    The format (TensorFlow Lite schema, `SparsityParameters`) is a tree over the axes in their order: a dense axis
    has all its children, a sparse one those that its segments and indices name.
    """
    if sparsity.BlockMapLength() or list(sparsity.TraversalOrderAsNumpy()) != list(range(len(shape))):
        raise ValueError("found a sparse tensor in blocks or in another order of axes; expected plain row order")
    places = np.zeros(1, np.int64)
    for axis, size in enumerate(shape):
        metadata = sparsity.DimMetadata(axis)
        if metadata.Format() == tflite.DimensionType.DENSE:
            places = (places[:, None] * size + np.arange(size)).reshape(-1)
            continue
        segments = index_vector(metadata.ArraySegments(), metadata.ArraySegmentsType())
        indices = index_vector(metadata.ArrayIndices(), metadata.ArrayIndicesType())
        places = np.repeat(places, np.diff(segments)) * size + indices
    dense = np.zeros(int(np.prod(shape)), values.dtype)
    dense[places] = values
    return dense.reshape(shape)


def index_vector(table: object, kind: int) -> NDArray[np.int64]:
    """Return one member of the SparseIndexVector union."""
    vector = INDEX_VECTORS[kind]()
    vector.Init(table.Bytes, table.Pos)  # type: ignore[attr-defined]
    return vector.ValuesAsNumpy().astype(np.int64)
