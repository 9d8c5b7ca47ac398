"""Settings of the application: frozen dataclasses, one per stage, and the only reader of YAML."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class CaptureConfig:
    """Where the pictures come from."""

    source: str = "camera"
    """camera | video | images | stream | synthetic."""
    device: int | str = 0
    """Camera number or (part of) its name."""
    path: str = ""
    """Video file, image folder or stream URL."""
    size: tuple[int, int] | None = None
    """Width and height asked of a camera, pixels; None takes the camera's default."""
    fps: float | None = None
    """Frame rate asked of a camera; for a video file read in real time, see `realtime`."""
    realtime: bool = False
    """Pace a video file as if it were a camera (newest frame only, drops counted)."""
    mirror: bool = False
    """Flip the picture left to right as it is read."""
    countdown_s: float = 0.0
    """Seconds to wait before the first frame is used."""
    duration_s: float | None = None
    """Stop after so many seconds of source time; None runs to the end."""


@dataclass(frozen=True, slots=True)
class DetectorConfig:
    """How people are found."""

    name: str = "auto"
    """auto | yolo | blazepose | synthetic."""
    every: int = 10
    """Detect on every k-th frame while everybody is followed; always while nobody is."""
    options: dict[str, Any] = field(default_factory=dict)
    """Checked against the detector's own options class (yolo: weights; both: min_score)."""


@dataclass(frozen=True, slots=True)
class TrackingConfig:
    """How people are followed."""

    max_people: int = 8
    lost_after_s: float = 0.5
    """A person unseen for so long is gone; coming back gives a new id."""
    min_presence: float = 0.5
    """A followed person scored lower is not believed in that frame."""


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """Which network recovers the bodies."""

    name: str = "deforhmr"
    device: str = "cpu"
    """cpu | cuda:N."""
    options: dict[str, Any] = field(default_factory=dict)
    """Checked against the engine's own options class."""


@dataclass(frozen=True, slots=True)
class SmoothingConfig:
    """One-Euro filter on rotations and translation."""

    enabled: bool = True
    min_cutoff_hz: float = 1.5
    beta: float = 0.5


@dataclass(frozen=True, slots=True)
class MotionConfig:
    """From bodies to poses in the world."""

    smoothing: SmoothingConfig = field(default_factory=SmoothingConfig)
    camera_pitch_deg: float = 0.0
    """How far the camera looks down; 0 is level."""
    focal_px: float | None = None
    """Focal length of the camera in pixels; None assumes the image diagonal."""


@dataclass(frozen=True, slots=True)
class RecordConfig:
    """Takes on disk."""

    folder: str = ""
    """Output folder; empty records nothing."""
    formats: tuple[str, ...] = ("npz", "bvh")
    save_video: str = ""
    """Keep the source's picture in this file."""
    overlay: str = ""
    """Write the video with the mesh drawn over it to this file."""


@dataclass(frozen=True, slots=True)
class OscConfig:
    """VMC over OSC, live."""

    host: str = ""
    """Receiver's address; empty sends nothing."""
    port: int = 39539
    mirror: bool = False
    """Swap left and right, as in a mirror."""
    turn_180: bool = False
    """Turn the performer half round."""
    root_motion: str = "root"
    """root | hips | both: where the translation is sent."""


@dataclass(frozen=True, slots=True)
class ViewerConfig:
    """The window."""

    show_mesh: bool = True
    show_skeleton: bool = True


@dataclass(frozen=True, slots=True)
class AppConfig:
    """Everything, read once."""

    capture: CaptureConfig = field(default_factory=CaptureConfig)
    detector: DetectorConfig = field(default_factory=DetectorConfig)
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    engine: EngineConfig = field(default_factory=EngineConfig)
    motion: MotionConfig = field(default_factory=MotionConfig)
    record: RecordConfig = field(default_factory=RecordConfig)
    osc: OscConfig = field(default_factory=OscConfig)
    viewer: ViewerConfig = field(default_factory=ViewerConfig)
