"""Live output by the VMC protocol (version 3.1, https://protocol.vmc.info): a humanoid's bones over OSC.

Every frame is complete in itself (UDP loses packets): OK, T, Root/Pos and 22 Bone/Pos, in two bundles. Bones carry
local positions and rotations in Unity's space; our skeleton's rest rotations are identities, which is what a
normalised VRM avatar has, so its bones take ours as they are.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .coordinates import (
    HALF_TURN_WXYZ,
    mirrored_position,
    mirrored_quaternion,
    turned_position,
    unity_position,
    unity_quaternion_xyzw,
)
from .errors import StreamError
from .osc import Message, UdpSender, encode_bundles
from .rotations import multiply, normalize
from .skeletons import HUMANOID_BONES, mirror_indices, smpl_name
from .types import Pose, Skeleton

logger = logging.getLogger(__name__)

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


class VmcEncoder:
    """Turns poses of one skeleton and one performer into messages; remembers signs and time. No network."""

    def __init__(self, skeleton: Skeleton, options: VmcOptions) -> None:
        """Check that the skeleton has all 22 bones.

        Raises:
            StreamError: a bone is missing or has no length, or `root_motion` is unknown.
        """
        if options.root_motion not in ROOT_MOTIONS:
            raise StreamError(
                f'root_motion: found "{options.root_motion}", expected one of {", ".join(ROOT_MOTIONS)}; '
                "start with root"
            )
        self._options = options
        self._joints, self._bones = _humanoid(skeleton)
        self._opposites = mirror_indices(skeleton)
        offsets = skeleton.offsets.astype(np.float64)
        self._offsets = mirrored_position(offsets[self._opposites]) if options.mirror else offsets
        self._signs: Array | None = None
        self._start_ns: int | None = None

    def encode(self, pose: Pose) -> list[bytes]:
        """Return the datagrams of one pose."""
        rotations, translation = self._shown(pose)
        root, hips = self._split(translation)
        positions = self._offsets.copy()
        positions[0] = hips
        positions, quaternions = unity_position(positions), unity_quaternion_xyzw(self._steady(rotations))
        messages = [self._status(tracked=True), self._time(pose.timestamp_ns)]
        messages.append(_placed("/VMC/Ext/Root/Pos", "root", unity_position(root), unity_quaternion_xyzw(_IDENTITY)))
        for joint, bone in zip(self._joints, self._bones, strict=True):
            messages.append(_placed("/VMC/Ext/Bone/Pos", bone, positions[joint], quaternions[joint]))
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
        return translation - self._offsets[0], self._offsets[0]

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


class VmcStream:
    """Sends poses to a VMC receiver; performer number s (from 0) goes to port + s. One thread at a time.

    Attributes:
        unsent: poses that were not sent: no free slot, or numbers that are not finite.
    """

    def __init__(self, options: VmcOptions, skeleton: Skeleton) -> None:
        """Open the stream.

        Raises:
            StreamError: bad options, an unknown host, or a skeleton without the bones of a humanoid.
        """
        if options.max_performers < 1 or options.port + options.max_performers - 1 > 65535:
            raise StreamError(
                f"port: found {options.port} for {options.max_performers} performers, expected room for one port each "
                f"below 65536; use {DEFAULT_PORT}"
            )
        self.unsent = 0
        self._options, self._skeleton = options, skeleton
        self._slots: dict[int, int] = {}
        self._encoders: dict[int, VmcEncoder] = {0: VmcEncoder(skeleton, options)}
        self._sender = UdpSender(options.host, options.port)
        self._closed = False

    @property
    def lost(self) -> int:
        """Packets the network did not take."""
        return self._sender.lost

    def send(self, poses: Sequence[Pose]) -> None:
        """Send what every performer does at one instant; says OK 0 on every slot that nobody has. Never raises for
        the network's sake."""
        if self._closed:
            return
        finite = [p for p in poses if np.isfinite(p.rotations_wxyz).all() and np.isfinite(p.root_translation).all()]
        placed = self._place(finite)
        self.unsent += len(poses) - len(placed)
        for slot, pose in placed.items():
            if slot not in self._encoders:
                self._encoders[slot] = VmcEncoder(self._skeleton, self._options)
            self._transmit(self._encoders[slot].encode(pose), slot)
        for slot in self._encoders.keys() - placed.keys():
            self._transmit(self._encoders[slot].encode_absent(), slot)

    def close(self) -> None:
        """Say OK 0 on every slot and release the socket; may be called twice."""
        if not self._closed:
            for slot, encoder in self._encoders.items():
                self._transmit(encoder.encode_absent(), slot)
        self._closed = True
        self._sender.close()

    def __enter__(self) -> VmcStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _transmit(self, datagrams: list[bytes], slot: int) -> None:
        for datagram in datagrams:
            self._sender.send(datagram, slot)

    def _place(self, poses: Sequence[Pose]) -> dict[int, Pose]:
        """Give each performer a slot: the one they had if it is free, else the first free one.

        A performer who is lost and found comes back under a new number and so takes the old avatar over.
        """
        placed = {self._slots[p.subject]: p for p in poses if p.subject in self._slots}
        for pose in poses:
            if placed.get(self._slots.get(pose.subject, -1)) is pose:
                continue
            free = [s for s in range(self._options.max_performers) if s not in placed]
            if free:
                placed[free[0]] = pose
        absent = {subject: s for subject, s in self._slots.items() if s not in placed}
        self._slots = absent | {p.subject: s for s, p in placed.items()}
        return placed


def _humanoid(skeleton: Skeleton) -> tuple[list[int], list[str]]:
    """Return the joints that are sent and their bone names."""
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
    return joints, list(HUMANOID_BONES.values())


def _long_enough(offset: Array) -> bool:
    return math.sqrt(float((offset.astype(np.float64) ** 2).sum())) > _SHORTEST_OFFSET_M


def _placed(address: str, name: str, position: Array, quaternion_xyzw: Array) -> Message:
    return Message(address, "sfffffff", (name, *position.tolist(), *quaternion_xyzw.tolist()))
