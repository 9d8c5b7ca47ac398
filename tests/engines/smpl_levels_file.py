"""Writes files of the layout of SMPL's mesh_downsampling.npz, from made-up matrices."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

Entries = tuple[np.ndarray, np.ndarray, np.ndarray]


def module_of(name: str, kind: str) -> ModuleType:
    module = ModuleType(name)
    setattr(module, kind, type(kind, (), {"__module__": name}))
    return module


# Older and newer names of scipy's modules, as they stand in files.
MODULES = {
    "csc_matrix": module_of("scipy.sparse.csc", "csc_matrix"),
    "csr_matrix": module_of("scipy.sparse._csr", "csr_matrix"),
    "coo_matrix": module_of("scipy.sparse._coo", "coo_matrix"),
}


class Runs:
    """Pickles as a call that leaves a folder behind when it is run."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.trace),)


def list_of(*things: Any) -> np.ndarray:
    found = np.empty(len(things), object)
    found[:] = things
    return found


def sparse(monkeypatch: pytest.MonkeyPatch, kind: str, shape: tuple[int, int], entries: Entries) -> Any:
    """Return something that pickles as scipy's matrix of that kind does; scipy itself is not needed."""
    for name in ("scipy", "scipy.sparse", MODULES[kind].__name__):
        if sys.modules.get(name) is not MODULES[kind]:
            monkeypatch.setitem(sys.modules, name, MODULES[kind])
    matrix = getattr(MODULES[kind], kind)()
    rows, columns, values = entries
    if kind == "coo_matrix":
        matrix.__dict__.update(_shape=shape, coords=(rows, columns), data=values)
        return matrix
    outer, inner, size = (columns, rows, shape[1]) if kind == "csc_matrix" else (rows, columns, shape[0])
    order = np.argsort(outer, kind="stable")
    pointers = np.concatenate([[0], np.cumsum(np.bincount(outer, minlength=size))])
    matrix.__dict__.update(_shape=shape, indptr=pointers, indices=inner[order], data=values[order])
    return matrix


def write(
    path: Path, monkeypatch: pytest.MonkeyPatch, adjacent: np.ndarray, fine: Entries, middle: Entries, **more: Any
) -> None:
    """Write a file: adjacency of the coarsest level (a diagonal is left out) and both upsamplings."""
    rows, columns = np.nonzero(adjacent & ~np.eye(len(adjacent), dtype=bool))
    nothing = (np.zeros(0, int), np.zeros(0, int), np.zeros(0))
    adjacency = list_of(
        sparse(monkeypatch, "csc_matrix", (6890, 6890), nothing),
        sparse(monkeypatch, "csc_matrix", (1723, 1723), nothing),
        sparse(monkeypatch, "csc_matrix", (431, 431), (rows, columns, np.full(len(rows), 2.0))),
    )
    up = list_of(
        sparse(monkeypatch, "csr_matrix", (6890, 1723), fine), sparse(monkeypatch, "coo_matrix", (1723, 431), middle)
    )
    np.savez(path, **{"A": adjacency, "U": up, **more})
