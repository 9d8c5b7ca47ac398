"""Settings of the application: frozen dataclasses, one per stage; each refuses what it cannot be.

The text below a field is what users are told about it, in the window too (`mocap_app.config.docs`): plain words, and
the first sentence alone must do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from exporters.files import FORMATS as FILE_FORMATS

SOURCES = ("camera", "video", "images", "stream", "synthetic")
FORMATS = tuple(suffix[1:] for suffix in FILE_FORMATS)
ROTATIONS = (0, 90, 180, 270)
ROOT_MOTIONS = ("root", "hips", "both")
TRACKERS = (
    "hip", "chest", "left_foot", "right_foot", "left_knee", "right_knee", "left_elbow", "right_elbow", "head",
)  # fmt: skip


def _expect(valid: bool, key: str, found: object, expected: str) -> None:
    """Raise ValueError, which `load_config` gives the full path of the key, unless `valid`."""
    if not valid:
        raise ValueError(f"{key}: found {found!r}, expected {expected}")


def _expect_port(port: int) -> None:
    _expect(0 < port < 65536, "port", port, "a port from 1 to 65535")


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
    """Width and height asked of a camera; null takes its default."""
    fps: float | None = None
    """Frame rate asked of a camera; null takes its default."""
    realtime: bool = False
    """Pace a video file as if it were a camera (newest frame only, drops counted)."""
    loop: bool = False
    """Begin a video file again at its end, for ever; times go on rising."""
    mirror: bool = False
    """Flip the picture left to right as it is read."""
    rotation: int = 0
    """Degrees, clockwise, the picture is turned by as it is read: 0, 90, 180 or 270; before `mirror`."""
    countdown_s: float = 0.0
    """Seconds to wait before the first frame is used."""
    duration_s: float | None = None
    """Stop after so many seconds of source time; null runs to the end."""

    def __post_init__(self) -> None:
        _expect(self.source in SOURCES, "source", self.source, "one of " + ", ".join(SOURCES))
        _expect(
            self.device != "" and self.device not in range(-99, 0), "device", self.device, "a number from 0 or a name"
        )
        _expect(self.size is None or min(self.size) > 0, "size", self.size, "two numbers above 0, as [1280, 720]")
        _expect(self.fps is None or self.fps > 0, "fps", self.fps, "a number above 0")
        _expect(self.rotation in ROTATIONS, "rotation", self.rotation, "0, 90, 180 or 270 degrees, clockwise")
        _expect(self.countdown_s >= 0, "countdown_s", self.countdown_s, "seconds, 0 or more")
        _expect(self.duration_s is None or self.duration_s > 0, "duration_s", self.duration_s, "seconds above 0")


@dataclass(frozen=True, slots=True)
class DetectorConfig:
    """How people are found."""

    name: str = "auto"
    """What finds the people: auto takes yolo where it and its weights are at hand, else the shipped blazepose."""
    every: int = 15
    """Look for people on every k-th frame while all are followed; always while nobody is."""
    options: dict[str, Any] = field(default_factory=dict)
    """Checked against the detector's own options class (yolo: weights; both: min_score)."""

    def __post_init__(self) -> None:
        _expect(self.every >= 1, "every", self.every, "a whole number from 1")


@dataclass(frozen=True, slots=True)
class TrackingConfig:
    """How people are followed."""

    max_people: int = 8
    """Follow at most so many people; fewer are faster."""
    lost_after_s: float = 0.5
    """A person unseen for so long is gone; coming back gives a new id."""
    min_presence: float = 0.5
    """A followed person scored lower is not believed in that frame."""

    def __post_init__(self) -> None:
        _expect(self.max_people >= 1, "max_people", self.max_people, "a whole number from 1")
        _expect(self.lost_after_s >= 0, "lost_after_s", self.lost_after_s, "seconds, 0 or more")
        _expect(0 <= self.min_presence <= 1, "min_presence", self.min_presence, "a number from 0 to 1")


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """Which network recovers the bodies."""

    name: str = "deforhmr"
    """The network that recovers the bodies; see `mocap-app engines`."""
    device: str = "cpu"
    """Where the networks run: cpu, or cuda:0 for the first NVIDIA card."""
    options: dict[str, Any] = field(default_factory=dict)
    """Checked against the engine's own options class."""

    def __post_init__(self) -> None:
        _expect(bool(re.fullmatch(r"cpu|cuda(:\d+)?", self.device)), "device", self.device, "cpu or cuda:0")


@dataclass(frozen=True, slots=True)
class SmoothingConfig:
    """One-Euro filter on rotations and translation."""

    enabled: bool = True
    """Calm the motion; off shows it as measured."""
    min_cutoff_hz: float = 1.5
    """Lower is calmer while the performer stands still."""
    beta: float = 0.5
    """Higher follows fast moves more closely."""

    def __post_init__(self) -> None:
        _expect(self.min_cutoff_hz > 0, "min_cutoff_hz", self.min_cutoff_hz, "a frequency above 0")
        _expect(self.beta >= 0, "beta", self.beta, "a number, 0 or more")


@dataclass(frozen=True, slots=True)
class MotionConfig:
    """From bodies to poses in the world."""

    smoothing: SmoothingConfig = field(default_factory=SmoothingConfig)
    camera_pitch_deg: float = 0.0
    """How far the camera looks down; 0 is level."""
    focal_px: float | None = None
    """Focal length of the camera, pixels; null assumes the diagonal of the picture."""

    def __post_init__(self) -> None:
        _expect(-90 <= self.camera_pitch_deg <= 90, "camera_pitch_deg", self.camera_pitch_deg, "degrees, -90 to 90")
        _expect(self.focal_px is None or self.focal_px > 0, "focal_px", self.focal_px, "pixels above 0")


@dataclass(frozen=True, slots=True)
class RecordConfig:
    """Takes on disk."""

    folder: str = ""
    """Output folder; empty records nothing."""
    formats: tuple[str, ...] = ("npz", "bvh")
    """Files written for each take; npz is the lossless native one."""
    save_video: str = ""
    """Keep the source's picture in this file."""
    overlay: str = ""
    """Write the video with the mesh drawn over it to this file."""

    def __post_init__(self) -> None:
        known = ", ".join(FORMATS)
        _expect(bool(self.formats), "formats", self.formats, f"at least one of {known}")
        for name in self.formats:
            _expect(name in FORMATS, "formats", name, f"any of {known}")


@dataclass(frozen=True, slots=True)
class OscConfig:
    """VMC over OSC, live."""

    host: str = ""
    """Receiver's address; empty sends nothing."""
    port: int = 39539
    """Port of the receiver for the first performer; the next performer goes to the next port."""
    mirror: bool = False
    """Swap left and right, as in a mirror."""
    turn_180: bool = False
    """Turn the performer half round."""
    root_motion: str = "root"
    """root | hips | both: where the translation is sent."""
    rate_hz: float = 60.0
    """Send at most so often, 30 to 120."""
    vrm: str = ""
    """The avatar's .vrm file, whose bones are then sent; empty sends the performer's own."""

    def __post_init__(self) -> None:
        _expect_port(self.port)
        _expect(self.root_motion in ROOT_MOTIONS, "root_motion", self.root_motion, "one of " + ", ".join(ROOT_MOTIONS))
        _expect(30 <= self.rate_hz <= 120, "rate_hz", self.rate_hz, "a rate from 30 to 120")


@dataclass(frozen=True, slots=True)
class VrchatConfig:
    """VRChat's OSC trackers, live."""

    host: str = ""
    """Address of the machine that runs VRChat; empty sends nothing."""
    port: int = 9000
    """VRChat listens at 9000 unless told otherwise."""
    trackers: tuple[str, ...] = TRACKERS[:-1]
    """Numbered in this order; the head only aligns the spaces."""
    height_m: float | None = None
    """The player's height as VRChat's settings have it; null leaves the motion as measured."""

    def __post_init__(self) -> None:
        _expect_port(self.port)
        known = ", ".join(TRACKERS)
        unique = bool(self.trackers) and len(set(self.trackers)) == len(self.trackers)
        _expect(unique, "trackers", self.trackers, f"some of {known}, each once")
        for name in self.trackers:
            _expect(name in TRACKERS, "trackers", name, f"any of {known}")
        tall = self.height_m is None or 0.5 <= self.height_m <= 3
        _expect(tall, "height_m", self.height_m, "metres from 0.5 to 3")


@dataclass(frozen=True, slots=True)
class WebConfig:
    """Browsers, live."""

    host: str = ""
    """Address of this machine that browsers ask, as 127.0.0.1 (0.0.0.0: the whole network); empty shows nothing."""
    port: int = 8765
    """Port of this machine that browsers ask."""
    origins: tuple[str, ...] = ()
    """Pages elsewhere that may watch, as https://example.org."""

    def __post_init__(self) -> None:
        _expect_port(self.port)


@dataclass(frozen=True, slots=True)
class ViewerConfig:
    """The window."""

    show_mesh: bool = True
    """Draw the recovered bodies over the picture."""
    show_skeleton: bool = True
    """Draw the skeletons over the picture."""
    folder: str = "takes"
    """Where the takes recorded in the window go, unless a folder to record into was named at the start."""


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
    vrchat: VrchatConfig = field(default_factory=VrchatConfig)
    web: WebConfig = field(default_factory=WebConfig)
    viewer: ViewerConfig = field(default_factory=ViewerConfig)
