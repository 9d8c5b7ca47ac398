"""From settings to a session: the one place where names in the settings become parts."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from engines.registry import build_detector, build_engine

from . import __version__
from .capture import FrameSource, open_source
from .config import AppConfig, changed_keys
from .motion.solver import MotionSolver
from .perception import Perception
from .session import Session
from .sinks import MakeSink, Sink, SinkContext

logger = logging.getLogger(__name__)


def build_session(config: AppConfig, watchers: Sequence[MakeSink] = ()) -> Session:
    """Return a session for `config`, not started; nothing is opened or loaded yet.

    Args:
        config: The settings.
        watchers: Further sinks, such as the window's.
    """

    def make_source() -> FrameSource:
        return open_source(config.capture)

    def make_perception() -> Perception:
        return build_perception(config)

    def make_solver(perception: Perception) -> MotionSolver:
        return MotionSolver(perception.engine.body_model, config.motion)

    return Session(
        make_source,
        make_perception,
        make_solver,
        [*build_sinks(config), *watchers],
        pictures=config.capture.source == "images",
    )


def build_perception(config: AppConfig) -> Perception:
    """Load detector and engine; takes seconds."""
    detector = build_detector(config.detector.name, config.detector.options, config.engine.device)
    engine = build_engine(config.engine.name, config.engine.options, config.engine.device)
    return Perception(detector, engine, config.detector, config.tracking)
