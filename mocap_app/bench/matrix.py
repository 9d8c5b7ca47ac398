"""Engines by runtimes by people by precision: every cell in a process of its own; what is absent says why."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields, replace
from itertools import groupby
from typing import Any

from engines.registry import DETECTORS, ENGINES, find_spec
from engines.runtime.names import RUNTIMES
from engines.runtime.present import absence

from ..config import AppConfig
from ..errors import ConfigError
from .cell import AUTO, Cell
from .children import command_of, environment

PRECISIONS = ("fp32", "fp16")
HALF_RUNTIMES = ("onnxruntime", "tensorrt")
"""The others compute in single precision alone."""
PATIENCE_S = 900.0
"""A first start of TensorRT builds for minutes."""
CHOICES = tuple(name for name in RUNTIMES if name != AUTO)
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """What the matrix spans; the default choice (auto) is always a row as well."""

    engines: tuple[str, ...] = ("deforhmr", "fastmetro", "deformer")
    detectors: tuple[str, ...] = ("blazepose",)
    """Each on one picture that one person fills."""
    runtimes: tuple[str, ...] = CHOICES
    people: tuple[int, ...] = (1, 2, 4, 8)
    precisions: tuple[str, ...] = ("fp32",)
    seconds: float = 2.0
    """Measured per cell."""
    rounds: int = 1
    """How often each cell is measured, those of one place in turns; the least disturbed time is kept."""

    def check(self) -> None:
        """Refuse what there is not.

        Raises:
            UnknownEngineError: There is no such engine or detector.
            ConfigError: There is no such runtime or precision, or nobody is to be seen.
        """
        for table, kind, names in ((ENGINES, "engine", self.engines), (DETECTORS, "detector", self.detectors)):
            for name in names:
                find_spec(table, kind, name)
        for flag, names, known in (
            ("--runtimes", self.runtimes, CHOICES),
            ("--precision", self.precisions, PRECISIONS),
        ):
            for name in names:
                if name not in known:
                    raise ConfigError(f"{flag}: found {name}, expected some of {', '.join(known)}; change it")
        if self.rounds < 1:
            raise ConfigError(f"--rounds: found {self.rounds}, expected a number from 1; change it")
        if not self.people or min(self.people) < 1:
            raise ConfigError(f"--people: found {self.people}, expected numbers from 1; change it")

    def cells(self, config: AppConfig) -> Iterator[Cell]:
        """Yield every cell, those of one engine and one number of people together."""
        device = config.engine.device
        for name in self.engines:
            options = own_options(name, config)
            for people in self.people:
                first = Cell("engine", name, AUTO, AUTO, people, device, options, self.seconds)
                yield from self._ways(first)
        for name in self.detectors:
            yield from self._ways(Cell("detector", name, AUTO, AUTO, 1, device, {}, self.seconds))

    def _ways(self, cell: Cell) -> Iterator[Cell]:
        yield cell
        for runtime in self.runtimes:
            for precision in self.precisions:
                named = {"runtime": runtime} if has_runtime(cell) and cell.kind == "engine" else {}
                yield replace(cell, runtime=runtime, precision=precision, options={**cell.options, **named})


def own_options(name: str, config: AppConfig) -> dict[str, Any]:
    """Return the options that the settings give the engine `name`, without the runtime; none for another engine."""
    known = {field.name for field in fields(find_spec(ENGINES, "engine", name).options)} - {"runtime"}
    given = config.engine.options if config.engine.name == name else {}
    general = {key: value for key, value in config.engine.options.items() if key == "threads"}
    return {key: value for key, value in {**general, **given}.items() if key in known}


def has_runtime(cell: Cell) -> bool:
    """Say whether there are networks that a runtime could run."""
    return cell.name != "synthetic"


def why_not(cell: Cell) -> str:
    """Return why a cell cannot be tried here, or nothing."""
    if cell.runtime == AUTO:
        return ""
    if not has_runtime(cell):
        return f"the {cell.kind} {cell.name} has no network to run"
    if cell.precision == "fp16" and cell.runtime not in HALF_RUNTIMES:
        return "computes in fp32 alone"
    if cell.precision == "fp16" and cell.kind == "detector":
        return "the detector has no fp16"
    return absence(cell.runtime, cell.device)


def run_matrix(plan: Plan, config: AppConfig, tell: Callable[[str], None] | None = None) -> list[Row]:
    """Measure every cell of `plan`; a row has `reason` where it could not be, which never is an error.

    Each way of running an engine is loaded once before it is measured, so that files made at a first start (graphs,
    compiled engines, verdicts) are there and count neither as load time nor as memory.

    Raises:
        UnknownEngineError, ConfigError: See `Plan.check`.
    """
    plan.check()
    rows: list[Row] = []
    loaded: dict[tuple[str, ...], Row] = {}
    for _, place in groupby(plan.cells(config), lambda cell: (cell.kind, cell.name, cell.people)):
        cells = list(place)
        taken: list[list[Row]] = [[] for _ in cells]
        for _ in range(plan.rounds):
            for cell, found in zip(cells, taken, strict=True):
                if tell is not None:
                    tell(cell_name(cell))
                found.append(_measure(cell, loaded))
        rows += [least_disturbed(found) for found in taken]
    compare_choice(rows)
    return rows


def least_disturbed(found: list[Row]) -> Row:
    """Return the fastest of several measurements of one cell, with the medians of all: others' work only slows down."""
    measured = [row for row in found if "predict" in row]
    if not measured:
        return found[0]
    best = min(measured, key=lambda row: row["predict"]["p50_ms"])
    return {**best, "p50_ms_of_rounds": [row["predict"]["p50_ms"] for row in measured]}


def _measure(cell: Cell, loaded: dict[tuple[str, ...], Row]) -> Row:
    asked = {key: value for key, value in asdict(cell).items() if key not in ("options", "seconds")}
    reason = why_not(cell)
    if reason:
        return {**asked, "reason": reason}
    way = (cell.kind, cell.name, cell.runtime, cell.precision)
    if way not in loaded:
        loaded[way] = run_cell(replace(cell, seconds=0))
    if "reason" in loaded[way]:
        return {**asked, "reason": loaded[way]["reason"]}
    return {**asked, "first_load_s": loaded[way]["load_s"], **run_cell(cell)}


def cell_name(cell: Cell) -> str:
    """Return the cell in words."""
    precision = "" if cell.runtime == AUTO else f" {cell.precision}"
    return f"{cell.name}, {cell.runtime}{precision}, {'1 person' if cell.people == 1 else f'{cell.people} people'}"


def run_cell(cell: Cell) -> Row:
    """Measure one cell in a process of its own; `{"reason": ...}` where that fails in whatever way."""
    try:
        done = subprocess.run(
            command_of("cell", cell.as_json()), env=environment(), capture_output=True, text=True, timeout=PATIENCE_S,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return {"reason": f"was not done after {PATIENCE_S:.0f} s"}
    lines = done.stdout.strip().splitlines()
    if done.returncode == 0 and lines:
        return dict(json.loads(lines[-1]))
    last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
    return {"reason": f"its process ended with {done.returncode}: {last}"}


def compare_choice(rows: list[Row]) -> None:
    """Give every row of the default choice the fastest named way of the same cell, and its ratio to that."""
    for row in rows:
        if row["runtime"] != AUTO or "predict" not in row:
            continue
        same = [r for r in rows if r["runtime"] != AUTO and "predict" in r and _place(r) == _place(row)]
        if same:
            best = min(same, key=lambda r: r["predict"]["p50_ms"])
            row["best"] = f"{best['runtime']} {best['precision']}"
            row["ratio_to_best"] = row["predict"]["p50_ms"] / best["predict"]["p50_ms"]


def _place(row: Row) -> tuple[Any, ...]:
    return row["kind"], row["name"], row["people"]
