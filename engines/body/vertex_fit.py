"""Pose and shape of given vertices: Procrustes per part, refined over the skinning weights (torch, batched).

The engines that predict vertices give no rotations, and files and streams need them. Every part is first turned onto
its own vertices (Kabsch 1976) as if it were rigid, its blended borders left out; then Gauss-Newton steps on all turns,
the shape and the root's place take in that vertices hang on several joints and that joints hang together. The steps
use the sums of `vertex_moments` and converge quadratically: vertices that are a posed body are met to rounding.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ..types import IntArray
from .joints import JOINT_COUNT
from .parameters import BodyParameters
from .vertex_moments import ShapedMoments, Targets, VertexMoments

STEPS = 3
CORRECTIVE_ROUNDS, CORRECTIVE_STEPS = 3, 2
# How far one vertex is believed to be off, metres: what a shape number at distance 1 from the mean must explain.
_NOISE_M = 0.003
# Added to the turns' diagonal, in vertices at a metre's distance: a part without vertices keeps its rotation.
_DAMPING = 1e-4


class FittedBodies(NamedTuple):
    """What `BodyLayer` turns into the vertices: `BodyLayer(rotations, betas)[0] + translation`."""

    rotations: Tensor
    """`(N, 24, 3, 3)` joint -> parent; the root's joint -> axes of the vertices."""
    betas: Tensor
    """`(N, S)`."""
    translation: Tensor
    """`(N, 3)` metres."""
    error_m: Tensor
    """`(N,)` root mean square distance of the vertices: large where they are no body."""


class _State(NamedTuple):
    turns: Tensor  # (N, 24, 3, 3) joint -> axes of the vertices
    numbers: Tensor  # (N, 1 + S): 1, betas
    root: Tensor  # (N, 3)


class _Figure(NamedTuple):
    """A state's joints and how they move."""

    rest: Tensor  # (N, 24, 3) unposed joints
    joints: Tensor  # (N, 24, 3)
    affine: Tensor  # (N, 24, 3, 4): place of a vertex of each joint = affine (z, 1)
    slides: Tensor  # (N, 24, 3, S): how the affine's last column changes with the shape


class VertexFit(nn.Module):
    """Fits one body to its vertices, or to those of one of its coarse levels."""

    rest_basis: Tensor
    bone_basis: Tensor
    paths: Tensor
    child: Tensor
    below: Tensor
    parents: Tensor
    pose_directions: Tensor | None
    weights: Tensor

    def __init__(self, parameters: BodyParameters, ids: IntArray | None = None) -> None:
        """`ids` are the template's vertices that will be given; None = all."""
        super().__init__()
        self.moments = VertexMoments(parameters, ids)
        basis = np.concatenate([parameters.template[..., None], parameters.shape_directions], axis=2)
        rest = np.einsum("jv,vic->jic", parameters.joint_regressor.astype(np.float64), basis)  # (24, 3, 1 + S)
        bones = rest - rest[np.maximum(parameters.parents, 0)]
        paths, child = _tree(parameters.parents)
        self._keep("rest_basis", rest)
        self._keep("bone_basis", bones)
        self._keep("paths", paths)
        self._keep("child", np.maximum(child, 0))
        self._keep("below", child >= 0)
        self._keep("parents", np.maximum(parameters.parents, 0))
        self._keep_correctives(parameters, ids)

    def _keep(self, name: str, values: np.ndarray | None) -> None:
        if values is not None:
            kind = np.int64 if np.issubdtype(values.dtype, np.integer) else np.float32
            self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(values, kind)), persistent=False)
        else:
            self.register_buffer(name, None, persistent=False)

    def _keep_correctives(self, parameters: BodyParameters, ids: IntArray | None) -> None:
        directions = parameters.pose_directions
        if directions is None:
            self._keep("pose_directions", None)
            return
        chosen = np.arange(parameters.vertex_count) if ids is None else ids
        self._keep("pose_directions", directions[chosen].reshape(len(chosen) * 3, -1).T)
        self._keep("weights", parameters.skinning_weights[chosen])

    @torch.no_grad()
    def forward(self, vertices: Tensor, steps: int = STEPS) -> FittedBodies:
        """Return the bodies of `(N, V, 3)` float32 vertices, metres, in any axes."""
        middle = vertices.mean(dim=1, keepdim=True)
        centred = vertices - middle
        targets = self.moments.targets(centred)
        state, squares = self._refine(self._start(targets), targets, steps)
        for _ in range(CORRECTIVE_ROUNDS if self.pose_directions is not None else 0):
            targets = self.moments.targets(centred - self._correctives(state))
            state, squares = self._refine(state, targets, CORRECTIVE_STEPS)
        rest = (self.rest_basis[0] @ state.numbers[..., None])[..., 0]
        error = (squares.clamp(min=0) / self.moments.vertex_count).sqrt()
        return FittedBodies(self._local(state.turns), state.numbers[:, 1:], state.root + middle[:, 0] - rest, error)

    def _refine(self, state: _State, targets: Targets, steps: int) -> tuple[_State, Tensor]:
        """Return the state after some steps, and the `(N,)` sums of squared distances that are left."""
        squares = targets.squares
        for _ in range(steps):
            state, squares = self._step(state, targets)
        return state, squares

    def _start(self, targets: Targets) -> _State:
        """Return every part turned onto its vertices by itself, and the likeliest shape of that size."""
        sums, cores = self.moments.core_sums, targets.cores
        middle = sums[:, :3] / sums[:, 3:]
        cross = cores[..., :3] - cores[..., 3:] * middle[:, None]
        turns = _procrustes(cross)
        growth = (cross * turns).sum((1, 2, 3)) / self.moments.core_size - 1
        betas = growth[:, None] * self.moments.numbers_of_growth
        numbers = torch.cat([torch.ones_like(betas[:, :1]), betas], dim=1)
        arm = middle[0] - self.rest_basis[0, :, 0]
        return _State(turns, numbers, cores[:, 0, :, 3] / sums[0, 3] - turns[:, 0] @ arm)

    def _figure(self, state: _State) -> _Figure:
        numbers = state.numbers[:, None, :, None]
        moving = state.turns[:, self.parents] @ self.bone_basis  # (N, 24, 3, 1 + S)
        carried = (self.paths @ moving.flatten(2)).unflatten(2, (3, -1))
        joints = (carried @ numbers)[..., 0] + state.root[:, None]
        turned = state.turns @ self.rest_basis
        shifts = joints[..., None] - turned @ numbers
        slides = (carried - turned)[..., 1:]
        return _Figure((self.rest_basis @ numbers)[..., 0], joints, torch.cat([state.turns, shifts], -1), slides)

    def _step(self, state: _State, targets: Targets) -> tuple[_State, Tensor]:
        """Return the state after one Gauss-Newton step on turns, root and shape, and what it leaves over."""
        figure, sums = self._figure(state), self.moments.shaped(state.numbers)
        normal, right, squares = self._equations(state, figure, sums, targets)
        factor, _ = torch.linalg.cholesky_ex(normal)
        change = torch.cholesky_solve(right[..., None], factor)[..., 0]
        turns = _rotations(change[:, : 3 * JOINT_COUNT].unflatten(1, (JOINT_COUNT, 3))) @ state.turns
        root = state.root + change[:, 3 * JOINT_COUNT : 3 * JOINT_COUNT + 3]
        numbers = state.numbers.clone()
        numbers[:, 1:] += change[:, 3 * JOINT_COUNT + 3 :]
        return _State(turns, numbers, root), squares - (change * right).sum(1)

    def _equations(
        self, state: _State, figure: _Figure, sums: ShapedMoments, targets: Targets
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the `(N, U, U)` normal matrix, `(N, U)` right side and `(N,)` squared distances before the step.

        The U unknowns are turns, root and shape. A small turn o_j of joint j moves vertex v by o_j x h_vj, with h_vj
        linear in the places (z_v, 1): its own weight times its arm, and for what hangs below it the bone that carries
        that. A shape number moves it by m_v.
        """
        count, wide = len(state.root), 4 * JOINT_COUNT
        places = sums.places.transpose(2, 3).reshape(count, wide, wide)
        arms = self._arms(state, figure)  # (N, 72, 96)
        affine = figure.affine.transpose(1, 2).flatten(2)  # (N, 3, 96)
        shaped = self._shape_sums(state, figure, sums.directions, places)  # (N, 96, 3 * S): places times m
        seen = self._seen(state, targets)  # (N, 96, 3): places times the given vertices
        missing = seen - (affine @ places).transpose(1, 2)
        arm_sums = arms @ places
        arm_squares = (arm_sums @ arms.transpose(1, 2)).unflatten(2, (JOINT_COUNT, 3)).unflatten(1, (JOINT_COUNT, 3))
        on_turns = _crossed_squares(arm_squares)
        on_root = _cross_matrix(arm_sums[..., 3::4].sum(-1).unflatten(1, (JOINT_COUNT, 3))).flatten(1, 2)
        by_shape = (arms @ shaped).unflatten(2, (3, -1)).unflatten(1, (JOINT_COUNT, 3))
        turns_shape = _crossed(by_shape).flatten(1, 2)
        root_shape = shaped.unflatten(2, (3, -1))[:, 3::4].sum(1)
        eye = torch.eye(3, dtype=arms.dtype, device=arms.device) * self.moments.vertex_count
        normal = torch.cat([
            torch.cat([on_turns, on_root, turns_shape], 2),
            torch.cat([on_root.transpose(1, 2), eye.expand(count, -1, -1), root_shape], 2),
            torch.cat([turns_shape.transpose(1, 2), root_shape.transpose(1, 2), self._shape_squares(state, figure)], 2),
        ], 1)  # fmt: skip
        by_turns = _crossed((arms @ missing).reshape(count, JOINT_COUNT, 3, 3, 1)).flatten(1)
        by_root = missing[:, 3::4].sum(1)
        by_shape_right = (
            self._shape_seen(state, figure, targets)
            - (affine.transpose(1, 2).flatten(1)[:, None] @ shaped.unflatten(2, (3, -1)).flatten(1, 2))[:, 0]
        )
        held = _NOISE_M**2
        by_shape_right = by_shape_right - held * state.numbers[:, 1:]
        diagonal = normal.diagonal(dim1=1, dim2=2)
        diagonal[:, : 3 * JOINT_COUNT] += _DAMPING
        diagonal[:, 3 * JOINT_COUNT + 3 :] += held
        squares = targets.squares - ((seen + missing).transpose(1, 2) * affine).sum((1, 2))
        return normal, torch.cat([by_turns, by_root, by_shape_right], 1), squares

    def _arms(self, state: _State, figure: _Figure) -> Tensor:
        """Return `(N, 72, 96)`: what a turn of each joint moves, from the places under each joint."""
        arms = figure.joints.new_zeros(len(figure.joints), JOINT_COUNT, 3, JOINT_COUNT, 4)
        bones = (figure.joints[:, self.child] - figure.joints[:, :, None]) * self.below[..., None]
        arms[..., 3] = bones.transpose(2, 3)
        own = arms.diagonal(dim1=1, dim2=3)  # (N, 3, 4, 24)
        own[:, :, :3] = state.turns.permute(0, 2, 3, 1)
        own[:, :, 3] = -(state.turns @ figure.rest[..., None])[..., 0].transpose(1, 2)
        return arms.flatten(3).flatten(1, 2)

    def _seen(self, state: _State, targets: Targets) -> Tensor:
        """Return `(N, 96, 3)` sums of places times the given vertices."""
        seen = (targets.with_basis @ state.numbers[..., None]).unflatten(1, (JOINT_COUNT, 3, 3))[..., 0]
        return torch.cat([seen, targets.alone[..., None]], 3).transpose(2, 3).flatten(1, 2)

    def _shape_sums(self, state: _State, figure: _Figure, directions: Tensor, places: Tensor) -> Tensor:
        """Return `(N, 96, 3 * S)` sums of places times what a shape number moves."""
        turned = state.turns[:, self.moments.second] @ directions.flatten(3)  # (N, P, 3, 4 * S)
        turned = turned.unflatten(3, (4, -1)).transpose(2, 3)
        slid = (places[:, :, 3::4] @ figure.slides.flatten(2)).unflatten(1, (JOINT_COUNT, 4))
        return slid.index_add(1, self.moments.first, turned.flatten(3)).flatten(1, 2)

    def _shape_squares(self, state: _State, figure: _Figure) -> Tensor:
        """Return `(N, S, S)` sums of products of what two shape numbers move."""
        moments = self.moments
        left, right = state.turns[:, moments.first], state.turns[:, moments.second]
        between = (left.transpose(-1, -2) @ right).flatten(1)
        squares = (between @ moments.direction_pairs).unflatten(1, (moments.numbers - 1, -1))
        carried = left @ moments.single_pairs[:, 1:].transpose(1, 2)
        carried = carried + moments.weight_pairs[:, None, None] * figure.slides[:, moments.first] / 2
        mixed = carried.flatten(1, 2).transpose(1, 2) @ figure.slides[:, moments.second].flatten(1, 2)
        return squares + mixed + mixed.transpose(1, 2)

    def _shape_seen(self, state: _State, figure: _Figure, targets: Targets) -> Tensor:
        """Return `(N, S)` sums of what a shape number moves times the given vertices."""
        turned = state.turns.flatten(1)[:, None] @ targets.with_basis[..., 1:]
        slid = targets.alone.flatten(1)[:, None] @ figure.slides.flatten(1, 2)
        return (turned + slid)[:, 0]

    def _correctives(self, state: _State) -> Tensor:
        """Return `(N, V, 3)`: the pose correctives of a state, as they stand on the posed body."""
        local = self._local(state.turns)
        eye = torch.eye(3, dtype=local.dtype, device=local.device)
        offsets = ((local[:, 1:] - eye).flatten(1) @ self.pose_directions).unflatten(1, (-1, 3))
        blended = (self.weights @ state.turns.flatten(2)).unflatten(2, (3, 3))
        return (blended @ offsets[..., None])[..., 0]

    def _local(self, turns: Tensor) -> Tensor:
        local = turns[:, self.parents].transpose(-1, -2) @ turns
        return torch.cat([turns[:, :1], local[:, 1:]], dim=1)


def _tree(parents: IntArray) -> tuple[np.ndarray, np.ndarray]:
    """Return `(24, 24)`: is bone k on the path to joint j, and which child of j leads to k (-1: none)."""
    paths, child = np.zeros((JOINT_COUNT, JOINT_COUNT)), np.full((JOINT_COUNT, JOINT_COUNT), -1)
    for joint in range(JOINT_COUNT):
        at = joint
        while at > 0:
            paths[joint, at] = 1
            child[parents[at], joint] = at
            at = int(parents[at])
    return paths, child


def _procrustes(cross: Tensor) -> Tensor:
    """Return the `(..., 3, 3)` rotations that turn z onto y best, of sums of y z (Kabsch 1976)."""
    left, _, right = torch.linalg.svd(cross)
    turned = left @ right
    # Where the best orthogonal matrix is a reflection, the weakest direction is turned round.
    sign = (torch.linalg.cross(turned[..., 0], turned[..., 1], dim=-1) * turned[..., 2]).sum(-1)
    return turned + left[..., 2:] * (sign - 1)[..., None, None] * right[..., 2:, :]


def _rotations(vectors: Tensor) -> Tensor:
    """Return `(..., 3, 3)` rotations by nearly `(..., 3)` rotation vectors (Cayley): right to second order."""
    skew = _cross_matrix(vectors)
    scale = 1 / (1 + vectors.square().sum(-1) / 4)
    eye = torch.eye(3, dtype=vectors.dtype, device=vectors.device)
    return eye + scale[..., None, None] * (skew + skew @ skew / 2)


def _cross_matrix(vectors: Tensor) -> Tensor:
    """Return `(..., 3, 3)` matrices that multiply like the cross product from the left."""
    x, y, z = vectors.unbind(-1)
    zero = torch.zeros_like(x)
    return torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).unflatten(-1, (3, 3))


def _crossed(products: Tensor) -> Tensor:
    """Return `(N, J, 3, ...)` sums of h x m of `(N, J, 3, 3, ...)` sums of h m."""
    p = products
    return torch.stack([p[:, :, 1, 2] - p[:, :, 2, 1], p[:, :, 2, 0] - p[:, :, 0, 2], p[:, :, 0, 1] - p[:, :, 1, 0]], 2)


def _crossed_squares(squares: Tensor) -> Tensor:
    """Return the `(N, 72, 72)` sums of (o x h_j) (o' x h_k) of `(N, 24, 3, 24, 3)` sums of h_j h_k."""
    trace = squares.diagonal(dim1=2, dim2=4).sum(-1)  # (N, 24, 24)
    eye = torch.eye(3, dtype=squares.dtype, device=squares.device)
    matrix = trace[:, :, None, :, None] * eye[:, None] - squares.transpose(2, 4)
    return matrix.flatten(3).flatten(1, 2)
