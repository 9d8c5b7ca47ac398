"""Settings of the application: frozen dataclasses, one per stage, and the only reader of YAML.

Whatever can be wrong without touching a device is refused here: unknown keys, wrong types, impossible values,
options the named engine does not have. After this nobody sees a dict but the options an engine checks itself.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import yaml

from engines.errors import UnknownEngineError
from engines.options import make_options
from engines.registry import DETECTORS, ENGINES, find_spec
from exporters.files import FORMATS as FILE_FORMATS

from .errors import ConfigError

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
    """Width and height asked of a camera, pixels; None takes the camera's default."""
    fps: float | None = None
    """Frame rate asked of a camera; for a video file read in real time, see `realtime`."""
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
    """Stop after so many seconds of source time; None runs to the end."""

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
    """auto | yolo | blazepose | synthetic."""
    every: int = 10
    """Detect on every k-th frame while everybody is followed; always while nobody is."""
    options: dict[str, Any] = field(default_factory=dict)
    """Checked against the detector's own options class (yolo: weights; both: min_score)."""

    def __post_init__(self) -> None:
        _expect(self.every >= 1, "every", self.every, "a whole number from 1")


@dataclass(frozen=True, slots=True)
class TrackingConfig:
    """How people are followed."""

    max_people: int = 8
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
    device: str = "cpu"
    """cpu | cuda:N."""
    options: dict[str, Any] = field(default_factory=dict)
    """Checked against the engine's own options class."""

    def __post_init__(self) -> None:
        _expect(bool(re.fullmatch(r"cpu|cuda(:\d+)?", self.device)), "device", self.device, "cpu or cuda:0")


@dataclass(frozen=True, slots=True)
class SmoothingConfig:
    """One-Euro filter on rotations and translation."""

    enabled: bool = True
    min_cutoff_hz: float = 1.5
    beta: float = 0.5

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
    """Focal length of the camera in pixels; None assumes the image diagonal."""

    def __post_init__(self) -> None:
        _expect(-90 <= self.camera_pitch_deg <= 90, "camera_pitch_deg", self.camera_pitch_deg, "degrees, -90 to 90")
        _expect(self.focal_px is None or self.focal_px > 0, "focal_px", self.focal_px, "pixels above 0")


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
    origins: tuple[str, ...] = ()
    """Pages elsewhere that may watch, as https://example.org."""

    def __post_init__(self) -> None:
        _expect_port(self.port)


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
    vrchat: VrchatConfig = field(default_factory=VrchatConfig)
    web: WebConfig = field(default_factory=WebConfig)
    viewer: ViewerConfig = field(default_factory=ViewerConfig)


def load_config(
    path: Path | str | None = None, overrides: Sequence[str] = (), flags: Mapping[str, Any] | None = None
) -> AppConfig:
    """Return the settings: the defaults, changed by a file, then by `flags`, then by `overrides`.

    Args:
        path: A YAML file; what it does not name keeps its default. None reads no file.
        overrides: `section.key=value`, the value in YAML.
        flags: Values by dotted key, for command-line flags that stand for a key.

    Raises:
        ConfigError: An unknown key, a wrong type or an impossible value, with the path of the key.
    """
    config = AppConfig()
    where = "settings"
    if path is not None:
        where = Path(path).name
        config = _merge(config, read_yaml(Path(path)), where)
    for key, value in (flags or {}).items():
        config = _merge(config, _nest(key, value), "command line")
    for text in overrides:
        config = _merge(config, _parse_override(text), f"--set {text}")
    return _check_whole(config, where)


def default_config_file() -> Path:
    """Return the shipped, commented settings file: the repository's, or the one packed into the wheel."""
    in_repository = Path(__file__).resolve().parents[1] / "config.yaml"
    return in_repository if in_repository.is_file() else Path(__file__).with_name("default_config.yaml")


def read_yaml(path: Path) -> Mapping[str, Any]:
    """Return the keys of a YAML file.

    Raises:
        ConfigError: The file is absent, or not YAML with keys at its top.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read ({error}); expected a YAML file; check the path") from error
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"{path.name}: is not YAML ({reason}); expected keys with values; mend that line") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigError(f"{path.name}: found {type(values).__name__}, expected keys with values, as `key: value`")
    return values


def _parse_override(text: str) -> Mapping[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise ConfigError(f"--set {text}: found no key=value, expected for example engine.name=synthetic")
    try:
        return _nest(key.strip(), yaml.safe_load(value))
    except yaml.YAMLError as error:
        raise ConfigError(f"--set {text}: the value is not YAML; put quotes round it") from error


def _nest(key: str, value: Any) -> Mapping[str, Any]:
    """Return `{"a": {"b": value}}` for `a.b`."""
    for part in reversed(key.split(".")):
        value = {part: value}
    return value


def _merge(section: Any, values: Mapping[str, Any], where: str, prefix: str = "") -> Any:
    """Return the dataclass `section` with `values` in place of its own, checked."""
    hints = get_type_hints(type(section))
    changes = {}
    for key, value in values.items():
        if key not in hints:
            raise ConfigError(f"{where}: {prefix}{key}: unknown key, {_nearest(str(key), list(hints))}")
        current, label = getattr(section, key), f"{prefix}{key}"
        if is_dataclass(current) or isinstance(current, dict):
            value = {} if value is None else value  # a section with every line commented out
            if not isinstance(value, dict):
                raise ConfigError(f"{where}: {label}: found {value!r}, expected keys below it, as {label}.key")
        if is_dataclass(current):
            changes[key] = _merge(current, value, where, f"{label}.")
        elif isinstance(current, dict):
            changes[key] = {**current, **value}
        else:
            changes[key] = _convert(value, hints[key], f"{where}: {label}")
    try:
        return replace(section, **changes)
    except ValueError as error:
        raise ConfigError(f"{where}: {prefix}{error}") from error


def _nearest(key: str, known: list[str]) -> str:
    close = get_close_matches(key, known, n=1)
    return f'did you mean "{close[0]}"?' if close else f"known are {', '.join(known)}"


def _convert(value: Any, hint: Any, label: str) -> Any:
    """Return `value` as the type `hint` asks, whole numbers as floats and lists as tuples, or raise ConfigError."""
    for choice in get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,):
        if get_origin(choice) is tuple and isinstance(value, (list, tuple)):
            parts = get_args(choice)
            parts = parts[:1] * len(value) if parts[1:] == (Ellipsis,) else parts
            if len(parts) == len(value):
                return tuple(_convert(v, p, label) for v, p in zip(value, parts, strict=True))
        elif isinstance(choice, type) and _is_plain(value, choice):
            return choice(value) if value is not None else None
    raise ConfigError(f"{label}: found {value!r}, expected {_spell(hint)}")


def _is_plain(value: Any, kind: type) -> bool:
    """Say whether a scalar from YAML is of `kind`; True and infinity are no numbers, a whole number is a float."""
    if isinstance(value, bool) or kind is bool:
        return isinstance(value, bool) and kind is bool
    if isinstance(value, float) and not math.isfinite(value):
        return False
    return isinstance(value, (int, float) if kind is float else kind)


def _spell(hint: Any) -> str:
    words = {int: "a whole number", float: "a number", str: "text", bool: "true or false", type(None): "null"}
    if get_origin(hint) in (Union, UnionType):
        return " or ".join(_spell(part) for part in get_args(hint))
    if get_origin(hint) is tuple:
        parts = get_args(hint)
        return f"a list of {'' if parts[1:] == (Ellipsis,) else f'{len(parts)} values, each '}{_spell(parts[0])}"
    return words.get(hint, str(hint))


def _check_whole(config: AppConfig, where: str) -> AppConfig:
    """Check what one section cannot know: names and options of the registry, a path where one is needed."""
    capture, record = config.capture, config.record
    if record.overlay and record.save_video and _is_same_path(record.overlay, record.save_video):
        raise ConfigError(
            f"{where}: record.overlay and record.save_video: found {record.overlay} for both, expected two files; "
            "rename one"
        )
    if capture.source in ("video", "images", "stream") and not capture.path:
        raise ConfigError(f"{where}: capture.path: found nothing, expected what to read for source {capture.source}")
    for kind, table, section in (("engine", ENGINES, config.engine), ("detector", DETECTORS, config.detector)):
        try:
            spec = find_spec(table, kind, section.name)
            make_options(spec.options, section.options, section.name)
        except UnknownEngineError as error:
            raise ConfigError(f"{where}: {kind}.name: {error}") from error
        except ValueError as error:
            raise ConfigError(f"{where}: {kind}.options: {error}") from error
    return config


def _is_same_path(a: str, b: str) -> bool:
    return Path(a).expanduser().resolve() == Path(b).expanduser().resolve()


def changed_keys(config: AppConfig) -> dict[str, Any]:
    """Return by dotted key what differs from the defaults; for logs and for the metadata of takes."""
    changes: dict[str, Any] = {}
    default = AppConfig()
    for section in fields(AppConfig):
        ours, theirs = getattr(config, section.name), getattr(default, section.name)
        for key in fields(ours):
            if getattr(ours, key.name) != getattr(theirs, key.name):
                changes[f"{section.name}.{key.name}"] = getattr(ours, key.name)
    return changes
