"""An OpenGL 3.3 context without a window."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from ..errors import RuntimeUnavailableError

if TYPE_CHECKING:
    import moderngl


def create_context() -> moderngl.Context:
    """Return a stand-alone OpenGL 3.3 core context; software GL will do.

    Linux goes through EGL (no display needed); Windows and macOS use their native contexts.

    Raises:
        RuntimeUnavailableError: no OpenGL 3.3 driver could be opened.
    """
    import moderngl

    options: dict[str, Any] = {"backend": "egl"} if sys.platform.startswith("linux") else {}
    try:
        return moderngl.create_context(standalone=True, require=330, **options)
    except Exception as error:  # glcontext raises bare Exception subclasses for every driver trouble
        raise RuntimeUnavailableError(
            f"OpenGL could not be opened ({error}); expected OpenGL 3.3, software rendering will do; "
            "on Debian or Ubuntu run: apt-get install libegl1 libgl1-mesa-dri"
        ) from error
