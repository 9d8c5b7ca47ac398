"""Live output by the VMC protocol to one receiver per performer; `vmc_encoder` makes the messages."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .errors import StreamError
from .osc import UdpSender
from .pace import Pace
from .slots import Slots
from .types import Pose, Skeleton
from .vmc_encoder import DEFAULT_PORT, VmcEncoder, VmcOptions

__all__ = ["DEFAULT_PORT", "VmcOptions", "VmcStream", "finite_poses"]


class VmcStream:
    """Sends poses to a VMC receiver; performer number s (from 0) goes to port + s. One thread at a time.

    Attributes:
        unsent: poses that were not sent: no free slot, or numbers that are not finite. What the rate left out is not
            counted.
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
        self._slots = Slots(options.max_performers)
        self._encoders: dict[int, VmcEncoder] = {0: VmcEncoder(skeleton, options)}
        self._pace = Pace(options.rate_hz)
        self._present: set[int] | None = None
        self._sender = UdpSender(options.host, options.port)
        self._closed = False

    @property
    def sent(self) -> int:
        """Packets handed to the network."""
        return self._sender.sent

    @property
    def lost(self) -> int:
        """Packets the network did not take."""
        return self._sender.lost

    def send(self, poses: Sequence[Pose]) -> None:
        """Send what every performer does at one instant; says OK 0 on every slot that nobody has. Never raises for
        the network's sake."""
        if self._closed:
            return
        finite = finite_poses(poses)
        placed = self._slots.place(finite)
        self.unsent += len(poses) - len(placed)
        # Who comes or goes is told at once, whatever the rate.
        if not self._pace.is_due() and placed.keys() == self._present:
            return
        self._present = set(placed)
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


def finite_poses(poses: Sequence[Pose]) -> list[Pose]:
    """Return the poses whose every number is finite."""
    return [p for p in poses if np.isfinite(p.rotations_wxyz).all() and np.isfinite(p.root_translation).all()]
