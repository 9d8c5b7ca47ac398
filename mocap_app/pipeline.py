"""From settings to a session: the one place where names in the settings become parts."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from engines.registry import build_detector, build_engine
from engines.weights import assets_folder, read_sums, sha256_of
from exporters.errors import ExportError
from exporters.streams import StreamOptions, open_stream
from exporters.vmc import VmcOptions
from exporters.vrchat import VrchatOptions
from exporters.web import WebOptions

from . import __version__
from .capture import FrameSource, open_source
from .config import AppConfig, changed_keys
from .errors import ConfigError
from .motion.solver import MotionSolver
from .perception import Perception
from .session import Session
from .sinks import MakeSink, PictureRecorder, Sink, SinkContext, StreamSink, TakeRecorder
from .types import Frame


def build_session(
    config: AppConfig, watchers: Sequence[MakeSink] = (), preview: Callable[[Frame], None] | None = None
) -> Session:
    """Return a session for `config`, not started; nothing is opened or loaded yet.

    Args:
        config: The settings.
        watchers: Further sinks, such as the window's.
        preview: Shown the frames of a live source while the engine loads; see `Session`.

    Raises:
        ConfigError: The settings ask for outputs that do not go together.
    """

    def make_source() -> FrameSource:
        return open_source(config.capture)

    def make_perception() -> Perception:
        return build_perception(config)

    def make_solver(perception: Perception) -> MotionSolver:
        return MotionSolver(perception.engine.body_model, config.motion)

    pictures = config.capture.source == "images"
    sinks = picture_sinks(config) if pictures else motion_sinks(config)
    return Session(make_source, make_perception, make_solver, [*sinks, *watchers], pictures=pictures, preview=preview)


def build_perception(config: AppConfig) -> Perception:
    """Load detector and engine; takes seconds."""
    detector = build_detector(config.detector.name, config.detector.options, config.engine.device)
    engine = build_engine(config.engine.name, config.engine.options, config.engine.device)
    return Perception(detector, engine, config.detector, config.tracking, focal_px=config.motion.focal_px)


def motion_sinks(config: AppConfig) -> list[MakeSink]:
    """Return what makes the outputs of a camera, a video or a stream."""
    record = config.record
    sinks: list[MakeSink] = []
    if record.folder:
        told = metadata(config)
        sinks.append(lambda context: TakeRecorder(record.folder, record.formats, context, told))
    if record.save_video:
        sinks.append(lambda context: open_video(record.save_video, context))
    if record.overlay:
        sinks.append(lambda context: open_overlay(record.overlay, context))
    return sinks + [partial(open_live, name, options) for name, options in live_outputs(config).items()]


def live_outputs(config: AppConfig) -> dict[str, StreamOptions]:
    """Return, by section of the settings, the options of each live output that is asked for."""
    osc, vrchat, web = config.osc, config.vrchat, config.web
    outputs: dict[str, StreamOptions] = {}
    if osc.host:
        shown = osc.root_motion, osc.mirror, osc.turn_180, config.tracking.max_people
        outputs["osc"] = VmcOptions(osc.host, osc.port, *shown, rate_hz=osc.rate_hz, vrm=osc.vrm)
    if vrchat.host:
        outputs["vrchat"] = VrchatOptions(vrchat.host, vrchat.port, vrchat.trackers, vrchat.height_m)
    if web.host:
        outputs["web"] = WebOptions(web.host, web.port, web.origins)
    return outputs


def picture_sinks(config: AppConfig) -> list[MakeSink]:
    """Return what makes the outputs of independent pictures.

    Raises:
        ConfigError: A video or live motion is asked for.
    """
    unfit = {
        "--overlay": config.record.overlay,
        "--save-video": config.record.save_video,
        "--osc": config.osc.host,
        "--vrchat": config.vrchat.host,
        "--web": config.web.host,
    }
    for key, value in unfit.items():
        if value:
            raise ConfigError(f"{key} {value}: pictures are independent, expected a video for that; leave {key} away")
    told = metadata(config)
    return [lambda context: PictureRecorder(config.record.folder, context, told)] if config.record.folder else []


def open_video(path: str, context: SinkContext) -> Sink:
    """Open the file that keeps the source's picture."""
    from .sinks.video import VideoSink

    return VideoSink(path, context)


def open_overlay(path: str, context: SinkContext) -> Sink:
    """Open the video with the mesh drawn over it."""
    from .sinks.overlay import OverlaySink

    return OverlaySink(path, context)


def open_live(name: str, options: StreamOptions, context: SinkContext) -> StreamSink:
    """Open a live output, whose ages, counts and failure are noted under `name`."""
    mean_shape = np.zeros(context.body_model.rest_joint_directions.shape[2], np.float32)
    try:
        stream = open_stream(options, context.skeleton(mean_shape))
    except ExportError as error:
        context.stats.fail(name, str(error))
        raise
    return StreamSink(stream, context.stats, name)


def metadata(config: AppConfig) -> dict[str, Any]:
    """Return, JSON-able, what a take says of how it was made."""
    libraries = ("torch", "onnxruntime", "numpy", "opencv-python")
    return {
        "versions": {
            "mocap-app": __version__,
            "python": platform.python_version(),
            **{n: version(n) for n in libraries},
        },
        "engine": config.engine.name,
        "detector": config.detector.name,
        "weights_sha256": weights_sha256(config),
        "settings": changed_keys(config),
    }


def weights_sha256(config: AppConfig) -> dict[str, str]:
    """Return by file name the sha256 of the shipped assets and of the files that the settings name."""
    named = [Path(str(section.options.get("weights", ""))) for section in (config.engine, config.detector)]
    return read_sums(assets_folder()) | {path.name: sha256_of(path) for path in named if path.is_file()}
