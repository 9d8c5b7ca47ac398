"""A receiver of VMC in a process of its own: notes when each packet arrives, so that nothing of ours delays it.

    python -m mocap_app.bench.arrivals PORTS

Prints the first of so many ports in a row, then one line of JSON when the datagram `end` comes. The clock is
`time.monotonic_ns`, which on Linux and macOS, and on Windows since Python 3.13, is the same in every process and fine.
"""

from __future__ import annotations

import json
import selectors
import socket
import struct
import sys
import time

END = b"end"
TIME_MESSAGE = b"/VMC/Ext/T\0\0,f\0\0"
ORPHANED_S = 120.0
"""Whoever is not written to for so long has been forgotten, and ends."""
ATTEMPTS = 50
ROOM_BYTES = 1 << 20


def bind_row(count: int) -> list[socket.socket]:
    """Return sockets on so many ports in a row, for VMC sends each further performer to the next one."""
    for _ in range(ATTEMPTS):
        opened: list[socket.socket] = []
        try:
            for number in range(count):
                opened.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                opened[-1].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM_BYTES)
                opened[-1].bind(("127.0.0.1", opened[0].getsockname()[1] + number if number else 0))
        except (OSError, OverflowError):
            for sock in opened:
                sock.close()
        else:
            return opened
    raise OSError(f"no {count} free ports in a row on this machine")


def time_in(datagram: bytes) -> float | None:
    """Return the seconds in a packet's `/VMC/Ext/T`, or None where it has none."""
    at = datagram.find(TIME_MESSAGE)
    return None if at < 0 else struct.unpack_from(">f", datagram, at + len(TIME_MESSAGE))[0]


def receive(sockets: list[socket.socket]) -> dict[str, object]:
    """Take packets until the end; return their count, and `[nanoseconds, seconds or null]` of the first performer's."""
    packets = 0
    first: list[tuple[int, float | None]] = []
    with selectors.DefaultSelector() as selector:
        for sock in sockets:
            selector.register(sock, selectors.EVENT_READ)
        while ready := selector.select(ORPHANED_S):
            for key, _ in ready:
                assert isinstance(key.fileobj, socket.socket)
                datagram = key.fileobj.recv(65536)
                now_ns = time.monotonic_ns()
                if datagram == END:
                    return {"packets": packets, "first": first}
                packets += 1
                if key.fileobj is sockets[0]:
                    first.append((now_ns, time_in(datagram)))
    return {"packets": packets, "first": first}


def main() -> None:
    """Receive and tell."""
    sockets = bind_row(int(sys.argv[1]))
    sys.stdout.write(f"{sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    sys.stdout.write(json.dumps(receive(sockets)) + "\n")
    for sock in sockets:
        sock.close()


if __name__ == "__main__":
    main()
