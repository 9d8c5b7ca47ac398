#!/usr/bin/env python3
"""Score an engine on labelled real pictures, beside MediaPipe's joints written by `evaluate_mediapipe.py`.

    python scripts/evaluate.py DATA --baseline mediapipe.npz
    python scripts/evaluate.py DATA --engine deforhmr --options weights=new.safetensors --limit 200 --lines lspet

Twelve limb joints; the person nearest to the labels in the picture; a miss counts 200 mm or all joints wrong.
A column of the encoder's own landmarks is added with --landmarks (full | heavy).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engines.evaluation.datasets import LINES, read_line
from engines.evaluation.items import Item
from engines.evaluation.predictions import Predictions, collect, load_predictions
from engines.evaluation.rows import format_table, split_rows
from engines.evaluation.scoring import LineScore, score_item
from engines.evaluation.systems import make_system


def main() -> None:
    """Read the arguments, score every line, print the table."""
    arguments = _parser().parse_args()
    systems = {}
    if not arguments.no_engine:
        pairs = dict(pair.split("=", 1) for pair in arguments.options)
        options = {key: yaml.safe_load(value) for key, value in pairs.items()}
        systems[arguments.engine] = make_system(arguments.engine, options, arguments.detector, arguments.device)
    if arguments.landmarks:
        systems[f"landmarks {arguments.landmarks}"] = make_system(
            "landmarks", {"encoder": arguments.landmarks}, arguments.detector, arguments.device
        )
    fixed = {}
    if arguments.baseline:
        fixed["mediapipe full"] = load_predictions(*arguments.baseline)
    names = [*systems, *fixed]
    rows: dict[str, list[LineScore]] = {name: [] for name in names}
    kept: dict[str, list] = {name: [] for name in systems}
    for line in arguments.lines.split(","):
        items = list(read_line(arguments.data, line, arguments.limit))
        for name in names:
            if name in fixed:
                predictions = fixed[name]
            else:
                predictions, seconds = _run(systems[name], items)
                kept[name].append(predictions)
                print(f"{name} {line}: {len(items) / seconds:.1f} pictures/s", file=sys.stderr)
            rows[name] += split_rows(line, [score_item(item, predictions) for item in items])
    print(format_table(names, [rows[name] for name in names]))
    if arguments.save:
        text = {name: [asdict(row) for row in rows[name]] for name in names}
        arguments.save.write_text(json.dumps(text, indent=1), encoding="utf-8")


def _run(system, items: list[Item]) -> tuple[Predictions, float]:
    """Return the system's predictions on the items of one line, and the seconds they took."""
    start, rows = time.perf_counter(), []
    system.begin(is_video=items[0].line.startswith("balancing"))
    for item in items:
        rows += [(item.name, pixels, metres) for pixels, metres in system.see(item.image)]
    return collect(rows), time.perf_counter() - start


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder with pose2sim/, images3d/ and images2d/")
    parser.add_argument("--baseline", type=Path, nargs="+", help=".npz of evaluate_mediapipe.py")
    parser.add_argument("--engine", default="deforhmr")
    parser.add_argument("--options", nargs="*", default=[], metavar="KEY=VALUE", help="of the engine")
    parser.add_argument("--no-engine", action="store_true", help="score the baseline or the landmarks alone")
    parser.add_argument("--landmarks", choices=("full", "heavy"), help="also score the encoder's landmarks")
    parser.add_argument("--detector", default="blazepose")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--lines", default=",".join(LINES))
    parser.add_argument("--limit", type=int, default=1000, help="pictures per line")
    parser.add_argument("--save", type=Path, help="write the rows as JSON")
    return parser


if __name__ == "__main__":
    main()
