"""Live outputs by name."""

from __future__ import annotations

from collections.abc import Callable

from .errors import UnknownFormatError
from .types import PoseStream, Skeleton
from .vmc import VmcOptions, VmcStream
from .vrchat import VrchatOptions, VrchatStream
from .web import WebOptions, WebStream

StreamOptions = VmcOptions | VrchatOptions | WebOptions

STREAMS: dict[str, tuple[type, Callable[..., PoseStream]]] = {
    "vmc": (VmcOptions, VmcStream),
    "vrchat": (VrchatOptions, VrchatStream),
    "web": (WebOptions, WebStream),
}
"""name -> (options class, stream class built from options and a skeleton)"""


def open_stream(options: StreamOptions, skeleton: Skeleton) -> PoseStream:
    """Open the live output that `options` belongs to, for performers with `skeleton`.

    Raises:
        StreamError: the stream cannot be opened.
        UnknownFormatError: no stream has such options.
    """
    for options_class, stream in STREAMS.values():
        if isinstance(options, options_class):
            return stream(options, skeleton)
    known = ", ".join(o.__name__ for o, _ in STREAMS.values())
    raise UnknownFormatError(
        f"stream: found {type(options).__name__}, expected options of a known stream ({known}); "
        "build one of these and pass it"
    )
