"""Our FBX files in programs that know nothing of our code: Blender's two importers, three.js, Autodesk's own SDK and
assimp.

`scripts/setup_readers FOLDER` installs them; MOCAP_READERS_NODE and MOCAP_READERS_BPY say where they are.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from surfaces import boxes, skinned
from test_fbx import PRESET_NAMES, random_walk
from test_readers import report_of

from exporters import FBX_PRESETS, Take, forward_kinematics, write_fbx
from exporters.kinematics import world_rotations
from exporters.resample import exact_rate, grid_times_ns, resample

pytestmark = pytest.mark.readers

TOLERANCE_M = 1e-3
TOLERANCE_DEG = 0.1
READERS = ("blender py", "blender ufbx", "three.js", "sdk")
SDK_RATES = (24, 30, 60)
"""The SDK's converter samples the curves at one of these."""


@pytest.fixture(params=READERS)
def read(request, scripts):
    """Return a function from a path and a part of the take's name to a reader's report; skips what is absent."""
    reader = request.param

    def report(path: Path, take: str, fps: float = 30, nodes: bool = False) -> dict:
        rest = ["--frames", "all", "--take", take]
        if reader.startswith("blender"):
            python = request.getfixturevalue("blender_python")
            script = scripts / "fbx_in_blender.py"
            return report_of([python, str(script), str(path), "--importer", reader.split()[1], *rest])
        environment = request.getfixturevalue("node_environment")
        if reader == "three.js":
            # Told the rate, for what it works out from the keys has two decimals; the count of frames must fit it.
            return report_of(
                ["node", str(scripts / "fbx_three.mjs"), str(path), *rest, "--fps", repr(fps)], environment
            )
        return in_sdk(scripts, environment, path, [*rest, *(["--nodes"] if nodes else [])], fps)

    report.reader = reader
    return report


def in_sdk(folder: Path, environment: dict[str, str], path: Path, rest: list[str], fps: float) -> dict:
    modules = Path(environment["THREE_DIR"]).parent
    if not (modules / "fbx2gltf").is_dir():
        pytest.skip("fbx2gltf, which carries Autodesk's SDK, is absent; run scripts/setup_readers")
    if fps not in SDK_RATES:
        pytest.skip(f"the SDK's converter samples at {SDK_RATES} frames per second, not {fps:.3f}")
    # The script looks for the converter below the folder it runs in.
    command = ["node", str(folder / "fbx_sdk.mjs"), str(path), *rest, "--fps", str(round(fps))]
    return report_of(command, environment, modules.parent)


def without_marks(name: str) -> str:
    """Return a name as three.js keeps it: it drops the marks that its paths are made of."""
    return re.sub(r"[\[\].:/]", "", name)


def check(report: dict, take: Take, names: list[str], fps: float = 30, mesh_m: np.ndarray | None = None) -> None:
    """Compare joints, rate, count and the surface's box with the take's own; say the largest errors."""
    joints = forward_kinematics(take.skeleton, take.rotations_wxyz, take.root_translation)
    names = names if set(names) <= set(report["joints"]) else [without_marks(n) for n in names]
    assert set(names) <= set(report["joints"])
    assert report["frame_count"] == len(report["frames"]) == len(take)
    assert report["fps"] == pytest.approx(fps, abs=0.01)
    read = np.array([[report["frames"][str(t)][name] for name in names] for t in range(len(take))])
    error_m = np.linalg.norm(read - joints, axis=-1).max()
    box_m = 0.0
    if mesh_m is not None:
        boxes_read = np.array([next(iter(report["mesh_bbox"][str(t)].values())) for t in range(len(take))])
        expected = np.stack([mesh_m.min(axis=1), mesh_m.max(axis=1)], axis=1)
        box_m = np.abs(boxes_read - expected).max()
    print(
        f"{report['reader']}: {len(take)} frames, {report['fps']} fps, largest error of a joint "
        f"{error_m * 1000:.4f} mm, of the surface's box {box_m * 1000:.4f} mm"
    )
    assert error_m <= TOLERANCE_M
    assert box_m <= TOLERANCE_M


def at_rate(take: Take, fps: float | str) -> tuple[Take, float]:
    rate = exact_rate(fps)
    return replace(take, timestamps_ns=grid_times_ns(0, len(take), rate), metadata={"source_fps": fps}), float(rate)


@pytest.mark.parametrize("unit", ["cm", "m"])
def test_bones_and_surface(make_take, skeleton, read, tmp_path, unit):
    take, mesh = make_take(61), boxes(skeleton)
    write_fbx(take, tmp_path / "take.fbx", meshes=mesh, unit=unit)
    check(read(tmp_path / "take.fbx", "analytic"), take, list(skeleton.joint_names), 30, skinned(mesh, take))


def test_bones_alone(make_take, skeleton, read, tmp_path):
    take = make_take(61)
    write_fbx(take, tmp_path / "take.fbx")
    check(read(tmp_path / "take.fbx", "analytic", nodes=True), take, list(skeleton.joint_names))


def test_random_motion(skeleton, rng, read, tmp_path):
    take, mesh = random_walk(skeleton, rng), boxes(skeleton)
    write_fbx(take, tmp_path / "take.fbx", meshes=mesh)
    check(read(tmp_path / "take.fbx", "random"), take, list(skeleton.joint_names), 30, skinned(mesh, take))


@pytest.mark.parametrize("fps", ["24000/1001", "24", "25", "30000/1001", "50", "60", "60000/1001", "120", "90"])
def test_rates(make_take, skeleton, read, tmp_path, fps):
    take, rate = at_rate(make_take(61), fps)
    write_fbx(take, tmp_path / "take.fbx", meshes=boxes(skeleton))
    report = read(tmp_path / "take.fbx", "analytic", rate)
    if read.reader == "blender py":
        # It places keys by the rate rounded to whole frames, so at 29.97 its frame n shows the time of n / 30 seconds.
        # (Ten times as slow, or `resample` would take such times as on the grid but for a clock's rounding.)
        take = resample(replace(take, timestamps_ns=10 * take.timestamps_ns), Fraction(round(rate), 10)).take
    check(report, take, list(skeleton.joint_names), rate)


@pytest.mark.parametrize("preset", FBX_PRESETS)
def test_presets(make_take, skeleton, read, tmp_path, preset):
    take, mesh = make_take(31), boxes(skeleton)
    write_fbx(take, tmp_path / "take.fbx", meshes=mesh, preset=preset)
    report = read(tmp_path / "take.fbx", "analytic")
    check(report, take, list(PRESET_NAMES[preset].values()), 30, skinned(mesh, take))
    # The converter of the SDK leaves out a take in which nothing leaves its node's place.
    assert len(report["takes"]) == (2 if preset == "unity" and read.reader != "sdk" else 1)


def test_the_t_pose_take_is_the_first(make_take, skeleton, read, tmp_path):
    if read.reader == "sdk":
        pytest.skip("the SDK's converter leaves out a take in which nothing leaves its node's place")
    write_fbx(make_take(31), tmp_path / "take.fbx", meshes=boxes(skeleton), preset="unity")
    still = np.tile(np.array((1, 0, 0, 0), np.float32), (2, 24, 1))
    places = np.tile(skeleton.offsets[0], (2, 1))
    standing = Take(skeleton, still, places, grid_times_ns(0, 2, Fraction(30)))
    check(read(tmp_path / "take.fbx", ""), standing, list(PRESET_NAMES["unity"].values()))


@pytest.mark.parametrize("unit", ["cm", "m"])
@pytest.mark.parametrize("importer", ["py", "ufbx"])
def test_turns_in_blender_with_default_settings(make_take, skeleton, blender_python, tmp_path, importer, unit):
    take = make_take(61)
    write_fbx(take, tmp_path / "take.fbx", meshes=boxes(skeleton), unit=unit, t_pose="frame")
    report = in_blender(blender_python, tmp_path / "take.fbx", importer)
    ((places, turns),) = report.values()
    check_turns(turns[1:], take)
    head, hips, left, right, toes, heel = (
        places[0, skeleton.joint_names.index(n)]
        for n in ("head", "pelvis", "left_hip", "right_hip", "left_foot", "left_ankle")
    )
    assert head[1] > hips[1] > toes[1], "not upright"
    assert 0 <= places[0, :, 1].min() < 0.05, "not on the floor"
    # Our +z is Blender's -y, which looks at the viewer of its front view; the left side is at the viewer's right.
    assert toes[2] > heel[2] + 0.05, "not facing the viewer"
    assert left[0] > 0 > right[0], "mirrored"


@pytest.mark.parametrize("importer", ["py", "ufbx"])
def test_two_performers_in_blender(make_take, skeleton, rng, blender_python, tmp_path, importer):
    first, second = make_take(40), replace(random_walk(skeleton, rng, 40), subject=2)
    second = replace(second, timestamps_ns=first.timestamps_ns)
    write_fbx([first, second], tmp_path / "take.fbx", meshes=[boxes(skeleton)] * 2)
    report = in_blender(blender_python, tmp_path / "take.fbx", importer)
    assert sorted(report) == ["person1", "person2"]
    for take, (places, turns) in zip((first, second), (report["person1"], report["person2"]), strict=True):
        joints = forward_kinematics(take.skeleton, take.rotations_wxyz, take.root_translation)
        assert np.linalg.norm(places - joints, axis=-1).max() <= TOLERANCE_M
        check_turns(turns, take)


def test_two_performers(make_take, skeleton, rng, read, tmp_path):
    if read.reader.startswith("blender"):
        pytest.skip("the report is of one armature; see test_two_performers_in_blender")
    first, second = make_take(40), replace(random_walk(skeleton, rng, 40), subject=2)
    second = replace(second, timestamps_ns=first.timestamps_ns)
    write_fbx([first, second], tmp_path / "take.fbx", meshes=[boxes(skeleton)] * 2)
    report = read(tmp_path / "take.fbx", "analytic")
    for number, take in ((1, first), (2, second)):
        check(report, take, [f"person{number}_{n}" for n in skeleton.joint_names])


@pytest.mark.parametrize("preset", FBX_PRESETS)
def test_assimp_counts(make_take, skeleton, tmp_path, preset):
    if not shutil.which("assimp"):
        pytest.skip("assimp is absent; install the package assimp-utils")
    write_fbx(make_take(31), tmp_path / "take.fbx", meshes=boxes(skeleton), preset=preset)
    done = subprocess.run(["assimp", "info", str(tmp_path / "take.fbx")], capture_output=True, text=True, check=True)
    counts = dict(
        re.findall(r"^(Animations|Animation Channels|Bones|Meshes|Materials|Faces): +(\d+)", done.stdout, re.M)
    )
    takes = 2 if preset == "unity" else 1
    assert {k: int(v) for k, v in counts.items()} == {
        "Animations": takes, "Animation Channels": 24 * takes, "Bones": 24, "Meshes": 1, "Materials": 1,
        "Faces": 24 * 12,
    }  # fmt: skip


def in_blender(python: str, path: Path, importer: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return places `(F, J, 3)` and turns from rest `(F, J, 4)` by armature, joints in the skeleton's order."""
    report = report_of([python, str(Path(__file__).with_name("bones_in_blender.py")), str(path), importer])
    assert report["fps"] == pytest.approx(30)
    found = {}
    for name, armature in report["armatures"].items():
        order = [re.sub(r"^person\d+_", "", j) for j in armature["joints"]]
        columns = [order.index(n) for n in SMPL_ORDER]
        places, turns = np.array(armature["places_m"]), np.array(armature["turns_wxyz"])
        found[name] = (places[:, columns], turns[:, columns])
    return found


SMPL_ORDER = tuple(PRESET_NAMES["blender"])


def check_turns(turns_wxyz: np.ndarray, take: Take) -> None:
    world = world_rotations(take.skeleton, take.rotations_wxyz)
    assert turns_wxyz.shape == world.shape
    cosine = np.abs((turns_wxyz * world).sum(axis=-1)) / np.linalg.norm(turns_wxyz, axis=-1)
    error_deg = np.degrees(2 * np.arccos(np.minimum(cosine, 1))).max()
    print(f"largest error of a rotation {error_deg:.5f} degrees")
    assert error_deg <= TOLERANCE_DEG
