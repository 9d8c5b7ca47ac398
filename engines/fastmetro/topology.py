"""What the network must know of the mesh: who touches whom, and how a coarse mesh becomes a finer one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..body.smpl_levels import SmplLevels, SparseRows
from ..body.topology import BodyLevels


@dataclass(frozen=True, slots=True)
class Topology:
    """A mesh in three levels: coarse (the tokens), middle, fine."""

    adjacent: np.ndarray
    """`(C, C)` bool, True where two coarse vertices share an edge or are the same."""
    to_fine: SparseRows
    """Middle to fine; fixed in every layout."""
    to_middle: SparseRows | None = None
    """Coarse to middle; needed by the Table-2 layout alone, the release learns it."""

    def blocked(self, joints: int) -> np.ndarray:
        """Return the `(joints + C, joints + C)` mask: True where a decoder query must not look at another.

        Joints see all and are seen by all; a vertex sees itself and its neighbours.
        """
        size = joints + len(self.adjacent)
        mask = np.zeros((size, size), bool)
        mask[joints:, joints:] = ~self.adjacent
        return mask

    @classmethod
    def of_body(cls, levels: BodyLevels) -> Topology:
        """Return the topology of a body's own computed levels."""
        middle, coarse = levels.coarse
        adjacent = coarse.adjacency().astype(bool) | np.eye(len(coarse.kept), dtype=bool)
        return cls(adjacent, SparseRows(middle.corners, middle.shares), SparseRows(coarse.corners, coarse.shares))

    @classmethod
    def of_smpl(cls, levels: SmplLevels) -> Topology:
        """Return the topology of SMPL's published levels."""
        return cls(levels.adjacent, *levels.upsampling)
