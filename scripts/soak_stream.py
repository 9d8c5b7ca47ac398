"""Stream motion to this machine for minutes, and say what was sent, what arrived and how the memory grew.

    .venv/bin/python scripts/soak_stream.py 10 60        ten minutes at 60 poses per second

Exit code 1 when a packet was lost, the memory grew by more than --growth-mb, or the pace was not kept.
"""

from __future__ import annotations

import argparse
import json
import socket
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from exporters import Pose, Skeleton, VmcOptions, VmcStream, skeleton_from_rest_joints
from exporters.osc_traffic import OscTraffic
from exporters.rotations import quaternion_from_rotvec

SETTLED_S = 10.0
"""Memory is compared with that after so long: libraries, buffers and caches have been filled by then."""
PACKETS_PER_POSE = 2
LATE_SHARE = 0.01
CHECKED_EVERY = 1000
"""Packets between two that are decoded and judged as well as counted."""


class Counter(threading.Thread):
    """A receiver that counts packets, and judges some, until it is ended."""

    def __init__(self) -> None:
        super().__init__(name="receiver")
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.5)
        self.port = self.socket.getsockname()[1]
        self.packets, self.traffic, self.ended = 0, OscTraffic(), threading.Event()

    def run(self) -> None:
        while True:
            try:
                datagram = self.socket.recv(65536)
            except TimeoutError:
                if self.ended.is_set():
                    return
                continue
            self.packets += 1
            # Two in a row, for a pose is two packets.
            if (self.packets - 1) % CHECKED_EVERY < PACKETS_PER_POSE:
                self.traffic.add(datagram, time.monotonic())


def body() -> Skeleton:
    """A made-up body: what matters is how many bones are sent, not where they are."""
    joints_m = np.random.default_rng(1).normal(size=(24, 3))
    return skeleton_from_rest_joints(joints_m)


def pose_at(time_s: float) -> Pose:
    rotvecs = np.sin(time_s + np.arange(72)).reshape(24, 3)
    place = np.float32([np.sin(time_s), 0.95, np.cos(time_s)])
    return Pose(quaternion_from_rotvec(rotvecs).astype(np.float32), place, int(time_s * 1e9), 1)


def memory_mb() -> float:
    return psutil.Process().memory_info().rss / 1e6


def send(stream: VmcStream, seconds: float, rate_hz: float) -> tuple[int, list[float]]:
    """Send at `rate_hz` for so long; return how many poses, and the memory in MB along the way."""
    begun_s, sent, memory, measured_s = time.monotonic(), 0, [], SETTLED_S
    while (now_s := time.monotonic() - begun_s) < seconds:
        stream.send([pose_at(now_s)])
        sent += 1
        if now_s >= measured_s:
            memory.append(memory_mb())
            measured_s += SETTLED_S
        time.sleep(max(0.0, begun_s + sent / rate_hz - time.monotonic()))
    return sent, memory or [memory_mb()]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("minutes", type=float)
    parser.add_argument("rate_hz", type=float)
    parser.add_argument("--growth-mb", type=float, default=5.0, help="how far the memory may grow (default: 5)")
    args = parser.parse_args()
    receiver = Counter()
    receiver.start()
    try:
        with VmcStream(VmcOptions("127.0.0.1", receiver.port, max_performers=1), body()) as stream:
            sent, memory = send(stream, args.minutes * 60, args.rate_hz)
            lost = stream.lost
    finally:
        receiver.ended.set()
        receiver.join()
        receiver.socket.close()
    told = receiver.traffic.report()
    expected = PACKETS_PER_POSE * sent + 1  # and the goodbye
    report = {
        "minutes": args.minutes, "rate_hz": args.rate_hz, "poses_sent": sent, "packets_sent": expected,
        "packets_received": receiver.packets, "packets_not_taken": lost,
        "largest_packet_bytes": told["largest_packet_bytes"], "bones": len(told["bones"]),
        "problems": told["problems"], "memory_mb_settled": round(memory[0], 2),
        "memory_mb_end": round(memory[-1], 2), "memory_mb_most": round(max(memory), 2),
    }  # fmt: skip
    print(json.dumps(report, indent=1))
    paced = sent >= args.minutes * 60 * args.rate_hz * (1 - LATE_SHARE)
    whole = receiver.packets == expected and not lost and not told["problems"]
    return 0 if whole and paced and memory[-1] - memory[0] <= args.growth_mb else 1


if __name__ == "__main__":
    sys.exit(main())
