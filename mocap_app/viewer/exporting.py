"""What the export dialog asks for, as a command line, and what that command answers. No Qt."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from exporters.files import FORMATS, LIBRARIES
from exporters.presets import PRESETS

from ..library import Recording

PRESET_TITLES = {
    "blender": "Blender", "unity": "Unity", "unreal": "Unreal Engine", "mixamo": "Mixamo", "cmu": "CMU",
    "smpl": "SMPL, as recorded",
}  # fmt: skip
FORMAT_TITLES = {
    ".npz": "Take (npz)", ".bvh": "BVH", ".fbx": "FBX", ".glb": "glTF (glb)", ".vrma": "VRM Animation",
    ".usda": "USD text", ".usdc": "USD", ".usdz": "USD package", ".amass.npz": "AMASS", ".trc": "TRC", ".c3d": "C3D",
}  # fmt: skip
USUAL = {"blender": (".fbx",), "unity": (".fbx",), "unreal": (".fbx",), "mixamo": (".fbx",), "cmu": (".bvh",)}
"""What a program reads best."""
RATES = ("24", "25", "29.97", "30", "48", "50", "60", "120")
PROGRESS = "progress "
"""Begins the lines of `mocap-app export --progress`."""
_MESSAGE = re.compile(r"^mocap-app: (error: )?")


@dataclass(frozen=True, slots=True)
class Choices:
    """What is wanted."""

    suffixes: tuple[str, ...]
    folder: Path
    preset: str = ""
    fps: str = ""
    """Empty keeps the rate it was recorded at."""
    start_s: float | None = None
    end_s: float | None = None
    mesh: bool = True
    together: bool = False

    @property
    def problem(self) -> str:
        """What keeps it from being done, in words; empty where nothing does."""
        if not self.suffixes:
            return "Choose at least one format."
        if not str(self.folder).strip() or self.folder == Path():
            return "Choose a folder for the files."
        return ""


def arguments(recording: Recording, choices: Choices) -> list[str]:
    """Return the words after `mocap-app` that export a recording."""
    words = ["export", *(str(person.path) for person in recording.readable)]
    for suffix in choices.suffixes:
        words += ["--to", suffix[1:]]
    words += ["--output", str(choices.folder)]
    words += ["--preset", choices.preset] if choices.preset else []
    words += ["--fps", choices.fps] if choices.fps else []
    if choices.start_s is not None or choices.end_s is not None:
        start, end = ("" if t is None else f"{t:.6f}" for t in (choices.start_s, choices.end_s))
        words += [f"--trim={start}:{end}"]
    words += [] if choices.mesh else ["--no-mesh"]
    words += ["--together"] if choices.together else []
    return [*words, "--progress"]


def missing_extra(suffix: str) -> str:
    """Return the extra to install before files of `suffix` can be written; empty where they can."""
    from importlib.util import find_spec

    if suffix not in LIBRARIES:
        return ""
    module, _, extra = LIBRARIES[suffix]
    return "" if find_spec(module) else extra


def keeps_rate(suffix: str) -> bool:
    """Say whether a format can only have the rate it was recorded at."""
    return "fps" not in FORMATS[suffix].options


@dataclass(slots=True)
class Answer:
    """What the command has told so far; fed with the lines of its error output."""

    done: int = 0
    total: int = 0
    files: tuple[Path, ...] = ()
    errors: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """Other lines, for whoever wants to know."""

    def hear(self, line: str) -> None:
        """Take one line."""
        line = line.strip()
        if line.startswith(PROGRESS):
            self._hear_progress(line[len(PROGRESS) :])
        elif line:
            match = _MESSAGE.match(line)
            words = _MESSAGE.sub("", line)
            if match is None or match[1] is None:
                self.notes += (words,)
            elif not self.errors:  # else each file's own error was told already
                self.errors += (words,)

    def _hear_progress(self, text: str) -> None:
        try:
            said = json.loads(text)
            self.done, self.total = int(said["done"]), int(said["total"])
            path, error = Path(said["file"]), str(said["error"])
        except (ValueError, KeyError, TypeError):
            return
        if error:
            self.errors += (f"{path.name}: {error}",)
        else:
            self.files += (path,)

    def conclusion(self, exit_code: int) -> str:
        """Return what came of it, in words."""
        written = f"{len(self.files)} file{'s' * (len(self.files) != 1)}"
        if exit_code == 0 and not self.errors:
            return f"Wrote {written}."
        reasons = self.errors or self.notes[-3:] or (f"the program ended with code {exit_code}",)
        told = "\n".join(dict.fromkeys(reasons))
        return f"Wrote {written}, but not all:\n{told}" if self.files else f"Nothing was written.\n{told}"


def titles() -> dict[str, str]:
    """Return title by preset, those without one of their own by name."""
    return {name: PRESET_TITLES.get(name, name.title()) for name in PRESETS}
