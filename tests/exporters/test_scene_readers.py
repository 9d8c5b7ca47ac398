"""Our scenes and joint centres in programs that know nothing of our code: Blender, three.js, Khronos, VRM, USD, C3D.

Set up as in test_readers.py. A picture of what Blender imports is left to the eye.
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import skinned
from test_readers import report_of

from exporters import Take, forward_kinematics, write_glb, write_take, write_trc, write_usda, write_vrma
from exporters.vrma import VRM_BONES

pytestmark = pytest.mark.readers

HERE = Path(__file__).parent
TOLERANCE_M = 1e-3
TOLERANCE_DEG = 0.1


@pytest.fixture(params=["analytic", "29.97", "random"])
def take(request, make_take, random_take) -> Take:
    return random_take if request.param == "random" else make_take(61, 30000 / 1001 if "29" in request.param else 30)


@pytest.fixture
def glb(take, cubes, tmp_path) -> Path:
    write_glb(take, tmp_path / "a.glb", meshes=cubes)
    return tmp_path / "a.glb"


def joint_error_m(report: dict[str, Any], take: Take, suffix: str = "") -> float:
    names = [name + suffix for name in take.skeleton.joint_names]
    read = np.array([[report["frames"][str(t)][name] for name in names] for t in range(len(take))])
    joints = forward_kinematics(take.skeleton, take.rotations_wxyz, take.root_translation)
    return float(np.linalg.norm(read - joints, axis=-1).max())


def box_error_m(boxes: list[Any], take: Take, mesh: Any) -> float:
    """Compare `(T, 2, 3)` least and greatest corners with those of the surface."""
    surface = skinned(take, mesh)
    expected = np.stack([surface.min(axis=1), surface.max(axis=1)], axis=1)
    return float(np.abs(np.array(boxes) - expected).max())


def angle_error_deg(read_wxyz: Any, expected_wxyz: np.ndarray) -> float:
    """Return the largest angle between `(..., 4)` rotations; sign and length do not matter."""
    read = np.array(read_wxyz, np.float64)
    read /= np.linalg.norm(read, axis=-1, keepdims=True)
    expected = expected_wxyz / np.linalg.norm(expected_wxyz.astype(np.float64), axis=-1, keepdims=True)
    near = np.minimum(np.linalg.norm(read - expected, axis=-1), np.linalg.norm(read + expected, axis=-1))
    return float(np.degrees(4 * np.arcsin(np.clip(near / 2, 0, 1))).max())


def check(report: dict[str, Any], take: Take, mesh: Any = None, fps: float | None = None) -> None:
    assert report["frame_count"] == len(take)
    assert (fps or report["fps"]) == pytest.approx(take.metadata["source_fps"], abs=0.01)
    error_m, box_m = joint_error_m(report, take), 0.0
    if mesh is not None:
        boxes = [report["mesh_bbox"][str(t)][f"{take.name}_{mesh.name}"] for t in range(len(take))]
        box_m = box_error_m(boxes, take, mesh)
    print(f"{report['reader']}: {len(take)} frames, joints {error_m * 1000:.4f} mm, surface {box_m * 1000:.4f} mm")
    assert error_m <= TOLERANCE_M
    assert box_m <= TOLERANCE_M


def test_glb_in_three_js(take, glb, cubes, scripts, node_environment):
    check(
        report_of(["node", str(scripts / "fbx_three.mjs"), str(glb), "--frames", "all"], node_environment), take, cubes
    )


def test_glb_in_blender(take, glb, cubes, scripts, blender_python):
    command = [blender_python, str(scripts / "glb_in_blender.py"), str(glb), "--frames", "all"]
    rate = take.metadata["source_fps"]
    # Blender 5.0.1 multiplies keys by the scene's fps_base where it should divide (io_scene_gltf2, animation_node.py),
    # so 30/1.001 frames per second come out right in a scene of 30/0.999.
    report = report_of([*command, "--fps", str(round(rate) ** 2 / rate)])
    check(report, take, cubes, fps=rate)
    # The importer adds a shape for bones, an icosphere.
    ours = next(skin for skin in report["skin"] if skin["mesh"] == f"{take.name}_cubes")
    assert ours["skinned"]
    assert ours["unweighted_vertices"] == 0
    rest = report["rest"]
    assert rest["head"][1] - rest["left_ankle"][1] > 1.2, "not upright"
    assert abs(rest["left_foot"][1] - 0.02) < 1e-3, "not on the floor"
    # Blender shows the front view from -y, which is +z here: toes forward, the left hand on the right of the picture.
    assert rest["left_foot"][2] > rest["left_ankle"][2]
    assert rest["left_hand"][0] > 0.5


def test_glb_rotations_in_three_js(take, glb, node_environment):
    read = told_by("rotations_three.mjs", glb, node_environment)
    tracks = np.stack([read["tracks"][name] for name in take.skeleton.joint_names], axis=1)
    error_deg = angle_error_deg(tracks, take.rotations_wxyz)
    print(f"three.js: rotations {error_deg:.6f} degrees")
    assert error_deg <= TOLERANCE_DEG
    assert read["rate"] == pytest.approx(take.metadata["source_fps"], abs=0.01)


def told_by(script: str, file: Path, environment: dict[str, str]) -> dict[str, Any]:
    return report_of(["node", str(HERE / "readers" / script), str(file)], environment)


def test_khronos_validator_finds_nothing(make_take, cubes, scripts, node_environment, tmp_path):
    first = make_take(31)
    late = replace(first, timestamps_ns=first.timestamps_ns + 500_000_000, name="Zweiter Tänzer")
    write_glb([first, late], tmp_path / "a.glb", meshes=[cubes, cubes], t_pose_first=True)
    assert issues(tmp_path / "a.glb", scripts, node_environment) == {"errors": 0, "warnings": 0, "infos": 0, "hints": 0}
    write_glb(make_take(1), tmp_path / "one.glb", meshes=cubes)
    assert issues(tmp_path / "one.glb", scripts, node_environment)["warnings"] == 0
    for suffix, write in (("glb", write_glb), ("vrma", write_vrma)):
        # Without a surface the validator notes that the bones serve none, or that it does not know the extension.
        write(first, tmp_path / f"bare.{suffix}")
        found = issues(tmp_path / f"bare.{suffix}", scripts, node_environment)
        assert (found["errors"], found["warnings"]) == (0, 0)


def issues(file: Path, scripts: Path, environment: dict[str, str]) -> dict[str, int]:
    command = ["node", str(scripts / "gltf_validate.mjs"), str(file)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, cwd=os.environ["MOCAP_READERS_NODE"], env=environment
    )
    assert done.stdout, done.stderr
    report = json.loads(done.stdout)
    print(report["reader"], report["issues"], report["messages"])
    return report["issues"]


def test_two_performers_in_blender(make_take, cubes, scripts, blender_python, tmp_path):
    """Each is an armature of its own; the reader takes one of equal size."""
    first = make_take(31)
    second = replace(first, root_translation=first.root_translation + np.float32(1), name="second")
    write_glb([first, second], tmp_path / "a.glb", meshes=[cubes, cubes])
    command = [blender_python, str(scripts / "glb_in_blender.py"), str(tmp_path / "a.glb"), "--frames", "all"]
    report = report_of(command)
    shown = {"analytic": first, "second": second}[report["armature"]]
    assert joint_error_m(report, shown) <= TOLERANCE_M
    assert {"analytic_cubes", "second_cubes"} <= {skin["mesh"] for skin in report["skin"]}


def test_vrma_in_the_vrm_library(take, node_environment, tmp_path):
    write_vrma(take, tmp_path / "a.vrma")
    if not (Path(node_environment["MODULES"]) / "@pixiv" / "three-vrm-animation").is_dir():
        pytest.skip("@pixiv/three-vrm-animation is absent; run scripts/setup_readers again")
    read = told_by("rotations_three.mjs", tmp_path / "a.vrma", node_environment)
    assert set(read["tracks"]) == set(VRM_BONES.values())
    joints = [take.skeleton.joint_names.index(name) for name in VRM_BONES]
    tracks = np.stack([read["tracks"][bone] for bone in VRM_BONES.values()], axis=1)
    error_deg = angle_error_deg(tracks, take.rotations_wxyz[:, joints])
    hips = np.array(read["hips"]).reshape(-1, 3)
    print(
        f"three-vrm: rotations {error_deg:.6f} degrees, hips {np.abs(hips - take.root_translation).max() * 1000:.4f} mm"
    )
    assert error_deg <= TOLERANCE_DEG
    assert np.abs(hips - take.root_translation).max() <= TOLERANCE_M
    assert read["rest_hips"] == pytest.approx(take.skeleton.offsets[0].tolist(), abs=1e-5)
    assert read["rate"] == pytest.approx(take.metadata["source_fps"], abs=0.01)


def test_usda_in_usd(take, cubes, scripts, usd_python, tmp_path):
    write_usda(take, tmp_path / "a.usda", meshes=cubes)
    report = report_of([usd_python, str(scripts / "usd_check.py"), str(tmp_path / "a.usda"), "--frames", "all"])
    check(report, take)
    assert report["validation_issues"] == []
    check_usd(
        report_of([usd_python, str(HERE / "readers" / "rotations_usd.py"), str(tmp_path / "a.usda")]), take, cubes
    )


def check_usd(read: dict[str, Any], take: Take, mesh: Any) -> None:
    performer = read[take.name]
    assert performer["joints"] == list(take.skeleton.joint_names)
    assert performer["times"] == list(range(len(take)))
    error_deg = angle_error_deg(performer["rotations_wxyz"], take.rotations_wxyz)
    box_m = box_error_m(performer["boxes"], take, mesh)
    print(f"usd: rotations {error_deg:.6f} degrees, surface {box_m * 1000:.4f} mm")
    assert error_deg <= TOLERANCE_DEG
    assert box_m <= TOLERANCE_M


def test_several_performers_in_usd(make_take, cubes, scripts, usd_python, tmp_path):
    first = make_take(31)
    late = replace(first, timestamps_ns=first.timestamps_ns + 500_000_000, name="2. Tänzer")
    write_usda([first, late, late], tmp_path / "a.usda", meshes=[cubes, None, cubes])
    report = report_of([usd_python, str(scripts / "usd_check.py"), str(tmp_path / "a.usda")])
    assert report["validation_issues"] == []
    read = report_of([usd_python, str(HERE / "readers" / "rotations_usd.py"), str(tmp_path / "a.usda")])
    assert sorted(read) == ["_2__T_nzer", "_2__T_nzer_2", "analytic"]
    assert read["_2__T_nzer"]["times"][0] == 15


def test_usd_validation_finds_a_planted_fault(make_take, cubes, scripts, usd_python, tmp_path):
    write_usda(make_take(5), tmp_path / "a.usda", meshes=cubes)
    text = (tmp_path / "a.usda").read_text(encoding="ascii")
    planted = text.replace('prepend apiSchemas = ["SkelBindingAPI", "MaterialBindingAPI"]', "").replace(
        'upAxis = "Y"', ""
    )
    (tmp_path / "a.usda").write_text(planted, encoding="ascii")
    report = report_of([usd_python, str(scripts / "usd_check.py"), str(tmp_path / "a.usda")])
    assert report["validation_issues"]


def written_elsewhere(python: str, suffix: str, take: Take, folder: Path) -> Path:
    """Write a take in a format whose library lives in another environment; the take passes as a native file."""
    write_take(take, folder / "take.npz")
    code = "import sys; from exporters import read_take, write_take; write_take(read_take(sys.argv[1]), sys.argv[2])"
    target, repository = folder / f"a{suffix}", HERE.parents[1]
    command = [python, "-c", code, str(folder / "take.npz"), str(target)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=repository)
    if "MissingExtraError" in done.stderr:
        pytest.skip(f"the library for {suffix} is absent; run scripts/setup_readers again")
    assert done.returncode == 0, done.stderr
    return target


@pytest.mark.parametrize("suffix", [".usdc", ".usdz"])
def test_binary_usd_in_usd(make_take, scripts, usd_python, tmp_path, suffix):
    take = make_take(61)
    file = written_elsewhere(usd_python, suffix, take, tmp_path)
    report = report_of([usd_python, str(scripts / "usd_check.py"), str(file), "--frames", "all"])
    check(report, take)
    assert report["validation_issues"] == []


def test_c3d_in_another_library(take, usd_python, tmp_path):
    file = written_elsewhere(usd_python, ".c3d", take, tmp_path)
    read = report_of([usd_python, str(HERE / "readers" / "read_c3d.py"), str(file)])
    assert read["labels"] == list(take.skeleton.joint_names)
    assert (read["units"], read["screen"]) == ("mm", ["+X", "+Z"])
    assert read["rate"] == pytest.approx(take.metadata["source_fps"], abs=0.01)
    points = np.array(read["points"])
    x, y, z = np.moveaxis(forward_kinematics(take.skeleton, take.rotations_wxyz, take.root_translation), -1, 0)
    error_mm = np.abs(points[..., :3] - 1000 * np.stack([x, -z, y], axis=-1)).max()
    print(f"c3d: {len(points)} frames, points {error_mm:.4f} mm")
    assert error_mm <= 1
    assert (points[..., 3] >= 0).all(), "points without measurement"


def test_trc_in_opensim(take, usd_python, tmp_path):
    write_trc(take, tmp_path / "a.trc")
    if subprocess.run([usd_python, "-c", "import opensim"], capture_output=True).returncode:
        pytest.skip("opensim is absent; run scripts/setup_readers again")
    read = report_of([usd_python, str(HERE / "readers" / "read_trc.py"), str(tmp_path / "a.trc")])
    assert read["labels"] == list(take.skeleton.joint_names)
    assert read["units"] == "mm"
    assert read["rate"] == pytest.approx(take.metadata["source_fps"], abs=0.01)
    expected = forward_kinematics(take.skeleton, take.rotations_wxyz, take.root_translation)
    error_mm = np.abs(np.array(read["points"]).reshape(expected.shape) - 1000 * expected).max()
    print(f"opensim: {len(expected)} frames, points {error_mm:.4f} mm")
    assert error_mm <= 1
    assert read["seconds"] == pytest.approx((np.arange(len(expected)) / take.metadata["source_fps"]).tolist(), abs=1e-5)
