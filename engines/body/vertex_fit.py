"""Pose and shape of given vertices: a linear start, refined over the skinning weights (torch, batched).

The engines that predict vertices give no rotations, and files and streams need them. The start gives every joint an
affine map of its own: skinning is linear in these, so that one constant matrix finds them all, blended borders
included. The nearest rotations (Kabsch 1976) and what stretches the parts (the shape) are then refined by Gauss-Newton
steps on all turns, the shape and the root's place, which take in that joints hang together. The steps converge
quadratically, two are enough: vertices that are a posed body are met to rounding. A step that keeps the matrix of the
one before is no saving: turns of short parts depend on it too much.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ..types import IntArray
from .joints import JOINT_COUNT
from .parameters import BodyParameters
from .vertex_moments import Residual, ShapedMoments, VertexMoments, keep

STEPS = 2
CORRECTIVE_STEPS = 2
"""Further steps for a body with pose correctives: their equations leave the correctives out, and converge slower."""
# How far one vertex is believed to be off, metres: what a shape number at distance 1 from the mean must explain.
_NOISE_M = 0.003
# Added to the turns' diagonal, in vertices at a metre's distance: a part without vertices keeps its rotation.
_DAMPING = 1e-4
# The start's affine maps: how firmly neighbours meet in their joint, and how firmly a map resembles its parent's.
# Firmer resemblance pulls the turns of the free body off, looser lets noise into parts with few vertices.
_MEETING, _RESEMBLANCE = 10.0, 0.02
# Square metres times vertices by which the start's shape numbers are held to the mean.
_START_SHAPE = 0.002


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

    affine: Tensor  # (N, 24, 3, 4): place of a vertex of each joint = affine (z, 1)
    arms: Tensor  # (N, 72, 96): what a turn of each joint moves, from the places under each joint
    slides: Tensor  # (N, 72, S): how the affine's last column changes with the shape


class VertexFit(nn.Module):
    """Fits one body to its vertices, or to those of one of its coarse levels."""

    rest_basis: Tensor
    bone_and_rest_basis: Tensor
    bones_and_joints: Tensor
    combinations: Tensor
    arm_index: Tensor
    parents: Tensor
    start_maps: Tensor
    start_root: Tensor
    inertia: Tensor
    start_shape: Tensor
    start_mean: Tensor
    cross: Tensor
    skew: Tensor
    eye: Tensor
    damping: Tensor
    pose_directions: Tensor | None

    def __init__(self, parameters: BodyParameters, ids: IntArray | None = None) -> None:
        """`ids` are the template's vertices that will be given; None = all."""
        super().__init__()
        chosen = np.arange(parameters.vertex_count) if ids is None else ids
        self.moments = VertexMoments(parameters, ids)
        basis = np.concatenate([parameters.template[..., None], parameters.shape_directions], axis=2).astype(np.float64)
        rest = np.einsum("jv,vic->jic", parameters.joint_regressor.astype(np.float64), basis)  # (24, 3, 1 + S)
        self._keep_tree(parameters.parents, rest)
        self._keep_start(parameters.skinning_weights[chosen].astype(np.float64), basis[chosen], rest)
        damping = [_DAMPING] * (3 * JOINT_COUNT) + [0.0] * 3 + [_NOISE_M**2] * (basis.shape[2] - 1)
        keep(self, "damping", np.array(damping))
        keep(self, "eye", np.eye(3))
        keep(self, "cross", _cross_of_products())
        keep(self, "skew", -_cross_of_products())
        directions = parameters.pose_directions
        if directions is not None:
            directions = directions[chosen].transpose(2, 1, 0).reshape(directions.shape[2], -1)
        keep(self, "pose_directions", directions)

    def _keep_tree(self, parents: IntArray, rest: np.ndarray) -> None:
        """Keep how joints hang together; `rest` are `(24, 3, 1 + S)` unposed joints."""
        above = np.maximum(parents, 0)
        paths, child = _tree(parents)
        keep(self, "parents", above)
        keep(self, "rest_basis", rest[0])
        # A bone is turned by its parent, a joint's place in its own part by itself.
        keep(self, "bones_and_joints", np.concatenate([above, np.arange(JOINT_COUNT)]))
        keep(self, "bone_and_rest_basis", np.concatenate([rest - rest[above], rest]))
        none, eye = np.zeros((JOINT_COUNT, JOINT_COUNT)), np.eye(JOINT_COUNT)
        # Of turned bones and turned joints: the affine maps' last columns, the bones, what leads back to the joint.
        keep(self, "combinations", np.block([[paths, -eye], [eye, none], [none, -eye]]))
        keep(self, "arm_index", _arm_index(child))

    def _keep_start(self, weights: np.ndarray, basis: np.ndarray, rest: np.ndarray) -> None:
        """Keep what finds each joint's affine map of `(V, 3, 1 + S)` vertices, and the shape of the maps."""
        maps = _affine_solver(weights, basis[..., 0], rest[..., 0], self.parents.numpy())
        centres = (weights.T @ basis[..., 0]) / np.maximum(weights.sum(0)[:, None], 1e-9)
        arms = basis[:, None, :, 0] - centres  # (V, 24, 3)
        inertia = np.einsum("vj,vja,vjb->jab", weights, arms, arms) + 1e-9 * np.eye(3)
        stretches = np.einsum("vas,vp->spa", basis[..., 1:], maps).reshape(-1, JOINT_COUNT, 4, 3)[:, :, :3]
        stretches = stretches.transpose(0, 1, 3, 2)  # (S, 24, 3, 3): of the map, by a shape number
        weighted = np.einsum("sjac,jcd->sjad", stretches, inertia).reshape(len(stretches), -1)
        held = _START_SHAPE * np.eye(len(stretches))
        solver = np.linalg.solve(weighted @ stretches.reshape(len(stretches), -1).T + held, weighted)
        keep(self, "start_maps", maps)
        keep(self, "start_root", np.append(rest[0, :, 0], 1))
        keep(self, "inertia", inertia)
        keep(self, "start_shape", solver.T)
        keep(self, "start_mean", solver @ np.tile(np.eye(3), (JOINT_COUNT, 1, 1)).reshape(-1))

    @torch.no_grad()
    def forward(self, vertices: Tensor, steps: int = STEPS) -> FittedBodies:
        """Return the bodies of `(N, V, 3)` float32 vertices, metres, in any axes."""
        middle = vertices.mean(dim=1)
        centred = (vertices - middle[:, None]).transpose(1, 2).contiguous()
        state, squares = self._start(centred), centred.square().sum((1, 2))
        for _ in range(steps + (0 if self.pose_directions is None else CORRECTIVE_STEPS)):
            state, squares = self._step(state, centred)
        translation = state.root + middle - state.numbers @ self.rest_basis.T
        error = (squares.clamp(min=0) / self.moments.vertex_count).sqrt()
        return FittedBodies(self._local(state.turns), state.numbers[:, 1:], translation, error)

    def _start(self, vertices: Tensor) -> _State:
        """Return the bodies nearest to the affine maps of `(N, 3, V)` vertices."""
        maps = (vertices @ self.start_maps).unflatten(2, (JOINT_COUNT, 4)).transpose(1, 2)  # (N, 24, 3, 4)
        turns = _procrustes(maps[..., :3] @ self.inertia)
        stretches = turns.transpose(2, 3) @ maps[..., :3]
        betas = stretches.flatten(1) @ self.start_shape - self.start_mean
        return _State(turns, torch.cat([torch.ones_like(betas[:, :1]), betas], dim=1), maps[:, 0] @ self.start_root)

    def _step(self, state: _State, vertices: Tensor) -> tuple[_State, Tensor]:
        """Return the state after one Gauss-Newton step on turns, root and shape, and the squares it leaves over."""
        figure = self._figure(state)
        residual = self.moments.residual(vertices, state.numbers, figure.affine, self._correctives(state))
        normal, right = self._equations(state, figure, residual)
        change = torch.cholesky_solve(right[..., None], torch.linalg.cholesky_ex(normal)[0])[..., 0]
        turn, root, shape = change.split([3 * JOINT_COUNT, 3, self.moments.numbers - 1], dim=1)
        numbers = torch.cat([state.numbers[:, :1], state.numbers[:, 1:] + shape], dim=1)
        turns = torch.bmm(self._rotations(turn), state.turns.view(-1, 3, 3)).view(state.turns.shape)
        after = _State(turns, numbers, state.root + root)
        return after, residual.squares - (change * right).sum(1)

    def _figure(self, state: _State) -> _Figure:
        turned = state.turns.index_select(1, self.bones_and_joints) @ self.bone_and_rest_basis  # (N, 48, 3, 1 + S)
        moved = (self.combinations @ turned.flatten(2)).view(len(turned), 9 * JOINT_COUNT, self.moments.numbers)
        vectors = torch.bmm(moved, state.numbers[..., None]).view(len(turned), 3, JOINT_COUNT, 3)
        affine = torch.cat([state.turns, (vectors[:, 0] + state.root[:, None])[..., None]], dim=3)
        parts = [state.turns.flatten(1), vectors[:, 1:].flatten(1), torch.zeros_like(state.root[:, :1])]
        arms = torch.cat(parts, dim=1).index_select(1, self.arm_index)
        return _Figure(affine, arms.view(len(arms), 3 * JOINT_COUNT, 4 * JOINT_COUNT), moved[:, : 3 * JOINT_COUNT, 1:])

    def _equations(self, state: _State, figure: _Figure, residual: Residual) -> tuple[Tensor, Tensor]:
        """Return the `(N, U, U)` normal matrix, of which the lower half counts, and the `(N, U)` right side.

        The U unknowns are turns, root and shape. A small turn o_j of joint j moves vertex v by o_j x h_vj, with h_vj
        linear in the places (z_v, 1): its own weight times its arm, and for what hangs below it the bone that carries
        that. A shape number moves it by m_v. Root, shape and what is missing are columns of one matrix here.
        """
        count, turns = len(state.root), 3 * JOINT_COUNT
        sums = self.moments.shaped(state.numbers)
        by_shape, shape_squares = self._shape_sums(state, figure, sums)
        by_root = sums.places[:, :, 3::4].sum(2)[..., None, None] * self.eye
        columns = torch.cat([by_root, by_shape, residual.by_place[..., None]], dim=3)  # (N, 96, 3, 3 + S + 1)
        by_arms = torch.bmm(sums.places, figure.arms.transpose(1, 2))
        arms = torch.bmm(figure.arms, torch.cat([by_arms, columns.flatten(2)], dim=2))
        on_turns = _crossed_squares(arms[..., :turns].unflatten(2, (JOINT_COUNT, 3)), self.eye)
        across = self.cross @ arms[..., turns:].reshape(count, JOINT_COUNT, 9, self.moments.numbers + 3)
        across = across.flatten(1, 2).transpose(1, 2)  # (N, 3 + S + 1, 72)
        on_root = columns[:, 3::4].sum(1).transpose(1, 2)  # (N, 3 + S + 1, 3)
        normal = figure.arms.new_zeros(count, len(self.damping), len(self.damping))
        normal[:, :turns, :turns] = on_turns
        normal[:, turns:, :turns] = across[:, :-1]
        normal[:, turns:, turns : turns + 3] = on_root[:, :-1]
        normal[:, turns + 3 :, turns + 3 :] = shape_squares
        normal.diagonal(dim1=1, dim2=2).add_(self.damping)
        slid = torch.bmm(residual.by_place[:, 3::4].reshape(count, 1, turns), figure.slides)
        right_shape = residual.by_shape + slid[:, 0] - _NOISE_M**2 * state.numbers[:, 1:]
        return normal, torch.cat([across[:, -1], on_root[:, -1], right_shape], dim=1)

    def _shape_sums(self, state: _State, figure: _Figure, sums: ShapedMoments) -> tuple[Tensor, Tensor]:
        """Return `(N, 96, 3, S)` sums of places times what a shape number moves, and `(N, S, S)` of two such."""
        turned = self.moments.turned_basis(state.turns, sums)[..., 1:]  # (N, 24, 4, 3, S)
        slid = torch.bmm(
            sums.places[:, :, 3::4], figure.slides.reshape(len(turned), JOINT_COUNT, 3 * self.moments.numbers - 3)
        )
        moved = turned + slid.view(turned.shape)
        # The squares of turned + slid: turned times slid counts twice, and is in moved already once.
        mixed = torch.bmm(figure.slides.transpose(1, 2), (moved[:, :, 3] + turned[:, :, 3]).flatten(1, 2))
        squares = self.moments.turned_squares(state.turns) + (mixed + mixed.transpose(1, 2)) / 2
        return moved.flatten(1, 2), squares

    def _correctives(self, state: _State) -> Tensor | None:
        """Return `(N, 3, V)`: the pose correctives of a state."""
        if self.pose_directions is None:
            return None
        bends = self._local(state.turns)[:, 1:] - self.eye
        return (bends.flatten(1) @ self.pose_directions).unflatten(1, (3, self.moments.vertex_count))

    def _local(self, turns: Tensor) -> Tensor:
        local = turns.index_select(1, self.parents).transpose(-1, -2) @ turns
        return torch.cat([turns[:, :1], local[:, 1:]], dim=1)

    def _rotations(self, vectors: Tensor) -> Tensor:
        """Return `(N * 24, 3, 3)` rotations by nearly `(N, 72)` rotation vectors (Cayley): right to second order."""
        vectors = vectors.reshape(len(vectors) * JOINT_COUNT, 3)
        skew = (vectors @ self.skew).view(len(vectors), 3, 3)
        scale = 1 / (1 + vectors.square().sum(1) / 4)
        return torch.addcmul(self.eye, scale[:, None, None], torch.baddbmm(skew, skew, skew, alpha=0.5))


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


def _arm_index(child: np.ndarray) -> np.ndarray:
    """Return `(72 * 96,)`: where an arm stands among turns (24, 3, 3), bones (24, 3), ways back (24, 3) and a zero."""
    bones, back, zero = JOINT_COUNT * 9, JOINT_COUNT * 12, JOINT_COUNT * 15
    index = np.full((JOINT_COUNT, 3, JOINT_COUNT, 4), zero)
    axes = np.arange(3)
    for j in range(JOINT_COUNT):
        index[j, :, j, :3] = j * 9 + np.arange(9).reshape(3, 3)
        index[j, :, j, 3] = back + j * 3 + axes
        for k in np.flatnonzero(child[j] >= 0):
            index[j, :, k, 3] = bones + child[j, k] * 3 + axes
    return index.reshape(-1)


def _affine_solver(weights: np.ndarray, template: np.ndarray, rest: np.ndarray, parents: np.ndarray) -> np.ndarray:
    """Return `(V, 96)`: vertices `(3, V)` times this are the joints' affine maps, 24 times 4 columns.

    Least squares over the mean body, held together by what is known: neighbours meet in their joint.
    """
    below = np.arange(1, JOINT_COUNT)
    places = np.concatenate([template, np.ones((len(template), 1))], axis=1)
    given = np.einsum("vj,vc->vjc", weights, places).reshape(len(weights), -1)
    differs = np.zeros((JOINT_COUNT - 1, JOINT_COUNT))
    differs[below - 1, below], differs[below - 1, parents[1:]] = 1, -1
    joints = np.concatenate([rest[1:], np.ones((JOINT_COUNT - 1, 1))], axis=1)
    meeting = _MEETING * np.einsum("kj,kc->kjc", differs, joints).reshape(JOINT_COUNT - 1, -1)
    alike = _RESEMBLANCE * np.kron(differs, np.eye(4))
    matrix = given.T @ given + meeting.T @ meeting + alike.T @ alike
    return np.linalg.solve(matrix, given.T).T


def _procrustes(cross: Tensor) -> Tensor:
    """Return the `(..., 3, 3)` rotations that turn z onto y best, of sums of y z (Kabsch 1976)."""
    left, _, right = torch.linalg.svd(cross)
    turned = left @ right
    # Where the best orthogonal matrix is a reflection, the weakest direction is turned round.
    sign = (torch.linalg.cross(turned[..., 0], turned[..., 1], dim=-1) * turned[..., 2]).sum(-1)
    return turned + left[..., 2:] * (sign - 1)[..., None, None] * right[..., 2:, :]


def _cross_of_products() -> np.ndarray:
    """Return `(3, 9)`: times the products a_i b_k, in the order i, k, it is the cross product a x b."""
    signs = np.zeros((3, 3, 3))
    for i, k, axis in ((1, 2, 0), (2, 0, 1), (0, 1, 2)):
        signs[axis, i, k], signs[axis, k, i] = 1, -1
    return signs.reshape(3, 9)


def _crossed_squares(squares: Tensor, eye: Tensor) -> Tensor:
    """Return the `(N, 72, 72)` sums of (o x h_j) (o' x h_k) of `(N, 72, 24, 3)` sums of h_j h_k."""
    squares = squares.unflatten(1, (JOINT_COUNT, 3))
    trace = squares.diagonal(dim1=2, dim2=4).sum(-1)  # (N, 24, 24)
    matrix = trace[:, :, None, :, None] * eye[:, None] - squares.transpose(2, 4)
    return matrix.flatten(3).flatten(1, 2)
