"""One cell of the matrix, measured in a process of its own: what is loaded and held is this engine's alone.

    python -m mocap_app.bench.cell '{"kind": "engine", "name": "deforhmr", ...}'

Prints one line of JSON: the figures, or `{"reason": ...}` where the cell cannot be run.
"""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from engines.errors import EngineError
from engines.registry import build_detector, build_engine
from engines.types import Image, Regions

from ..stats import Spread
from .memory import MB, peak_mb, resident_mb

AUTO = "auto"
WARM_CALLS, WARM_S = 5, 0.5
LEAST_CALLS = 20
PATIENCE = 3.0
"""A slow cell ends after so many times its seconds, though its calls are few."""
ROLES = {"blazepose-full": "encoder", "blazepose-detection": "detector"}
"""What a network is, by its key; every other one is an engine's own, the head."""
PICTURE_WH = (1080, 1920)
FILLED_BY = 1
"""The shipped crop whose person is the largest and the easiest to find."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What to measure."""

    kind: str
    """engine | detector."""
    name: str
    runtime: str
    """auto, or the runtime that runs every network of it."""
    precision: str
    """fp32 | fp16; with auto, whatever is chosen. The encoder and the detector have no fp16 and stay in fp32."""
    people: int
    device: str = "cpu"
    options: dict[str, Any] = field(default_factory=dict)
    seconds: float = 2.0
    """Measured for so long; 0 loads only."""

    def as_json(self) -> str:
        """Return the cell as an argument of the process."""
        return json.dumps(asdict(self))


class NetworkTimes:
    """Times every network that runs in this process, by its role."""

    def __init__(self) -> None:
        """Begin: for the whole life of the process, which is there to measure."""
        from engines.runtime.session import LastingSession

        self._ms: defaultdict[str, list[float]] = defaultdict(list)
        self.ran_in: dict[str, str] = {}
        run = LastingSession.run

        def timed(session: LastingSession, *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
            begun_ns = time.perf_counter_ns()
            outputs = run(session, *arrays)
            role = role_of(session._network.key)
            self._ms[role].append((time.perf_counter_ns() - begun_ns) / 1e6)
            self.ran_in[role] = session.runtime
            return outputs

        LastingSession.run = timed  # type: ignore[method-assign, assignment]

    def forget(self) -> None:
        """Forget the runs so far."""
        self._ms.clear()

    def medians_ms(self) -> dict[str, float]:
        """Return by role the median of one run."""
        return {role: float(np.median(values)) for role, values in self._ms.items()}


def role_of(key: str) -> str:
    """Return encoder, detector or head for the key of a network."""
    return next((role for start, role in ROLES.items() if key.startswith(start)), "head")


def restrict(runtime: str, precision: str) -> None:
    """Let every network of this process be run in this one way, and be refused where it cannot.

    The options of an engine name a runtime, which for a card means half precision first and single precision next, and
    a detector has no such option: to measure each way, the order of the candidates is made a list of one.
    """
    from engines.runtime import session

    if runtime == AUTO:
        return
    session.ON_CPU = session.ON_CUDA = (session.Candidate(runtime, precision),)  # type: ignore[assignment]
    # torch by name takes bfloat16 for some large networks.
    session.has_bfloat16 = lambda: False  # type: ignore[attr-defined]


def prepare(cell: Cell) -> tuple[Callable[[], object], Callable[[], None]]:
    """Load what the cell names; return one call of it, and what closes it."""
    if cell.kind == "detector":
        detector = build_detector(cell.name, cell.options, cell.device)
        picture = picture_of_one()
        return lambda: detector.detect(picture), detector.close
    engine = build_engine(cell.name, cell.options, cell.device)
    image, regions = crops_of(cell.people)
    return lambda: engine.predict(image, regions), engine.close


def crops_of(people: int) -> tuple[Image, Regions]:
    """Return the shipped rendered crops side by side, and so many regions of them, in turn."""
    from engines.recovery.golden import golden_views

    views = golden_views()
    rows = np.arange(people) % len(views.regions)
    regions = views.regions
    return views.image, Regions(regions.centers_px[rows], regions.sides_px[rows], regions.angles_rad[rows])


def picture_of_one() -> Image:
    """Return an upright picture that one rendered person fills, so that one look of a detector is enough."""
    import cv2

    image, regions = crops_of(FILLED_BY + 1)
    side = int(regions.sides_px[FILLED_BY])
    crop = image[:, FILLED_BY * side : (FILLED_BY + 1) * side]
    width, height = PICTURE_WH
    picture = np.full((height, width, 3), 128, np.uint8)
    top = (height - width) // 2
    picture[top : top + width] = cv2.resize(crop, (width, width))
    return picture


def measure(cell: Cell) -> dict[str, Any]:
    """Return the figures of one cell.

    Raises:
        EngineError: It cannot be run here.
    """
    before_mb = resident_mb()
    begun_s = time.perf_counter()
    restrict(cell.runtime, cell.precision)  # loads torch: a part of loading
    call, close = prepare(cell)
    load_s = time.perf_counter() - begun_s
    if cell.seconds <= 0:
        close()
        return {"load_s": load_s}
    networks = NetworkTimes()
    begun_s = time.perf_counter()
    call()
    first_ms = (time.perf_counter() - begun_s) * 1e3
    _repeat(call, WARM_S, WARM_CALLS)
    networks.forget()
    times_ms = _repeat(call, cell.seconds, LEAST_CALLS)
    spread = Spread.of(times_ms)
    close()
    return {
        "predict": asdict(spread),
        "frames_per_s": 1e3 / spread.mean_ms,
        "load_s": load_s,
        "first_ms": first_ms,
        "bare_rss_mb": before_mb,
        "peak_rss_mb": peak_mb(),
        "gpu_mb": gpu_mb(cell.device),
        "networks_p50_ms": networks.medians_ms(),
        "ran_in": networks.ran_in,
    }


def _repeat(call: Callable[[], object], seconds: float, least: int) -> list[float]:
    """Call for so many seconds and so often at least; return milliseconds of each."""
    times_ms: list[float] = []
    begun_s = time.perf_counter()
    while True:
        before_ns = time.perf_counter_ns()
        call()
        times_ms.append((time.perf_counter_ns() - before_ns) / 1e6)
        spent_s = time.perf_counter() - begun_s
        if spent_s >= seconds and (len(times_ms) >= least or spent_s >= PATIENCE * seconds):
            return times_ms


def gpu_mb(device: str) -> float | None:
    """Return what is in use on the card, 10^6 bytes, with what other programs hold there; None on the CPU."""
    if not device.startswith("cuda"):
        return None
    import torch

    free, total = torch.cuda.mem_get_info(device)
    return (total - free) / MB


def main() -> None:
    """Measure what the argument says and print it."""
    cell = Cell(**json.loads(sys.argv[1]))
    try:
        figures = measure(cell)
    except (EngineError, ValueError) as error:
        figures = {"reason": " ".join(str(error).split())}
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
