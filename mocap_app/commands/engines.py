"""List what can recover bodies and what can find people, with every option; bring in published weights."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import MISSING, fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from engines.registry import DETECTORS, ENGINES, EngineSpec

from .settings import add_verbosity

LIBRARY_OF_EXTRA = {"yolo": "ultralytics", "smpl": "smplx", "openvino": "openvino", "export": "onnx"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command and of its two actions."""
    add_verbosity(parser)
    actions = parser.add_subparsers(dest="action", metavar="list | import")
    actions.add_parser("list", description="List engines and detectors (also without an action).")
    bring = actions.add_parser("import", description="Turn a published FastMETRO checkpoint into a file of our own.")
    bring.add_argument("file", type=Path, metavar="FILE", help="the published *_state_dict.bin")
    bring.add_argument("--topology", type=Path, metavar="NPZ", help="mesh_downsampling.npz; default: beside FILE")
    bring.add_argument("--target", type=Path, metavar="OUT", help="safetensors file to write; default: beside FILE")


def main(args: argparse.Namespace) -> int:
    """Do what was asked; without an action, list."""
    return bring_in(args) if args.action == "import" else print_tables()


def bring_in(args: argparse.Namespace) -> int:
    """Import a checkpoint and say what was written."""
    from engines.fastmetro.importing import import_fastmetro

    topology = args.topology or args.file.with_name("mesh_downsampling.npz")
    done = import_fastmetro(args.file, topology, args.target or args.file.with_suffix(".safetensors"))
    left = f"; left behind: {', '.join(done.left_behind)}" if done.left_behind else ""
    print(f"{done.target}: FastMETRO-{done.config.name}, {done.tensors} tensors taken over{left}")
    print("It holds SMPL's mesh levels: SMPL's licence and the checkpoint's own apply to it.")
    return 0


def print_tables() -> int:
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
