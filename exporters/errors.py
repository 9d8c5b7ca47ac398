"""Errors of the motion library.

    ExportError
    ├── TakeFileError        a take file is absent, damaged or not a take
    ├── UnknownFormatError   no writer or stream for that suffix or name
    ├── MissingExtraError    a format needs an optional library that is not installed
    └── StreamError          a live stream cannot be opened or has failed

Each message has three parts: what was found, what was expected, what to do.
"""


class ExportError(Exception):
    """Base of everything `exporters` raises on purpose."""


class TakeFileError(ExportError):
    """A take file cannot be read or written."""


class UnknownFormatError(ExportError):
    """No format or stream of that name is known."""


class MissingExtraError(ExportError):
    """A format needs an optional library that is not installed."""


class StreamError(ExportError):
    """A live stream cannot be opened, or has failed."""


def missing_extra(what: str, library: str, extra: str) -> MissingExtraError:
    """Return the error to raise when `what` cannot be written for want of a library."""
    return MissingExtraError(
        f"{what}: found no library {library}, which writes this format; expected the extra {extra}; install it with: "
        f'pip install "mocap-app[{extra}]"'
    )
