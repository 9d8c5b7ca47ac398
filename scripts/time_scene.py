#!/usr/bin/env python3
"""Measure the 3-D view: a panel on its own, fed another body of some 7000 vertices with every frame.

    python scripts/time_scene.py
    python scripts/time_scene.py --people 2 --mode both --size 1280 720 --seconds 10 --json
    xvfb-run -a -s "-screen 0 1920x1200x24" python scripts/time_scene.py      # without a screen: software OpenGL

The next frame is asked for as soon as Qt has shown one; frame time is from one shown to the next. Where the screen's
own rate holds frames back, that rate is what is measured. The processor's time, of all threads together, tells most of
a machine that does other things as well.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # runs from a checkout that is not installed

from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QApplication

from engines.body import load_body
from engines.body.parameters import rest_joints
from mocap_app.viewer.scene import Scene, SourceCamera
from mocap_app.viewer.scene_canvas import ask_for_core_profile
from mocap_app.viewer.scene_panel import ScenePanel
from mocap_app.viewer.scene_style import MODES

WARM_UP_S = 1.0
APART_M = 0.9


def main() -> int:
    """Read the flags, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0, help="how long to measure (default: 5)")
    parser.add_argument("--size", type=int, nargs=2, default=(700, 700), metavar=("W", "H"), help="default: 700 700")
    parser.add_argument("--people", type=int, default=1, help="bodies (default: 1)")
    parser.add_argument("--mode", choices=MODES, default="mesh", help="default: mesh")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a line")
    args = parser.parse_args()
    ask_for_core_profile()
    application = QApplication(["time_scene"])
    panel = ScenePanel()
    if panel.canvas is None:
        print(panel.sentence.text(), file=sys.stderr)
        return 2
    panel.set_mode(args.mode)
    panel.resize(*args.size)
    panel.show()
    run = Run(panel, moving_bodies(args.people), args.seconds)
    panel.canvas.frameSwapped.connect(run.take_frame)
    QTimer.singleShot(100, run.begin)
    application.exec()
    print_result(run, panel, args)
    panel.close()
    return 0


class Run:
    """Feeds scenes and notes when they are shown."""

    def __init__(self, panel: ScenePanel, scenes: list[Scene], seconds: float) -> None:
        self._panel, self._scenes, self._seconds = panel, scenes, seconds
        self._count = 0
        self._begun_s = 0.0
        self.times_s: list[float] = []
        self.processor_s: list[float] = []

    def begin(self) -> None:
        """Show the first scene; each one that is shown asks for the next."""
        self._begun_s = time.perf_counter() + WARM_UP_S
        self._feed()

    def take_frame(self) -> None:
        """Note the time and feed the next scene, or end."""
        now_s = time.perf_counter()
        if self._begun_s and now_s >= self._begun_s:
            self.times_s.append(now_s)
            self.processor_s.append(time.process_time())
        if self._begun_s and now_s > self._begun_s + self._seconds:
            QApplication.quit()
        elif self._begun_s:
            QTimer.singleShot(0, self._feed)

    def _feed(self) -> None:
        self._count += 1
        self._panel.show_scene(self._scenes[self._count % len(self._scenes)])


def moving_bodies(people: int, count: int = 64) -> list[Scene]:
    """Return scenes of the free body, swaying, no two with the same vertices."""
    body = load_body()
    floor = body.template[:, 1].min()
    joints = rest_joints(body) - (0.0, floor, 0.0)
    camera = SourceCamera(
        np.array((0, 1.2, 4), np.float32), np.diag((1, -1, -1)).astype(np.float32),
        np.array([[900, 0, 640], [0, 900, 360], [0, 0, 1]], np.float32), (1280, 720),
    )  # fmt: skip
    places = [(APART_M * (n - (people - 1) / 2), 0.0, 0.0) for n in range(people)]
    scenes = []
    for phase in np.linspace(0, 2 * np.pi, count, endpoint=False):
        vertices = [sway(body.template - (0.0, floor, 0.0), phase + n) + places[n] for n in range(people)]
        bones = [sway(joints, phase + n) + places[n] for n in range(people)]
        scenes.append(
            Scene(
                np.array(vertices, np.float32), body.faces, np.array(bones, np.float32), body.parents,
                np.arange(1, people + 1), camera,
            )
        )  # fmt: skip
    return scenes


def sway(points: np.ndarray, phase: float) -> np.ndarray:
    """Return `(K, 3)` points bent to the side, the more the higher they are."""
    return points + np.stack([0.1 * np.sin(phase) * points[:, 1] ** 2, 0 * points[:, 1], 0 * points[:, 1]], axis=1)


def print_result(run: Run, panel: ScenePanel, args: argparse.Namespace) -> None:
    """Print frames per second and frame times, and what they were measured with."""
    steps_ms = 1000 * np.diff(run.times_s)
    median_ms, late_ms = np.percentile(steps_ms, [50, 95]) if len(steps_ms) else (np.nan, np.nan)
    canvas = panel.canvas
    result: dict[str, Any] = {
        "frames_per_s_median": round(1000 / median_ms, 1),
        "frames_per_s_mean": round(1000 / float(np.mean(steps_ms)), 1) if len(steps_ms) else None,
        "frame_ms_median": round(median_ms, 2),
        "frame_ms_p95": round(late_ms, 2),
        "processor_ms_mean": round(1000 * float(np.mean(np.diff(run.processor_s))), 2) if len(steps_ms) else None,
        "frames": len(steps_ms),
        "size": list(args.size),
        "people": args.people,
        "mode": args.mode,
        "renderer": canvas.renderer if canvas is not None else "",
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
    }
    if args.json:
        print(json.dumps(result))
    else:
        print(
            f"{result['frames_per_s_median']} frames/s (median), p95 {result['frame_ms_p95']} ms a frame; "
            f"{args.people} x 7k vertices, {args.size[0]}x{args.size[1]}, {result['renderer']}, load {result['load']}"
        )


if __name__ == "__main__":
    sys.exit(main())
