"""List what can recover bodies and what can find people, with every option; build for runtimes; bring in weights."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping
from dataclasses import MISSING, fields
from importlib.util import find_spec
from pathlib import Path
from textwrap import shorten
from typing import Any

from engines.errors import WeightsError
from engines.registry import DETECTORS, ENGINES, EngineSpec
from engines.types import Configuration
from engines.weights import assets_folder, search_folders

from .runtimes import add_build_arguments, build_all, print_runtimes
from .settings import add_verbosity

LIBRARY_OF_EXTRA = {"yolo": "ultralytics", "smpl": "smplx", "openvino": "openvino", "export": "onnx"}
LEVELS = "mesh_downsampling.npz"
PUBLISHED = "a published checkpoint of FastMETRO (*_state_dict.bin), ViTPose-H (*.pth) or HMR2.0 (*.ckpt)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command and of its two actions."""
    add_verbosity(parser)
    actions = parser.add_subparsers(dest="action", metavar="list | build | import")
    actions.add_parser(
        "list",
        description="List engines with their sizes and weights, detectors, every option, and which runtimes are here "
        "(also without an action).",
    )
    build = actions.add_parser(
        "build",
        description="Export every network whose weights are here, build it for every runtime that can be used, and "
        "compare it with torch. A first start does the same for what it needs; the next ones start at once.",
    )
    add_build_arguments(build)
    bring = actions.add_parser("import", description="Turn a published checkpoint into a file of our own.")
    bring.add_argument(
        "file", type=Path, metavar="FILE",
        help="FastMETRO's *_state_dict.bin, ViTPose-H's *.pth or HMR2.0's *.ckpt: which of them is seen from its keys",
    )  # fmt: skip
    bring.add_argument(
        "--topology", type=Path, metavar="NPZ", help="FastMETRO alone: mesh_downsampling.npz; default: beside FILE"
    )
    bring.add_argument("--target", type=Path, metavar="OUT", help="safetensors file to write; default: beside FILE")


def main(args: argparse.Namespace) -> int:
    """Do what was asked; without an action, list."""
    if args.action == "build":
        return build_all(args)
    return bring_in(args) if args.action == "import" else print_tables()


def bring_in(args: argparse.Namespace) -> int:
    """Import a checkpoint of the family that its keys tell, and say what was written."""
    from engines.deforhmr.importing import is_trunk
    from engines.fastmetro.importing import is_fastmetro

    keys = keys_of(args.file)
    target = args.target or args.file.with_suffix(".safetensors")
    if is_fastmetro(keys):
        return bring_fastmetro(args.file, args.topology or args.file.with_name(LEVELS), target)
    if not is_trunk(keys):
        raise WeightsError(
            f"{args.file} is of no family known here, its keys are {shorten(', '.join(keys), 80) or 'none'}; "
            f"expected {PUBLISHED}; fetch one of these"
        )
    if args.topology:
        raise WeightsError(
            f"--topology was given, but {args.file} holds a vision transformer; expected it with FastMETRO alone; "
            "leave it away"
        )
    return bring_trunk(args.file, target)


def keys_of(file: Path) -> list[str]:
    """Return the keys of the state dict in a checkpoint, or of what else is in it.

    Raises:
        WeightsError: The file is absent, damaged or holds code.
    """
    from engines.published import read_checkpoint, state_of

    where_from = f"FastMETRO's needs SMPL's {LEVELS} (it comes with GraphCMR's code) beside it"
    state = state_of(read_checkpoint(file, PUBLISHED, where_from))
    return [str(key) for key in state] if isinstance(state, dict) else [type(state).__name__]


def bring_fastmetro(file: Path, topology: Path, target: Path) -> int:
    """Import FastMETRO."""
    from engines.fastmetro.importing import import_fastmetro

    done = import_fastmetro(file, topology, target)
    left = f"; left behind: {', '.join(done.left_behind)}" if done.left_behind else ""
    print(f"{done.target}: FastMETRO-{done.config.name}, {done.tensors} tensors taken over{left}")
    print("It holds SMPL's mesh levels: SMPL's licence and the checkpoint's own apply to it.")
    print("To run it, give it SMPL's body as well, from https://smpl.is.tue.mpg.de:")
    print(
        f"  mocap-app --camera 0 --engine fastmetro --set engine.options.weights={target} "
        "--set engine.options.body=SMPL_NEUTRAL.pkl"
    )
    return 0


def bring_trunk(file: Path, target: Path) -> int:
    """Import the trunk of DeforHMR's paper configuration."""
    from engines.deforhmr.importing import HMR2, import_trunk

    done = import_trunk(file, target)
    parts = Counter(key.split(".")[0] for key in done.left_behind)
    left = f"; left behind: {', '.join(f'{part} ({n})' for part, n in parts.items())}" if parts else ""
    print(f"{done.target}: {done.source}'s image trunk for DeforHMR (paper), {done.tensors} tensors taken over{left}")
    print("It recovers no bodies until a decoder is trained over it: none was ever published.")
    mean = ", and SMPL's licence, whose mean body it holds" if done.mean else ""
    licence = "MIT (4D-Humans)" if done.source == HMR2 else "Apache-2.0 (ViTPose)"
    print(f"Licence: {licence}{mean}; the data sets it was trained on have terms of their own.")
    return 0


def print_tables() -> int:
    """Print all tables."""
    print_table("engines (--engine NAME, --set engine.options.KEY=VALUE)", ENGINES)
    print_table("detectors (--detector NAME, --set detector.options.KEY=VALUE)", DETECTORS)
    print_runtimes()
    return 0


def print_table(title: str, table: Mapping[str, EngineSpec]) -> None:
    """Print one table of the registry."""
    print(f"{title}:")
    for spec in table.values():
        print(f"  {spec.name:<12}{spec.summary}{missing(spec)}")
        for name, configuration in spec.configurations.items():
            print(f"  {'':<12}{name:<9} {describe(configuration)}")
        for field in fields(spec.options):
            print(f"  {'':<14}{field.name} = {default_of(field)!r}")


def describe(configuration: Configuration) -> str:
    """Return a configuration's size, whether its weights are at hand, and their licence."""
    numbers = f"{configuration.parameters / 1e6:.1f} M"
    found = [path for folder in search_folders() if (path := folder / configuration.weights).is_file()]
    if not found:
        return f"{numbers:>8}  {configuration.summary}; weights: not here ({configuration.source})"
    megabytes = found[0].stat().st_size / 1e6
    place = "shipped" if found[0].parent == assets_folder() else str(found[0])
    return f"{numbers:>8}  {configuration.summary}; weights: {place}, {megabytes:.1f} MB, {configuration.licence}"


def missing(spec: EngineSpec) -> str:
    """Return what must be installed first, or nothing."""
    library = LIBRARY_OF_EXTRA.get(spec.extra, "")
    if not library or find_spec(library) is not None:
        return ""
    return f' (not installed: pip install "mocap-app[{spec.extra}]")'


def default_of(field: Any) -> Any:
    """Return the default of a dataclass field."""
    return field.default_factory() if field.default is MISSING else field.default
