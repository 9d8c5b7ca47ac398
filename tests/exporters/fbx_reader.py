"""A small reader of binary FBX, strict about the container, for tests: it shares no code with the writer."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

ARRAYS = {"d": "<f8", "f": "<f4", "l": "<i8", "i": "<i4"}
NUMBERS = {"C": "<?", "I": "<i", "L": "<q", "D": "<d"}


@dataclass
class Read:
    name: str
    values: list[Any] = field(default_factory=list)
    children: list[Read] = field(default_factory=list)
    closed: bool = False

    def one(self, name: str) -> Read:
        found = self.all(name)
        assert len(found) == 1, f"{len(found)} nodes {name} below {self.name}"
        return found[0]

    def all(self, name: str) -> list[Read]:
        return [c for c in self.children if c.name == name]

    def table(self) -> dict[str, list[Any]]:
        return {p.values[0]: p.values[4:] for p in self.one("Properties70").children}


@dataclass
class Driven:
    """The curves of one property in one layer."""

    times: np.ndarray
    values: np.ndarray


class FbxFile:
    """The nodes of a file, and its objects and connections by number."""

    def __init__(self, path: Path) -> None:
        content = path.read_bytes()
        assert content[:23] == b"Kaydara FBX Binary  \0\x1a\0"
        assert struct.unpack_from("<I", content, 23) == (7400,)
        self.top = Read("top")
        at = 27
        while (node := read_node(content, at)) is not None:
            self.top.children.append(node[0])
            at = node[1]
        check_footer(content, at + 13)
        self.objects = {int(o.values[0]): o for o in self.top.one("Objects").children}
        self.links = [tuple(c.values) for c in self.top.one("Connections").children]

    def name(self, number: int) -> str:
        return self.objects[number].values[1].split("\0\x01")[0]

    def of(self, kind: str, subclass: str | None = None) -> list[int]:
        return [n for n, o in self.objects.items() if o.name == kind and subclass in (None, o.values[2])]

    def below(self, number: int, kind: str) -> list[int]:
        return [link[1] for link in self.links if link[2] == number and self.objects[link[1]].name == kind]

    def parent(self, number: int) -> int:
        parents = [link[2] for link in self.links if link[0] == "OO" and link[1] == number]
        models = [p for p in parents if p == 0 or self.objects[p].name == "Model"]
        assert len(models) == 1
        return models[0]

    def driven(self, stack: int, model: int, prop: str) -> Driven | None:
        (layer,) = self.below(stack, "AnimationLayer")
        groups = [link[1] for link in self.links if link[0] == "OP" and link[2] == model and link[3] == prop]
        groups = [g for g in groups if ("OO", g, layer) in self.links]
        if not groups:
            return None
        (group,) = groups
        curves = {link[3]: self.objects[link[1]] for link in self.links if link[0] == "OP" and link[2] == group}
        assert list(curves) == ["d|X", "d|Y", "d|Z"]
        times = [c.one("KeyTime").values[0] for c in curves.values()]
        assert (times[0] == times[1]).all()
        assert (times[0] == times[2]).all()
        return Driven(times[0], np.stack([c.one("KeyValueFloat").values[0] for c in curves.values()], axis=1))


def read_node(content: bytes, at: int) -> tuple[Read, int] | None:
    """Return the node at a place and the place behind it, or None for the end of a list."""
    end, count, size, name_size = struct.unpack_from("<IIIB", content, at)
    if end == 0:
        assert content[at : at + 13] == bytes(13)
        return None
    at += 13
    node = Read(content[at : at + name_size].decode())
    at += name_size
    stop = at + size
    for _ in range(count):
        value, at = read_value(content, at)
        node.values.append(value)
    assert at == stop, f"{node.name}: properties end at {at}, said to end at {stop}"
    while at < end:
        child = read_node(content, at)
        if child is None:
            node.closed = True
            at += 13
            break
        node.children.append(child[0])
        at = child[1]
    assert at == end, f"{node.name}: ends at {at}, said to end at {end}"
    assert node.closed or not node.children
    return node, end


def read_value(content: bytes, at: int) -> tuple[Any, int]:
    code = chr(content[at])
    at += 1
    if code in NUMBERS:
        return struct.unpack_from(NUMBERS[code], content, at)[0], at + struct.calcsize(NUMBERS[code])
    if code in "SR":
        (size,) = struct.unpack_from("<I", content, at)
        raw = content[at + 4 : at + 4 + size]
        return (raw.decode() if code == "S" else raw), at + 4 + size
    length, packed, size = struct.unpack_from("<III", content, at)
    raw = content[at + 12 : at + 12 + size]
    values = np.frombuffer(zlib.decompress(raw) if packed else raw, ARRAYS[code])
    assert len(values) == length
    return values, at + 12 + size


def check_footer(content: bytes, at: int) -> None:
    assert content[at + 16 : at + 20] == bytes(4)
    at += 20
    zeros = 16 - at % 16
    assert content[at : at + zeros] == bytes(zeros)
    at += zeros
    assert content[at : at + 4] == struct.pack("<I", 7400)
    assert content[at + 4 : at + 124] == bytes(120)
    assert len(content) == at + 124 + 16
