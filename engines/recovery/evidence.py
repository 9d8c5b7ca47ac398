"""What the encoder's landmarks say beside the pose: how surely joints are seen, and where to look next."""

from __future__ import annotations

import numpy as np

from ..body.fitting import Evidence
from ..geometry import apply_affine, invert_affine
from ..types import FloatArray, Regions

REGION_SCALE = 2.5  # MediaPipe: a region's side is 2 x 1.25 times the distance of the two alignment points
# The landmarks that vouch for each of the 24 joints.
_WITNESSES: tuple[tuple[int, ...], ...] = (
    (23, 24), (23,), (24,), (11, 12, 23, 24), (25,), (26,), (11, 12, 23, 24), (27,), (28,), (11, 12, 23, 24),
    (31,), (32,), (11, 12), (11,), (12,), (0, 7, 8), (11,), (12,), (13,), (14,), (15,), (16,), (19,), (20,),
)  # fmt: skip
# The limb joints and the landmarks that measure them: shoulders, elbows, wrists, hips, knees, ankles.
_LIMBS = np.array([16, 17, 18, 19, 20, 21, 1, 2, 4, 5, 7, 8])
_LIMB_LANDMARKS = np.array([11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28])
CROP_PX = 256
# What is believed of the encoder (README.md says how these were chosen): its landmarks are some 3 of 256 pixels off,
# its world landmarks some 10 cm (and 7 % small); its hips lie beside the hip joints, so they vouch for the picture
# alone.
_LANDMARK_ERROR_PX, _WORLD_ERROR_M, _WORLD_SCALE = 3.0, 0.1, 1.07
_MEMBERS = np.zeros((24, 39), np.float32)
for _joint, _landmarks in enumerate(_WITNESSES):
    _MEMBERS[_joint, list(_landmarks)] = 1 / len(_landmarks)


def joint_confidence(landmarks: FloatArray, presence: FloatArray) -> FloatArray:
    """Return `(N, 24)` confidence, 0 to 1: the encoder's visibility times presence of each joint's landmarks.

    Args:
        landmarks: `(N, 39, 5)`, the last two logits.
        presence: `(N,)` of the person.
    """
    seen = _sigmoid(landmarks[..., 3]) * _sigmoid(landmarks[..., 4])
    return (seen @ _MEMBERS.T * presence[:, None]).astype(np.float32)


def seen_joints(joints_px: FloatArray, landmarks: FloatArray) -> FloatArray:
    """Return `(N, 24, 2)` crop pixels: limb joints where the encoder's landmarks are, others as the network says.

    Args:
        joints_px: `(N, 24, 2)` the network's joints.
        landmarks: `(N, 39, 5)`.
    """
    seen = joints_px.copy()
    seen[:, _LIMBS] = landmarks[:, _LIMB_LANDMARKS, :2]
    return seen


def gather_evidence(
    world: FloatArray, to_camera: FloatArray, joints: FloatArray, seen_px: FloatArray, confidence: FloatArray,
    regions: Regions, intrinsics: FloatArray,
) -> Evidence:  # fmt: skip
    """Return what the landmarks say of the joints, for the fit.

    Args:
        world: `(N, 39, 3)` the encoder's world landmarks, crop axes.
        to_camera: `(N, 3, 3)` crop axes -> camera axes.
        joints: `(N, 24, 3)` metres, camera axes, relative to the root: where the hips are taken from.
        seen_px: `(N, 24, 2)` pixels of the picture.
        confidence: `(N, 24)`.
        regions: the N squares looked at.
        intrinsics: `(3, 3)` pixels.
    """
    focal = np.array([intrinsics[0, 0], intrinsics[1, 1]])
    error = _LANDMARK_ERROR_PX * np.maximum(regions.sides_px, 1)[:, None] / CROP_PX / intrinsics[0, 0]
    ray_weights, place_weights = np.zeros((2, *confidence.shape))
    ray_weights[:, _LIMBS] = confidence[:, _LIMBS] / error
    place_weights[:, _LIMBS] = confidence[:, _LIMBS] / _WORLD_ERROR_M
    place_weights[:, [1, 2]] = 0
    turned = np.einsum("nij,nkj->nki", to_camera, world) * _WORLD_SCALE + joints[:, 1:3].mean(1, keepdims=True)
    places = joints.astype(np.float64)
    places[:, _LIMBS] = turned[:, _LIMB_LANDMARKS]
    return Evidence((seen_px - intrinsics[:2, 2]) / focal, ray_weights, places, place_weights)


def next_regions(landmarks: FloatArray, matrices: FloatArray) -> Regions:
    """Return where the person will be looked for next: around alignment points 33 and 34.

    Args:
        landmarks: `(N, 39, 5)` crop pixels.
        matrices: `(N, 2, 3)` full-image pixels -> crop pixels.
    """
    points = apply_affine(invert_affine(matrices), landmarks[:, 33:35, :2])
    up = points[:, 1] - points[:, 0]
    sides = REGION_SCALE * np.linalg.norm(up, axis=1)
    angles = np.arctan2(up[:, 0], -up[:, 1])
    return Regions(points[:, 0].astype(np.float32), sides.astype(np.float32), angles.astype(np.float32))


def _sigmoid(logits: FloatArray) -> FloatArray:
    return 1 / (1 + np.exp(-np.clip(logits, -30, 30)))
