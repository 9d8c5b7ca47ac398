"""The programs that read what was written: the columns of the table."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import assimp
from .cases import WITH_SURFACE, Case

Report = dict[str, Any]
HERE = Path(__file__).resolve().parent
SET_UP = "run scripts/setup_readers"


@dataclass(frozen=True)
class Places:
    """Where the readers are."""

    scripts: Path
    """Folder of the scripts that make programs read a file and tell what they see as one line of JSON."""
    node: Path | None
    blender: Path | None
    usd: Path | None

    @classmethod
    def found(cls, scripts: Path) -> Places:
        """Return the places that `scripts/setup_readers` tells as environment variables."""
        told = {n: os.environ.get(f"MOCAP_READERS_{n}") for n in ("NODE", "BPY", "USD")}
        node, blender, usd = (Path(path) if path and Path(path).exists() else None for path in told.values())
        return cls(scripts, node.resolve() if node else None, blender, usd)


@dataclass(frozen=True)
class Reader:
    """A program, which files it takes, and how it is asked."""

    title: str
    package: str
    """What it needs: "node", "blender" or "usd" (see `Places`), or a program of the system."""
    takes: Callable[[Case], bool]
    read: Callable[[Places, Case, Path, str], Report]
    script: str | None = None

    def absent(self, places: Places) -> str | None:
        """Return why this reader cannot be asked, or None."""
        if self.script is not None and not (places.scripts / self.script).is_file():
            return f"{self.script} is not in the folder of --readers"
        if self.package == "node" and (places.node is None or not shutil.which("node")):
            return f"MOCAP_READERS_NODE is not set or node is absent; {SET_UP}"
        if self.package in ("blender", "usd") and getattr(places, self.package) is None:
            return f"MOCAP_READERS_{ {'blender': 'BPY', 'usd': 'USD'}[self.package] } is not set; {SET_UP}"
        if self.package == "assimp" and not shutil.which("assimp"):
            return "assimp is absent; install assimp-utils"
        return None


def _told(command: list[str | Path], places: Places) -> Report:
    """Run a reader and return its report.

    Raises:
        RuntimeError: it did not read the file.
    """
    environment = dict(os.environ)
    if places.node is not None:
        environment["THREE_DIR"] = str(places.node / "node_modules" / "three")
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, timeout=600, env=environment,
        cwd=places.node or places.scripts, check=False,
    )  # fmt: skip
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        raise RuntimeError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "no report")
    return json.loads(lines[-1])


ALL = ("--frames", "all")


def _blender(places: Places, case: Case, path: Path, take: str) -> Report:
    assert places.blender is not None
    script = {".bvh": "bvh", ".fbx": "fbx", ".glb": "glb"}[case.suffix] + "_in_blender.py"
    rest = {
        ".bvh": ("--scale", case.unit_m),
        ".fbx": ("--importer", "py", "--take", take),
        ".glb": ("--fps", case.fps),
    }[case.suffix]
    return _told([places.blender, places.scripts / script, path, *ALL, *map(str, rest)], places)


def _blender_ufbx(places: Places, case: Case, path: Path, take: str) -> Report:
    assert places.blender is not None
    script = places.scripts / "fbx_in_blender.py"
    return _told([places.blender, script, path, *ALL, "--importer", "ufbx", "--take", take], places)


def _three(places: Places, case: Case, path: Path, take: str) -> Report:
    if case.suffix == ".bvh":
        return _told(["node", places.scripts / "bvh_three.mjs", path, *ALL, "--scale", str(case.unit_m)], places)
    more = ["--take", take] if case.suffix == ".fbx" else []
    if case.suffix == ".vrma":  # a glTF by another name, of nodes alone
        path, more = Path(shutil.copy(path, path.with_suffix(".vrma.glb"))), ["--nodes"]
    return _told(["node", places.scripts / "fbx_three.mjs", path, *ALL, *more], places)


def _sdk(places: Places, case: Case, path: Path, take: str) -> Report:
    script = places.scripts / "fbx_sdk.mjs"
    return _told(["node", script, path, *ALL, "--take", take, "--fps", str(round(case.fps))], places)


def _assimp(places: Places, case: Case, path: Path, take: str) -> Report:
    if case.suffix == ".vrma":
        path = Path(shutil.copy(path, path.with_suffix(".assimp.glb")))
    unit_m = {".bvh": case.unit_m, ".fbx": 1.0 if case.preset == "unity" else 0.01}.get(case.suffix, 1.0)
    return assimp.read(path, take, unit_m)


def _validator(places: Places, case: Case, path: Path, take: str) -> Report:
    return _told(["node", places.scripts / "gltf_validate.mjs", path], places)


def _usd(places: Places, case: Case, path: Path, take: str) -> Report:
    assert places.usd is not None
    report = _told([places.usd, places.scripts / "usd_check.py", path, *ALL], places)
    return report | _told([places.usd, HERE / "usd_boxes.py", path], places)


def _whole(case: Case) -> bool:
    return case.fps == round(case.fps)


READERS = (
    # Its Python importers of FBX and glTF round the rate of a scene to whole frames.
    Reader(
        "Blender", "blender", lambda c: c.suffix == ".bvh" or (c.suffix in (".fbx", ".glb") and _whole(c)), _blender,
        "_blender_common.py",
    ),
    Reader("Blender, ufbx", "blender", lambda c: c.suffix == ".fbx", _blender_ufbx, "fbx_in_blender.py"),
    # It adds the root's OFFSET to its motion.
    Reader("three.js", "node", lambda c: c.suffix != ".usda" and not c.raised_root, _three, "fbx_three.mjs"),
    Reader("Autodesk SDK", "node", lambda c: c.suffix == ".fbx" and c.fps in (24, 30, 60), _sdk, "fbx_sdk.mjs"),
    Reader("assimp", "assimp", lambda c: c.suffix != ".usda", _assimp),
    Reader("usd-core", "usd", lambda c: c.suffix == ".usda", _usd, "usd_check.py"),
    Reader("Khronos validator", "node", lambda c: c.suffix in (".glb", ".vrma"), _validator, "gltf_validate.mjs"),
)  # fmt: skip


def shows_surface(case: Case) -> bool:
    """Say whether a file holds a surface."""
    return case.suffix in WITH_SURFACE
