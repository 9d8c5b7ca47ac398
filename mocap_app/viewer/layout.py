"""What the window remembers from one time to the next: place, panes, theme, how takes are recorded."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from PyQt6.QtCore import QByteArray, QSettings

from ..errors import ConfigError
from .sources import CameraChoice, read_cameras
from .state import COUNT_INS_S, RecordPlan
from .theme import THEMES, ThemeName


@dataclass(frozen=True, slots=True)
class Layout:
    """Sizes and looks; empty arrays where nothing was remembered."""

    geometry: QByteArray
    panes: QByteArray
    columns: QByteArray
    tab: int = 0
    theme: ThemeName = "dark"
    shows_column: bool = True


def memory() -> QSettings:
    """Return the user's file: an .ini everywhere, so that it can be looked at and deleted."""
    return QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, "mocap-app", "window")


def read_layout() -> Layout:
    """Return what was remembered, or the defaults."""
    kept = memory()
    theme: ThemeName = "light" if kept.value("theme") == "light" else "dark"
    tab = kept.value("tab", "0")
    return Layout(
        kept.value("geometry", QByteArray()),
        kept.value("panes", QByteArray()),
        kept.value("columns", QByteArray()),
        int(tab) if str(tab).isdigit() else 0,
        theme,
        kept.value("column", "shown") != "hidden",
    )


def keep_layout(layout: Layout) -> None:
    """Remember `layout`."""
    assert layout.theme in THEMES
    kept = memory()
    kept.setValue("geometry", layout.geometry)
    kept.setValue("panes", layout.panes)
    kept.setValue("columns", layout.columns)
    kept.setValue("tab", layout.tab)
    kept.setValue("theme", layout.theme)
    kept.setValue("column", "shown" if layout.shows_column else "hidden")


def read_plan(plan: RecordPlan) -> RecordPlan:
    """Return `plan` with name, count-in and video as they were chosen the last time."""
    kept = memory()
    count_in = str(kept.value("record/count_in_s", "0"))
    return replace(
        plan,
        pattern=str(kept.value("record/pattern", plan.pattern)),
        keeps_video=kept.value("record/keeps_video") == "yes",
        count_in_s=int(count_in) if count_in.isdigit() and int(count_in) in COUNT_INS_S else 0,
    )


def keep_plan(plan: RecordPlan) -> None:
    """Remember how takes are recorded."""
    kept = memory()
    kept.setValue("record/pattern", plan.pattern)
    kept.setValue("record/keeps_video", "yes" if plan.keeps_video else "no")
    kept.setValue("record/count_in_s", plan.count_in_s)


def read_modes(cameras: tuple[CameraChoice, ...]) -> tuple[CameraChoice, ...]:
    """Return `cameras`, those without modes with the modes they had when they were last asked."""
    known = {camera.title: camera.modes for camera in known_cameras()}
    return tuple(camera if camera.modes else replace(camera, modes=known.get(camera.title, ())) for camera in cameras)


def known_cameras() -> tuple[CameraChoice, ...]:
    """Return the cameras that were there the last time."""
    try:
        return read_cameras(str(memory().value("cameras", "[]")))
    except ConfigError:
        return ()


def keep_modes(cameras: tuple[CameraChoice, ...]) -> None:
    """Remember the modes of `cameras`."""
    described = [
        {"index": c.index, "name": c.name, "modes": [{"size": list(m.size_wh), "fps": m.fps} for m in c.modes]}
        for c in cameras
    ]
    memory().setValue("cameras", json.dumps(described))
