"""Where weights and model files are looked for, and how they are known to be whole.

Three places, in this order: the path the user names, the folder named by the environment variable
MOCAP_APP_WEIGHTS, the assets shipped in this package. A folder's SHA256SUMS file (lines of "hash  name", as
written by sha256sum) says what each of its files must be; a shipped file that is not listed there is refused.
"""

from __future__ import annotations

import hashlib
import os
from importlib.resources import files
from pathlib import Path

from .errors import WeightsError
from .types import Configuration

ENVIRONMENT_VARIABLE = "MOCAP_APP_WEIGHTS"
SUMS_NAME = "SHA256SUMS"


def assets_folder() -> Path:
    """Return the folder of the assets shipped in this package."""
    return Path(str(files(__package__) / "assets"))


def find_weights(name: str, explicit: str = "") -> Path:
    """Return the path of the file `name`, checked against the SHA256SUMS beside it.

    Args:
        name: File name, such as `deforhmr_default.safetensors`.
        explicit: A path the user gave; nothing else is tried then.

    Raises:
        WeightsError: The file is nowhere, or it is not the file the sums describe.
    """
    places = [Path(explicit).expanduser()] if explicit else [folder / name for folder in search_folders()]
    for path in places:
        if path.is_file():
            check_sha256(path, must_be_listed=path.parent == assets_folder())
            return path
    if explicit:
        raise WeightsError(f"{explicit}: there is no such file, expected one in place of {name}; correct the path")
    looked = ", ".join(str(path) for path in places)
    raise WeightsError(
        f"weights file not found: looked for {looked}; expected a file there; install the package again, or "
        f"name a folder that holds it in the environment variable {ENVIRONMENT_VARIABLE}"
    )


def find_configured(configuration: Configuration, explicit: str = "") -> Path:
    """Return the weights of one configuration of a family, or the file that the user named instead.

    Raises:
        WeightsError: as `find_weights`; the message says where weights that are not shipped come from.
    """
    try:
        return find_weights(configuration.weights, explicit)
    except WeightsError as error:
        if explicit or not configuration.source:
            raise
        raise WeightsError(f"{error}; these are not shipped: {configuration.source}") from error


def search_folders() -> list[Path]:
    """Return the folders looked into, first one first.

    Raises:
        WeightsError: The environment variable names something that is no folder.
    """
    named = os.environ.get(ENVIRONMENT_VARIABLE, "")
    if named and not Path(named).expanduser().is_dir():
        raise WeightsError(
            f"{ENVIRONMENT_VARIABLE} is {named}, which is no folder; expected one that holds weights; "
            "correct the environment variable or unset it"
        )
    return [*([Path(named).expanduser()] if named else []), assets_folder()]


def check_sha256(path: Path, must_be_listed: bool = False) -> None:
    """Raise WeightsError unless `path` is the file that the SHA256SUMS beside it describes.

    A file that is not listed (a user's own training) passes, unless `must_be_listed`.
    """
    expected = read_sums(path.parent).get(path.name)
    if expected is None:
        if must_be_listed:
            raise WeightsError(
                f"{path} is not listed in {SUMS_NAME} beside it; expected a listed sha256; install the package again"
            )
        return
    found = sha256_of(path)
    if found != expected:
        raise WeightsError(
            f"{path} has sha256 {found[:16]}..., expected {expected[:16]}...; it is damaged or was changed: "
            f"install the package again, or keep your own weights in a folder without that {SUMS_NAME}"
        )


def read_sums(folder: Path) -> dict[str, str]:
    """Return file name -> lower-case sha256 of the folder's SHA256SUMS; empty where there is none."""
    path = folder / SUMS_NAME
    if not path.is_file():
        return {}
    pairs = (line.split(maxsplit=1) for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    return {name.strip().lstrip("*"): digest.lower() for digest, name in pairs}


def record_sha256(path: Path) -> None:
    """Write or replace the line of `path` in the SHA256SUMS beside it."""
    sums = {**read_sums(path.parent), path.name: sha256_of(path)}
    text = "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items()))
    (path.parent / SUMS_NAME).write_text(text, encoding="utf-8", newline="\n")


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file as lower-case hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
