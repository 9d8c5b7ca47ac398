"""Live output to VRChat's OSC trackers (https://docs.vrchat.com/docs/osc-trackers): points of the body, over OSC.

Each tracker has a position and a rotation in world space: Unity's axes, metres, Euler angles in degrees that turn
about the fixed axes Z, then X, then Y. VRChat finds out by itself, at calibration, which tracker is which body part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .coordinates import unity_position, unity_quaternion_xyzw
from .errors import StreamError
from .kinematics import forward_kinematics, rest_joints, world_rotations
from .osc import Message, UdpSender, encode_bundles
from .pace import Pace
from .rotations import euler_from_quaternion
from .skeletons import smpl_name
from .slots import Slots
from .types import Pose, Skeleton
from .vmc import finite_poses

Array = NDArray[Any]

DEFAULT_PORT = 9000
TRACKER_JOINTS = {
    "hip": "pelvis",
    "chest": "spine3",
    "left_foot": "left_ankle",
    "right_foot": "right_ankle",
    "left_knee": "left_knee",
    "right_knee": "right_knee",
    "left_elbow": "left_elbow",
    "right_elbow": "right_elbow",
    "head": "head",
}
"""tracker -> the SMPL joint it sits on. The head has an address of its own and only aligns the spaces."""
DEFAULT_TRACKERS = ("hip", "chest", "left_foot", "right_foot", "left_knee", "right_knee", "left_elbow", "right_elbow")
_HEAD_JOINT_PER_HEIGHT = 0.91
"""Height of the head's joint over the floor, of the whole height: 0.912 for the free body, about 0.90 between chin
and eyes (D. A. Winter, Biomechanics and Motor Control of Human Movement)."""


@dataclass(frozen=True, slots=True)
class VrchatOptions:
    """Where to send, and what."""

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    trackers: tuple[str, ...] = DEFAULT_TRACKERS
    """Some of `TRACKER_JOINTS`, numbered in this order; VRChat takes eight and a head."""
    height_m: float | None = None
    """The player's height as VRChat's settings have it; the motion is scaled to it. None leaves it as measured."""
    rate_hz: float | None = 60.0
    """Send at most so often; None sends every pose."""


class VrchatEncoder:
    """Turns poses of one skeleton into tracker messages. No network."""

    def __init__(self, skeleton: Skeleton, options: VrchatOptions) -> None:
        """Find the trackers' joints.

        Raises:
            StreamError: an unknown tracker, or a skeleton without its joint.
        """
        unknown = [t for t in options.trackers if t not in TRACKER_JOINTS]
        if unknown or not options.trackers or len(set(options.trackers)) < len(options.trackers):
            raise StreamError(
                f"trackers: found {', '.join(unknown or options.trackers) or 'none'}, expected some of "
                f"{', '.join(TRACKER_JOINTS)}, each once; start with hip, left_foot, right_foot"
            )
        self._skeleton = skeleton
        self._joints = _joints(skeleton, options.trackers)
        body = [t for t in options.trackers if t != "head"]
        self._names = ["head" if t == "head" else str(body.index(t) + 1) for t in options.trackers]
        self._scale = 1.0 if options.height_m is None else options.height_m / height_m(skeleton)

    def encode(self, pose: Pose) -> list[bytes]:
        """Return the datagrams of one pose."""
        rotations = world_rotations(self._skeleton, pose.rotations_wxyz)[self._joints]
        joints = forward_kinematics(self._skeleton, pose.rotations_wxyz, pose.root_translation)[self._joints]
        positions, angles = unity_position(joints * self._scale), unity_euler_deg(rotations)
        messages = []
        for name, position, angle in zip(self._names, positions, angles, strict=True):
            messages.append(_vector(f"/tracking/trackers/{name}/position", position))
            messages.append(_vector(f"/tracking/trackers/{name}/rotation", angle))
        return encode_bundles(messages)


class VrchatStream:
    """Sends one performer's trackers to VRChat, which has one player. One thread at a time.

    The first to be seen is the player; whoever is there next takes their place when they are gone.

    Attributes:
        unsent: poses that were not sent: other performers, or numbers that are not finite.
    """

    def __init__(self, options: VrchatOptions, skeleton: Skeleton) -> None:
        """Open the stream.

        Raises:
            StreamError: an unknown tracker or host, or a skeleton without the joints.
        """
        self.unsent = 0
        self._encoder = VrchatEncoder(skeleton, options)
        self._pace, self._slots = Pace(options.rate_hz), Slots(1)
        self._sender = UdpSender(options.host, options.port)

    @property
    def sent(self) -> int:
        """Packets handed to the network."""
        return self._sender.sent

    @property
    def lost(self) -> int:
        """Packets the network did not take."""
        return self._sender.lost

    def send(self, poses: Sequence[Pose]) -> None:
        """Send the player's trackers; nothing where nobody is there, which VRChat sees by itself."""
        placed = self._slots.place(finite_poses(poses))
        self.unsent += len(poses) - len(placed)
        if 0 not in placed or not self._pace.is_due():
            return
        for datagram in self._encoder.encode(placed[0]):
            self._sender.send(datagram)

    def close(self) -> None:
        """Release the socket; may be called twice."""
        self._sender.close()

    def __enter__(self) -> VrchatStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def unity_euler_deg(rotations_wxyz: Array) -> Array:
    """Return `(..., 3)` degrees about Unity's x, y and z of our world rotations `(..., 4)`.

    Turning about the fixed axes z, x, y is Ry Rx Rz, the intrinsic order YXZ.
    """
    unity_wxyz = np.roll(unity_quaternion_xyzw(rotations_wxyz), 1, axis=-1)
    return np.degrees(euler_from_quaternion(unity_wxyz, "YXZ"))[..., [1, 0, 2]]


def height_m(skeleton: Skeleton) -> float:
    """Return about how tall the performer is."""
    (head,) = _joints(skeleton, ("head",))
    return float(rest_joints(skeleton)[head, 1]) / _HEAD_JOINT_PER_HEIGHT


def _joints(skeleton: Skeleton, trackers: Sequence[str]) -> list[int]:
    names = [smpl_name(n) for n in skeleton.joint_names]
    missing = [TRACKER_JOINTS[t] for t in trackers if TRACKER_JOINTS[t] not in names]
    if missing:
        raise StreamError(
            f"skeleton {skeleton.name}: found no {', '.join(missing)}; expected the SMPL joints; "
            "stream a take of this application"
        )
    return [names.index(TRACKER_JOINTS[t]) for t in trackers]


def _vector(address: str, values: Array) -> Message:
    return Message(address, "fff", tuple(values.tolist()))
