"""The demonstration: a body in known motion, rendered, captured and measured.

`render_clip(path, people=1, size=(1280, 720), duration_s=None)` makes the video alone, for benchmarks.
"""

from .run import run_demo
from .scene import render_clip

__all__ = ["render_clip", "run_demo"]
