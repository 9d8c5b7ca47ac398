"""Errors of the motion library.

    ExportError
    ├── TakeFileError        a take file is absent, damaged or not a take
    ├── UnknownFormatError   no writer or stream for that suffix or name
    └── StreamError          a live stream cannot be opened or has failed

Each message has three parts: what was found, what was expected, what to do.
"""


class ExportError(Exception):
    """Base of everything `exporters` raises on purpose."""


class TakeFileError(ExportError):
    """A take file cannot be read or written."""


class UnknownFormatError(ExportError):
    """No format or stream of that name is known."""


class StreamError(ExportError):
    """A live stream cannot be opened, or has failed."""
