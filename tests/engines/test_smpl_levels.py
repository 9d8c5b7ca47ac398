"""Reading SMPL's coarse levels without running anything in the file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import smpl_levels_file as levels_file

from engines.body.smpl_levels import read_smpl_levels, sparse_rows
from engines.errors import WeightsError


def three_per_row(rng: np.random.Generator, rows: int, columns: int) -> levels_file.Entries:
    chosen = np.stack([rng.permutation(columns)[:3] for _ in range(rows)])
    return np.repeat(np.arange(rows), 3), chosen.ravel(), rng.normal(size=rows * 3)


def ring() -> np.ndarray:
    here = np.arange(431)
    found = np.zeros((431, 431), bool)
    found[here, (here + 1) % 431] = found[(here + 1) % 431, here] = True
    return found


def test_levels_are_read_and_the_meshes_never_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    fine, middle = three_per_row(rng, 6890, 1723), three_per_row(rng, 1723, 431)
    trace = tmp_path / "was_run"
    meshes = levels_file.list_of(levels_file.Runs(trace), levels_file.Runs(trace))
    levels_file.write(tmp_path / "l.npz", monkeypatch, ring(), fine, middle, M=meshes, F=meshes)
    levels = read_smpl_levels(tmp_path / "l.npz")
    assert not trace.exists()
    np.testing.assert_array_equal(levels.adjacent, ring() | np.eye(431, dtype=bool))
    for found, (rows, columns, values) in zip(levels.upsampling, (fine, middle), strict=True):
        vertices = rng.normal(size=(columns.max() + 1, 3))
        expected = np.zeros((len(found.columns), 3))
        np.add.at(expected, rows, vertices[columns] * values[:, None])
        got = (vertices[found.columns] * found.weights[..., None]).sum(1)
        np.testing.assert_allclose(got, expected, atol=1e-5)


def test_code_in_what_is_opened_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    fine, middle = three_per_row(rng, 6890, 1723), three_per_row(rng, 1723, 431)
    trace = tmp_path / "was_run"
    harm = levels_file.list_of(levels_file.Runs(trace), levels_file.Runs(trace))
    levels_file.write(tmp_path / "l.npz", monkeypatch, ring(), fine, middle, U=harm)
    with pytest.raises(WeightsError, match=r"was refused: it names (posix|nt)\.mkdir"):
        read_smpl_levels(tmp_path / "l.npz")
    assert not trace.exists()


def test_what_is_missing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator) -> None:
    with pytest.raises(WeightsError, match=r"not found.*mesh_downsampling\.npz.*GraphCMR.*smpl\.is\.tue\.mpg\.de"):
        read_smpl_levels(tmp_path / "absent.npz")
    (tmp_path / "text.npz").write_text("no archive", encoding="utf-8")
    with pytest.raises(WeightsError, match="was refused"):
        read_smpl_levels(tmp_path / "text.npz")
    np.savez(tmp_path / "other.npz", A=np.eye(3))
    with pytest.raises(WeightsError, match="A holds float64, not matrices"):
        read_smpl_levels(tmp_path / "other.npz")
    middle = three_per_row(rng, 1723, 431)
    wrong = levels_file.list_of(*(levels_file.sparse(monkeypatch, "csr_matrix", (1723, 431), middle) for _ in "ab"))
    fine = three_per_row(rng, 6890, 1723)
    levels_file.write(tmp_path / "l.npz", monkeypatch, ring(), fine, middle, U=wrong)
    with pytest.raises(WeightsError, match=r"was refused: U\[0\] is 1723 x 431"):
        read_smpl_levels(tmp_path / "l.npz")


def test_entries_at_one_place_add_up_and_none_lies_outside() -> None:
    rows, columns, values = np.array([1, 0, 1, 1]), np.array([2, 0, 2, 1]), np.array([1.0, 4.0, 2.0, 5.0])
    found = sparse_rows(rows, columns, values, (3, 3))
    np.testing.assert_array_equal(found.columns, [[0, 0], [1, 2], [0, 0]])
    np.testing.assert_array_equal(found.weights, [[4, 0], [5, 3], [0, 0]])
    with pytest.raises(ValueError, match="outside of the 2 x 3 matrix"):
        sparse_rows(np.array([2]), np.array([0]), np.array([1.0]), (2, 3))
