"""The other end of the wire: a process that receives what a run sends, and tells when it came."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ..errors import SinkError
from .arrivals import END
from .children import command_of, environment

PATIENCE_S = 10.0


@dataclass(slots=True)
class Arrivals:
    """What came; empty until the receiver was asked for it by the end of `receiving`."""

    port: int
    packets: int = 0
    """From everybody."""
    first: list[tuple[int, float | None]] = field(default_factory=list)
    """Of the first performer, per packet: `time.monotonic_ns()` of the arrival, and the seconds it says, if any."""

    def last_by_time(self) -> dict[float, int]:
        """Return by the seconds that a pose says when the last packet of it arrived."""
        arrived: dict[float, int] = {}
        seconds: float | None = None
        for now_ns, said in self.first:
            seconds = seconds if said is None else said
            if seconds is not None:
                arrived[seconds] = now_ns
        return arrived


@contextmanager
def receiving(performers: int) -> Iterator[Arrivals]:
    """Run a receiver for so many performers, on ports in a row from `Arrivals.port`; filled in at the end.

    Raises:
        SinkError: The process did not start, or did not answer.
    """
    command = command_of("arrivals", str(performers))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) as process:
        try:
            assert process.stdout is not None
            arrivals = Arrivals(int(process.stdout.readline() or 0))
            if not arrivals.port:
                raise SinkError("the receiver of the measurement did not start, expected its port; see its error above")
            yield arrivals
            _fill(arrivals, process)
        finally:
            process.kill()


def _fill(arrivals: Arrivals, process: subprocess.Popen[str]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(END, ("127.0.0.1", arrivals.port))
    try:
        told = json.loads(process.communicate(timeout=PATIENCE_S)[0])
    except (subprocess.TimeoutExpired, ValueError) as error:
        raise SinkError(
            "the receiver of the measurement did not tell what arrived, expected it within "
            f"{PATIENCE_S:.0f} s; measure again on a quieter machine"
        ) from error
    arrivals.packets = told["packets"]
    arrivals.first = [(now_ns, seconds) for now_ns, seconds in told["first"]]
