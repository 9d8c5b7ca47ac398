"""Convert a published BlazePose .tflite file to the safetensors file of our network (pip install tflite safetensors).

The files: `pose_landmark_full.tflite` and `pose_detection.tflite` are in the wheel mediapipe==0.10.21,
`pose_landmark_lite.tflite` and `pose_landmark_heavy.tflite` in the npm package @mediapipe/pose 0.5.1675469404.
Best in an environment of its own. Run from the repository root with the root on PYTHONPATH.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from backbone.names import detection_names, pose_names
from backbone.tflite_graph import Convolution, Graph
from safetensors.numpy import save

from engines.weights import record_sha256, sha256_of

ASSETS = Path(__file__).resolve().parents[1] / "engines" / "assets"
MASK_SHAPE = (1, 256, 256, 1)
CARD = """# {name}

Weights of BlazePose ({what}), float16 as published, for `engines.backbones.blazepose`.

- Source: `{source}`, {origin}, sha256 `{source_sum}`.
- This file: sha256 `{result_sum}`; {count} parameters.
- Copyright The MediaPipe Authors, licensed under the Apache License, Version 2.0
  (https://www.apache.org/licenses/LICENSE-2.0; a copy is in LICENSE).
- Changed: names and layout of the tensors; {changed}.
- Made by `scripts/convert_backbone.py`.
"""
ORIGINS = {
    "detection": "from the Python wheel mediapipe 0.10.21",
    "full": "from the Python wheel mediapipe 0.10.21",
    "lite": "from the npm package @mediapipe/pose 0.5.1675469404",
    "heavy": "from the npm package @mediapipe/pose 0.5.1675469404",
}


def main() -> None:
    """Convert one file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path, help="the .tflite file")
    parser.add_argument("variant", choices=list(ORIGINS))
    parser.add_argument("--output", type=Path, default=ASSETS, help="folder of the result")
    args = parser.parse_args()

    args.output.mkdir(parents=True, exist_ok=True)
    path = args.output / f"blazepose_{args.variant}.safetensors"
    names = detection_names() if args.variant == "detection" else pose_names(args.variant)
    state = named_weights(names, Graph(args.source).convolutions(dropped_shapes=(MASK_SHAPE,)))
    path.write_bytes(save(state))
    record_sha256(path)
    write_card(path, args.source, args.variant, sum(array.size for array in state.values()))


def named_weights(names: list[str], convolutions: list[Convolution]) -> dict[str, np.ndarray]:
    """Return name -> array of our network, float16."""
    if len(names) != len(convolutions):
        raise ValueError(f"found {len(convolutions)} convolutions, expected {len(names)}; is this the right variant?")
    state = {}
    for name, convolution in zip(names, convolutions, strict=True):
        for part in ("weight", "bias"):
            values = getattr(convolution, part)
            state[f"{name}.{part}"] = exactly_half(values)
    return state


def exactly_half(values: np.ndarray) -> np.ndarray:
    """Return float16 values; raises where that would change one."""
    half = values.astype(np.float16)
    if not np.array_equal(half.astype(values.dtype), values):
        raise ValueError("found weights that do not fit half precision; expected a file of half-precision weights")
    return half


def write_card(path: Path, source: Path, variant: str, count: int) -> None:
    """Write the card of `path` beside it."""
    detection = variant == "detection"
    text = CARD.format(
        name=path.name,
        what="person detector" if detection else f"pose encoder, {variant}",
        source=source.name,
        origin=ORIGINS[variant],
        source_sum=sha256_of(source),
        result_sum=sha256_of(path),
        count=f"{count:,}",
        changed="sparse tensors made dense" if detection else "the branch of the person mask left out",
    )
    path.with_suffix(".md").write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
