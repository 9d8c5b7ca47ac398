"""Run the window for a while on a looped video and print, as JSON, how smoothly it ran.

    scripts/time_window                       30 seconds of the demo actor with the shipped engine
    scripts/time_window --minutes 30          half an hour: does anything grow?
    scripts/time_window --video dance.mp4 --seconds 60 --restarts 5

Gaps are the times between two turns of the window's event loop, which is asked for every 10 ms: whoever clicks
waits so long. Without a screen: xvfb-run -a scripts/time_window.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from PyQt6.QtCore import QObject, QSettings, QTimer

from mocap_app.config import AppConfig, load_config
from mocap_app.viewer.app import Times, make_application, take_down
from mocap_app.viewer.loop_meter import LoopMeter
from mocap_app.viewer.sinks import Shown
from mocap_app.viewer.sources import capture_of_path, demo_of
from mocap_app.viewer.studio import Studio
from mocap_app.viewer.window import MainWindow


class Run(QObject):
    """One run of the window: measures while it loads, then while it runs, and closes it in the end."""

    def __init__(self, window: MainWindow, seconds: float, every_s: float, restarts: int) -> None:
        super().__init__(window)
        self.window = window
        self.meter = LoopMeter(self)
        self.times = Times(window)
        self.report: dict[str, Any] = {"seconds": seconds, "samples": []}
        self._seconds, self._restarts = seconds, restarts
        self._begun_s = time.monotonic()
        self._sampler = QTimer(self)
        self._sampler.timeout.connect(self._sample)
        self._every_ms = round(every_s * 1000)
        window.bridge.picture_taken.connect(self._begin)

    def start(self) -> None:
        self.times.note_visible()
        self.meter.start()
        self.window.begin()

    def _begin(self, shown: Shown) -> None:
        """The engine is there: from now on it has to run smoothly."""
        if shown.result is None:
            return
        self.window.bridge.picture_taken.disconnect(self._begin)
        self.report["gaps_while_loading"] = asdict(self.meter.gaps())
        self._begun_s = time.monotonic()
        self.meter.start()
        self._sample()
        self._sampler.start(self._every_ms)
        for number in range(self._restarts):
            due_ms = round((number + 1) * self._seconds * 1000 / (self._restarts + 1))
            QTimer.singleShot(due_ms, lambda: self.window.studio.choose(self.window.studio.capture))
        QTimer.singleShot(round(self._seconds * 1000), self._end)

    def _sample(self) -> None:
        self.report["samples"].append(
            {
                "at_s": round(time.monotonic() - self._begun_s, 1),
                "rss_mb": memory_mb(),
                "threads": threads(),
                "python_threads": threading.active_count(),
                "handles": handles(),
                "frames": self.window.studio.frames,
            }
        )

    def _end(self) -> None:
        self._sample()
        self._sampler.stop()
        self.report["gaps_after_first_result"] = asdict(self.meter.gaps())
        self.report["visible_s"] = round(self.times.visible_s or 0.0, 2)
        self.report["first_picture_s"] = round(self.times.first_frame_s or 0.0, 2)
        self.report["first_result_s"] = round(self.times.first_result_s or 0.0, 2)
        summary = self.window.studio.summary
        if summary is not None:
            self.report["frames_per_s"] = round(summary.frames_per_s, 1)
            age = summary.ages.get("window")
            self.report["age_at_window_ms"] = {"p50": round(age.p50_ms, 1), "p95": round(age.p95_ms, 1)} if age else {}
        self.meter.stop()
        self.window.close()


def memory_mb() -> float:
    import psutil

    return round(psutil.Process().memory_info().rss / 1e6, 1)


def threads() -> int:
    import psutil

    return int(psutil.Process().num_threads())


def handles() -> int:
    import psutil

    process = psutil.Process()
    return int(process.num_handles() if sys.platform == "win32" else process.num_fds())


def settings(args: argparse.Namespace) -> AppConfig:
    config = load_config(None, args.set)
    if args.video is None:
        return demo_of(config)
    from dataclasses import replace

    return replace(config, capture=capture_of_path(config.capture, args.video))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--video", type=Path, metavar="FILE", help="what is played (default: the demo actor)")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long after the first result (default: 30)")
    parser.add_argument("--minutes", type=float, help="the same in minutes, as 30")
    parser.add_argument("--every", type=float, metavar="SECONDS", help="between two samples (default: a tenth of all)")
    parser.add_argument("--restarts", type=int, default=0, help="start the session anew so often along the way")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change one setting")
    args = parser.parse_args()
    seconds = args.minutes * 60 if args.minutes else args.seconds
    # A folder of its own: the user's window stays as it is.
    with tempfile.TemporaryDirectory() as folder:
        QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, folder)
        application = make_application()
        window = MainWindow(Studio(settings(args)))
        run = Run(window, seconds, args.every or max(seconds / 10, 1.0), args.restarts)
        window.show()
        QTimer.singleShot(0, run.start)
        application.exec()
        report, studio = run.report, window.studio
        take_down(window)
        studio.join()
    report["threads_after"] = threading.active_count()
    print(json.dumps(report, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
