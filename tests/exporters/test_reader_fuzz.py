"""Damaged files and packets: each of our readers either reads them or says in its own words what is wrong."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from vrm_files import write_vrm

from exporters import ExportError, Pose, VmcOptions, forward_kinematics, read_rig, read_take, write_take
from exporters.journal import TakeJournal
from exporters.osc_traffic import OscTraffic
from exporters.vmc_encoder import VmcEncoder
from exporters.vrm import read_vrm

FUZZ = settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
damages = st.tuples(
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=6),
    st.one_of(st.none(), st.floats(0, 1)),
)
"""Bytes that are replaced, by their place in the file, and how much of it is there."""


def damaged(content: bytes, damage: tuple[list[tuple[float, int]], float | None]) -> bytes:
    changed = bytearray(content)
    for place, byte in damage[0]:
        changed[int(place * len(changed))] = byte
    return bytes(changed if damage[1] is None else changed[: int(damage[1] * len(changed))])


def write_native(take, path: Path) -> None:
    write_take(take, path)


def write_journal(take, path: Path) -> None:
    with TakeJournal(path, take.skeleton, {}) as journal:
        for t in range(len(take)):
            journal.append(Pose(take.rotations_wxyz[t], take.root_translation[t], int(take.timestamps_ns[t]), 1))


def read_motion(path: Path) -> None:
    take = read_take(path)
    assert forward_kinematics(take.skeleton, take.rotations_wxyz, take.root_translation).shape[0] == len(take)


READERS: dict[str, tuple[Callable, Callable]] = {
    ".npz": (write_native, read_motion),
    ".journal": (write_journal, read_motion),
    ".glb": (write_native, read_rig),
    ".vrm": (lambda take, path: write_vrm(path, take.skeleton, 1), read_vrm),
}


WHOLE: dict[str, bytes] = {}
"""Undamaged files by their suffix."""


@pytest.mark.parametrize("suffix", READERS)
@FUZZ
@given(damage=damages)
def test_a_damaged_file_is_read_or_refused_in_words(make_take, suffix: str, damage) -> None:  # type: ignore[no-untyped-def]
    write, read = READERS[suffix]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"file{suffix}"
        if suffix not in WHOLE:
            write(make_take(5, observed=suffix == ".npz"), path)
            WHOLE[suffix] = path.read_bytes()
        path.write_bytes(damaged(WHOLE[suffix], damage))
        with contextlib.suppress(ExportError):
            read(path)


@FUZZ
@given(damage=damages, noise=st.binary(max_size=80))
def test_damaged_packets_never_stop_the_monitor(make_take, damage, noise: bytes) -> None:  # type: ignore[no-untyped-def]
    take = make_take(1)
    pose = Pose(take.rotations_wxyz[0], take.root_translation[0], 0, 1)
    packets = VmcEncoder(take.skeleton, VmcOptions("127.0.0.1", 9)).encode(pose)
    traffic = OscTraffic()
    for number, packet in enumerate([*packets, noise]):
        traffic.add(damaged(packet, damage) if packet else b"", float(number))
    assert traffic.report()


def test_damage_is_damage() -> None:
    content = bytes(range(100))
    assert damaged(content, ([(0.5, 7)], None)) == content[:50] + b"\x07" + content[51:]
    assert damaged(content, ([], 0.25)) == content[:25]
    assert np.all(np.frombuffer(damaged(content, ([], None)), np.uint8) == np.arange(100))
