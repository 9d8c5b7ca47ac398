"""One pose of everybody in a recording, read without the rest of it: for a small picture."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass

import numpy as np

from exporters.errors import ExportError
from exporters.files import read_take
from exporters.kinematics import forward_kinematics
from exporters.types import FloatArray, IntArray, Skeleton

from .headers import DAMAGED, array_header
from .recording import PersonFile, Recording

LATEST_ROW = 3000
"""Of a longer take this instant is shown: what lies before it has to be unpacked."""
LARGEST_BVH_BYTES = 3_000_000
"""Larger ones are not looked at: text is slow to read."""


@dataclass(frozen=True, slots=True, eq=False)
class Glance:
    """How a person stands at one instant."""

    number: int
    joints_m: FloatArray
    """`(J, 3)` float32, metres, world frame."""
    parents: IntArray
    """`(J,)` int32, -1 for the root."""
    head: int
    """Row of the head's joint, -1 where none is called so."""


def glance(recording: Recording) -> tuple[Glance, ...]:
    """Return how everybody stands in the middle of their time; who cannot be read is left out."""
    seen = []
    for person in recording.readable:
        try:
            seen.append(_of_npz(person) if person.path.suffix.lower() == ".npz" else _of_bvh(person))
        except (*DAMAGED, ExportError):
            continue
    return tuple(seen)


def _of_npz(person: PersonFile) -> Glance:
    row = min(person.frames // 2, LATEST_ROW)
    with zipfile.ZipFile(person.path) as archive:
        rotations, root = (_row(archive, name, row) for name in ("rotations_wxyz.npy", "root_translation_m.npy"))
        with archive.open("skeleton_offsets_m.npy") as file:
            offsets = np.lib.format.read_array(file, allow_pickle=False)
        with archive.open("parents.npy") as file:
            parents = np.lib.format.read_array(file, allow_pickle=False)
        with archive.open("joint_names.npy") as file:
            names = tuple(str(name) for name in np.lib.format.read_array(file, allow_pickle=False))
    return _seen(person.number, Skeleton("glance", names, parents, offsets), rotations, root)


def _seen(number: int, skeleton: Skeleton, rotations: np.ndarray, root: np.ndarray) -> Glance:
    joints_m = forward_kinematics(skeleton, rotations, root)
    heads = [n for n, name in enumerate(skeleton.joint_names) if name.lower().endswith("head")]
    return Glance(number, joints_m, skeleton.parents, heads[0] if heads else -1)


def _row(archive: zipfile.ZipFile, name: str, row: int) -> np.ndarray:
    """Return `array[row]` of an array stored row by row."""
    with archive.open(name) as file:
        shape, dtype = array_header(file)
        size = int(np.prod(shape[1:])) * dtype.itemsize
        file.read(row * size)
        return np.frombuffer(file.read(size), dtype).reshape(shape[1:])


def _of_bvh(person: PersonFile) -> Glance:
    if person.path.stat().st_size > LARGEST_BVH_BYTES:
        raise ValueError("too large to look at")
    take = read_take(person.path)
    row = len(take) // 2
    return _seen(person.number, take.skeleton, take.rotations_wxyz[row], take.root_translation[row])
