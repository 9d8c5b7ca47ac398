"""The user's own settings: one small file that the window saves and every start reads, over the defaults.

Only what differs from the defaults is in it, so that a better default of a later version reaches the user.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from ..errors import UserSettingsError
from .reading import check_settings, flat_keys, nested, read_yaml
from .sections import AppConfig

HEAD = """\
# Your own settings of mocap-app: what differs from the defaults. The window saves them here ("Save as my settings").
# Every key stands in `mocap-app --print-config`. --config, flags and --set win over this file; `mocap-app config
# --reset` puts it aside. You may edit it: your keys stay when the window saves, your comments do not.

"""
ADVICE = "mend that line, or put the file aside with: mocap-app config --reset"


def user_file() -> Path:
    """Return where the user's own settings lie on this platform, whether or not the file exists."""
    return _settings_folder() / "mocap-app" / "config.yaml"


def _settings_folder() -> Path:
    if sys.platform == "win32":
        return _folder_named("APPDATA", Path.home() / "AppData" / "Roaming")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    return _folder_named("XDG_CONFIG_HOME", Path.home() / ".config")


def _folder_named(variable: str, otherwise: Path) -> Path:
    """Return the folder in an environment variable of the platform's; one that is not absolute is none."""
    named = os.environ.get(variable, "")
    return Path(named) if os.path.isabs(named) else otherwise


def read_user_settings(path: Path | None = None) -> Mapping[str, Any]:
    """Return the keys of the user's file, checked; none where there is no file.

    Raises:
        UserSettingsError: The file cannot be read, or holds an unknown key or an impossible value.
    """
    path = path or user_file()
    if not path.exists():
        return {}
    values = read_yaml(path, str(path), ADVICE, UserSettingsError)
    check_settings(values, str(path), ADVICE, UserSettingsError)
    return values


def save_user_settings(config: AppConfig, keys: Iterable[str] | None = None, path: Path | None = None) -> Path:
    """Write what differs from the defaults into the user's file, whole or not at all, and return where it lies.

    Args:
        config: The settings to keep.
        keys: Dotted keys to write or, at their defaults, to take out; others in the file stay. None is every key.
        path: Another file than the user's.

    Raises:
        UserSettingsError: The folder cannot be written, or the disk is full; the file is then as it was.
    """
    path = path or user_file()
    ours, defaults = flat_keys(config), flat_keys(AppConfig())
    kept, broken = _kept(path)
    for key in ours if keys is None else keys:
        kept.pop(key, None)
        if ours[key] != defaults[key]:
            kept[key] = ours[key]
    _replace(path, HEAD + _yaml_of(kept), broken)
    return path


def reset_user_settings(path: Path | None = None) -> Path | None:
    """Put the user's file aside as `config.old.yaml` and return where it lies now; None where there was none.

    Raises:
        UserSettingsError: It cannot be moved.
    """
    path = path or user_file()
    if not path.exists():
        return None
    aside = path.with_name("config.old.yaml")
    try:
        os.replace(path, aside)
    except OSError as error:
        raise _cannot_write(path, error) from error
    return aside


def _kept(path: Path) -> tuple[dict[str, Any], bool]:
    """Return the keys now in the file, and whether it is there but broken."""
    try:
        values = read_user_settings(path)
    except UserSettingsError:
        return {}, True
    known = flat_keys(AppConfig())
    return {key: value for key, value in _flat(values).items() if key in known}, False


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested keys as dotted ones; the options of an engine are one value."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and key != "options":
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


def _yaml_of(flat: Mapping[str, Any]) -> str:
    tree: dict[str, Any] = {}
    for key in (key for key in flat_keys(AppConfig()) if key in flat):  # in the order of the settings
        tree = nested(key, _plain(flat[key]), tree)
    return yaml.safe_dump(tree, sort_keys=False, allow_unicode=True) if tree else ""


def _plain(value: Any) -> Any:
    """Return tuples as lists, for YAML knows no other."""
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, (tuple, list)) else value


def _replace(path: Path, text: str, was_broken: bool) -> None:
    """Give the file its new text by a rename, so that a crash or a full disk leaves the old one; keep a broken one."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if was_broken:
            os.replace(path, path.with_name("config.broken.yaml"))
        os.replace(temporary, path)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _cannot_write(path: Path, error: OSError) -> UserSettingsError:
    return UserSettingsError(
        f"{path}: cannot be written ({error.strerror or error}); expected a folder of yours with free space; the file "
        "is as it was; free some space or mend the permissions, then save again"
    )
