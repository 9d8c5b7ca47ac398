"""Making an options object from a mapping, as it comes from a settings file or the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from difflib import get_close_matches
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints


def make_options(options_class: type, values: Mapping[str, Any], where: str) -> Any:
    """Return `options_class(**values)` after checking every key and every value's type.

    Raises:
        ValueError: An unknown key (with the nearest known one) or a value of the wrong type.
    """
    hints = get_type_hints(options_class)
    known = [field.name for field in fields(options_class)]
    for key, value in values.items():
        if key not in known:
            raise ValueError(
                f'{where}: unknown key "{key}"; known are {", ".join(known) or "none"}; {_hint(key, known)}'
            )
        if not _fits(value, hints[key]):
            raise ValueError(f"{where}: {key} is {value!r}; expected {_spell(hints[key])}; change the value")
    return options_class(**{key: _convert(value, hints[key]) for key, value in values.items()})


def _hint(key: str, known: list[str]) -> str:
    close = get_close_matches(str(key), known, n=1)
    return f'did you mean "{close[0]}"?' if close else "take it out"


def _fits(value: Any, hint: Any) -> bool:
    """True where `value` may stand for `hint`; a whole number may stand for a float, a list for a tuple."""
    origin = get_origin(hint)
    if origin is Literal:
        return value in get_args(hint)
    if origin in (Union, UnionType):
        return any(_fits(value, part) for part in get_args(hint))
    if origin is tuple:
        return _fits_tuple(value, get_args(hint))
    if isinstance(value, bool):
        return hint in (bool, Any)
    return hint is Any or isinstance(value, (int, float) if hint is float else hint)


def _fits_tuple(value: Any, parts: tuple[Any, ...]) -> bool:
    if not isinstance(value, (list, tuple)):
        return False
    if len(parts) == 2 and parts[1] is Ellipsis:
        return all(_fits(item, parts[0]) for item in value)
    return len(value) == len(parts) and all(_fits(v, p) for v, p in zip(value, parts, strict=True))


def _convert(value: Any, hint: Any) -> Any:
    if hint is float and isinstance(value, int):
        return float(value)
    return tuple(value) if isinstance(value, list) else value


def _spell(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return "one of " + ", ".join(repr(choice) for choice in get_args(hint))
    if get_origin(hint) in (Union, UnionType):
        return " or ".join("nothing" if part is NoneType else _spell(part) for part in get_args(hint))
    return hint.__name__ if isinstance(hint, type) else str(hint)
