"""Settings: what they are (`sections`), how they are read (`reading`), and the user's own file (`user_file`)."""

from __future__ import annotations

from .reading import changed_keys, default_config_file, flat_keys, load_config, read_yaml, with_keys
from .sections import (
    FORMATS,
    ROOT_MOTIONS,
    ROTATIONS,
    SOURCES,
    TRACKERS,
    AppConfig,
    CaptureConfig,
    DetectorConfig,
    EngineConfig,
    MotionConfig,
    OscConfig,
    RecordConfig,
    SmoothingConfig,
    TrackingConfig,
    ViewerConfig,
    VrchatConfig,
    WebConfig,
)
from .user_file import read_user_settings, reset_user_settings, save_user_settings, user_file

__all__ = [
    "FORMATS",
    "ROOT_MOTIONS",
    "ROTATIONS",
    "SOURCES",
    "TRACKERS",
    "AppConfig",
    "CaptureConfig",
    "DetectorConfig",
    "EngineConfig",
    "MotionConfig",
    "OscConfig",
    "RecordConfig",
    "SmoothingConfig",
    "TrackingConfig",
    "ViewerConfig",
    "VrchatConfig",
    "WebConfig",
    "changed_keys",
    "default_config_file",
    "flat_keys",
    "load_config",
    "read_user_settings",
    "read_yaml",
    "reset_user_settings",
    "save_user_settings",
    "user_file",
    "with_keys",
]
