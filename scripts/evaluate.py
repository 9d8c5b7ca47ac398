#!/usr/bin/env python3
"""Score an engine on labelled real pictures, beside MediaPipe's joints written by `evaluate_mediapipe.py`.

    python scripts/evaluate.py DATA --baseline mediapipe.npz
    python scripts/evaluate.py DATA --options weights=new.safetensors --limit 200 --lines lspet
    python scripts/evaluate.py DATA --no-engine --landmarks full

Twelve limb joints; the person nearest to the labels in the picture; a miss counts 200 mm or all joints wrong.
The engine runs as in the application: its detector, its two passes, its way of following people.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # runs from a checkout that is not installed

from engines import build_detector, build_engine
from engines.evaluation.datasets import LINES, VIDEO_LINES, read_line
from engines.evaluation.items import Item
from engines.evaluation.predictions import Predictions, collect, load_predictions
from engines.evaluation.rows import format_table, split_rows
from engines.evaluation.scoring import LineScore, score_item
from engines.evaluation.systems import LimbJoints, System, limbs_of_meshes
from engines.types import Detector, Image, MeshEngine
from mocap_app.config import DetectorConfig, TrackingConfig
from mocap_app.perception import Perception
from mocap_app.types import Frame


class PerceptionSystem:
    """The application's own way from a picture to bodies."""

    def __init__(self, detector: Detector, engine: MeshEngine, max_people: int, is_projected: bool) -> None:
        self._detector, self._engine, self._is_projected = detector, engine, is_projected
        self._tracking = TrackingConfig(max_people=max_people)
        self.begin(is_video=False)

    def begin(self, is_video: bool) -> None:
        """Forget who was followed."""
        self._perception = Perception(self._detector, self._engine, DetectorConfig(), self._tracking)
        self._process = self._perception.process if is_video else self._perception.process_picture
        self._index = 0

    def see(self, image: Image) -> list[LimbJoints]:
        """Return the limb joints of everybody found; a video's pictures come 60 to the second."""
        frame = Frame(image, self._index, self._index * 1_000_000_000 // 60)
        self._index += 1
        names = self._engine.body_model.joint_names
        return limbs_of_meshes(self._process(frame)[1], names, self._is_projected)


def main() -> None:
    """Read the arguments, score every line, print the table."""
    arguments = _parser().parse_args()
    systems = _systems(arguments)
    fixed = {"mediapipe full": load_predictions(*arguments.baseline)} if arguments.baseline else {}
    rows: dict[str, list[LineScore]] = {name: [] for name in [*systems, *fixed]}
    for line in arguments.lines.split(","):
        items = list(read_line(arguments.data, line, arguments.limit))
        for name in rows:
            predictions = fixed[name] if name in fixed else _run(name, systems[name], line, items)
            rows[name] += split_rows(line, [score_item(item, predictions) for item in items])
    print(format_table(list(rows), list(rows.values())))
    if arguments.save:
        text = {name: [asdict(row) for row in scores] for name, scores in rows.items()}
        arguments.save.write_text(json.dumps(text, indent=1), encoding="utf-8")


def _systems(arguments: argparse.Namespace) -> dict[str, System]:
    """Return what is to be run, by the name of its column."""
    detector_options = _options(arguments.detector_options)
    systems: dict[str, System] = {}
    if not arguments.no_engine:
        engine = build_engine(arguments.engine, _options(arguments.options), arguments.device)
        detector = build_detector(arguments.detector, detector_options)
        name = f"{arguments.engine} body" if arguments.projected else arguments.engine
        systems[name] = PerceptionSystem(detector, engine, arguments.max_people, arguments.projected)
    if arguments.landmarks:
        from engines.evaluation.landmarks import LandmarkSystem

        detector = build_detector(arguments.detector, detector_options)
        systems[f"landmarks {arguments.landmarks}"] = LandmarkSystem(detector, arguments.landmarks)
    return systems


def _run(name: str, system: System, line: str, items: list[Item]) -> Predictions:
    """Return the system's predictions on the items of one line; says how fast it was."""
    start, found = time.perf_counter(), []
    system.begin(is_video=line in VIDEO_LINES)
    for item in items:
        found += [(item.name, pixels, metres) for pixels, metres in system.see(item.image)]
    rate = len(items) / (time.perf_counter() - start)
    print(f"{name}: {line}: {len(found)} people in {len(items)} pictures, {rate:.1f}/s", file=sys.stderr)
    return collect(found)


def _options(pairs: list[str]) -> dict[str, Any]:
    """Return KEY=VALUE pairs as a mapping, values read as YAML."""
    return {key: yaml.safe_load(value) for key, value in (pair.split("=", 1) for pair in pairs)}


def _parser() -> argparse.ArgumentParser:
    style = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=style)
    parser.add_argument("data", type=Path, help="folder with pose2sim/, images3d/ and images2d/")
    parser.add_argument("--baseline", type=Path, nargs="+", help=".npz of evaluate_mediapipe.py")
    parser.add_argument("--engine", default="deforhmr")
    parser.add_argument("--options", nargs="*", default=[], metavar="KEY=VALUE", help="of the engine")
    parser.add_argument("--projected", action="store_true", help="pixels of the projected body, not measured ones")
    parser.add_argument("--no-engine", action="store_true", help="score the baseline or the landmarks alone")
    parser.add_argument("--landmarks", choices=("full", "heavy"), help="also score the encoder's landmarks")
    parser.add_argument("--detector", default="blazepose")
    parser.add_argument("--detector-options", nargs="*", default=[], metavar="KEY=VALUE")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--max-people", type=int, default=8)
    parser.add_argument("--lines", default=",".join(LINES))
    parser.add_argument("--limit", type=int, default=1000, help="pictures per line")
    parser.add_argument("--save", type=Path, help="write the rows as JSON")
    return parser


if __name__ == "__main__":
    main()
