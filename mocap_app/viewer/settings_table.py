"""How each setting is shown: its heading, label, bounds, unit and choices. No Qt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from engines.registry import DETECTORS, ENGINES, EngineSpec
from engines.runtime.names import RUNTIMES
from engines.weights import search_folders
from exporters.files import FORMATS

from ..config import TRACKERS

TABLES: Mapping[str, Mapping[str, EngineSpec]] = {"engine": ENGINES, "detector": DETECTORS}
LIBRARIES = {"yolo": "ultralytics", "smpl": "smplx"}
"""Extra -> module, by which it is seen whether it is installed."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One value to choose, in words."""

    value: Any
    text: str
    hint: str = ""
    is_here: bool = True
    """False where something must be installed or fetched first; the hint says what."""


@dataclass(frozen=True, slots=True)
class Row:
    """How one setting is shown."""

    group: str
    label: str
    low: float | None = None
    high: float | None = None
    step: float = 1.0
    unit: str = ""
    nothing: str = ""
    """What stands for null or nothing, as "automatic"; a number of a kind that may be left open."""
    path: str = ""
    """A file filter as "Avatars (*.vrm)", or `folder`."""
    needs: str = ""
    """Key of the toggle without which it means nothing."""


WEIGHTS = "Weights (*.safetensors *.onnx *.pt);;All files (*)"
BODIES = "Body models (*.npz *.pkl);;All files (*)"
ENGINE, PEOPLE, FOLLOWING = "Body", "Finding people", "Following people"
SMOOTHING, CAMERA, RECORDING, PICTURE = "Smoothing", "Camera", "Recording", "Picture"
SMOOTH = "motion.smoothing.enabled"

ROWS: Mapping[str, Row] = {
    "engine.name": Row(ENGINE, "Engine"),
    "engine.device": Row(ENGINE, "Runs on"),
    "engine.options": Row(ENGINE, ""),
    "detector.name": Row(PEOPLE, "Detector"),
    "detector.every": Row(PEOPLE, "Look every", 1, 120, 1, "frames"),
    "detector.options": Row(PEOPLE, ""),
    "tracking.max_people": Row(FOLLOWING, "People at most", 1, 32),
    "tracking.lost_after_s": Row(FOLLOWING, "Gone after", 0, 60, 0.1, "s"),
    "tracking.min_presence": Row(FOLLOWING, "Lowest presence", 0, 1, 0.05),
    SMOOTH: Row(SMOOTHING, "Smooth the motion"),
    "motion.smoothing.min_cutoff_hz": Row(SMOOTHING, "Calm", 0.05, 30, 0.1, "Hz", needs=SMOOTH),
    "motion.smoothing.beta": Row(SMOOTHING, "Follow fast moves", 0, 20, 0.05, needs=SMOOTH),
    "motion.camera_pitch_deg": Row(CAMERA, "Looks down by", -90, 90, 1, "°"),
    "motion.focal_px": Row(CAMERA, "Focal length", 50, 20000, 10, "px", nothing="automatic"),
    "capture.size": Row(CAMERA, "Picture size", nothing="automatic"),
    "capture.fps": Row(CAMERA, "Frame rate", 1, 240, 1, "fps", nothing="automatic"),
    "capture.mirror": Row(CAMERA, "Mirror"),
    "capture.rotation": Row(CAMERA, "Turn"),
    "viewer.folder": Row(RECORDING, "Folder of takes", path="folder"),
    "record.formats": Row(RECORDING, "Formats"),
    "viewer.show_mesh": Row(PICTURE, "Show bodies"),
    "viewer.show_skeleton": Row(PICTURE, "Show skeletons"),
}
"""Dotted key -> how it is shown, in the order of the panel."""
OPTION_ROWS: Mapping[str, Row] = {
    "configuration": Row("", "Size"),
    "weights": Row("", "Weights", path=WEIGHTS, nothing="of the size chosen"),
    "runtime": Row("", "Runtime"),
    "body": Row("", "Body model", path=BODIES, nothing="the shipped free body"),
    "threads": Row("", "CPU threads", 0, 64),
    "min_score": Row("", "Lowest score", 0, 1, 0.05, nothing="automatic"),
    "max_overlap": Row("", "Largest overlap", 0, 1, 0.05),
    "image_size_px": Row("", "Picture size", 160, 1920, 32, "px"),
    "tiles": Row("", "Look for small people"),
    "turns": Row("", "Look for turned people"),
}
"""The same for options by their name; one that is not here is shown under its name."""
CHOICES: Mapping[str, tuple[Choice, ...]] = {
    "engine.device": (Choice("cpu", "CPU"), Choice("cuda:0", "NVIDIA card (cuda:0)")),
    "capture.rotation": tuple(Choice(angle, f"{angle}°") for angle in (0, 90, 180, 270)),
    "osc.root_motion": (
        Choice("root", "the root"),
        Choice("hips", "the hips"),
        Choice("both", "both"),
    ),
    "web.host": (
        Choice("127.0.0.1", "this computer", "Only browsers on this computer can watch."),
        Choice("0.0.0.0", "whole network", "Everybody in your network can watch: phones, tablets, other computers."),
    ),
    "vrchat.trackers": tuple(Choice(name, name.replace("_", " ")) for name in TRACKERS),
}
SIZES = ((640, 480), (1280, 720), (1920, 1080))


def choices_of(key: str, value: Any, spec: EngineSpec | None = None) -> tuple[Choice, ...]:
    """Return what may be chosen for the setting at `key` (`option.NAME` for an option of `spec`), now at `value`."""
    section, _, name = key.partition(".")
    if name == "name":
        return tuple(_part(part) for part in TABLES[section].values())
    if key == "capture.size":
        automatic = Choice(None, "automatic")
        return _with(value, (automatic, *(Choice(size, f"{size[0]} × {size[1]}") for size in SIZES)))
    if key in CHOICES:
        return _with(value, CHOICES[key])
    if key == "record.formats":
        return tuple(Choice(suffix[1:], suffix[1:], format_.summary) for suffix, format_ in FORMATS.items())
    if key == "option.runtime":
        return tuple(Choice(name, name) for name in RUNTIMES)
    if key == "option.configuration" and spec is not None:
        return tuple(_size(name, spec) for name in spec.configurations)
    return ()


def _part(spec: EngineSpec) -> Choice:
    library = LIBRARIES.get(spec.extra, "")
    if library and find_spec(library) is None:
        hint = f'{spec.summary}. Not installed: pip install "mocap-app[{spec.extra}]"'
        return Choice(spec.name, f"{spec.name} (not installed)", hint, False)
    return Choice(spec.name, spec.name, spec.summary)


def _size(name: str, spec: EngineSpec) -> Choice:
    configuration = spec.configurations[name]
    is_here = any((folder / configuration.weights).is_file() for folder in search_folders())
    millions = f"{configuration.parameters / 1e6:.1f} million numbers"
    if is_here:
        return Choice(name, name, f"{configuration.summary}, {millions}")
    return Choice(name, f"{name} (no weights)", f"{configuration.summary}, {millions}. {configuration.source}", False)


def _with(value: Any, choices: tuple[Choice, ...]) -> tuple[Choice, ...]:
    """Return the choices, and a value set elsewhere that is none of them."""
    known = [choice.value for choice in choices]
    if value in (*known, "") or (isinstance(value, tuple) and set(value) <= set(known)):
        return choices
    text = f"{value[0]} × {value[1]}" if isinstance(value, tuple) else str(value)
    return (*choices, Choice(value, text))
