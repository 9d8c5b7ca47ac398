#!/usr/bin/env python3
"""What the pose encoder loses and gains in 8 bits on a CPU: time of one crop, and how far its landmarks move.

    .venv/bin/python scripts/try_int8.py [--crops 100]

Weights per channel in 8 bits and activations in 8 or 16, ranges from crops of one rendered clip, by onnxruntime's own
tool; compared on crops of another. It is how we found that the encoder does not stand it: nothing of it is shipped.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import onnx
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # runs from a checkout that is not installed

from engines.backbones.blazepose.load import load_pose_encoder
from engines.detectors.alignment import regions_from_detections
from engines.recovery.recovery import ENCODER_OUTPUTS
from engines.recovery.sight import CROP_PX, Views
from engines.registry import build_detector, build_engine
from engines.runtime.export import export_graph
from engines.runtime.network import Network, doubled
from engines.runtime.onnxruntime_session import open_graph
from mocap_app.bench.clip import rendered_clip

BODY = 33
EVERY = 5
"""Frames between two crops: neighbours are alike."""


def crops_of(clip: Path, count: int) -> list[np.ndarray]:
    """Return `(1, 3, 256, 256)` crops of the first person of a clip, as the engine follows it."""
    engine, detector = build_engine("deforhmr"), build_detector("blazepose")
    video, crops, regions = cv2.VideoCapture(str(clip)), [], None
    for index in range(count * EVERY):
        there, picture = video.read()
        if not there:
            break
        image = np.ascontiguousarray(picture[..., ::-1])
        if regions is None or not len(regions):
            regions = regions_from_detections(detector.detect(image))
        seen = engine.see(image, regions)
        if len(seen) and index % EVERY == 0:
            crops.append(Views(image, regions).crops()[:1])
        regions = seen.next_regions if len(seen) and seen.scores[0] > 0.5 else None
    return crops


class Crops:
    """What onnxruntime's tool reads ranges from."""

    def __init__(self, crops: Sequence[np.ndarray]) -> None:
        self._left: Iterator[np.ndarray] = iter(crops)

    def get_next(self) -> dict[str, np.ndarray] | None:
        crop = next(self._left, None)
        return None if crop is None else {"crops": crop}


def median_ms(session: object, crops: Sequence[np.ndarray]) -> float:
    """Return the time of one crop on one thread."""
    times = []
    for crop in [*crops] * 3:
        begun = time.perf_counter()
        session.run(None, {"crops": crop})  # type: ignore[attr-defined]
        times.append((time.perf_counter() - begun) * 1e3)
    return float(np.median(times))


def main() -> None:
    """Quantise, measure, print."""
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crops", type=int, default=60, help="crops to take ranges from, and to compare on")
    count = parser.parse_args().crops
    ranges, tried = (
        crops_of(rendered_clip(1, (640, 480), 12.0), count),
        crops_of(rendered_clip(2, (640, 480), 10.0), count),
    )
    inputs = [torch.zeros(1, 3, CROP_PX, CROP_PX)]
    network = Network(load_pose_encoder(), inputs, ["crops"], ENCODER_OUTPUTS, "int8-trial", doubled(inputs))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole, prepared = folder / "whole.onnx", folder / "prepared.onnx"
        onnx.save(onnx.load_from_string(export_graph(network)), whole)
        quant_pre_process(str(whole), str(prepared), skip_symbolic_shape=True)
        exact = open_graph(str(whole), threads=1)
        expected = [exact.run(None, {"crops": crop}) for crop in tried]
        print(f"fp32: {median_ms(exact, tried):.1f} ms; {len(ranges)} crops for the ranges, {len(tried)} to compare on")
        for bits, kind in ((8, QuantType.QUInt8), (16, QuantType.QUInt16)):
            short = folder / f"activations{bits}.onnx"
            quantize_static(
                str(prepared), str(short), Crops(ranges), quant_format=QuantFormat.QDQ, per_channel=True,
                activation_type=kind, weight_type=QuantType.QInt8,
            )  # fmt: skip
            session = open_graph(str(short), threads=1)
            found = [session.run(None, {"crops": crop}) for crop in tried]
            pixels = [np.linalg.norm(a[0][0, :BODY, :2] - b[0][0, :BODY, :2], axis=-1) for a, b in zip(expected, found)]
            metres = [np.linalg.norm(a[1][0, :BODY] - b[1][0, :BODY], axis=-1) for a, b in zip(expected, found)]
            print(
                f"weights of 8 bits, activations of {bits}: {median_ms(session, tried):.1f} ms; landmarks "
                f"{np.mean(pixels):.1f} px off (95th percentile {np.percentile(pixels, 95):.1f}), world landmarks "
                f"{np.mean(metres) * 1e3:.0f} mm"
            )


if __name__ == "__main__":
    main()
