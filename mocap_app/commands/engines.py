"""List what can recover bodies and what can find people, with every option and its default."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import MISSING, fields
from importlib.util import find_spec
from typing import Any

from engines.registry import DETECTORS, ENGINES, EngineSpec

from .settings import add_verbosity

LIBRARY_OF_EXTRA = {"yolo": "ultralytics", "smpl": "smplx", "openvino": "openvino", "export": "onnx"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    add_verbosity(parser)


def main(args: argparse.Namespace) -> int:
    """Print both tables."""
    print_table("engines (--engine NAME, --set engine.options.KEY=VALUE)", ENGINES)
    print_table("detectors (--detector NAME, --set detector.options.KEY=VALUE)", DETECTORS)
    return 0


def print_table(title: str, table: Mapping[str, EngineSpec]) -> None:
    """Print one table of the registry."""
    print(f"{title}:")
    for spec in table.values():
        print(f"  {spec.name:<12}{spec.summary}{missing(spec)}")
        for field in fields(spec.options):
            print(f"  {'':<14}{field.name} = {default_of(field)!r}")


def missing(spec: EngineSpec) -> str:
    """Return what must be installed first, or nothing."""
    library = LIBRARY_OF_EXTRA.get(spec.extra, "")
    if not library or find_spec(library) is not None:
        return ""
    return f' (not installed: pip install "mocap-app[{spec.extra}]")'


def default_of(field: Any) -> Any:
    """Return the default of a dataclass field."""
    return field.default_factory() if field.default is MISSING else field.default
