"""The parts of an FBX file around its objects: numbers, connections, and the sections that every file has."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from .coordinates import CM_PER_M
from .fbx_nodes import CREATION_TIME, FILE_ID, VERSION, Node, Value, file_bytes, node, object_name
from .fbx_time import CUSTOM_TIME_MODE, TIME_MODES

UNITS_PER_M = {"cm": CM_PER_M, "m": 1.0}
"""Unit of a file's lengths -> how many make a metre."""
SCENE_ROOT = np.int64(0)
_CREATOR = "mocap-app"
_FIRST_NUMBER = 1_000_001
_DOCUMENT = np.int64(99)


@dataclass(frozen=True, slots=True)
class SceneObject:
    """An object of the file, by its number, and the node that describes it."""

    number: np.int64
    node: Node


@dataclass(frozen=True, slots=True)
class StackSpan:
    """An animation stack that is in the file: its name and its last time, in ticks; the first is 0."""

    name: str
    stop: np.int64


class Scene:
    """Objects and their connections, in the order in which they were added."""

    def __init__(self) -> None:
        self._objects = Node("Objects")
        self._connections = Node("Connections")
        self._counts: Counter[str] = Counter()

    def add(self, kind: str, name: str, class_name: str, subclass: str) -> SceneObject:
        """Add an object, e.g. a "Model" called `name` of class "Model" and subclass "LimbNode"."""
        number = np.int64(_FIRST_NUMBER + self._counts.total())
        self._counts[kind] += 1
        return SceneObject(number, self._objects.add(kind, number, object_name(name, class_name), subclass))

    def connect(self, child: SceneObject, parent: SceneObject | None, prop: str | None = None) -> None:
        """Hang an object below another (None: below the scene's root), or drive that one's property `prop` with it."""
        ends = (child.number, SCENE_ROOT if parent is None else parent.number)
        if prop is None:
            self._connections.add("C", "OO", *ends)
        else:
            self._connections.add("C", "OP", *ends, prop)

    def to_bytes(self, unit: str, rate: Fraction, stacks: list[StackSpan]) -> bytes:
        """Return the whole file; `stacks` in the file's order, the first one active, as all readers have it."""
        return file_bytes(
            [
                _header_extension(), node("FileId", FILE_ID), node("CreationTime", CREATION_TIME),
                node("Creator", _CREATOR), _global_settings(unit, rate, max(s.stop for s in stacks)),
                _documents(stacks[0].name), Node("References"), self._definitions(), self._objects,
                self._connections, _takes(stacks),
            ]
        )  # fmt: skip

    def _definitions(self) -> Node:
        definitions = node("Definitions")
        definitions.add("Version", 100)
        definitions.add("Count", 1 + self._counts.total())
        for kind, count in {"GlobalSettings": 1, **self._counts}.items():
            definitions.add("ObjectType", kind).add("Count", count)
        return definitions


def _header_extension() -> Node:
    header = node("FBXHeaderExtension")
    header.add("FBXHeaderVersion", 1003)
    header.add("FBXVersion", VERSION)
    header.add("EncryptionType", 0)
    stamp = header.add("CreationTimeStamp")
    stamp.add("Version", 1000)
    parts = ("Year", "Month", "Day", "Hour", "Minute", "Second", "Millisecond")
    for part, value in zip(parts, (1970, 1, 1, 10, 0, 0, 0), strict=True):
        stamp.add(part, value)
    header.add("Creator", _CREATOR)
    information = header.add("SceneInfo", object_name("GlobalInfo", "SceneInfo"), "UserData")
    information.add("Type", "UserData")
    information.add("Version", 100)
    return header


def _global_settings(unit: str, rate: Fraction, stop: np.int64) -> Node:
    """Say: y up, facing +z, x to the performer's left (right-handed), the unit in centimetres, and the rate."""
    settings = node("GlobalSettings")
    settings.add("Version", 1000)
    axes = (("UpAxis", 1), ("FrontAxis", 2), ("CoordAxis", 0))
    rows: list[tuple[Value, ...]] = []
    for axis, number in axes:
        rows += [(axis, "int", "Integer", "", number), (f"{axis}Sign", "int", "Integer", "", 1)]
    unit_cm = CM_PER_M / UNITS_PER_M[unit]
    settings.add_table(
        *rows,
        ("OriginalUpAxis", "int", "Integer", "", -1),
        ("OriginalUpAxisSign", "int", "Integer", "", 1),
        ("UnitScaleFactor", "double", "Number", "", unit_cm),
        ("OriginalUnitScaleFactor", "double", "Number", "", unit_cm),
        ("TimeSpanStart", "KTime", "Time", "", np.int64(0)),
        ("TimeSpanStop", "KTime", "Time", "", stop),
        ("TimeMode", "enum", "", "", TIME_MODES.get(rate, CUSTOM_TIME_MODE)),
        ("CustomFrameRate", "double", "Number", "", float(rate)),
    )
    return settings


def _documents(active_stack: str) -> Node:
    documents = node("Documents")
    documents.add("Count", 1)
    document = documents.add("Document", _DOCUMENT, "", "Scene")
    document.add_table(("SourceObject", "object", "", ""), ("ActiveAnimStackName", "KString", "", "", active_stack))
    document.add("RootNode", SCENE_ROOT)
    return documents


def _takes(stacks: list[StackSpan]) -> Node:
    takes = node("Takes")
    takes.add("Current", stacks[0].name)
    for stack in stacks:
        take = takes.add("Take", stack.name)
        take.add("FileName", f"{stack.name.replace(' ', '_')}.tak")
        for span in ("LocalTime", "ReferenceTime"):
            take.add(span, np.int64(0), stack.stop)
    return takes
