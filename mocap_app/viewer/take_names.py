"""What takes are called: a pattern, filled in. No Qt."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from string import Formatter

from ..config import CaptureConfig
from ..errors import ConfigError

PATTERN = "{date}_{time}_{source}_{number}"
FIELDS = {"date": "today, as 20261125", "time": "now, as 141500", "source": "what is filmed", "number": "1, 2, 3 ..."}
"""What a pattern may hold in braces, and what each stands for."""
LONGEST = 100
"""Letters; suffixes and folders come on top, and some systems end at 255 for all of it."""
FORBIDDEN = '<>:"/\\|?*'
"""What Windows allows in no name; refused everywhere, for takes travel."""
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?$", re.IGNORECASE)


def check_pattern(pattern: str) -> None:
    """Raise ConfigError, in words for whoever typed it, unless `pattern` makes names of files everywhere."""
    filled = fill(pattern, "camera", 1, datetime(2026, 1, 2, 3, 4, 5))
    if not filled.strip():
        raise ConfigError("A take needs a name: type one, for example {date}_{number}.")
    bad = sorted({letter for letter in filled if letter in FORBIDDEN or ord(letter) < 32})
    if bad:
        raise ConfigError(f"A name cannot hold {' '.join(bad)} : leave it out.")
    if RESERVED.match(filled):
        raise ConfigError(f'Windows keeps the name "{filled}" for itself: choose another.')
    if filled[-1] in ". " or filled[0] == " ":
        raise ConfigError("A name cannot begin with a space, nor end with a space or a dot.")
    if len(filled) > LONGEST:
        raise ConfigError(f"The name has {len(filled)} letters, and {LONGEST} is the most: shorten it.")


def fill(pattern: str, source: str, number: int, now: datetime) -> str:
    """Return `pattern` with its fields filled in.

    Raises:
        ConfigError: A field is unknown, or a brace stands alone.
    """
    values = {"date": f"{now:%Y%m%d}", "time": f"{now:%H%M%S}", "source": source, "number": str(number)}
    try:
        parts = list(Formatter().parse(pattern))
    except ValueError as error:
        raise ConfigError("A brace stands alone: write fields as {date}.") from error
    unknown = [name for _, name, _, _ in parts if name is not None and name not in values]
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in values)
        raise ConfigError(f"There is no field {{{unknown[0]}}}: known are {known}.")
    return "".join(text + (values[name] if name is not None else "") for text, name, _, _ in parts)


def next_name(pattern: str, source: str, folder: Path, now: datetime | None = None) -> str:
    """Return the first name by `pattern` of which `folder` holds no take and no video yet.

    Raises:
        ConfigError: The pattern makes no possible name.
    """
    check_pattern(pattern)
    moment = now or datetime.now()
    taken = names_in(folder)
    number = 1
    while True:
        name = fill(pattern, source, number, moment)
        if "{number}" not in pattern and number > 1:
            name = f"{name}_{number}"
        if not is_taken(name, taken):
            return name
        number += 1


def names_in(folder: Path) -> list[str]:
    """Return the names of what lies in `folder`; none where there is no such folder."""
    try:
        return [file.name.lower() for file in folder.iterdir()]
    except OSError:
        return []


def is_taken(name: str, names: list[str]) -> bool:
    """Say whether one of `names` belongs to a take called `name`; capitals make no difference on most disks."""
    begins = (f"{name.lower()}_person", f"{name.lower()}.")
    return any(other.startswith(begins) for other in names)


def source_word(capture: CaptureConfig) -> str:
    """Return the word that stands for a source in names of takes."""
    if capture.source == "camera":
        return f"camera{capture.device}" if isinstance(capture.device, int) else plain(capture.device)
    if capture.source in ("video", "images"):
        return plain(Path(capture.path).stem) or capture.source
    return capture.source


def plain(text: str) -> str:
    """Return `text` with nothing but letters, digits, dashes and underscores."""
    return re.sub(r"[^\w-]+", "_", text).strip("_")[:40]
