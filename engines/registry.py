"""The one table of engines and detectors: name -> what it is, its options, where its class is.

Nothing is imported until it is asked for; a class is made as `Class(options, device=...)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib import import_module
from typing import Any, cast

from .deforhmr.options import CONFIGURATIONS as DEFORHMR
from .deforhmr.options import DeforHmrOptions
from .deformer.options import CONFIGURATIONS as DEFORMER
from .deformer.options import DeformerOptions
from .detectors.options import AutoDetectorOptions, BlazePoseDetectorOptions, YoloOptions
from .errors import MissingExtraError, UnknownEngineError
from .fastmetro.options import CONFIGURATIONS as FASTMETRO
from .fastmetro.options import FastMetroOptions
from .options import make_options
from .synthetic import SyntheticDetectorOptions, SyntheticOptions
from .types import Configuration, Detector, MeshEngine

DISTRIBUTION = "mocap-app"


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """One line of the table."""

    name: str
    summary: str
    options: type
    """A frozen dataclass; its fields are the option keys."""
    target: str
    """`module:Class`, the module relative to this package."""
    extra: str = ""
    """The optional dependency group it needs; empty for none."""
    configurations: Mapping[str, Configuration] = field(default_factory=dict)
    """The sizes it comes in, by the name to give in its option `configuration`; none where it has no weights."""


def _table(*specs: EngineSpec) -> dict[str, EngineSpec]:
    return {spec.name: spec for spec in specs}


ENGINES = _table(
    EngineSpec(
        "deforhmr",
        "deformable cross-attention over a frozen image encoder; the default",
        DeforHmrOptions,
        ".deforhmr.engine:DeforHmrEngine",
        configurations=DEFORHMR,
    ),
    EngineSpec(
        "fastmetro",
        "joint and vertex tokens that read a mesh off the picture; published checkpoints can be imported",
        FastMetroOptions,
        ".fastmetro.engine:FastMetroEngine",
        configurations=FASTMETRO,
    ),
    EngineSpec(
        "deformer",
        "a mesh aligned with the picture step by step, by deformable attention",
        DeformerOptions,
        ".deformer.engine:DeformerEngine",
        configurations=DEFORMER,
    ),
    EngineSpec("synthetic", "a known figure, without weights", SyntheticOptions, ".synthetic:SyntheticEngine"),
)

DETECTORS = _table(
    EngineSpec(
        "auto",
        "yolo where it and its weights are at hand, else blazepose",
        AutoDetectorOptions,
        ".detectors.auto:AutoDetector",
    ),
    EngineSpec(
        "yolo",
        "ultralytics models by name or path, ONNX files of YOLO or YOLOX layout",
        YoloOptions,
        ".detectors.yolo:YoloDetector",
        extra="yolo",
    ),
    EngineSpec(
        "blazepose",
        "the shipped detector; needs nothing fetched",
        BlazePoseDetectorOptions,
        ".detectors.blazepose:BlazePoseDetector",
    ),
    EngineSpec(
        "synthetic",
        "one box where the picture is not black, without weights",
        SyntheticDetectorOptions,
        ".synthetic:SyntheticDetector",
    ),
)


def build_engine(name: str, options: Mapping[str, Any] | None = None, device: str = "cpu") -> MeshEngine:
    """Return the engine `name`, ready to predict.

    Args:
        name: A key of ENGINES.
        options: Checked against the engine's options class.
        device: `cpu` or `cuda:N`.

    Raises:
        UnknownEngineError: No such engine.
        ValueError: An unknown option or a value of the wrong type.
        MissingExtraError: An optional library is not installed.
        WeightsError: Its weights are absent or not what they must be.
        RuntimeUnavailableError: There is no such device on this machine.
    """
    return cast(MeshEngine, _build(ENGINES, "engine", name, options, device))


def build_detector(name: str, options: Mapping[str, Any] | None = None, device: str = "cpu") -> Detector:
    """Return the detector `name`, ready to detect; arguments and errors as for `build_engine`."""
    return cast(Detector, _build(DETECTORS, "detector", name, options, device))


def find_spec(table: Mapping[str, EngineSpec], kind: str, name: str) -> EngineSpec:
    """Return the line of `table` called `name`, or raise UnknownEngineError with the known names."""
    if name in table:
        return table[name]
    close = get_close_matches(name, table, n=1)
    hint = f'did you mean "{close[0]}"?' if close else "choose one of these"
    raise UnknownEngineError(f'{kind} "{name}" is unknown; known are {", ".join(table)}; {hint}')


def _build(
    table: Mapping[str, EngineSpec], kind: str, name: str, options: Mapping[str, Any] | None, device: str
) -> Any:
    spec = find_spec(table, kind, name)
    checked = make_options(spec.options, options or {}, f"options of {kind} {name}")
    if device.startswith("cuda"):  # only then is torch loaded for it
        import_module(".runtime.device", __package__).check_device(device)
    module, _, class_name = spec.target.partition(":")
    try:
        return getattr(import_module(module, __package__), class_name)(checked, device=device)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if missing.split(".")[0] == (__package__ or "").split(".")[0]:
            raise  # one of our own files: a fault of ours, not of the installation
        raise MissingExtraError(missing_library(f"{kind} {spec.name}", missing, spec.extra)) from error


def missing_library(user: str, library: str, extra: str) -> str:
    """Return the message for a library that is not installed, with the line that installs it."""
    line = f'pip install "{DISTRIBUTION}[{extra}]"' if extra else f"pip install {library}"
    return f'{user}: the library "{library}" is not installed; it is needed here; install it with: {line}'
