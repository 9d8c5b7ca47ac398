#!/usr/bin/env python3
"""Run MediaPipe Pose full over a video as its users do, and print frames per second as JSON.

Runs in an environment of its own (`pip install mediapipe==0.10.21`), because that package and ours ask for different
versions of NumPy and OpenCV; it imports nothing of ours. `scripts/compare_mediapipe` makes that environment and calls
this. Read, convert, process, one frame after the other, as in MediaPipe's own examples; the video begins anew until so
many frames were seen. Timed from the end of the first frame to the end of the last, decoding included.

    python scripts/time_mediapipe.py VIDEO FRAMES [--task-model pose_landmarker_full.task]
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import cv2
import mediapipe as mp
import numpy as np

Process = Callable[[np.ndarray, int], bool]
"""Takes an RGB picture and its number; says whether somebody was seen."""


def pictures(path: str, frames: int) -> Iterator[np.ndarray]:
    """Yield so many RGB pictures of a video, which begins anew where it ends."""
    count = 0
    while count < frames:
        capture, before = cv2.VideoCapture(path), count
        while count < frames:
            good, image = capture.read()
            if not good:
                break
            picture = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
            picture.flags.writeable = False  # as its examples do: it is then passed without a copy
            yield picture
            count += 1
        capture.release()
        if count == before:
            raise SystemExit(f"{path}: not one frame could be decoded, expected a video; check it")


@contextmanager
def solution() -> Iterator[Process]:
    """Open the solutions API: video mode, model_complexity 1."""
    with mp.solutions.pose.Pose(static_image_mode=False, model_complexity=1) as pose:
        yield lambda image, _: pose.process(image).pose_landmarks is not None


@contextmanager
def task(model: str, fps: float) -> Iterator[Process]:
    """Open the Tasks API in its video mode with a model file, which the package does not ship."""
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.PoseLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=model), running_mode=vision.RunningMode.VIDEO
    )
    with vision.PoseLandmarker.create_from_options(options) as landmarker:

        def process(image: np.ndarray, number: int) -> bool:
            picture = mp.Image(image_format=mp.ImageFormat.SRGB, data=image)
            return bool(landmarker.detect_for_video(picture, round(number * 1e3 / fps)).pose_landmarks)

        yield process


def run(video: str, frames: int, process: Process) -> dict[str, float]:
    """Return frames, seconds and frames per second."""
    seen, begun_s = 0, 0.0
    for number, image in enumerate(pictures(video, frames)):
        seen += process(image, number)
        begun_s = begun_s or time.perf_counter()
    elapsed_s = time.perf_counter() - begun_s
    return {"frames": frames, "seen": seen, "elapsed_s": elapsed_s, "frames_per_s": (frames - 1) / elapsed_s}


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video")
    parser.add_argument("frames", type=int)
    parser.add_argument("--task-model", help="use the Tasks API with this file (default: the solutions API)")
    options = parser.parse_args()
    fps = cv2.VideoCapture(options.video).get(cv2.CAP_PROP_FPS) or 30.0
    with task(options.task_model, fps) if options.task_model else solution() as process:
        print(json.dumps(run(options.video, options.frames, process)))


if __name__ == "__main__":
    main()
