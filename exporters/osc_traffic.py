"""What arrives by OSC, counted and judged: addresses, rates, bones, packets, and what is wrong with them."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from .avatars import BONES, REQUIRED_BONES

LARGEST_BYTES = 1500
"""VMC asks for packets within this; larger ones are cut into pieces on the way, and one lost piece loses all."""
_UNIT_TOLERANCE = 1e-3
_VMC = "/VMC/Ext/"
_FINGERS = tuple(
    f"{side}{finger}{part}"
    for side in ("Left", "Right")
    for finger in ("Thumb", "Index", "Middle", "Ring", "Little")
    for part in ("Proximal", "Intermediate", "Distal")
)
KNOWN_BONES = frozenset((*BONES, "LeftEye", "RightEye", "Jaw", *_FINGERS))
"""HumanBodyBones of Unity, which VMC names its bones by."""


@dataclass(slots=True)
class _Seen:
    first_s: float
    last_s: float
    count: int = 0
    last: list[Any] = field(default_factory=list)

    def rate_hz(self) -> float | None:
        span_s = self.last_s - self.first_s
        return (self.count - 1) / span_s if self.count > 1 and span_s > 0 else None


class OscTraffic:
    """Takes datagrams in the order of arrival. One thread at a time."""

    def __init__(self) -> None:
        self.packets = self.messages = self.bytes = self.largest_bytes = 0
        self._addresses: dict[str, _Seen] = {}
        self._bones: dict[str, _Seen] = {}
        self._problems: Counter[str] = Counter()

    def add(self, datagram: bytes, now_s: float) -> None:
        """Count one datagram that arrived at `now_s`, seconds of any clock."""
        from pythonosc.osc_packet import OscPacket, ParseError

        self.packets += 1
        self.bytes += len(datagram)
        self.largest_bytes = max(self.largest_bytes, len(datagram))
        if len(datagram) > LARGEST_BYTES:
            self._problems[f"packet of more than {LARGEST_BYTES} bytes"] += 1
        try:
            messages = OscPacket(datagram).messages
        except (ParseError, ValueError) as error:
            self._problems[f"packet that is no OSC ({error})"] += 1
            return
        for timed in messages:
            self._take(timed.message.address, list(timed.message), now_s)

    def report(self) -> dict[str, Any]:
        """Return everything so far, JSON-able; rates are None where one message arrived."""
        return {
            "packets": self.packets,
            "messages": self.messages,
            "bytes": self.bytes,
            "largest_packet_bytes": self.largest_bytes,
            "addresses": {a: _told(seen) for a, seen in sorted(self._addresses.items())},
            "bones": {b: _told(seen) for b, seen in self._bones.items()},
            "problems": {**self._problems, **self._absent()},
        }

    def rate_hz(self, address: str) -> float | None:
        """Return how often `address` arrived per second."""
        return self._addresses[address].rate_hz() if address in self._addresses else None

    def _take(self, address: str, arguments: list[Any], now_s: float) -> None:
        self.messages += 1
        _note(self._addresses, address, arguments, now_s)
        if address.startswith(_VMC) and address.endswith("/Pos"):
            self._judge(address, arguments)
        if address == _VMC + "Bone/Pos" and arguments and isinstance(arguments[0], str):
            _note(self._bones, arguments[0], arguments[1:], now_s)
            if arguments[0] not in KNOWN_BONES:
                self._problems[f"{arguments[0]}: no bone of Unity's humanoid"] += 1

    def _judge(self, address: str, arguments: list[Any]) -> None:
        """Note what is wrong with a name, a position and a quaternion."""
        numbers = arguments[1:8]
        if len(numbers) < 7 or not isinstance(arguments[0], str) or not all(isinstance(n, float) for n in numbers):
            self._problems[f"{address}: no text and seven floats"] += 1
            return
        length = math.sqrt(sum(n * n for n in numbers[3:]))
        if not math.isfinite(sum(numbers)):
            self._problems[f"{arguments[0]}: numbers that are not finite"] += 1
        elif length == 0:
            self._problems[f"{arguments[0]}: quaternion of zeros"] += 1
        elif abs(length - 1) > _UNIT_TOLERANCE:
            self._problems[f"{arguments[0]}: quaternion not of length 1"] += 1

    def _absent(self) -> dict[str, int]:
        """Return what is wrong with the bones as a whole."""
        problems = {}
        absent = [b for b in REQUIRED_BONES if b not in self._bones]
        if self._bones and absent:
            problems[f"bones every humanoid needs, missing: {', '.join(absent)}"] = len(absent)
        if len(self._bones) > 1 and all(not any(seen.last[:3]) for seen in self._bones.values()):
            problems["every bone at position 0: receivers that read positions pull the avatar together"] = 1
        return problems


def _note(seen: dict[str, _Seen], name: str, arguments: list[Any], now_s: float) -> None:
    one = seen.setdefault(name, _Seen(now_s, now_s))
    one.count, one.last_s, one.last = one.count + 1, now_s, arguments


def _told(seen: _Seen) -> dict[str, Any]:
    rate_hz = seen.rate_hz()
    plain = [a if isinstance(a, (int, float, str, bool, type(None))) else repr(a) for a in seen.last]
    return {"count": seen.count, "rate_hz": None if rate_hz is None else round(rate_hz, 2), "last": plain}
