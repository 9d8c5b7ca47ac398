"""Say where your own settings lie and what is in them; the window saves them there, every start reads them.

They are read over the defaults; --config FILE, flags and --set win over them, --no-user-settings leaves them out.
mocap-app --print-config prints every key with its default and meaning.
"""

from __future__ import annotations

import argparse

from ..config import changed_keys, load_config, read_user_settings, reset_user_settings, user_file
from .settings import add_verbosity


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    parser.add_argument("--reset", action="store_true", help="put the file aside, so that the defaults apply again")
    add_verbosity(parser)


def main(args: argparse.Namespace) -> int:
    """Print or reset.

    Raises:
        UserSettingsError: The file is broken, or cannot be moved.
    """
    if args.reset:
        aside = reset_user_settings()
        print(f"the defaults apply again; your settings were moved to {aside}" if aside else "there was no file")
        return 0
    print(user_file())
    if not user_file().exists():
        print("no such file yet: the defaults apply")
        return 0
    for key, value in changed_keys(load_config(user=read_user_settings())).items():
        print(f"  {key} = {value!r}")
    return 0
