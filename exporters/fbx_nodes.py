"""The container of binary FBX 7.4: nodes with typed properties, header and footer.

The format has no published specification. What is written here is what Autodesk's own reader, Blender's two, three.js
and assimp agree on; `tests/exporters/test_readers_fbx.py` asks them.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

VERSION = 7400

Value = bool | int | np.int64 | float | str | bytes | np.ndarray
"""What a property may be: an `int` is written with 32 bits, an `np.int64` (an object's number, a time) with 64; text as
UTF-8; an array as it is typed: float64, float32, int32 or int64."""

_HEADER = b"Kaydara FBX Binary  \0\x1a\0" + struct.pack("<I", VERSION)
# Autodesk's reader checks these three against each other and gives an empty scene, without an error, when they do not
# fit. A fixed date with its own answer also makes the same take the same file.
FILE_ID = bytes.fromhex("28b32aebb624ccc2bfc8b02aa92bfcf1")
CREATION_TIME = "1970-01-01 10:00:00:000"
_FOOTER_ID = bytes.fromhex("fabcab09d0c8d466b176fb831cf7267e")
_FOOTER_END = bytes.fromhex("f85a8c6adef5d97eece90ce3758f290b")

_RECORD = struct.Struct("<IIIB")  # end offset, number of properties, their bytes, length of the name
_END_OF_LIST = b"\0" * _RECORD.size
_CLOSED_WHEN_EMPTY = ("AnimationStack", "AnimationLayer")
"""Nodes that end with an empty record even without children; assimp finds no animation otherwise."""
_ARRAY_CODES = {"<f8": b"d", "<f4": b"f", "<i8": b"l", "<i4": b"i"}
_SHORTEST_PACKED_BYTES = 128
_PACKING_LEVEL = 1
"""zlib's quickest: higher levels save a few per cent and take three times as long."""


@dataclass(slots=True)
class Node:
    """A record of the file: a name, properties already in bytes, and nodes below."""

    name: str
    properties: list[bytes] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)

    def add(self, name: str, *values: Value) -> Node:
        """Append a node below this one and return it."""
        child = node(name, *values)
        self.children.append(child)
        return child

    def add_encoded(self, name: str, *properties: bytes) -> None:
        """Append a node of properties that are bytes already (see `encode`), for arrays that many nodes repeat."""
        self.children.append(Node(name, list(properties)))

    def add_table(self, *rows: tuple[Value, ...]) -> None:
        """Append the table of an object's settings: rows of name, type, label, flags and values."""
        table = self.add("Properties70")
        for row in rows:
            table.add("P", *row)


def node(name: str, *values: Value) -> Node:
    """Return a node of these properties, without children."""
    return Node(name, [encode(v) for v in values])


def object_name(name: str, class_name: str) -> str:
    """Return the name as a binary file holds it, with its class behind."""
    return f"{name}\0\x01{class_name}"


def encode(value: Value) -> bytes:
    """Return one property: a letter for the type, then the value, little-endian.

    Raises:
        TypeError: the format has no such type.
    """
    match value:
        case bool():
            return struct.pack("<c?", b"C", value)
        case np.signedinteger():
            return struct.pack("<cq", b"L", int(value))
        case int():
            return struct.pack("<ci", b"I", value)
        case float():
            return struct.pack("<cd", b"D", value)
        case str():
            return _counted(b"S", value.encode())
        case bytes():
            return _counted(b"R", value)
        case np.ndarray():
            return _array(value)
    raise TypeError(f"value: found {type(value).__name__}, expected {Value}")


def _counted(code: bytes, content: bytes) -> bytes:
    return code + struct.pack("<I", len(content)) + content


def _array(values: np.ndarray) -> bytes:
    code = _ARRAY_CODES[values.dtype.newbyteorder("<").str]
    content = values.astype(values.dtype.newbyteorder("<")).tobytes()
    packed = zlib.compress(content, _PACKING_LEVEL) if len(content) > _SHORTEST_PACKED_BYTES else content
    is_packed = len(packed) < len(content)
    if not is_packed:
        packed = content
    return code + struct.pack("<III", values.size, is_packed, len(packed)) + packed


def file_bytes(nodes: Iterable[Node]) -> bytes:
    """Return a whole file of these top nodes."""
    out = bytearray(_HEADER)
    for top in nodes:
        _append(out, top)
    out += _END_OF_LIST
    out += _FOOTER_ID + bytes(4)
    out += bytes(16 - len(out) % 16)
    out += struct.pack("<I", VERSION) + bytes(120) + _FOOTER_END
    return bytes(out)


def _append(out: bytearray, written: Node) -> None:
    start, name = len(out), written.name.encode()
    properties = b"".join(written.properties)
    out += _RECORD.pack(0, len(written.properties), len(properties), len(name)) + name + properties
    for child in written.children:
        _append(out, child)
    if written.children or not written.properties or written.name in _CLOSED_WHEN_EMPTY:
        out += _END_OF_LIST
    struct.pack_into("<I", out, start, len(out))
