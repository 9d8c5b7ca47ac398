"""Where YOLO weights are: a path, a known folder, or fetched once where there is internet."""

from __future__ import annotations

import logging
import urllib.request
from pathlib import Path

from ..errors import WeightsError
from ..runtime.cache import cache_folder
from ..weights import search_folders

log = logging.getLogger(__name__)

PROBE_URL = "https://github.com"
"""Where ultralytics publishes its weights; asked for its head alone before anything is fetched."""
PROBE_TIMEOUT_S = 4.0


def find_yolo_weights(weights: str) -> Path | None:
    """Return the file a name or path stands for, or None where it is not on this machine."""
    places = [Path(weights).expanduser(), *(folder / weights for folder in [*search_folders(), cache_folder()])]
    return next((place for place in places if place.is_file()), None)


def find_or_fetch(weights: str) -> Path:
    """Return the file of `weights`, fetching a model known by name if it is not on this machine.

    Raises:
        WeightsError: Not on this machine, and it cannot be fetched.
    """
    found = find_yolo_weights(weights)
    if found is not None:
        return found
    if Path(weights).name != weights:
        raise WeightsError(f"{weights}: no such file; expected YOLO weights there; correct the path")
    return _fetch(weights)


def _fetch(name: str) -> Path:
    """Fetch a model of ultralytics by name into the cache folder; announced in the log."""
    folder = cache_folder()
    try:
        request = urllib.request.Request(PROBE_URL, method="HEAD")
        urllib.request.urlopen(request, timeout=PROBE_TIMEOUT_S).close()
        log.info("fetching %s from ultralytics' releases into %s (once)", name, folder)
        partial = folder / "partial" / name
        partial.parent.mkdir(parents=True, exist_ok=True)
        return _download(partial, folder / name)
    except (OSError, RuntimeError) as error:  # URLError and ConnectionError are OSError
        raise WeightsError(
            f"YOLO weights {name} are not on this machine and cannot be fetched ({error}); expected {folder / name} "
            "or internet access; copy the file there, name its path in the detector's option weights, or choose "
            "the detector blazepose"
        ) from error


def _download(partial: Path, final: Path) -> Path:
    """Let ultralytics download, then move the whole file into place."""
    from ultralytics.utils.downloads import attempt_download_asset

    attempt_download_asset(partial)
    if not partial.is_file():
        raise RuntimeError(f"ultralytics publishes no {final.name}")
    return partial.replace(final)
