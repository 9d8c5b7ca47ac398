"""Errors of the application.

    MocapError
    ├── ConfigError    a wrong key, type or value in the configuration
    │   └── UserSettingsError    in the user's own file, which is then left out where a window can say so
    ├── SourceError    a camera, video or folder cannot be read
    ├── SinkError      an output cannot be written
    └── SessionError   a session cannot start, or ended with an error

Each message has three parts: what was found, what was expected, what to do.
"""


class MocapError(Exception):
    """Base of everything the application raises on purpose; the command line prints it and exits with 2."""


class ConfigError(MocapError):
    """The configuration has an unknown key, a wrong type or an impossible value."""


class UserSettingsError(ConfigError):
    """The file of the user's own settings cannot be read or written, or something in it is wrong."""


class SourceError(MocapError):
    """The source of frames cannot be opened or read."""


class SinkError(MocapError):
    """An output cannot be opened or written."""


class SessionError(MocapError):
    """The session cannot start, or ended with an error of one of its parts."""
