"""Make the clip that the window plays where there is no camera: mocap_app/demo/actor.webm.

.venv/bin/python scripts/make_demo_clip.py [--duration 8]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import cv2

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mocap_app.demo import render_clip

CLIP = Path(__file__).resolve().parents[1] / "mocap_app" / "demo" / "actor.webm"
RENDERED_WH, SIZE_WH = (1280, 720), (960, 540)


def compress(rendered: Path) -> int:
    """Write `rendered` smaller and in VP9, which everybody may use; return the number of frames."""
    video = cv2.VideoCapture(str(rendered), cv2.CAP_FFMPEG)
    writer = cv2.VideoWriter(
        str(CLIP), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"VP90"), video.get(cv2.CAP_PROP_FPS), SIZE_WH
    )
    frames = 0
    while (read := video.read())[0]:
        writer.write(cv2.resize(read[1], SIZE_WH, interpolation=cv2.INTER_AREA))
        frames += 1
    writer.release()
    video.release()
    return frames


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--duration", type=float, default=8.0, help="seconds (default: 8)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rendered = Path(folder) / "actor.mp4"
        render_clip(rendered, 1, size=RENDERED_WH, duration_s=args.duration)
        frames = compress(rendered)
    print(f"{CLIP}: {frames} frames, {CLIP.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
