"""`python -m mocap_app` and the command `mocap-app`."""

from __future__ import annotations

import io
import os
import sys
import threading


def main() -> int:
    """Run the command line and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A file's name may hold letters that the terminal's encoding lacks.
            stream.reconfigure(errors="backslashreplace")
    try:
        from .cli import INTERRUPTED, run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        return 130
    if code == INTERRUPTED and threading.active_count() > 1:
        # Python would wait for the threads at the end; somebody who interrupted the saving does not want to.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


if __name__ == "__main__":
    sys.exit(main())
