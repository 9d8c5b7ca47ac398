"""The demonstration: a clip with known truth is rendered, captured as any other video, and the error is measured."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TextIO

from engines.registry import DETECTORS, ENGINES, find_spec
from exporters import read_take

from ..config import AppConfig, CaptureConfig, DetectorConfig, EngineConfig, MotionConfig, RecordConfig, TrackingConfig
from ..errors import ConfigError
from ..sinks.folder import prepare_folder
from .camera import DemoCamera
from .choreography import FPS, LENGTH_S
from .measure import compare, report, share_out
from .scene import MAX_PEOPLE, Scene, render_clip
from .truth import write_truth

logger = logging.getLogger(__name__)
CLIP, OVERLAY, TRUTH = "demo.mp4", "demo_overlay.mp4", "demo_truth.npz"


def run_demo(
    output: Path,
    duration_s: float | None = None,
    people: int = 1,
    engine: str = "deforhmr",
    detector: str = "auto",
    render_only: bool = False,
    out: TextIO | None = None,
) -> int:
    """Render, capture, measure; return the exit code.

    Args:
        output: folder for the video, the takes (.npz, .bvh), the overlay and the truth; made if absent.
        duration_s: the first so many seconds of the clip; None is all of it.
        people: 1 to 8 performers.
        engine: which network recovers the bodies.
        detector: which one finds people.
        render_only: stop when video and truth are written.
        out: where the report goes; None is the standard output.

    Raises:
        UnknownEngineError: there is no such engine or detector.
        MocapError: there is no such clip, the folder cannot be written to, or a part fails.
    """
    check_request(duration_s, people)
    find_spec(ENGINES, "engine", engine)
    find_spec(DETECTORS, "detector", detector)
    folder = prepare_folder(output)
    scene = render_with_truth(folder, duration_s, people)
    if render_only:
        return 0
    before = set(folder.glob("demo*_person*.npz"))
    code = capture_clip(demo_config(folder, scene.camera, people, engine, detector))
    written = sorted(set(folder.glob("demo*_person*.npz")) - before)
    takes = [read_take(path) for path in written]
    stream = out or sys.stdout
    truths = scene.truths
    for number, (truth, own) in enumerate(zip(truths, share_out(truths, takes), strict=True), start=1):
        title = f"measured against the truth, performer {number}:" if people > 1 else "measured against the truth:"
        stream.write(title + "\n")
        stream.writelines(f"  {line}\n" for line in report(compare(truth, own)))
    stream.writelines(f"{line}\n" for line in list_files(folder, written))
    return code if takes else 1


def check_request(duration_s: float | None, people: int) -> None:
    """Raise ConfigError for a clip that cannot be rendered."""
    if duration_s is not None and duration_s * FPS < 1:
        raise ConfigError(f"--duration {duration_s:g}: expected seconds above 0; the whole clip has {LENGTH_S:g}")
    if not 1 <= people <= MAX_PEOPLE:
        raise ConfigError(f"--people {people}: expected 1 to {MAX_PEOPLE}")


def render_with_truth(folder: Path, duration_s: float | None, people: int) -> Scene:
    """Write the video and what is known of it into `folder`."""
    from ..commands.messages import Progress

    logger.info("rendering the clip into %s", folder / CLIP)
    bar: list[Progress] = []

    def show(done: int, count: int) -> None:
        if not bar:
            bar.append(Progress(count))
        bar[0].show(done)

    scene = render_clip(folder / CLIP, people, duration_s=duration_s, progress=show)
    for progress in bar:
        progress.close()
    for number, truth in enumerate(scene.truths, start=1):
        write_truth(truth, folder / (TRUTH if number == 1 else f"demo_truth_{number}.npz"))
    return scene


def demo_config(folder: Path, camera: DemoCamera, people: int, engine: str, detector: str) -> AppConfig:
    """Return the settings of the capture: those of any video, and the camera as its owner would state it."""
    return AppConfig(
        capture=CaptureConfig(source="video", path=str(folder / CLIP)),
        detector=DetectorConfig(name=detector),
        engine=EngineConfig(name=engine),
        tracking=TrackingConfig(max_people=max(people, TrackingConfig().max_people)),
        motion=MotionConfig(camera_pitch_deg=camera.pitch_deg, focal_px=camera.focal_px),
        record=RecordConfig(folder=str(folder), overlay=str(folder / OVERLAY)),
    )


def capture_clip(config: AppConfig) -> int:
    """Run the session every video goes through."""
    from ..commands.capture import capture_headless

    logger.info("capturing it: engine %s, detector %s", config.engine.name, config.detector.name)
    return capture_headless(config)


def list_files(folder: Path, takes: list[Path]) -> list[str]:
    """Return a line for each file of interest."""
    lines = [f"video    {folder / CLIP}", f"overlay  {folder / OVERLAY}"]
    lines += [f"take     {path}" for path in takes]
    return lines + [f"motion   {path.with_suffix('.bvh')}" for path in takes if path.with_suffix(".bvh").is_file()]
