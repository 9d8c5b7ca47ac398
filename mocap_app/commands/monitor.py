"""Show what arrives by OSC at a port of this machine: addresses, rates, bones, packets, and what is wrong with them.

Stop the receiver first: one program at a time has a port. Ctrl-C ends it.
"""

from __future__ import annotations

import argparse
import json
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from exporters.errors import StreamError
from exporters.osc_traffic import OscTraffic

EXAMPLES = """examples:
  mocap-app monitor --osc 39539                   what a VMC receiver on this machine would get
  mocap-app monitor --osc 9000 --seconds 5 --json VRChat's trackers, as JSON"""
TOLD_EVERY_S = 1.0
WAIT_S = 0.2
LARGEST_DATAGRAM = 65536
RECEIVE_BUFFER_BYTES = 1 << 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    parser.add_argument("--osc", type=int, default=39539, metavar="PORT", help="port to listen at (default: 39539)")
    parser.add_argument("--seconds", type=float, metavar="N", help="end after so long; otherwise at Ctrl-C")
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end and nothing else")


def main(args: argparse.Namespace) -> int:
    """Listen, then print the report; the exit code is 0 whatever has arrived."""
    traffic = OscTraffic()
    with listen(args.osc) as receiver, suppress(KeyboardInterrupt):
        if not args.json:
            print(f"listening at port {args.osc}; Ctrl-C ends", file=sys.stderr)
        collect(receiver, traffic, args.seconds, None if args.json else tell_progress)
    report = traffic.report()
    print(json.dumps(report) if args.json else "\n".join(lines_of(report)))
    return 0


def listen(port: int) -> socket.socket:
    """Return a UDP socket at `port` on every address of this machine.

    Raises:
        StreamError: Another program has the port, or it is none.
    """
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        receiver.bind(("", port))
    except (OSError, OverflowError) as error:
        receiver.close()
        raise StreamError(
            f"--osc: cannot listen at port {port} ({error}); expected a port no other program has; "
            "stop the receiver that has it, or choose another"
        ) from error
    receiver.settimeout(WAIT_S)
    return receiver


def collect(
    receiver: socket.socket,
    traffic: OscTraffic,
    seconds: float | None,
    tell: Callable[[OscTraffic], None] | None = None,
) -> None:
    """Put what arrives into `traffic`, for so long or until interrupted."""
    begun_s = told_s = time.monotonic()
    while seconds is None or time.monotonic() - begun_s < seconds:
        try:
            datagram = receiver.recv(LARGEST_DATAGRAM)
        except TimeoutError:
            datagram = b""
        except ConnectionResetError:  # Windows passes on what became of something sent before
            continue
        now_s = time.monotonic()
        if datagram:
            traffic.add(datagram, now_s)
        if tell is not None and now_s - told_s >= TOLD_EVERY_S:
            told_s = now_s
            tell(traffic)


def tell_progress(traffic: OscTraffic) -> None:
    """Print one line of how it is going."""
    rate_hz = traffic.rate_hz("/VMC/Ext/OK")
    frames = f", {rate_hz:.1f} frames/s" if rate_hz else ""
    print(f"{traffic.packets} packets, {traffic.messages} messages{frames}", file=sys.stderr)


def lines_of(report: dict[str, Any]) -> list[str]:
    """Return the report as lines of text."""
    if not report["packets"]:
        return ["nothing has arrived; does the sender name this machine and port, and does the firewall let it in?"]
    head = f"{report['packets']} packets, {report['messages']} messages, largest {report['largest_packet_bytes']} bytes"
    lines = [head, "", *table_of(report["addresses"])]
    if report["bones"]:
        lines += ["", *table_of(report["bones"])]
    problems = [f"  {count} times: {problem}" for problem, count in report["problems"].items()]
    return [*lines, "", *(["problems:", *problems] if problems else ["no problems"])]


def table_of(rows: dict[str, dict[str, Any]]) -> list[str]:
    """Return one aligned line per name: count, rate, last values."""
    width = max(map(len, rows))
    return [f"{name:{width}}  {row['count']:7}  {spell_rate(row)}  {spell_values(row['last'])}"
            for name, row in rows.items()]  # fmt: skip


def spell_rate(row: dict[str, Any]) -> str:
    """Return a rate in eight columns."""
    return f"{row['rate_hz']:6.1f}/s" if row["rate_hz"] is not None else " " * 8


def spell_values(values: list[Any]) -> str:
    """Return the last values of a message, numbers short."""
    return " ".join(f"{value:.3f}" if isinstance(value, float) else str(value) for value in values)
