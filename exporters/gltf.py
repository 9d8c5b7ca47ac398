"""The binary side of glTF 2.0: accessors over one buffer, and the GLB container.

Sections of the specification (https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html): 3.6.2 accessors, 4.4 the
binary layout. Everything is little-endian and aligned to four bytes.
"""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

VERTICES = 34962
"""Target of a buffer view that holds vertex attributes."""
INDICES = 34963

_COMPONENTS = {"uint8": 5121, "uint16": 5123, "uint32": 5125, "float32": 5126}
_SHAPES: dict[tuple[int, ...], str] = {(): "SCALAR", (3,): "VEC3", (4,): "VEC4", (4, 4): "MAT4"}
_MAGIC, _VERSION, _JSON, _BIN = 0x46546C67, 2, 0x4E4F534A, 0x004E4942


class BinaryChunk:
    """Collects arrays and describes each as an accessor with a buffer view of its own."""

    def __init__(self) -> None:
        self.accessors: list[dict[str, Any]] = []
        self.views: list[dict[str, Any]] = []
        self._parts: list[bytes] = []
        self._length = 0

    def add(self, array: NDArray[Any], target: int | None = None, bounds: bool = False) -> int:
        """Append `(N, ...)` numbers and return the number of the accessor.

        Args:
            array: N scalars, vectors or 4 × 4 matrices (their rows are the columns of the specification's matrices).
            target: `VERTICES` or `INDICES` for what a mesh is drawn from.
            bounds: tell the least and the greatest, as the specification wants for positions and times.
        """
        view: dict[str, Any] = {"buffer": 0, "byteOffset": self._length, "byteLength": array.nbytes}
        if target is not None:
            view["target"] = target
        accessor = {
            "bufferView": len(self.views),
            "componentType": _COMPONENTS[array.dtype.name],
            "count": len(array),
            "type": _SHAPES[array.shape[1:]],
        }
        if bounds:
            rows = array.reshape(len(array), -1)
            accessor |= {"min": rows.min(axis=0).tolist(), "max": rows.max(axis=0).tolist()}
        self.views.append(view)
        self.accessors.append(accessor)
        self._append(np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
        return len(self.accessors) - 1

    def _append(self, data: bytes) -> None:
        padded = data + b"\0" * (-len(data) % 4)
        self._parts.append(padded)
        self._length += len(padded)

    def bytes(self) -> bytes:
        """Return all arrays as the buffer's bytes."""
        return b"".join(self._parts)


def glb(document: dict[str, Any], chunk: BinaryChunk) -> bytes:
    """Return a whole GLB file: the document, with the chunk's buffer, views and accessors, and the chunk itself."""
    binary = chunk.bytes()
    whole = document | {
        "buffers": [{"byteLength": len(binary)}],
        "bufferViews": chunk.views,
        "accessors": chunk.accessors,
    }
    text = json.dumps(whole, ensure_ascii=True, separators=(",", ":")).encode("ascii")
    text += b" " * (-len(text) % 4)
    total = 12 + 8 + len(text) + 8 + len(binary)
    head = struct.pack("<III", _MAGIC, _VERSION, total) + struct.pack("<II", len(text), _JSON)
    return head + text + struct.pack("<II", len(binary), _BIN) + binary
