"""From YAML, flags and the user's own file to settings: the only reader of YAML.

Whatever can be wrong without touching a device is refused here: unknown keys, wrong types, impossible values,
options the named engine does not have. After this nobody sees a dict but the options an engine checks itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import yaml

from engines.errors import UnknownEngineError
from engines.options import make_options
from engines.registry import DETECTORS, ENGINES, find_spec

from ..errors import ConfigError
from .sections import AppConfig


def load_config(
    path: Path | str | None = None,
    overrides: Sequence[str] = (),
    flags: Mapping[str, Any] | None = None,
    user: Mapping[str, Any] | None = None,
) -> AppConfig:
    """Return the settings: the defaults, changed by the user's own, a file, then by `flags`, then by `overrides`.

    Args:
        path: A YAML file; what it does not name keeps its default. None reads no file.
        overrides: `section.key=value`, the value in YAML.
        flags: Values by dotted key, for command-line flags that stand for a key.
        user: The user's own settings, as `read_user_settings` gives them. Options of another engine or detector
            than the one that is chosen in the end are left aside.

    Raises:
        ConfigError: An unknown key, a wrong type or an impossible value, with the path of the key.
    """
    where = "settings" if path is None else Path(path).name
    layers = [] if path is None else [(read_yaml(Path(path)), where)]
    layers += [(_nest(key, value), "command line") for key, value in (flags or {}).items()]
    layers += [(_parse_override(text), f"--set {text}") for text in overrides]
    own = _merge(AppConfig(), user or {}, "your own settings")
    chosen = _apply(own, layers)
    for section in ("engine", "detector"):
        ours = getattr(own, section)
        if ours.options and getattr(chosen, section).name != ours.name:
            own = replace(own, **{section: replace(ours, options={})})
    return _check_whole(_apply(own, layers), where)


def check_settings(
    values: Mapping[str, Any], where: str, advice: str = "", kind: type[ConfigError] = ConfigError
) -> None:
    """Raise `kind`, its message beginning with `where` and ending with `advice`, where `values` alone are wrong."""
    try:
        _check_whole(_merge(AppConfig(), values, where), where)
    except ConfigError as error:
        raise kind(f"{error}; {advice}" if advice else str(error)) from error


def _apply(config: AppConfig, layers: Sequence[tuple[Mapping[str, Any], str]]) -> AppConfig:
    for values, where in layers:
        config = _merge(config, values, where)
    return config


def default_config_file() -> Path:
    """Return the shipped, commented settings file: the repository's, or the one packed into the wheel."""
    package = Path(__file__).resolve().parents[1]
    in_repository = package.parent / "config.yaml"
    return in_repository if in_repository.is_file() else package / "default_config.yaml"


def read_yaml(
    path: Path, where: str = "", advice: str = "mend that line", kind: type[ConfigError] = ConfigError
) -> Mapping[str, Any]:
    """Return the keys of a YAML file; errors are of `kind`, begin with `where` and say `advice`.

    Raises:
        ConfigError: The file is absent, or not YAML with keys at its top.
    """
    where = where or path.name
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise kind(f"{path}: cannot be read ({error}); expected a YAML file; check the path") from error
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise kind(f"{where}: is not YAML ({reason}); expected keys with values; {advice}") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise kind(f"{where}: found {type(values).__name__}, expected keys with values, as `key: value`; {advice}")
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
    return nested(key, value, {})


def nested(key: str, value: Any, tree: Mapping[str, Any]) -> dict[str, Any]:
    """Return `tree` with `value` at the dotted key."""
    name, dot, below = key.partition(".")
    return {**tree, name: nested(below, value, tree.get(name, {})) if dot else value}


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


def flat_keys(config: AppConfig) -> dict[str, Any]:
    """Return every setting by its dotted key, in order; the options of engine and detector are one value each."""
    return dict(_leaves(config))


def _leaves(section: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key in fields(section):
        value = getattr(section, key.name)
        if is_dataclass(value):
            yield from _leaves(value, f"{prefix}{key.name}.")
        else:
            yield prefix + key.name, value


def changed_keys(config: AppConfig) -> dict[str, Any]:
    """Return by dotted key what differs from the defaults; for logs and for the metadata of takes."""
    defaults = flat_keys(AppConfig())
    return {key: value for key, value in flat_keys(config).items() if value != defaults[key]}


def with_keys(config: AppConfig, values: Mapping[str, Any]) -> AppConfig:
    """Return `config` with some settings, by dotted key, replaced as they are (options as a whole), checked.

    Raises:
        ConfigError: An impossible value, with the path of the key.
    """
    for key, value in values.items():
        config = _with_key(config, key.split("."), value)
    return _check_whole(config, "settings")


def _with_key(section: Any, names: list[str], value: Any, prefix: str = "") -> Any:
    name, *below = names
    if below:
        value = _with_key(getattr(section, name), below, value, f"{prefix}{name}.")
    elif not isinstance(getattr(section, name), dict):
        value = _convert(value, get_type_hints(type(section))[name], f"{prefix}{name}")
    try:
        return replace(section, **{name: value})
    except ValueError as error:
        raise ConfigError(f"{prefix}{error}") from error
