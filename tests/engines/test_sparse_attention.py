"""Attention over a mesh: the pattern, and live tiles alone against the dense masked reference."""

from __future__ import annotations

import weakref
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from engines.body import load_body
from engines.body.smpl_levels import _matrices
from engines.body.topology import adjacency, load_levels
from engines.layers.sparse_attention import (
    DenseMask,
    MeshPattern,
    TileSparse,
    edges_of,
    mesh_pattern,
    neighbours,
)


class PeakMemory(TorchDispatchMode):
    """Bytes of results that live at the same time, at most, and bytes of the largest attention weights."""

    def __init__(self) -> None:
        super().__init__()
        self.live, self.peak, self.scores = 0, 0, 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        before = {t.untyped_storage()._cdata for t in tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor)}
        result = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            storage = tensor.untyped_storage()
            if storage._cdata not in before:  # else a view of what is counted already
                self.count(storage, "softmax" in func.__name__)
        return result

    def count(self, storage: torch.UntypedStorage, is_scores: bool) -> None:
        size = storage.nbytes()
        self.live += size
        self.peak = max(self.peak, self.live)
        self.scores = max(self.scores, size if is_scores else 0)
        weakref.finalize(storage, self.release, size)

    def release(self, size: int) -> None:
        self.live -= size


def memory_of(core: torch.nn.Module, *tensors: torch.Tensor) -> tuple[PeakMemory, torch.Tensor]:
    with torch.no_grad(), PeakMemory() as memory:
        result = core(*tensors)
    return memory, result


def free_pattern(vertices: int, rings: int = 2) -> MeshPattern:
    body = load_body()
    levels = load_levels(body)
    faces = {6890: body.faces, 1723: levels.coarse[0].faces, 431: levels.coarse[1].faces}[vertices]
    return mesh_pattern(edges_of(faces), vertices, 14, rings)


def random_tokens(tokens: int, heads: int, width: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(1, heads, tokens, width, generator=generator) * 2 for _ in range(3)]


def strip(count: int) -> np.ndarray:
    """Edges of a chain."""
    return np.stack([np.arange(count - 1), np.arange(1, count)], axis=1).astype(np.int32)


@pytest.mark.parametrize("rings", [0, 1, 3])
def test_neighbours_on_a_chain_are_at_most_rings_away(rings: int) -> None:
    rows, columns = neighbours(strip(9), 9, rings)
    found = np.zeros((9, 9), bool)
    found[rows, columns] = True
    np.testing.assert_array_equal(found, np.abs(np.subtract.outer(np.arange(9), np.arange(9))) <= rings)


def test_pattern_is_the_mesh_with_joints_that_see_all() -> None:
    levels = load_levels(load_body())
    coarse = levels.coarse[1]
    one = adjacency(coarse.faces, 431) + np.eye(431)
    for rings, reach in ((1, one), (2, one @ one)):
        seen = free_pattern(431, rings).elements()
        assert seen[:14].all()
        assert seen[:, :14].all()
        np.testing.assert_array_equal(seen[14:, 14:], reach > 0)
    # 3V - 6 edges both ways, the diagonal, and the joints' rows and columns: the same for every such mesh
    assert free_pattern(431, 1).elements().sum() == 15_269


@pytest.mark.parametrize(("vertices", "tokens", "padded"), [(431, 445, 448), (1723, 1737, 1744)])
def test_counts(vertices: int, tokens: int, padded: int) -> None:
    pattern = free_pattern(vertices)
    assert (pattern.tokens, pattern.padded) == (tokens, padded)
    live = pattern.tiles()
    assert live.shape == (padded // 16, padded // 16)
    assert live[0].all()
    assert live[:, 0].all()
    np.testing.assert_array_equal(live, live.T)
    wide, narrow = pattern.mask(whole_tiles=True), pattern.mask(whole_tiles=False)
    assert wide[narrow].all()
    assert wide.sum() > narrow.sum()


def test_counts_of_the_free_body() -> None:
    """SMPL's own vertex order gives 344 / 474 / 546 and 2003 / 2949 / 3701 live tiles; ours is more local."""
    assert [int(free_pattern(431, r).tiles().sum()) for r in (1, 2, 3)] == [250, 332, 426]
    assert [int(free_pattern(1723, r).tiles().sum()) for r in (1, 2, 3)] == [1323, 1851, 2311]
    assert free_pattern(431, 1).elements().mean() == pytest.approx(0.0771, abs=1e-4)
    assert free_pattern(431, 2).elements().mean() == pytest.approx(0.1059, abs=1e-3)


@pytest.mark.parametrize("tokens", [45, 64])
def test_tiles_equal_the_dense_reference_on_a_chain(tokens: int) -> None:
    """Also where the last tile is not full."""
    pattern = mesh_pattern(strip(tokens - 3), tokens - 3, 3, 2)
    q, k, v = random_tokens(tokens, 2, 8)
    torch.testing.assert_close(TileSparse(pattern, 2)(q, k, v), DenseMask(pattern).eval()(q, k, v), atol=1e-5, rtol=0)


def test_tiles_equal_the_dense_reference_with_less_memory() -> None:
    pattern = free_pattern(1723)
    tensors = random_tokens(1737, 4, 16)
    dense, expected = memory_of(DenseMask(pattern).eval(), *tensors)
    sparse, found = memory_of(TileSparse(pattern), *tensors)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    assert dense.scores == 4 * 4 * 1737**2
    assert sparse.scores < 0.05 * dense.scores
    assert sparse.peak < 0.25 * dense.peak


@pytest.mark.slow
@pytest.mark.parametrize("rings", [2, 3])
def test_tiles_equal_the_dense_reference_at_6904_tokens(rings: int) -> None:
    pattern = free_pattern(6890, rings)
    assert (pattern.tokens, pattern.padded) == (6904, 6912)
    assert int(pattern.tiles().sum()) == {2: 8_686, 3: 11_220}[rings]
    tensors = random_tokens(6904, 2, 32)
    dense, expected = memory_of(DenseMask(pattern).eval(), *tensors)
    sparse, found = memory_of(TileSparse(pattern), *tensors)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    print(f"scores {sparse.scores / dense.scores:.2%}, everything {sparse.peak / dense.peak:.2%} of the dense ones")
    assert sparse.scores < 0.25 * dense.scores
    assert sparse.peak < 0.25 * dense.peak


def test_gradients_agree_with_the_dense_reference() -> None:
    pattern = mesh_pattern(strip(42), 42, 3, 1)
    grads = []
    for core in (TileSparse(pattern, 1), DenseMask(pattern).eval()):
        tensors = [t.requires_grad_() for t in random_tokens(45, 2, 8)]
        core(*tensors).square().sum().backward()
        grads.append([t.grad for t in tensors])
    for found, expected in zip(*grads, strict=True):
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)


def test_a_token_is_not_seen_from_outside_its_pattern() -> None:
    pattern = mesh_pattern(strip(90), 90, 2, 1)
    q, k, v = random_tokens(92, 1, 4)
    q, core = q * 0.1, TileSparse(pattern)  # nearly equal weights
    before = core(q, k, v)
    v[:, :, 91] += 1e6  # so that a token which sees it changes, however little it looks there
    changed = (core(q, k, v) != before).any(dim=3)[0, 0]
    expected = torch.from_numpy(pattern.mask(whole_tiles=True)[:, 91])
    assert torch.equal(changed, expected)
    assert not changed[16:64].any()


@pytest.fixture(scope="module")
def smpl_edges() -> dict[int, np.ndarray]:
    """Edges of SMPL's three published levels, finest first, in SMPL's own order of vertices."""
    path = Path(__file__).resolve().parents[3] / "shared" / "data" / "topology" / "graphcmr_mesh_downsampling.npz"
    if not path.is_file():
        pytest.skip("SMPL's mesh levels beside the checkout (../shared) are absent")
    with zipfile.ZipFile(path) as archive:
        levels = _matrices(archive, "A")
    return {level.shape[0]: np.stack(level.entries()[:2], axis=1).astype(np.int32) for level in levels}


@pytest.mark.parametrize(("vertices", "rings", "density", "live"), [
    (431, 1, 0.0771, 344), (431, 2, 0.1059, 474), (431, 3, 0.1512, 546),
    (1723, 1, 0.0200, 2003), (1723, 2, 0.0276, 2949), (1723, 3, 0.0399, 3701),
    (6890, 1, 0.00506, 8164), (6890, 2, 0.00684, 11960), (6890, 3, 0.00957, 15680),
])  # fmt: skip
def test_counts_of_smpls_own_levels(
    smpl_edges: dict[int, np.ndarray], vertices: int, rings: int, density: float, live: int
) -> None:
    pattern = mesh_pattern(smpl_edges[vertices], vertices, 14, rings)
    open_pairs = 14 * (2 * pattern.tokens - 14) + len(pattern.rows)
    assert open_pairs / pattern.tokens**2 == pytest.approx(density, rel=0.005)
    tiles = pattern.tiles()
    assert tiles.sum() == live
    if vertices == 6890:
        assert tiles[1:].sum(axis=1).max() == {1: 39, 2: 77, 3: 105}[rings]
