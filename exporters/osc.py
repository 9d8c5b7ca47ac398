"""OSC over UDP: typed messages packed into bundles that fit a network packet, and a socket that never waits.

python-osc builds the bytes and is imported on first use, so that writing files needs NumPy alone.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterable
from typing import NamedTuple

from .errors import StreamError

logger = logging.getLogger(__name__)

MAX_DATAGRAM_BYTES = 1400
"""Ethernet leaves 1472 bytes to a UDP payload and VMC asks for at most 1500; tunnels take some more."""
_BUNDLE_HEADER_BYTES = 16
_SIZE_BYTES = 4


class Message(NamedTuple):
    """One OSC message; `types` has one letter per argument: i, f or s."""

    address: str
    types: str
    arguments: tuple[int | float | str, ...]


def encode_message(message: Message) -> bytes:
    """Return the bytes of one message. Arguments must be plain Python numbers and text."""
    from pythonosc.osc_message_builder import OscMessageBuilder

    builder = OscMessageBuilder(message.address)
    for kind, argument in zip(message.types, message.arguments, strict=True):
        builder.add_arg(argument, kind)
    return builder.build().dgram


def encode_bundles(messages: Iterable[Message], max_bytes: int = MAX_DATAGRAM_BYTES) -> list[bytes]:
    """Return as few bundles as hold the messages in order, none longer than `max_bytes`."""
    from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
    from pythonosc.osc_message import OscMessage

    bundles, size = [OscBundleBuilder(IMMEDIATELY)], _BUNDLE_HEADER_BYTES
    for message in messages:
        encoded = encode_message(message)
        if size + _SIZE_BYTES + len(encoded) > max_bytes and size > _BUNDLE_HEADER_BYTES:
            bundles.append(OscBundleBuilder(IMMEDIATELY))
            size = _BUNDLE_HEADER_BYTES
        bundles[-1].add_content(OscMessage(encoded))
        size += _SIZE_BYTES + len(encoded)
    return [bundle.build().dgram for bundle in bundles]


class UdpSender:
    """A UDP socket towards one host. One thread at a time.

    The host name is looked up once, when built. A datagram that cannot be handed over at once (full buffer, no
    network, nobody listening) is counted in `lost` and forgotten: the next frame is newer anyway.
    """

    def __init__(self, host: str, port: int) -> None:
        """Look `host` up and open a socket.

        Raises:
            StreamError: the host is not known, or the port is not one.
        """
        self.lost = 0
        self._address = _resolve(host, port)
        self._socket: socket.socket | None = socket.socket(self._address[0], socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def send(self, datagram: bytes, port_offset: int = 0) -> bool:
        """Hand one datagram over, to the port plus `port_offset`; return whether that worked."""
        if self._socket is None:
            return False
        host, port, *rest = self._address[1]
        try:
            self._socket.sendto(datagram, (host, port + port_offset, *rest))
        except (OSError, OverflowError) as error:
            if not self.lost:
                logger.warning("live stream to %s port %d: a packet was lost (%s)", host, port + port_offset, error)
            self.lost += 1
            return False
        return True

    def close(self) -> None:
        """Release the socket; may be called twice."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _resolve(host: str, port: int) -> tuple[socket.AddressFamily, tuple]:
    if not 1 <= port <= 65535:
        raise StreamError(f"port: found {port}, expected 1 to 65535; use the port the receiver shows (VMC: 39539)")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        raise StreamError(
            f'host: found "{host}", which cannot be looked up ({error}); expected a name or numeric address; '
            "use 127.0.0.1 for a receiver on this machine"
        ) from error
    # Most receivers listen on IPv4 alone, and "localhost" often gives ::1 first.
    family, _, _, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    return family, address
