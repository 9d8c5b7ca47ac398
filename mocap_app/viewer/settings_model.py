"""Which settings the window offers, in which words and bounds, and what changing one asks for. No Qt.

What a setting is and means comes from the dataclasses (`mocap_app.config`, the options of engines and detectors); what
stands here is how it is shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from enum import Enum, IntEnum
from pathlib import Path
from typing import Any, get_type_hints

from engines.options import make_options
from engines.registry import EngineSpec

from ..config import AppConfig, flat_keys, with_keys
from ..config.docs import explain, field_docs
from ..errors import ConfigError
from .settings_table import CAMERA, OPTION_ROWS, ROWS, TABLES, Choice, Row, choices_of
from .sources import is_demo


class Kind(Enum):
    """Which editor a setting needs."""

    TOGGLE = "toggle"
    CHOICE = "choice"
    WHOLE = "whole number"
    NUMBER = "number"
    SEVERAL = "several"
    TEXT = "text"
    FILE = "file"
    FOLDER = "folder"


class Applies(IntEnum):
    """When a change is felt; the later ones ask for more."""

    NEVER = 0
    """Nothing has changed."""
    LIVE = 1
    RECORDING = 2
    SESSION = 3

    @property
    def words(self) -> str:
        """Return it for a tooltip."""
        return ("", "Applies at once.", "Applies to the next take.", "Applies when the capture starts anew.")[self]


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as it is shown."""

    key: str
    """Dotted, as for `--set`: `tracking.max_people`, `engine.options.threads`."""
    kind: Kind
    default: Any
    meaning: str
    """One sentence or two."""
    applies: Applies
    choices: tuple[Choice, ...]
    row: Row
    """Its heading, label, bounds and unit."""

    @property
    def tooltip(self) -> str:
        """Return everything worth knowing of it, in lines."""
        unit = f" {self.row.unit}" if self.row.unit and self.default is not None else ""
        return f"{self.meaning}\n\n{self.applies.words}\nDefault: {spell(self, self.default)}{unit}\nKey: {self.key}"

    def matches(self, words: str) -> bool:
        """Say whether every one of the words searched for is found in it."""
        told = [self.key, self.meaning, self.row.label, self.row.group, *(choice.text for choice in self.choices)]
        return all(word in " ".join(told).lower() for word in words.lower().split())


def make_setting(config: AppConfig, key: str, row: Row) -> Setting:
    """Return the setting at the dotted `key`, not an option, shown as `row` says."""
    choices = choices_of(key, flat_keys(config)[key])
    default = flat_keys(AppConfig())[key]
    return Setting(key, _kind(row, default, choices), default, _meaning(explain(key)), _applies(key), choices, row)


def settings_of(config: AppConfig) -> tuple[Setting, ...]:
    """Return every setting the window offers, group by group; the options are those of engine and detector chosen."""
    found: list[Setting] = []
    for key, row in ROWS.items():
        if key.endswith(".options"):
            found += _options(config, key.split(".")[0], row)
        else:
            found.append(make_setting(config, key, row))
    return tuple(found)


def value_of(config: AppConfig, key: str) -> Any:
    """Return the value of the setting at `key`; an option that is not set has its default."""
    section, _, option = key.partition(".options.")
    if not option:
        return flat_keys(config)[key]
    chosen = getattr(config, section)
    return chosen.options.get(option, _defaults(TABLES[section][chosen.name])[option])


def with_value(config: AppConfig, setting: Setting, value: Any) -> AppConfig:
    """Return `config` with one setting changed; another engine or detector keeps the options that it knows.

    Raises:
        ConfigError: The value is impossible; the message is fit to stand beside the field.
    """
    _expect_file(setting, value)
    section, _, option = setting.key.partition(".options.")
    changes = {setting.key: value}
    if option:
        # At its default an option is left out, so that a saved file names what was changed alone.
        others = {k: v for k, v in getattr(config, section).options.items() if k != option}
        changes = {f"{section}.options": others if value == setting.default else {**others, option: value}}
    elif setting.key in ("engine.name", "detector.name"):
        section = setting.key.split(".")[0]
        changes[f"{section}.options"] = _fitting(TABLES[section][value], getattr(config, section).options)
    try:
        return with_keys(config, changes)
    except ConfigError as error:
        raise ConfigError(_words_of(str(error), setting.key)) from error


def saved_keys(config: AppConfig) -> tuple[str, ...]:
    """Return the dotted keys that "Save as my settings" writes: those the window shows, on whatever panel.

    While the demo actor plays, its camera's are not the user's and are left as they were saved.
    """
    streams = [key for key in flat_keys(config) if key.split(".")[0] in ("osc", "vrchat", "web")]
    borrowed = (CAMERA,) if is_demo(config.capture) else ()
    return (*(key for key, row in ROWS.items() if row.group not in borrowed), *streams)


def effect_of(before: AppConfig, after: AppConfig) -> Applies:
    """Return what a change of settings asks for: the most that any of the changed keys does."""
    old, new = flat_keys(before), flat_keys(after)
    changed = [key for key in new if new[key] != old[key]]
    return max((_applies(key) for key in changed), default=Applies.NEVER)


def spell(setting: Setting, value: Any) -> str:
    """Return a value as the window writes it."""
    for choice in setting.choices:
        if choice.value == value and setting.kind is Kind.CHOICE:
            return choice.text
    if isinstance(value, bool):
        return "on" if value else "off"
    if value is None or value == "":
        return setting.row.nothing or "nothing"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _options(config: AppConfig, section: str, row: Row) -> list[Setting]:
    chosen = getattr(config, section)
    spec = TABLES[section][chosen.name]
    found = []
    for name, default in _defaults(spec).items():
        own = OPTION_ROWS.get(name, Row("", name.replace("_", " ").capitalize()))
        choices = choices_of(f"option.{name}", chosen.options.get(name, default), spec)
        kind = _kind(own, default, choices, get_type_hints(spec.options)[name])
        meaning = _meaning(field_docs(spec.options).get(name, ""))
        key = f"{section}.options.{name}"
        found.append(Setting(key, kind, default, meaning, Applies.SESSION, choices, replace(own, group=row.group)))
    return found


def _meaning(doc: str) -> str:
    """Return an explanation without what the field itself shows: its choices, and what null stands for."""
    doc = re.sub(r"; see `[^`]*`", "", doc)
    doc = re.sub(r": [\w-]+( \| [\w-]+)+", "", doc)
    return re.sub(r"[;.] (null|None) [^.;]*", "", doc).replace("`", "")


def _kind(row: Row, default: Any, choices: tuple[Choice, ...], hint: Any = None) -> Kind:
    if row.path:
        return Kind.FOLDER if row.path == "folder" else Kind.FILE
    if choices:
        return Kind.SEVERAL if isinstance(default, tuple) else Kind.CHOICE
    if isinstance(default, bool):
        return Kind.TOGGLE
    if isinstance(default, float) or (row.low is not None and default is None) or "float" in str(hint):
        return Kind.NUMBER
    return Kind.WHOLE if isinstance(default, int) else Kind.TEXT


def _applies(key: str) -> Applies:
    if key == "viewer.folder" or key.startswith("record."):
        return Applies.RECORDING
    if key.startswith(("viewer.", "motion.smoothing.")):
        return Applies.LIVE
    return Applies.SESSION


def _defaults(spec: EngineSpec) -> dict[str, Any]:
    made = spec.options()
    return {field.name: getattr(made, field.name) for field in fields(spec.options)}


def _fitting(spec: EngineSpec, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that the engine or detector of `spec` takes as well."""
    kept = {}
    for name, value in options.items():
        with suppress(ValueError):
            make_options(spec.options, {name: value}, spec.name)
            kept[name] = value
    return kept


def _expect_file(setting: Setting, value: Any) -> None:
    # A bare name may be a model that is fetched or shipped; a path is a file of the user's.
    named = setting.kind is Kind.FILE and bool(value) and Path(value).name != value
    if named and not Path(value).expanduser().is_file():
        raise ConfigError("There is no such file; check the path.")


def _words_of(message: str, key: str) -> str:
    """Return an error's message without the keys that the field beside it says already."""
    name = key.rpartition(".")[2]
    for lead in (f"{key}: ", f" {name}: "):
        message = message.rpartition(lead)[2]
    _, is_named, value = message.rpartition(f" {name} is ")
    message = f"found {value}" if is_named else message
    return message[:1].upper() + message[1:] + ("" if message.endswith(".") else ".")
