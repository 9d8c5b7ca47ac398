"""What each setting means: the text below its field, so that no list of explanations stands beside the code."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from itertools import pairwise
from textwrap import dedent
from types import MappingProxyType
from typing import TypeGuard, get_type_hints

from .sections import AppConfig


class _Field(ast.AnnAssign):
    target: ast.Name


@cache
def field_docs(settings: type) -> Mapping[str, str]:
    """Return by field what stands below it in the dataclass `settings`; nothing where the source is not at hand."""
    try:
        tree = ast.parse(dedent(inspect.getsource(settings)))
    except (OSError, TypeError):  # a program frozen into one file carries no source
        return MappingProxyType({})
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    docs = {field.target.id: _text_of(below) for field, below in pairwise(body) if _is_field(field)}
    return MappingProxyType({name: text for name, text in docs.items() if text})


def _is_field(statement: ast.stmt) -> TypeGuard[_Field]:
    return isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)


def _text_of(statement: ast.stmt) -> str:
    value = statement.value if isinstance(statement, ast.Expr) else None
    text = value.value if isinstance(value, ast.Constant) else None
    return " ".join(text.split()) if isinstance(text, str) else ""


def explain(key: str) -> str:
    """Return what the setting at the dotted `key` means; empty where nobody wrote it down."""
    section: type = AppConfig
    *above, name = key.split(".")
    for part in above:
        section = get_type_hints(section)[part]
    return field_docs(section).get(name, "")


def section_title(name: str) -> str:
    """Return the sentence over a section of the settings, as "How people are found"."""
    section = {field.name: get_type_hints(AppConfig)[field.name] for field in fields(AppConfig)}[name]
    return (section.__doc__ or "").rstrip(".") if is_dataclass(section) else ""
