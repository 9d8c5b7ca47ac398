"""Motion capture of other skeletons brought to the 24 SMPL joints."""

from __future__ import annotations

import numpy as np

from ..types import FloatArray, IntArray

# For each SMPL joint: names it goes by elsewhere (lower case, letters and digits only), best first. Two
# names joined by + mean the rotation half way between the two.
_NAMES: tuple[tuple[str, ...], ...] = (
    ("pelvis", "hip", "hips", "root"),
    ("lhip", "lthigh", "leftupleg", "lfemur", "leftupperleg", "leftthigh"),
    ("rhip", "rthigh", "rightupleg", "rfemur", "rightupperleg", "rightthigh"),
    ("spine1", "abdomen", "lowerback", "spine"),
    ("lknee", "lshin", "leftleg", "ltibia", "leftlowerleg"),
    ("rknee", "rshin", "rightleg", "rtibia", "rightlowerleg"),
    ("spine2", "abdomen+chest", "upperback", "spine1", "chest"),
    ("lankle", "lfoot", "leftfoot"),
    ("rankle", "rfoot", "rightfoot"),
    ("spine3", "chest", "thorax", "spine2", "upperchest"),
    ("ltoe", "ltoes", "lefttoebase", "lefttoes"),
    ("rtoe", "rtoes", "righttoebase", "righttoes"),
    ("neck", "lowerneck"),
    ("lcollar", "lclavicle", "leftshoulder"),
    ("rcollar", "rclavicle", "rightshoulder"),
    ("head",),
    ("lshoulder", "lshldr", "leftarm", "lhumerus", "leftupperarm"),
    ("rshoulder", "rshldr", "rightarm", "rhumerus", "rightupperarm"),
    ("lelbow", "lforearm", "leftforearm", "lradius", "leftlowerarm"),
    ("relbow", "rforearm", "rightforearm", "rradius", "rightlowerarm"),
    ("lwrist", "lhand", "lefthand"),
    ("rwrist", "rhand", "righthand"),
    (),
    (),
)
_NEEDED = (0, 1, 2, 4, 5, 16, 17, 18, 19)
# Limb joints whose rest direction is made the T-pose's: joint, the joint it points to, T-pose direction.
_LIMBS = (
    (1, 4, (0, -1, 0)), (2, 5, (0, -1, 0)), (4, 7, (0, -1, 0)), (5, 8, (0, -1, 0)),
    (16, 18, (1, 0, 0)), (17, 19, (-1, 0, 0)), (18, 20, (1, 0, 0)), (19, 21, (-1, 0, 0)),
)  # fmt: skip


def smpl_global_rotations(
    joint_names: tuple[str, ...], parents: IntArray, offsets: FloatArray, rotations: FloatArray
) -> FloatArray:
    """Return `(T, 24, 3, 3)` rotations, joint -> world, of the SMPL joints that follow the given motion.

    Args:
        joint_names: J names of the source; known families are cgspeed and ASF conversions of CMU's capture,
            SMPL, Mixamo and Unity names.
        parents: `(J,)` int, -1 for the root.
        offsets: `(J, 3)` rest offsets; the rest pose must be roughly a T-pose, y up, facing +z.
        rotations: `(T, J, 3, 3)` parent-relative.

    Raises:
        ValueError: a needed joint is missing; the message names it.
    """
    found = [_find(names, joint_names) for names in _NAMES]
    missing = [_NAMES[j][0] for j in _NEEDED if found[j] is None]
    if missing:
        raise ValueError(f"no joint found for {missing}; expected names such as {_NAMES[_NEEDED[1]]}")
    world = _chain(rotations, parents)
    rest = _rest_positions(offsets, parents)
    return _complete(world, rest, found)


def _find(names: tuple[str, ...], joint_names: tuple[str, ...]) -> tuple[int, ...] | None:
    plain = ["".join(c for c in n.lower() if c.isalnum()) for n in joint_names]
    plain = [n.split("mixamorig")[-1] for n in plain]
    for name in names:
        parts = name.split("+")
        if all(p in plain for p in parts):
            return tuple(plain.index(p) for p in parts)
    return None


def _chain(rotations: FloatArray, parents: IntArray) -> FloatArray:
    world = rotations.copy()
    for joint, parent in enumerate(parents):
        if parent >= 0:
            world[:, joint] = world[:, parent] @ rotations[:, joint]
    return world


def _rest_positions(offsets: FloatArray, parents: IntArray) -> FloatArray:
    rest = offsets.astype(np.float64).copy()
    for joint, parent in enumerate(parents):
        rest[joint] = rest[parent] + offsets[joint] if parent >= 0 else 0.0
    return rest


def _complete(world: FloatArray, rest: np.ndarray, found: list[tuple[int, ...] | None]) -> FloatArray:
    """Pick, correct and fill the 24 rotations; a joint with no counterpart keeps its parent's."""
    from ..body.joints import SMPL_PARENTS

    result = np.empty((len(world), 24, 3, 3), np.float32)
    correction = {
        j: _turn(np.array(d, float), rest[found[c][0]] - rest[found[j][0]])
        for j, c, d in _LIMBS
        if found[j] and found[c]
    }  # type: ignore[index]
    for joint, source in enumerate(found):
        if source is None:
            result[:, joint] = result[:, SMPL_PARENTS[joint]]
        elif len(source) == 1:
            result[:, joint] = world[:, source[0]] @ correction.get(joint, np.eye(3))
        else:
            result[:, joint] = _nearest_rotation(world[:, source[0]] + world[:, source[1]])
    return result


def _turn(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return the smallest rotation that takes direction `start` to `end` (Rodrigues)."""
    a, b = start / np.linalg.norm(start), end / np.linalg.norm(end)
    v, c = np.cross(a, b), float(a @ b)
    k = np.array([[0, -v[2], v[1]], [v[2], 0, -v[0]], [-v[1], v[0], 0]])
    return np.eye(3) + k + k @ k / max(1 + c, 1e-9)


def _nearest_rotation(matrices: np.ndarray) -> np.ndarray:
    u, _, vt = np.linalg.svd(matrices)
    u[..., -1] *= np.sign(np.linalg.det(u @ vt))[..., None]
    return u @ vt
