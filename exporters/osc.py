"""OSC over UDP: typed messages packed into bundles that fit a network packet, and a socket that never waits.

python-osc builds what messages begin with and is imported on first use, so that writing files needs NumPy alone.
"""

from __future__ import annotations

import functools
import logging
import socket
import struct
from collections.abc import Iterable
from typing import NamedTuple

from .errors import StreamError

logger = logging.getLogger(__name__)

MAX_DATAGRAM_BYTES = 1400
"""Ethernet leaves 1472 bytes to a UDP payload and VMC asks for at most 1500; tunnels take some more."""
_BUNDLE_START = b"#bundle\0" + struct.pack(">Q", 1)
"""Name and time tag of a bundle; the tag 1 means immediately (OSC 1.0)."""
_NUMBER_BYTES = 4


class Message(NamedTuple):
    """One OSC message; `types` has one letter per argument: s for texts, which come first, then i or f."""

    address: str
    types: str
    arguments: tuple[int | float | str, ...]


def encode_message(message: Message) -> bytes:
    """Return the bytes of one message; its texts come before its numbers, and the numbers are plain Python ones."""
    texts = message.types.count("s")
    header = _header(message.address, message.types, message.arguments[:texts])
    return header + struct.pack(">" + message.types[texts:], *message.arguments[texts:])


@functools.lru_cache(maxsize=1024)
def _header(address: str, types: str, texts: tuple[str, ...]) -> bytes:
    """Return what comes before the numbers of a message: the same in every frame, so it is built once.

    Building every message anew took ten times longer, for python-osc reads back each message and bundle it builds.
    """
    from pythonosc.osc_message_builder import OscMessageBuilder

    numbers = types[len(texts) :]
    if types != "s" * len(texts) + numbers or set(numbers) - {"i", "f"}:
        raise ValueError(f'types: found "{types}", expected s for each text first, then i or f for each number')
    builder = OscMessageBuilder(address)
    for text in texts:
        builder.add_arg(text, "s")
    for kind in numbers:
        builder.add_arg(0 if kind == "i" else 0.0, kind)
    datagram = builder.build().dgram
    return datagram[: len(datagram) - _NUMBER_BYTES * len(numbers)]


def encode_bundles(messages: Iterable[Message], max_bytes: int = MAX_DATAGRAM_BYTES) -> list[bytes]:
    """Return as few bundles as hold the messages in order, none longer than `max_bytes`; to be acted on at once."""
    bundles = [bytearray(_BUNDLE_START)]
    for message in messages:
        encoded = encode_message(message)
        part = struct.pack(">i", len(encoded)) + encoded
        if len(bundles[-1]) + len(part) > max_bytes and len(bundles[-1]) > len(_BUNDLE_START):
            bundles.append(bytearray(_BUNDLE_START))
        bundles[-1] += part
    return [bytes(bundle) for bundle in bundles]


class UdpSender:
    """A UDP socket towards one host. One thread at a time.

    The host name is looked up once, when built. A datagram that cannot be handed over at once (full buffer, no
    network, nobody listening) is counted in `lost` and forgotten: the next frame is newer anyway. The others are
    counted in `sent`.
    """

    def __init__(self, host: str, port: int) -> None:
        """Look `host` up and open a socket.

        Raises:
            StreamError: the host is not known, or the port is not one.
        """
        self.lost = self.sent = 0
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
        self.sent += 1
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
