"""Messages of the VMC protocol (version 3.1, https://protocol.vmc.info): a humanoid's bones over OSC.

Every frame is complete in itself (UDP loses packets): OK, T, Root/Pos and up to 22 Bone/Pos, in two bundles. Bones
carry local positions and rotations in Unity's space. Without the avatar's file its bones are taken to be the
performer's, with identities for rest rotations, which is what a normalised (VRM 0.x) avatar has.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .avatars import avatar_of, fold
from .coordinates import (
    HALF_TURN_WXYZ,
    mirrored_position,
    mirrored_quaternion,
    turned_position,
    unity_position,
    unity_quaternion_xyzw,
)
from .errors import StreamError
from .osc import Message, encode_bundles
from .rotations import multiply, normalize
from .skeletons import HUMANOID_BONES, mirror_indices, smpl_name
from .types import Pose, Skeleton
from .vrm import read_vrm

Array = NDArray[Any]

DEFAULT_PORT = 39539
ROOT_MOTIONS = ("root", "hips", "both")
_IDENTITY = np.array([1.0, 0.0, 0.0, 0.0])
_SHORTEST_OFFSET_M = 1e-4


@dataclass(frozen=True, slots=True)
class VmcOptions:
    """Where to send, and how the performer is shown."""

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    """The first performer's; each further one has the next port."""
    root_motion: str = "root"
    """Where the translation goes, for receivers differ in what they read: `root`, `hips`, or `both` (along the floor
    in the root, height in the hips). The avatar stands at the same place with each."""
    mirror: bool = False
    """Swap left and right, as in a mirror."""
    turn_180: bool = False
    """Turn the performer half round."""
    max_performers: int = 8
    rate_hz: float | None = None
    """Send at most so often; None sends every pose."""
    vrm: str = ""
    """The avatar's file: its own bone positions are sent, the motion is scaled by the ratio of the hips' heights, and
    what bones it lacks would do is done by their neighbours. Empty sends the performer's own bones."""


class VmcEncoder:
    """Turns poses of one skeleton and one performer into messages; remembers signs and time. No network."""

    def __init__(self, skeleton: Skeleton, options: VmcOptions) -> None:
        """Check that the skeleton has all 22 bones, and read the avatar's file if one is named.

        Raises:
            StreamError: a bone is missing or has no length, `root_motion` is unknown, or the file is no avatar.
        """
        if options.root_motion not in ROOT_MOTIONS:
            raise StreamError(
                f'root_motion: found "{options.root_motion}", expected one of {", ".join(ROOT_MOTIONS)}; '
                "start with root"
            )
        self._options = options
        self._joints = _humanoid(skeleton)
        self._opposites = mirror_indices(skeleton)
        self._avatar = read_vrm(options.vrm) if options.vrm else avatar_of(skeleton, options.mirror)
        self._scale = float(self._avatar.hips_m[1] / skeleton.offsets[0, 1]) if options.vrm else 1.0
        self._signs: Array | None = None
        self._start_ns: int | None = None

    def encode(self, pose: Pose) -> list[bytes]:
        """Return the datagrams of one pose."""
        rotations, translation = self._shown(pose)
        root, hips = self._split(translation * self._scale)
        avatar = self._avatar
        local = avatar.local_rotations(fold(rotations[self._joints], avatar.bones))
        positions = avatar.offsets.copy()
        positions[0] = avatar.local_hips(hips)
        positions, quaternions = unity_position(positions), unity_quaternion_xyzw(self._steady(local))
        messages = [self._status(tracked=True), self._time(pose.timestamp_ns)]
        messages.append(_placed("/VMC/Ext/Root/Pos", "root", unity_position(root), unity_quaternion_xyzw(_IDENTITY)))
        for bone, position, quaternion in zip(avatar.bones, positions, quaternions, strict=True):
            messages.append(_placed("/VMC/Ext/Bone/Pos", bone, position, quaternion))
        return encode_bundles(messages)

    def encode_absent(self) -> list[bytes]:
        """Return the datagrams that say that nobody is tracked."""
        return encode_bundles([self._status(tracked=False)])

    def _shown(self, pose: Pose) -> tuple[Array, Array]:
        """Return rotations `(J, 4)` and translation `(3,)` after the mirror and the half turn, float64."""
        rotations, translation = normalize(pose.rotations_wxyz.astype(np.float64)), pose.root_translation
        if self._options.mirror:
            rotations = mirrored_quaternion(rotations[self._opposites])
            translation = mirrored_position(translation)
        if self._options.turn_180:
            rotations = rotations.copy()
            rotations[0] = multiply(HALF_TURN_WXYZ, rotations[0])
            translation = turned_position(translation)
        return rotations, np.asarray(translation, np.float64)

    def _split(self, translation: Array) -> tuple[Array, Array]:
        """Return the positions of Root and Hips, whose sum is `translation`."""
        if self._options.root_motion == "hips":
            return np.zeros(3), translation
        if self._options.root_motion == "both":
            return translation * (1.0, 0.0, 1.0), translation * (0.0, 1.0, 0.0)
        return translation - self._avatar.hips_m, self._avatar.hips_m

    def _steady(self, rotations: Array) -> Array:
        """Return the rotations with the signs nearest to those sent before."""
        if self._signs is not None:
            against = (rotations * self._signs).sum(axis=-1, keepdims=True) < 0
            rotations = np.where(against, -rotations, rotations)
        self._signs = rotations
        return rotations

    def _status(self, tracked: bool) -> Message:
        # loaded, calibrated (3 = done), calibration mode (0 = normal), tracking
        return Message("/VMC/Ext/OK", "iiii", (int(tracked), 3, 0, int(tracked)))

    def _time(self, timestamp_ns: int) -> Message:
        # From zero: a float32 of a machine's uptime would step by whole milliseconds.
        if self._start_ns is None:
            self._start_ns = timestamp_ns
        return Message("/VMC/Ext/T", "f", ((timestamp_ns - self._start_ns) / 1e9,))


def _humanoid(skeleton: Skeleton) -> list[int]:
    """Return the joints that are sent, in the order of the bones."""
    names = [smpl_name(n) for n in skeleton.joint_names]
    missing = [n for n in HUMANOID_BONES if n not in names]
    if missing:
        raise StreamError(
            f"skeleton {skeleton.name}: found no {', '.join(missing)}; expected the SMPL joints, which VMC's bones "
            "are made from; stream a take of this application"
        )
    joints = [names.index(n) for n in HUMANOID_BONES]
    short = [n for n, j in zip(HUMANOID_BONES, joints, strict=True) if not _long_enough(skeleton.offsets[j])]
    if short:
        # A zero position would pull the receiver's bones together into one point.
        raise StreamError(
            f"skeleton {skeleton.name}: found no length at {', '.join(short)}; expected every rest offset above "
            f"{_SHORTEST_OFFSET_M} m; build the skeleton from the rest joints of a T-pose"
        )
    return joints


def _long_enough(offset: Array) -> bool:
    return math.sqrt(float((offset.astype(np.float64) ** 2).sum())) > _SHORTEST_OFFSET_M


def _placed(address: str, name: str, position: Array, quaternion_xyzw: Array) -> Message:
    return Message(address, "sfffffff", (name, *position.tolist(), *quaternion_xyzw.tolist()))
