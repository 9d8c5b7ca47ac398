"""Reads SMPL's pickle without trusting it: arrays come out, nothing in the file is ever run.

SMPL's files were pickled under Python 2 with chumpy arrays and a scipy matrix inside. Both are read into the
stand-ins below, so that neither library is needed; every other class or function named in a file is refused.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import WeightsError

ARRAY_GLOBALS = {
    ("numpy", "ndarray"), ("numpy", "dtype"),
    ("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "scalar"), ("numpy._core.multiarray", "scalar"),
    ("copyreg", "_reconstructor"), ("builtins", "object"), ("_codecs", "encode"),
    ("copy_reg", "_reconstructor"), ("__builtin__", "object"), ("__builtin__", "bytes"),
}  # fmt: skip


class StoredChumpy:
    """Stands in for a chumpy array or selection; only its stored state is kept."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.state = state

    def to_array(self) -> np.ndarray:
        """Return the values: `x` of an array, or the chosen entries `idxs` of another one, `a`."""
        if "x" in self.state:
            return np.asarray(self.state["x"])
        chosen = _plain(self.state["a"]).ravel()[np.asarray(self.state["idxs"])]
        return chosen.reshape(self.state.get("preferred_shape", chosen.shape))


class StoredSparse:
    """Stands in for a compressed scipy matrix; by column, `StoredRows` by row."""

    by_row = False

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.state = state

    @property
    def shape(self) -> tuple[int, int]:
        """Return rows and columns."""
        return tuple(int(n) for n in self.state["_shape"])  # type: ignore[return-value]

    def entries(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the rows, the columns and the values of what is stored."""
        counts = np.diff(self.state["indptr"])
        outer, inner = np.repeat(np.arange(len(counts)), counts), np.asarray(self.state["indices"])
        rows, columns = (outer, inner) if self.by_row else (inner, outer)
        return rows, columns, np.asarray(self.state["data"])

    def to_array(self) -> np.ndarray:
        """Return the dense matrix."""
        rows, columns, values = self.entries()
        dense = np.zeros(self.shape, values.dtype)
        dense[rows, columns] = values
        return dense


class StoredRows(StoredSparse):
    """Stands in for scipy's csr_matrix."""

    by_row = True


class StoredPairs(StoredSparse):
    """Stands in for scipy's coo_matrix, whose newer versions keep rows and columns together."""

    def entries(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the rows, the columns and the values of what is stored."""
        rows, columns = self.state.get("coords") or (self.state["row"], self.state["col"])
        return np.asarray(rows), np.asarray(columns), np.asarray(self.state["data"])


STAND_INS = {"csc_matrix": StoredSparse, "csr_matrix": StoredRows, "coo_matrix": StoredPairs}


class ArrayUnpickler(pickle.Unpickler):
    """An unpickler that knows arrays and the stand-ins, nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        """Return an array's class or a stand-in.

        Raises:
            pickle.UnpicklingError: The file names anything else.
        """
        if module.split(".")[0] == "chumpy" and name in ("Ch", "Select"):
            return StoredChumpy
        if module.startswith("scipy.sparse") and name in STAND_INS:
            return STAND_INS[name]
        if (module, name) in ARRAY_GLOBALS:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"it names {module}.{name}")


def read_smpl_pickle(path: Path) -> dict[str, Any]:
    """Return a pickled SMPL model's entries as plain arrays.

    Raises:
        WeightsError: The file is no pickle of a dictionary, or it names anything but arrays.
    """
    try:
        with path.open("rb") as file:
            content = ArrayUnpickler(file, encoding="latin1").load()
    except Exception as error:  # a damaged pickle can fail in any way
        raise _refusal(path, str(error)) from error
    if not isinstance(content, dict):
        raise _refusal(path, f"it holds a {type(content).__name__}")
    return {str(key): _plain(value) for key, value in content.items()}


def _refusal(path: Path, reason: str) -> WeightsError:
    return WeightsError(
        f"{path} was refused: {reason}; a pickled SMPL model is expected, which holds arrays only; "
        "use the file as it is downloaded from its licensor, or convert it to .npz yourself."
    )


def _plain(value: Any) -> Any:
    return value.to_array() if isinstance(value, (StoredChumpy, StoredSparse)) else value
