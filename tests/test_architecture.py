"""Who may import whom: every import of every file, compared with one table."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGES = ("engines", "exporters", "mocap_app")

DOORS = (
    "engines", "engines.types", "engines.errors", "engines.registry", "engines.geometry", "engines.weights",
    "engines.options",
)  # fmt: skip
PARTS = (
    "engines.body", "engines.layers", "engines.backbones", "engines.runtime", "engines.rendering", "engines.recovery",
    "engines.published",
)  # fmt: skip
HEAVY = ("torch", "cv2", "onnxruntime", "openvino", "tensorrt", "tensorrt_rtx", "moderngl", "safetensors", "onnx")
NETWORKS = (*DOORS, *PARTS, *HEAVY)
LIBRARY_TYPES = ("engines.types", "engines.errors", "exporters.types", "exporters.errors")
APP_BASE = (
    "mocap_app", "mocap_app.types", "mocap_app.errors", "mocap_app.mailbox", "mocap_app.stats", "mocap_app.config",
    "mocap_app.wishes", *LIBRARY_TYPES,
)  # fmt: skip
APP_STAGE = (*APP_BASE, "engines", "exporters", "cv2")
WINDOW = "PyQt6"

# Longest matching name first. Beside what stands here, a file may import the standard library, NumPy and its own
# package's parent. A name allows what is below it too, but a lone "engines", "mocap_app" or "exporters" in DOORS or
# APP_BASE stands for the package's own __init__: see `allows`.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    # engines: the doors, which load nothing heavy; a registry names the options of every family
    "engines": DOORS,
    "engines.registry": (*DOORS, "engines.synthetic", "engines.*.options", "engines.detectors.options"),
    "engines.synthetic": DOORS,
    "engines.published": (*DOORS, "torch"),
    "engines.body": (*NETWORKS, "smplx", "anny"),
    "engines.layers": NETWORKS,
    "engines.backbones": NETWORKS,
    "engines.runtime": (*NETWORKS, "onnxscript"),
    "engines.rendering": NETWORKS,
    "engines.recovery": NETWORKS,
    "engines.deforhmr": (*NETWORKS, "engines.deforhmr"),
    "engines.deformer": (*NETWORKS, "engines.deformer"),
    "engines.fastmetro": (*NETWORKS, "engines.fastmetro"),
    "engines.detectors": (*NETWORKS, "engines.detectors", "ultralytics", "torchvision"),
    "engines.training": ("engines.*", *HEAVY),
    "engines.evaluation": ("engines.*", *HEAVY),
    # exporters: NumPy, python-osc, each other; libraries of extras where they write a format or serve a stream
    "exporters": ("exporters.*", "pythonosc", "websockets"),
    "exporters.usd": ("exporters.*", "pxr"),
    "exporters.c3d": ("exporters.*", "ezc3d"),
    # the application
    "mocap_app": ("mocap_app",),
    "mocap_app.types": ("mocap_app.errors", *LIBRARY_TYPES),
    "mocap_app.errors": LIBRARY_TYPES,
    "mocap_app.mailbox": ("mocap_app.errors", "mocap_app.types", *LIBRARY_TYPES),
    "mocap_app.stats": ("mocap_app.errors", "mocap_app.types", *LIBRARY_TYPES),
    # YAML is read and written in this package alone; it holds the dataclasses, their reader and the user's own file.
    "mocap_app.config": (
        "mocap_app.errors", "engines.registry", "engines.options", "exporters.files", "yaml", *LIBRARY_TYPES,
    ),
    "mocap_app.wishes": ("mocap_app.config", *LIBRARY_TYPES),
    "mocap_app.capture": (*APP_STAGE, "engines.*", "exporters.*", "mocap_app.capture"),
    "mocap_app.tracking": (*APP_STAGE, "engines.*", "exporters.*"),
    "mocap_app.motion": (*APP_STAGE, "engines.*", "exporters.*", "mocap_app.motion"),
    "mocap_app.sightings": (*APP_STAGE, "mocap_app.tracking"),
    "mocap_app.perception": (*APP_STAGE, "engines.*", "exporters.*", "mocap_app.tracking", "mocap_app.sightings"),
    "mocap_app.sinks": (*APP_STAGE, "engines.*", "exporters.*", "mocap_app.sinks"),
    "mocap_app.events": (),
    "mocap_app.stages": (*APP_STAGE, "mocap_app.capture"),
    "mocap_app.session": (*APP_STAGE, "mocap_app.events", "mocap_app.stages", "mocap_app.capture", "mocap_app.sinks",
                          "mocap_app.perception",
                          "mocap_app.motion", "mocap_app.tracking"),
    # A scene is plain arrays, whether seen live or played back: its type is the viewer's, and loads no Qt.
    "mocap_app.playback": (
        *APP_STAGE, "engines.*", "exporters.*", "mocap_app.viewer.scene", "mocap_app.motion.world", "mocap_app.export",
    ),
    # takes on disk: read, moved and written by the exporters, without any stage of a session
    "mocap_app.library": (*APP_BASE, "mocap_app.library", "exporters.*"),
    "mocap_app.viewer": (
        *APP_BASE, "mocap_app.viewer", "mocap_app.session", "mocap_app.playback", "mocap_app.library",
        # where the camera stands in the world, for its frustum
        "mocap_app.motion.world",
        "mocap_app.pipeline", "mocap_app.sinks", "exporters.kinematics",
        # what the export dialog offers is what the tables have
        "exporters.files", "exporters.presets", "engines.rendering", "moderngl", WINDOW,
        # the settings panel shows what may be chosen: engines, their options and sizes, runtimes, formats
        "engines.registry", "engines.options", "engines.runtime.names", "engines.weights",
        # the panel of health reads processor, memory and graphics card
        "psutil", "pynvml",
    ),
    "mocap_app.pipeline": ("mocap_app.*", "engines.*", "exporters.*"),
    "mocap_app.bone_map_file": (*APP_BASE, "exporters.*"),
    "mocap_app.export": (*APP_BASE, "mocap_app.motion", "engines.*", "exporters.*"),
    "mocap_app.demo": ("mocap_app.*", "engines.*", "exporters.*", "cv2", "torch"),
    "mocap_app.bench": ("mocap_app.*", "engines.*", "exporters.*", "cv2", "torch", "matplotlib", "psutil"),
    "mocap_app.commands": ("mocap_app.*", "engines.*", "exporters.*", "cv2", "torch", "onnxruntime"),
    "mocap_app.cli": ("mocap_app.*", "engines.errors", "exporters.errors"),
    "mocap_app.__main__": ("mocap_app.*",),
}  # fmt: skip
LAZILY: dict[str, tuple[str, ...]] = {
    "engines.geometry": ("cv2",),
    "engines.synthetic": ("cv2", "engines.body"),
    "mocap_app.viewer.drawing": ("cv2",),
}
"""What a door may import where it is used, inside a function, but not when it is imported itself."""
OPTIONAL = (
    "tensorrt", "tensorrt_rtx", "openvino", "ultralytics", "torchvision", "smplx", "anny", "onnx", "onnxscript",
    "pxr", "ezc3d", "websockets", "matplotlib", "psutil", "pynvml",
)  # fmt: skip
"""Libraries of extras: imported where they are used alone, for they may be absent. The viewer's PyQt6 is apart."""


OUTSIDE = REPOSITORY / "exporters" / "blender_addon"
"""Shipped for other programs to run: no part of the packages."""


def module_name(file: Path, root: Path) -> str:
    parts = file.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(source: str, module: str, is_package: bool) -> Iterator[tuple[str, bool]]:
    """Yield the full name of everything that `source` imports, and whether only where it is used."""
    package = module.split(".") if is_package else module.split(".")[:-1]
    tree = ast.parse(source)
    lazy = {id(n) for part in ast.walk(tree) if is_deferred(part) for n in ast.walk(part)}
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            # `from . import x` may name a module; `from .x import y` names what is in one.
            names = [stem] if node.module else [f"{stem}.{alias.name}" for alias in node.names]
        yield from ((name, id(node) in lazy) for name in names)


def is_deferred(node: ast.AST) -> bool:
    """Say whether the imports inside `node` do not happen when the file is imported."""
    if isinstance(node, ast.If):
        return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))


def rule_for(module: str) -> str:
    """Return the longest name in the table that `module` is, or is below of."""
    parts = module.split(".")
    return next(n for n in (".".join(parts[:i]) for i in range(len(parts), 0, -1)) if n in MAY_IMPORT)


def allows(allowed: tuple[str, ...], name: str) -> bool:
    top = name.split(".")[0]
    if top in sys.stdlib_module_names or top == "numpy":
        return True
    for entry in allowed:
        if entry == "engines.*.options":
            parts = name.split(".")
            if len(parts) == 3 and parts[0] == "engines" and parts[2] == "options":
                return True
        elif entry.endswith(".*"):
            if name == entry[:-2] or name.startswith(entry[:-1]):
                return True
        elif entry in PACKAGES:  # the package's own face, and names imported from it: never its modules
            if name == entry or (name.startswith(entry + ".") and not module_exists(name)):
                return True
        elif name == entry or name.startswith(entry + "."):
            return True
    return False


def module_exists(name: str) -> bool:
    path = REPOSITORY / Path(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def violations(root: Path) -> list[str]:
    found = []
    for package in PACKAGES:
        for file in sorted((root / package).rglob("*.py")):
            if OUTSIDE in file.parents:
                continue
            module = module_name(file, root)
            rule = rule_for(module)
            allowed = (*MAY_IMPORT[rule], rule) if rule not in PACKAGES else MAY_IMPORT[rule]
            for name, lazy in imports_of(file.read_text(encoding="utf-8"), module, file.name == "__init__.py"):
                if not allows((*allowed, *(LAZILY.get(module, ()) if lazy else ())), name):
                    found.append(f"{module} imports {name}")
                elif not lazy and name.split(".")[0] in OPTIONAL:
                    found.append(f"{module} imports {name} when it is imported itself")
    return found


def test_every_import_is_allowed() -> None:
    assert not violations(REPOSITORY)


def test_libraries_know_nothing_of_the_application_nor_of_each_other() -> None:
    for rule, allowed in MAY_IMPORT.items():
        for other in PACKAGES:
            if not rule.startswith(other) and not rule.startswith("mocap_app"):
                assert not any(entry.startswith(other) for entry in allowed), f"the table lets {rule} import {other}"


@pytest.mark.parametrize(
    ("file", "line", "expected"),
    [
        ("engines/geometry.py", "import torch", "engines.geometry imports torch"),
        ("engines/geometry.py", "def f():\n    from mocap_app import types", "engines.geometry imports mocap_app"),
        ("engines/geometry.py", "import cv2", "engines.geometry imports cv2"),
        ("engines/body/x.py", "import smplx", "engines.body.x imports smplx when it is imported itself"),
        (
            "engines/layers/x.py",
            "from ..deforhmr.network import N",
            "engines.layers.x imports engines.deforhmr.network",
        ),
        ("engines/deforhmr/x.py", "import exporters.bvh", "engines.deforhmr.x imports exporters.bvh"),
        ("engines/deforhmr/x.py", "from ..training import loop", "engines.deforhmr.x imports engines.training"),
        ("exporters/bvh.py", "from engines.types import BodyModel", "exporters.bvh imports engines.types"),
        ("exporters/bvh.py", "import cv2", "exporters.bvh imports cv2"),
        ("mocap_app/session.py", "from PyQt6.QtCore import QTimer", "mocap_app.session imports PyQt6.QtCore"),
        ("mocap_app/tracking.py", "from .capture import open_source", "mocap_app.tracking imports mocap_app.capture"),
        ("mocap_app/capture/x.py", "from ..session import Session", "mocap_app.capture.x imports mocap_app.session"),
        ("mocap_app/sinks/x.py", "from .. import cli", "mocap_app.sinks.x imports mocap_app.cli"),
        ("mocap_app/viewer/x.py", "import torch", "mocap_app.viewer.x imports torch"),
        ("mocap_app/config/x.py", "from ..capture import devices", "mocap_app.config.x imports mocap_app.capture"),
    ],
)
def test_a_planted_import_is_found(tmp_path: Path, file: str, line: str, expected: str) -> None:
    for package in PACKAGES:
        (tmp_path / package).mkdir()
    planted = tmp_path / file
    planted.parent.mkdir(parents=True, exist_ok=True)
    planted.write_text("import json\nimport numpy\n" + line + "\n", encoding="utf-8")
    assert violations(tmp_path) == [expected]


def test_files_stay_small() -> None:
    # About 150 lines is the aim and 400 the exception; beyond this a file is two.
    long = {
        str(file.relative_to(REPOSITORY)): lines
        for package in PACKAGES
        for file in (REPOSITORY / package).rglob("*.py")
        if OUTSIDE not in file.parents  # Blender installs a single file
        and (lines := len(file.read_text(encoding="utf-8").splitlines())) > 450
    }
    assert not long
