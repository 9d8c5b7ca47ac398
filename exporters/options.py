"""What can be chosen about a written file, and which of it a format can honour."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from fractions import Fraction
from typing import Any

from .presets import PRESETS, Preset


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """Choices about a file; None leaves a choice to the preset, or else to the format."""

    preset: str | None = None
    """One of `presets.PRESETS`: what suits a program, as far as a format can honour it."""
    names: Mapping[str, str] | None = None
    """Joint name -> name to write."""
    fps: float | str | Fraction | None = None
    """Frames per second; None takes the take's own."""
    unit: str | float | None = None
    """Unit of lengths."""
    up: str | None = None
    """The axis that is up."""
    t_pose: str | None = None
    """Where the T-pose is shown: "none", "frame" (frame 0 of the motion) or "take" (one of its own before it)."""
    rest_on_floor: bool | None = None
    """Whether the rest pose stands on the floor, where a format has its root in the origin otherwise."""


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file.

    `write(take, path, **choices)`, or `write(takes, path, meshes=meshes, **choices)` for a format that holds scenes.
    """

    summary: str
    write: Callable[..., Any]
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Names of `ExportOptions` that the writer takes as keywords, and the words each may be; () = any value."""
    scenes: bool = False
    """Whether one file holds several performers, and their surfaces."""
    flags: Mapping[str, str] = field(default_factory=dict)
    """Option -> the writer's own keyword for it, which is true unless the option is "none"."""


def choices_for(options: ExportOptions, suffix: str, format_: Format) -> dict[str, Any]:
    """Return the keywords to call a format's writer with.

    Raises:
        ValueError: a choice that the format cannot honour, or no such preset. A preset's choices are honoured as far as
            they can be.
    """
    given = {f.name: getattr(options, f.name) for f in fields(options) if getattr(options, f.name) is not None}
    preset = given.pop("preset", None)
    for name, value in given.items():
        _check(name, value, suffix, format_)
    chosen = _of_preset(preset, format_) if preset is not None else {}
    chosen |= given
    for name, keyword in format_.flags.items():
        if name in chosen:
            chosen[keyword] = chosen.pop(name) != "none"
    return chosen


def _check(name: str, value: Any, suffix: str, format_: Format) -> None:
    if name not in format_.options:
        known = f"but {', '.join(format_.options)}" if format_.options else "nor any other"
        raise ValueError(
            f"{name}: found {value!r}, expected nothing, for {suffix} files leave this no choice ({known})"
        )
    words = format_.options[name]
    if words and value not in words:
        raise ValueError(f"{name}: found {value!r}, expected {' or '.join(words)} for {suffix}")


def _of_preset(name: str, format_: Format) -> dict[str, Any]:
    if name not in PRESETS:
        raise ValueError(f"preset: found {name!r}, expected one of {', '.join(PRESETS)}")
    if name in format_.options.get("preset", ()):
        return {"preset": name}  # the writer knows more about it
    return {option: value for option, value in _wishes(PRESETS[name], format_) if option in format_.options}


def _wishes(preset: Preset, format_: Format) -> list[tuple[str, Any]]:
    """Return what a preset would like, each as near as the format comes to it."""
    wishes: list[tuple[str, Any]] = [("names", preset.names), ("rest_on_floor", preset.rest_on_floor)]
    for option in ("unit", "t_pose"):
        words = format_.options.get(option, ())
        wishes += [(option, wish) for wish in getattr(preset, option) if not words or wish in words][:1]
    return wishes
