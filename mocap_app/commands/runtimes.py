"""What `mocap-app engines` knows of runtimes: which are here, and making their files before they are needed."""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from engines.errors import EngineError
from engines.registry import ENGINES, build_detector, build_engine
from engines.runtime.names import RUNTIMES
from engines.weights import search_folders


class Work(NamedTuple):
    """One thing to build."""

    name: str
    """An engine, or a detector."""
    configuration: str
    """Empty for a detector."""
    runtime: str


def add_build_arguments(build: argparse.ArgumentParser) -> None:
    """Add the flags of `engines build`."""
    build.add_argument("--engine", choices=[n for n, spec in ENGINES.items() if spec.configurations], metavar="NAME",
                       help="this engine alone; default: all whose weights are here")  # fmt: skip
    build.add_argument("--runtime", choices=RUNTIMES, metavar="NAME",
                       help="this runtime alone; default: all that can be used here")  # fmt: skip
    build.add_argument("--yolo", type=Path, metavar="FILE.pt",
                       help="export this ultralytics model instead, to FILE.onnx")  # fmt: skip
    build.add_argument("--device", default="cpu", metavar="DEVICE", help="cpu (default) or cuda:N")


def print_runtimes(device: str = "cpu") -> None:
    """Print which runtimes are here and what the others lack."""
    from engines.runtime.present import table

    print(f"runtimes (--set engine.options.runtime=NAME; on {device}):")
    for name, library, reason in table(device):
        print(f"  {name:<12}{': '.join(filter(None, (library, reason)))}")


def build_all(args: argparse.Namespace) -> int:
    """Make and compare with torch everything that a first start would make; return 1 where something failed."""
    if args.yolo is not None:
        return build_yolo(args.yolo)
    works = list(_works(args.engine, _runtimes(args.runtime, args.device)))
    with _told():
        ready = [_build(f"[{n}/{len(works)}]", work, args.device) for n, work in enumerate(works, start=1)]
    print(f"{sum(ready)} of {len(works)} are ready")
    return 0 if all(ready) else 1


def build_yolo(weights: Path) -> int:
    """Export an ultralytics model and say how to use it."""
    from engines.detectors.yolo_export import export_yolo

    target = export_yolo(weights, weights.with_suffix(".onnx"))
    print(
        f"{target}: the detector runs it without ultralytics: --detector yolo --set detector.options.weights={target}"
    )
    print("ultralytics' licence (AGPL-3.0) goes with it.")
    return 0


@contextmanager
def _told() -> Iterator[None]:
    """Print what the runtimes tell of themselves."""
    log, printer = logging.getLogger("engines.runtime"), _Printer()
    before = log.level, log.propagate
    log.addHandler(printer)
    log.setLevel(logging.INFO)
    log.propagate = False
    try:
        yield
    finally:
        log.removeHandler(printer)
        log.setLevel(before[0])
        log.propagate = before[1]


class _Printer(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        print(f"      {record.getMessage()}", flush=True)


def _runtimes(named: str | None, device: str) -> list[str]:
    from engines.runtime.present import table

    if named is not None:
        return [named]
    return [name for name, _, reason in table(device) if not reason and name != "torch"]


def _works(engine: str | None, runtimes: list[str]) -> Iterator[Work]:
    """Yield everything whose weights are here; the detector chooses its runtime itself."""
    names = [engine] if engine else [name for name, spec in ENGINES.items() if spec.configurations]
    folders = search_folders()
    for runtime in runtimes:
        for name in names:
            for configuration, facts in ENGINES[name].configurations.items():
                if any((folder / facts.weights).is_file() for folder in folders):
                    yield Work(name, configuration, runtime)
    if not engine:
        yield Work("blazepose", "", "auto")


def _build(place: str, work: Work, device: str) -> bool:
    what = f"{work.name} {work.configuration}".rstrip()
    print(f"{place} {what}, {work.runtime} on {device} ...", flush=True)
    begun_s = time.perf_counter()
    try:
        if work.configuration:
            options = {"configuration": work.configuration, "runtime": work.runtime}
            build_engine(work.name, options, device).close()
        else:
            build_detector(work.name, device=device).close()
    except EngineError as error:
        print(f"      failed: {error}", flush=True)
        return False
    print(f"      {time.perf_counter() - begun_s:.1f} s", flush=True)
    return True
