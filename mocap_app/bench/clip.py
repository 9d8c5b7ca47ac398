"""The clip to measure on when nobody names a video: demo people, rendered once and kept in the user's cache."""

from __future__ import annotations

import hashlib
import io
import logging
import os
import tempfile
from pathlib import Path

from engines.runtime.cache import cache_folder

from .. import demo
from ..errors import SinkError

logger = logging.getLogger(__name__)

SIZE_WH = (1080, 1920)
DURATION_S = 10.0


def rendered_clip(
    people: int = 1, size_wh: tuple[int, int] = SIZE_WH, duration_s: float = DURATION_S, quiet: bool = False
) -> Path:
    """Return a video of so many demo people (1 to 8), rendered at the first time: 50 s for the default, on two cores.

    Raises:
        ConfigError: There is no room for so many, or no frame in so short a time.
        SinkError: The cache folder cannot be written to.
    """
    from ..demo.run import check_request

    check_request(duration_s, people)
    crowd = "1_person" if people == 1 else f"{people}_people"
    name = f"demo_{crowd}_{size_wh[0]}x{size_wh[1]}_{duration_s:g}s.mp4"
    path = cache_folder() / "clips" / sources_digest() / name
    if not path.is_file():
        _render(path, people, size_wh, duration_s, quiet)
    return path


def _render(path: Path, people: int, size_wh: tuple[int, int], duration_s: float, quiet: bool) -> None:
    """Write the clip at once or not at all."""
    from ..commands.messages import Progress
    from ..demo.choreography import FPS
    from ..demo.scene import render_clip

    logger.info("rendering a clip to measure on: %d performer(s), %dx%d", people, *size_wh)
    progress = Progress(round(duration_s * FPS), io.StringIO() if quiet else None)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            part = Path(folder) / path.name
            render_clip(part, people, size_wh, duration_s, lambda done, _: progress.show(done))
            os.replace(part, path)
    except OSError as error:
        raise SinkError(
            f"{path.parent}: cannot be written to ({error}); expected a folder of yours; free it, or name a --video"
        ) from error
    finally:
        progress.close()


def sources_digest() -> str:
    """Return a digest of the demo's code: what it renders changes with it."""
    digest = hashlib.sha256()
    for source in sorted(Path(demo.__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:12]
