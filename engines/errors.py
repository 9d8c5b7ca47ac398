"""Errors of the perception library.

    EngineError
    ├── UnknownEngineError     a name that is not in the registry
    ├── MissingExtraError      an optional library is not installed
    ├── WeightsError           weights absent, tampered with or of the wrong shape
    └── RuntimeUnavailableError  no inference runtime can run the network here

Each message has three parts: what was found, what was expected, what to do.
"""


class EngineError(Exception):
    """Base of everything `engines` raises on purpose."""


class UnknownEngineError(EngineError):
    """The registry has no engine or detector of that name."""


class MissingExtraError(EngineError):
    """An optional library is needed and absent; the message holds the install line."""


class WeightsError(EngineError):
    """A weights or model file is absent, damaged, refused or of the wrong shape."""


class RuntimeUnavailableError(EngineError):
    """No runtime on this machine can run the network."""
