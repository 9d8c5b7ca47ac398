"""Each library, copied alone into an empty folder, still works, and loads nothing that it does not need."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]

FOREIGN = (
    "torch", "cv2", "onnxruntime", "moderngl", "PyQt6", "tensorrt", "ultralytics", "smplx", "mocap_app", "yaml", "pxr",
    "ezc3d",
)  # fmt: skip

ENGINES_ALONE = """
import numpy as np
from engines import build_detector, build_engine
from engines.geometry import regions_from_boxes
image = np.zeros((240, 320, 3), np.uint8)
image[40:220, 120:200] = 200
people = build_detector("synthetic").detect(image)
bodies = build_engine("synthetic").predict(image, regions_from_boxes(people.boxes_xyxy))
assert len(bodies) == len(people) == 1, len(people)
assert np.isfinite(bodies.joints).all()
"""

EXPORTERS_ALONE = """
import numpy as np
from exporters import SMPL_JOINT_NAMES, Take, read_take, skeleton_from_rest_joints, write_take
rest_m = np.random.default_rng(1).normal(size=(24, 3))
rotations = np.zeros((5, 24, 4), np.float32)
rotations[..., 0] = 1
times_ns = np.arange(5, dtype=np.int64) * 33_333_333
take = Take(skeleton_from_rest_joints(rest_m), rotations, np.ones((5, 3), np.float32), times_ns,
            metadata={"source_fps": 30.0})
for name in ("take.bvh", "take.npz"):
    write_take(take, name)
    assert len(read_take(name)) == 5
assert open("take.bvh").read().startswith("HIERARCHY")
for name in ("take.glb", "take.vrma", "take.usda", "take.trc", "take.amass.npz"):
    write_take(take, name)
"""


def run_alone(package: str, code: str, folder: Path, forbidden: tuple[str, ...]) -> None:
    """Run `code` in a fresh interpreter in `folder`, which holds `package` alone; fail if it loads `forbidden`."""
    shutil.copytree(REPOSITORY / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    check = f"import sys; loaded = [m for m in {forbidden!r} if m in sys.modules]; assert not loaded, loaded"
    # -P and an empty path entry would let the checkout in; the folder goes first and the editable install is hidden.
    head = (
        "import sys\n"
        f"sys.path[:] = [{str(folder)!r}] + [p for p in sys.path if p and p != {str(REPOSITORY)!r}]\n"
        f"import {package}; assert {package}.__file__.startswith({str(folder)!r}), {package}.__file__\n"
    )
    script = head + code + check
    result = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("package", ["engines", "exporters"])
def test_importing_loads_numpy_only(package: str, tmp_path: Path) -> None:
    other = "exporters" if package == "engines" else "engines"
    run_alone(package, "", tmp_path, (*FOREIGN, other, "pythonosc"))


def test_engines_works_alone(tmp_path: Path) -> None:
    run_alone("engines", ENGINES_ALONE, tmp_path, ("PyQt6", "tensorrt", "ultralytics", "mocap_app", "exporters"))


def test_exporters_works_alone(tmp_path: Path) -> None:
    run_alone("exporters", EXPORTERS_ALONE, tmp_path, (*FOREIGN, "engines"))


def test_every_options_class_is_at_hand_without_heavy_libraries(tmp_path: Path) -> None:
    code = "from engines.registry import DETECTORS, ENGINES\n[s.options() for s in (ENGINES | DETECTORS).values()]\n"
    run_alone("engines", code, tmp_path, (*FOREIGN, "exporters"))
