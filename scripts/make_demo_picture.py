"""Make the README's moving picture from a demo's overlay: smaller, slower, and only the part where people are."""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


def main() -> None:
    """Read the flags and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video", type=Path, help="a demo's overlay, such as demo_out/demo_overlay.mp4")
    parser.add_argument("picture", type=Path, help="where to write: .gif or .webp")
    parser.add_argument("--every", type=int, default=4, help="keep every n-th frame (default: 4)")
    parser.add_argument("--width", type=int, default=360, help="width in pixels (default: 360)")
    parser.add_argument("--crop", type=float, default=0.62, help="part of the video's width that is kept, its middle")
    parser.add_argument("--quality", type=int, default=55, help="of .webp, 1 to 100 (default: 55)")
    args = parser.parse_args()
    frames, fps = read_frames(args.video, args.every, args.width, args.crop)
    if not frames:
        parser.error(f"{args.video}: found no picture in it, expected a video")
    animation = cv2.Animation()
    animation.frames = [cv2.cvtColor(frame, cv2.COLOR_BGR2BGRA) for frame in frames]
    animation.durations = np.full(len(frames), round(1000 * args.every / fps), np.int32)
    if not cv2.imwriteanimation(str(args.picture), animation, [cv2.IMWRITE_WEBP_QUALITY, args.quality]):
        parser.error(f"{args.picture}: cannot be written, expected a .gif or .webp in a folder of yours")
    print(f"{args.picture}: {len(frames)} pictures, {args.picture.stat().st_size / 1e6:.2f} MB")


def read_frames(video: Path, every: int, width_px: int, crop: float) -> tuple[list[Picture], float]:
    """Return every n-th frame, its middle cut out and made smaller (BGR), and the video's rate."""
    capture = cv2.VideoCapture(str(video))
    fps = capture.get(cv2.CAP_PROP_FPS) or 30.0
    frames: list[Picture] = []
    index = 0
    while True:
        read, frame = capture.read()
        if not read:
            break
        if index % every == 0:
            frames.append(shrink(frame, width_px, crop))
        index += 1
    capture.release()
    return frames, fps


def shrink(frame: Picture, width_px: int, crop: float) -> Picture:
    """Return the middle part of the frame at `width_px`."""
    height, width = frame.shape[:2]
    left = round(width * (1 - crop) / 2)
    part = frame[:, left : width - left]
    size = (width_px, round(height * width_px / part.shape[1]))
    return cv2.resize(part, size, interpolation=cv2.INTER_AREA)


if __name__ == "__main__":
    main()
