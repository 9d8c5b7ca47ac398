"""A file shown in the system's own file manager."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import QProcess, QUrl
from PyQt6.QtGui import QDesktopServices


def show_in_folder(path: Path) -> bool:
    """Show `path` selected where the system can do that, else open its folder; return False where neither worked."""
    started = QProcess.startDetached(*command(path)) if sys.platform in ("win32", "darwin") else False
    # PyQt answers with the new process's number as well.
    if started[0] if isinstance(started, tuple) else started:
        return True
    folder = path if path.is_dir() else path.parent
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))


def command(path: Path, platform: str = sys.platform) -> tuple[str, list[str]]:
    """Return the program and its words that show `path` selected on a platform."""
    path = path.absolute()
    if platform == "win32":
        # One word: a comma between them, and no quotes that Qt would escape.
        return "explorer.exe", ["/select,", str(path)]
    if platform == "darwin":
        return "open", ["-R", str(path)]
    return "xdg-open", [str(path if path.is_dir() else path.parent)]


Show = Callable[[Path], bool]
