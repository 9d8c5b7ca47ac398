"""SMPL's published coarse levels (`mesh_downsampling.npz`), read from the user's own file; arrays, never code.

The file came with GraphCMR and is the one METRO, Graphormer and FastMETRO were trained with. It is derived from SMPL's
mesh, so SMPL's licence rules it and no copy is shipped. It holds scipy matrices A (adjacency), U (up), D (down) and
lists M, F of meshes; only A and U are opened, by an unpickler that knows arrays alone.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import WeightsError
from ..types import FloatArray, IntArray
from .smpl_pickle import ArrayUnpickler, StoredSparse

COUNTS = (6890, 1723, 431)
"""Vertices of the levels, finest first."""
WHERE_FROM = (
    "mesh_downsampling.npz (1,720,359 bytes) comes with the public code of GraphCMR, METRO, MeshGraphormer and "
    "FastMETRO (their README's download step); its use is subject to SMPL's licence, https://smpl.is.tue.mpg.de"
)


@dataclass(frozen=True, slots=True)
class SparseRows:
    """A matrix of few entries per row: row v is the sum of `weights[v, k]` at column `columns[v, k]`."""

    columns: IntArray
    """`(V, K)`."""
    weights: FloatArray
    """`(V, K)`; rows of fewer than K entries are filled with zeros."""

    def dense(self, columns: int) -> FloatArray:
        """Return the `(V, columns)` matrix."""
        matrix = np.zeros((len(self.columns), columns), np.float32)
        np.add.at(matrix, (np.arange(len(self.columns))[:, None], self.columns), self.weights)
        return matrix


@dataclass(frozen=True, slots=True)
class SmplLevels:
    """What engines need of the three levels."""

    adjacent: np.ndarray
    """`(431, 431)` bool, True where two coarse vertices share an edge or are the same."""
    upsampling: tuple[SparseRows, SparseRows]
    """1,723 to 6,890 and 431 to 1,723. Rows do not sum to 1: centre a body after upsampling, not before."""


def read_smpl_levels(path: Path) -> SmplLevels:
    """Return the levels of a `mesh_downsampling.npz`.

    Raises:
        WeightsError: The file is absent, is no such file, or names anything but arrays and matrices.
    """
    if not path.is_file():
        raise WeightsError(
            f"SMPL's mesh levels not found: looked for {path}; expected mesh_downsampling.npz there; {WHERE_FROM}"
        )
    try:
        with zipfile.ZipFile(path) as archive:
            adjacency, up = (_matrices(archive, name) for name in ("A", "U"))
            fine, middle = (sparse_rows(*up[n].entries(), up[n].shape) for n in (0, 1))
            return SmplLevels(_adjacent(adjacency[2]), _checked(fine, middle, up))
    except Exception as error:  # a damaged pickle can fail in any way
        raise WeightsError(
            f"{path} was refused: {error}; expected the matrices A and U of SMPL's levels "
            f"of {', '.join(map(str, COUNTS))} vertices; {WHERE_FROM}"
        ) from error


def sparse_rows(rows: np.ndarray, columns: np.ndarray, values: np.ndarray, shape: tuple[int, int]) -> SparseRows:
    """Return the rows of a matrix given by its entries; entries at the same place are added up.

    Raises:
        ValueError: An entry lies outside of `shape`.
    """
    if len(rows) and (rows.min() < 0 or columns.min() < 0 or rows.max() >= shape[0] or columns.max() >= shape[1]):
        raise ValueError(f"an entry lies outside of the {shape[0]} x {shape[1]} matrix")
    places, owner = np.unique(rows.astype(np.int64) * shape[1] + columns, return_inverse=True)
    sums = np.bincount(owner, values.astype(np.float64), len(places))
    row, column = places // shape[1], places % shape[1]
    counts = np.bincount(row, minlength=shape[0])
    slot = np.arange(len(places)) - np.repeat(np.cumsum(counts) - counts, counts)
    found = SparseRows(
        np.zeros((shape[0], counts.max(initial=0)), np.int32), np.zeros((shape[0], counts.max(initial=0)), np.float32)
    )
    found.columns[row, slot], found.weights[row, slot] = column, sums
    return found


def _matrices(archive: zipfile.ZipFile, name: str) -> list[StoredSparse]:
    """Return the list of matrices under `name`: an object array, so a pickle behind NumPy's header."""
    with archive.open(f"{name}.npy") as file:
        version = np.lib.format.read_magic(file)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        _, _, dtype = read_header(file)
        if dtype != np.dtype(object):
            raise ValueError(f"{name} holds {dtype}, not matrices")
        content: Any = ArrayUnpickler(file, encoding="latin1").load()
    matrices = list(np.ravel(content))
    if not all(isinstance(matrix, StoredSparse) for matrix in matrices):
        raise ValueError(f"{name} holds something else than sparse matrices")
    return matrices


def _adjacent(matrix: StoredSparse) -> np.ndarray:
    if matrix.shape != (COUNTS[2], COUNTS[2]):
        raise ValueError(f"A[2] is {matrix.shape[0]} x {matrix.shape[1]}")
    found = np.eye(COUNTS[2], dtype=bool)
    rows, columns, values = matrix.entries()
    found[rows[values != 0], columns[values != 0]] = True
    if not np.array_equal(found, found.T):
        raise ValueError("A[2] is not symmetric")
    return found


def _checked(fine: SparseRows, middle: SparseRows, up: list[StoredSparse]) -> tuple[SparseRows, SparseRows]:
    for n, rows in enumerate((fine, middle)):
        if up[n].shape != COUNTS[n : n + 2]:
            raise ValueError(f"U[{n}] is {up[n].shape[0]} x {up[n].shape[1]}")
        if rows.columns.shape[1] > 16 or not np.isfinite(rows.weights).all():
            raise ValueError(f"U[{n}] is no upsampling of few finite weights per vertex")
    return fine, middle
