#!/usr/bin/env python3
"""Run MediaPipe Pose over the evaluation items and write its joints for `evaluate.py --baseline`.

Runs in an environment of its own (`pip install mediapipe==0.10.21`), because that package and ours ask for
different versions of NumPy and OpenCV; it imports nothing of ours. The solutions API is used as it is shipped:
model_complexity 1, static mode for pictures, video mode for videos, the whole picture in.

    python scripts/evaluate_mediapipe.py DATA baseline.npz [--lines lspet,images3d] [--limit N]
"""

from __future__ import annotations

import argparse
import tarfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import mediapipe as mp
import numpy as np

# Hips, knees, ankles, shoulders, elbows, wrists; left before right: the order of engines.evaluation.
LANDMARKS = [23, 24, 25, 26, 27, 28, 11, 12, 13, 14, 15, 16]
Items = Iterator[tuple[str, np.ndarray]]


def read_video(path: Path, line: str) -> Items:
    """Yield (item, BGR picture) of every frame."""
    capture = cv2.VideoCapture(str(path))
    index = 0
    while True:
        good, image = capture.read()
        if not good:
            return
        yield f"{line}/{index:04d}", image
        index += 1


def read_pictures(folder: Path) -> Items:
    """Yield (item, BGR picture) of the pictures with three-dimensional labels."""
    for path in sorted(folder.glob("*.jpg")):
        yield f"images3d/{path.name}", cv2.imread(str(path))


def read_lspet(archive: Path, limit: int) -> Items:
    """Yield (item, BGR picture) of the first `limit` pictures in the order of their names."""
    with tarfile.open(archive) as tar:
        members = sorted((m for m in tar.getmembers() if m.name.endswith(".jpg")), key=lambda m: m.name)
        for member in members[:limit]:
            data = tar.extractfile(member).read()
            yield (
                f"lspet/{Path(member.name).name}",
                cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR),
            )


def run(items: Items, static: bool, complexity: int) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Return (item, `(12, 2)` pixels, `(12, 3)` metres) for every item in which somebody was found."""
    rows = []
    with mp.solutions.pose.Pose(static_image_mode=static, model_complexity=complexity) as pose:
        for item, image in items:
            result = pose.process(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
            if result.pose_landmarks is None:
                continue
            size = image.shape[1], image.shape[0]
            marks, world = result.pose_landmarks.landmark, result.pose_world_landmarks.landmark
            pixels = np.array([(marks[i].x * size[0], marks[i].y * size[1]) for i in LANDMARKS], np.float32)
            metres = np.array([(world[i].x, world[i].y, world[i].z) for i in LANDMARKS], np.float32)
            rows.append((item, pixels, metres))
    return rows


def main() -> None:
    """Read the arguments, run, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder with pose2sim/, images3d/ and images2d/")
    parser.add_argument("output", type=Path, help="the .npz to write")
    parser.add_argument("--lines", default="balancing_cam01,balancing_cam02,images3d,lspet")
    parser.add_argument("--limit", type=int, default=1000, help="how many LSPET pictures")
    parser.add_argument("--complexity", type=int, default=1, help="0 lite, 1 full, 2 heavy")
    options = parser.parse_args()
    rows = []
    for line in options.lines.split(","):
        if line == "lspet":
            items = read_lspet(options.data / "images2d" / "lspet.tar", options.limit)
        elif line == "images3d":
            items = read_pictures(options.data / "images3d")
        else:
            items = read_video(options.data / "pose2sim" / f"{line}_f000-039.mp4", line)
        rows += run(items, static=line in ("lspet", "images3d"), complexity=options.complexity)
    names, pixels, metres = zip(*rows, strict=True)
    np.savez_compressed(options.output, items=np.array(names), joints_px=np.stack(pixels), joints_m=np.stack(metres))


if __name__ == "__main__":
    main()
