"""Names a recording may have, on every system alike: a folder of takes travels."""

from __future__ import annotations

import re

from ..errors import SinkError

LONGEST = 100
"""Characters; a file's name may have 255 bytes, of which suffix and person take some."""
_FORBIDDEN = '<>:"/\\|?*'
_PORTS = (f"{port}{digit}" for port in ("com", "lpt") for digit in "123456789¹²³")
_DEVICES = frozenset(("con", "prn", "aux", "nul", "conin$", "conout$", *_PORTS))


def check_name(name: str) -> str:
    """Return `name` without spaces around it.

    Raises:
        SinkError: no file could have that name on some system, or the name would be misread.
    """
    name = name.strip()
    odd = sorted({c for c in name if c in _FORBIDDEN or ord(c) < 32 or ord(c) == 127})
    if not name:
        raise SinkError("the name is empty, expected a few letters; type one")
    if odd:
        raise SinkError(f"{name}: found {' '.join(odd)} in the name, which no file may have on Windows; leave it out")
    if name.startswith(".") or name.endswith("."):
        raise SinkError(f"{name}: found a dot at an end, expected letters there; leave the dot out")
    if name.split(".")[0].strip().lower() in _DEVICES:
        raise SinkError(f"{name}: found the name of a device, which Windows keeps for itself; add a letter")
    if re.search(r"_person\d+(_\d+)?$", name):
        raise SinkError(f"{name}: found a person's number at the end, which each file gets by itself; leave it out")
    if len(name) > LONGEST or len(name.encode()) > 2 * LONGEST:
        raise SinkError(f"the name has {len(name)} characters, expected no more than {LONGEST}; shorten it")
    return name
