"""Rotation arithmetic in NumPy, batched over leading axes.

Quaternions are `(..., 4)` in the order w, x, y, z and need not have unit length on entry; angles are radians;
matrices act on column vectors. Everything is computed in float64; the answer is float32 when all inputs are.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

GIMBAL_COSINE = 1e-6
"""Below this cosine of the middle angle the outer two Euler angles turn about one axis and cannot be told apart."""

_AXES = {"X": 0, "Y": 1, "Z": 2}


def _like(result: Array, *inputs: Array) -> Array:
    single = all(np.asarray(a).dtype == np.float32 for a in inputs)
    return result.astype(np.float32 if single else np.float64)


def _wide(array: Array) -> Array:
    return np.asarray(array, dtype=np.float64)


def normalize(quaternions: Array) -> Array:
    """Return unit quaternions `(..., 4)`; a quaternion of zero length becomes the identity."""
    q = _wide(quaternions)
    length = np.linalg.norm(q, axis=-1, keepdims=True)
    unit = np.where(length > 0, q / np.where(length > 0, length, 1.0), (1.0, 0.0, 0.0, 0.0))
    return _like(unit, quaternions)


def multiply(a: Array, b: Array) -> Array:
    """Return the Hamilton product `(..., 4)`: the rotation b followed by the rotation a."""
    aw, ax, ay, az = np.moveaxis(_wide(a), -1, 0)
    bw, bx, by, bz = np.moveaxis(_wide(b), -1, 0)
    product = np.stack(
        [
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ],
        axis=-1,
    )
    return _like(product, a, b)


def inverse(quaternions: Array) -> Array:
    """Return the unit quaternions `(..., 4)` of the opposite rotations."""
    return _like(normalize(_wide(quaternions)) * (1.0, -1.0, -1.0, -1.0), quaternions)


def rotate(quaternions: Array, vectors: Array) -> Array:
    """Return `(..., 3)` vectors turned by the quaternions; leading axes broadcast."""
    q, v = normalize(_wide(quaternions)), _wide(vectors)
    twice = 2.0 * np.cross(q[..., 1:], v)
    return _like(v + q[..., :1] * twice + np.cross(q[..., 1:], twice), quaternions, vectors)


def matrix_from_quaternion(quaternions: Array) -> Array:
    """Return rotation matrices `(..., 3, 3)`."""
    w, x, y, z = np.moveaxis(normalize(_wide(quaternions)), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return _like(np.stack([np.stack(row, axis=-1) for row in rows], axis=-2), quaternions)


def quaternion_from_matrix(matrices: Array) -> Array:
    """Return unit quaternions `(..., 4)` with w >= 0 of rotation matrices `(..., 3, 3)`.

    Each quaternion is the best conditioned of the four that follow from the matrix (Shepperd 1978, "Quaternion from
    rotation matrix"): the one divided by its largest component.
    """
    m = _wide(matrices)
    d0, d1, d2 = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    # Row k is four times component k of the quaternion times the whole quaternion.
    wx, wy, wz = m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1]
    xy, xz, yz = m[..., 0, 1] + m[..., 1, 0], m[..., 0, 2] + m[..., 2, 0], m[..., 1, 2] + m[..., 2, 1]
    rows = [
        [1 + d0 + d1 + d2, wx, wy, wz],
        [wx, 1 + d0 - d1 - d2, xy, xz],
        [wy, xy, 1 - d0 + d1 - d2, yz],
        [wz, xz, yz, 1 - d0 - d1 + d2],
    ]
    candidates = np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)
    largest = np.argmax(np.diagonal(candidates, axis1=-2, axis2=-1), axis=-1)
    q = normalize(np.take_along_axis(candidates, largest[..., None, None], axis=-2)[..., 0, :])
    return _like(np.where(q[..., :1] < 0, -q, q), matrices)


def quaternion_from_rotvec(rotvecs: Array) -> Array:
    """Return unit quaternions `(..., 4)` of rotation vectors `(..., 3)`, axis times angle in radians."""
    v = _wide(rotvecs)
    angle = np.linalg.norm(v, axis=-1, keepdims=True)
    # np.sinc(t) is sin(pi t) / (pi t), exact at zero.
    q = np.concatenate([np.cos(angle / 2), v * 0.5 * np.sinc(angle / (2 * np.pi))], axis=-1)
    return _like(q, rotvecs)


def rotvec_from_quaternion(quaternions: Array) -> Array:
    """Return rotation vectors `(..., 3)`, axis times angle, the angle from 0 to pi radians."""
    q = normalize(_wide(quaternions))
    q = np.where(q[..., :1] < 0, -q, q)
    sine = np.linalg.norm(q[..., 1:], axis=-1, keepdims=True)
    angle = 2.0 * np.arctan2(sine, q[..., :1])
    scale = np.where(sine > 1e-12, angle / np.where(sine > 1e-12, sine, 1.0), 2.0)
    return _like(q[..., 1:] * scale, quaternions)


def _check_order(order: str) -> tuple[int, int, int]:
    if sorted(order.upper()) != ["X", "Y", "Z"]:
        raise ValueError(f'order: found "{order}", expected X, Y and Z once each, such as "ZXY"')
    i, j, k = (_AXES[c] for c in order.upper())
    return i, j, k


def quaternion_from_euler(angles_rad: Array, order: str) -> Array:
    """Return unit quaternions `(..., 4)` of intrinsic Euler angles.

    Args:
        angles_rad: `(..., 3)`, in the order of `order`.
        order: e.g. "ZXY" for R = Rz(a) Rx(b) Ry(c), as the channels of a BVH file are meant.
    """
    axes = _check_order(order)
    half = _wide(angles_rad) / 2
    q = np.broadcast_to(np.array([1.0, 0.0, 0.0, 0.0]), (*half.shape[:-1], 4))
    for n, axis in enumerate(axes):
        turn = np.zeros((*half.shape[:-1], 4))
        turn[..., 0], turn[..., 1 + axis] = np.cos(half[..., n]), np.sin(half[..., n])
        q = multiply(q, turn)
    return _like(q, angles_rad)


def euler_from_quaternion(quaternions: Array, order: str) -> Array:
    """Return intrinsic Euler angles `(..., 3)` in radians, the middle one within +-pi/2.

    In gimbal lock the third angle is set to zero and the first carries the whole turn.
    """
    i, j, k = _check_order(order)
    m = matrix_from_quaternion(_wide(quaternions))
    sign = 1.0 if (j - i) % 3 == 1 else -1.0
    cosine = np.hypot(m[..., i, i], m[..., i, j])
    middle = np.arctan2(sign * m[..., i, k], cosine)
    locked = cosine < GIMBAL_COSINE
    first = np.where(
        locked,
        np.arctan2(sign * m[..., k, j], m[..., j, j]),
        np.arctan2(-sign * m[..., j, k], m[..., k, k]),
    )
    third = np.where(locked, 0.0, np.arctan2(-sign * m[..., i, j], m[..., i, i]))
    return _like(np.stack([first, middle, third], axis=-1), quaternions)


def continuous_euler(angles_rad: Array, order: str) -> Array:
    """Return the same rotations with curves that do not jump from one time to the next.

    Every rotation has two triples, (a, b, c) and (a + pi, pi - b, c + pi), each modulo a full turn; the one nearest
    to the time before is chosen, so a performer who turns round twice reaches 720 degrees. In gimbal lock only the
    sum (or difference) of the outer angles matters, and the first angle stays where it was.

    Args:
        angles_rad: `(T, ..., 3)` radians.
        order: the intrinsic order of the angles, e.g. "ZXY".
    """
    i, j, _ = _check_order(order)
    angles = _unlocked(_wide(angles_rad), 1.0 if (j - i) % 3 == 1 else -1.0)
    if len(angles) < 2:
        return _like(angles, angles_rad)
    other = _other_triple(angles)
    # Which of the two is nearer depends on the one chosen before, but going over to the other triple and back are
    # equally far, so it is enough to know at which times to go over.
    goes_over = _turned_distance(other[1:], angles[:-1]) < _turned_distance(angles[1:], angles[:-1])
    is_other = np.concatenate([np.zeros_like(goes_over[:1]), np.cumsum(goes_over, axis=0) % 2 == 1])
    chosen = np.where(is_other[..., None], other, angles)
    whole_turns = np.cumsum(np.round(np.diff(chosen, axis=0) / (2 * np.pi)), axis=0)
    chosen[1:] -= 2 * np.pi * whole_turns
    return _like(chosen, angles_rad)


def _unlocked(angles: Array, sign: float) -> Array:
    """Share out the turn of locked triples such that the first angle equals the one before.

    With b = +-pi/2 the rotation depends on a + s c alone, s = +-1 by the order's handedness and the sign of b.
    """
    locked = np.abs(np.cos(angles[..., 1])) < GIMBAL_COSINE
    locked[:1] = False
    if not locked.any():
        return angles.copy()
    s = sign * np.sign(np.sin(angles[..., 1]))
    times = np.arange(len(angles)).reshape((-1,) + (1,) * (angles.ndim - 2))
    free = np.maximum.accumulate(np.where(locked, 0, times), axis=0)
    first = np.take_along_axis(angles[..., 0], free, axis=0)
    third = s * (angles[..., 0] + s * angles[..., 2] - first)
    shared = np.stack([first, angles[..., 1], third], axis=-1)
    return np.where(locked[..., None], shared, angles)


def _other_triple(angles: Array) -> Array:
    return np.stack([angles[..., 0] + np.pi, np.pi - angles[..., 1], angles[..., 2] + np.pi], axis=-1)


def _turned_distance(a: Array, b: Array) -> Array:
    """Return `(...)`: how far triples are apart, each angle modulo a full turn."""
    apart = a - b
    return np.abs(apart - 2 * np.pi * np.round(apart / (2 * np.pi))).sum(axis=-1)


def slerp(a: Array, b: Array, fraction: Array) -> Array:
    """Return the rotation `fraction` (`(...)`, 0 to 1) of the shorter way from a to b, unit quaternions `(..., 4)`."""
    start, end = normalize(_wide(a)), normalize(_wide(b))
    dot = (start * end).sum(axis=-1, keepdims=True)
    end, t = np.where(dot < 0, -end, end), _wide(fraction)[..., None]
    # The angle from sine and cosine is exact near zero, where arccos of the dot product is not.
    angle = 2.0 * np.arctan2(
        np.linalg.norm(end - start, axis=-1, keepdims=True), np.linalg.norm(end + start, axis=-1, keepdims=True)
    )
    sine = np.sin(angle)
    safe = np.where(sine > 1e-9, sine, 1.0)
    curved = (np.sin((1 - t) * angle) * start + np.sin(t * angle) * end) / safe
    return _like(normalize(np.where(sine > 1e-9, curved, (1 - t) * start + t * end)), a, b)


def continuous_signs(quaternions: Array) -> Array:
    """Return `(T, ..., 4)` quaternions of the same rotations, none on the far side of the one before (q and -q are one
    rotation, but a receiver that blends components would spin)."""
    q = _wide(quaternions)
    if len(q) == 0:
        return _like(q, quaternions)
    turns = np.where((q[1:] * q[:-1]).sum(axis=-1, keepdims=True) < 0, -1.0, 1.0)
    signs = np.concatenate([np.ones_like(q[:1, ..., :1]), np.cumprod(turns, axis=0)])
    return _like(q * signs, quaternions)
