"""Binary FBX out: the container, key times, poses evaluated by a way of its own, presets, and what is refused."""

from __future__ import annotations

import logging
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from fbx_reader import FbxFile
from surfaces import boxes

from exporters import (
    CMU_NAMES,
    FBX_PRESETS,
    HUMANOID_BONES,
    MIXAMO_NAMES,
    SMPL_JOINT_NAMES,
    UNREAL_NAMES,
    FbxPreset,
    Skeleton,
    Take,
    TakeFileError,
    forward_kinematics,
    rest_joints,
    write_fbx,
    write_take,
)
from exporters.resample import grid_times_ns
from exporters.rotations import quaternion_from_rotvec

TICKS_PER_S = 46186158000
MODES = {
    "24000/1001": 13, "24": 11, "25": 10, "30000/1001": 9, "30": 6, "50": 4, "60": 3, "60000/1001": 17, "120": 1,
    "90": 14, "12.5": 14,
}  # fmt: skip


@pytest.fixture
def written(tmp_path):
    """Return a function that writes takes and reads the file."""

    def write(takes, **choices) -> FbxFile:
        write_fbx(takes, tmp_path / "take.fbx", **choices)
        return FbxFile(tmp_path / "take.fbx")

    return write


def random_walk(skeleton: Skeleton, rng: np.random.Generator, count: int = 80) -> Take:
    """Return a take whose every joint turns at random, through all directions."""
    joints = len(skeleton.joint_names)
    rotvecs = np.cumsum(rng.normal(scale=0.25, size=(count, joints, 3)), axis=0)
    places = np.cumsum(rng.normal(scale=0.05, size=(count, 3)), axis=0) + np.array((0, 1, 0))
    return Take(
        skeleton, quaternion_from_rotvec(rotvecs).astype(np.float32), places.astype(np.float32),
        grid_times_ns(77, count, Fraction(30)), name="random", metadata={"source_fps": 30},
    )  # fmt: skip


def turn(axis: int, degrees: np.ndarray) -> np.ndarray:
    """Return `(F, 3, 3)` matrices of turns about one axis."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    matrices = np.tile(np.eye(3), (len(degrees), 1, 1))
    i, j = (axis + 1) % 3, (axis + 2) % 3
    matrices[:, i, i], matrices[:, j, j], matrices[:, i, j], matrices[:, j, i] = cosine, cosine, -sine, sine
    return matrices


def joints_in(file: FbxFile, stack: int) -> dict[str, np.ndarray]:
    """Return where the joints are, `(F, 3)` metres by name, from the curves of a stack."""
    unit_m = file.top.one("GlobalSettings").table()["UnitScaleFactor"][0] / 100
    bones = file.of("Model", "LimbNode")
    count = len(file.driven(stack, bones[0], "Lcl Translation").times)
    places, turned, found = {0: np.zeros((count, 3))}, {0: np.tile(np.eye(3), (count, 1, 1))}, {}
    for model in file.of("Model", "Null") + bones:
        parent, table = file.parent(model), file.objects[model].table()
        moved, angles = file.driven(stack, model, "Lcl Translation"), file.driven(stack, model, "Lcl Rotation")
        local = np.tile(table["Lcl Translation"], (count, 1)) if moved is None else moved.values
        x, y, z = np.zeros((3, count)) if angles is None else angles.values.T
        places[model] = places[parent] + np.einsum("fij,fj->fi", turned[parent], local)
        turned[model] = turned[parent] @ turn(2, z) @ turn(1, y) @ turn(0, x)
        if model in bones:
            found[file.name(model)] = places[model] * unit_m
    return found


def error_m(file: FbxFile, take: Take, stack: int = -1, first: int = 0, prefix: str = "") -> float:
    read = joints_in(file, file.of("AnimationStack")[stack])
    joints = forward_kinematics(take.skeleton, take.rotations_wxyz, take.root_translation)
    got = np.stack([read[prefix + n] for n in take.skeleton.joint_names], axis=1)
    return float(np.linalg.norm(got[first : first + len(take)] - joints, axis=-1).max())


def test_the_container_has_every_part(make_take, skeleton, written):
    file = written(make_take(5), meshes=boxes(skeleton))
    assert [c.name for c in file.top.children] == [
        "FBXHeaderExtension", "FileId", "CreationTime", "Creator", "GlobalSettings", "Documents", "References",
        "Definitions", "Objects", "Connections", "Takes",
    ]  # fmt: skip
    definitions = file.top.one("Definitions")
    counts = {t.values[0]: t.one("Count").values[0] for t in definitions.all("ObjectType")}
    assert sum(counts.values()) == definitions.one("Count").values[0] == 1 + len(file.objects)
    assert counts["Model"] == 24 + 1
    assert counts["AnimationCurve"] == 3 * 25
    known = {0, *file.objects}
    assert all(link[1] in known and link[2] in known for link in file.links)
    assert all(file.objects[n].closed for n in file.of("AnimationLayer"))


def test_the_checked_triple_is_whole(make_take, tmp_path):
    # Autodesk's reader gives an empty scene when any of these differs; see the comment in fbx_nodes.
    write_fbx(make_take(2), tmp_path / "a.fbx")
    content, file = (tmp_path / "a.fbx").read_bytes(), FbxFile(tmp_path / "a.fbx")
    assert file.top.one("FileId").values == [bytes.fromhex("28b32aebb624ccc2bfc8b02aa92bfcf1")]
    assert file.top.one("CreationTime").values == ["1970-01-01 10:00:00:000"]
    assert content.count(bytes.fromhex("fabcab09d0c8d466b176fb831cf7267e")) == 1


def test_the_same_take_gives_the_same_file(make_take, skeleton, tmp_path):
    for name in ("a.fbx", "b.fbx"):
        write_fbx(make_take(40), tmp_path / name, meshes=boxes(skeleton), preset="unity")
    assert (tmp_path / "a.fbx").read_bytes() == (tmp_path / "b.fbx").read_bytes()


@pytest.mark.parametrize("rate", MODES)
def test_rate_and_key_times_are_exact(make_take, written, rate):
    exact = Fraction(rate)
    take = make_take(200, 30.0)
    file = written(replace(take, timestamps_ns=grid_times_ns(3, 200, exact)), fps=rate)
    settings = file.top.one("GlobalSettings").table()
    assert settings["TimeMode"] == [MODES[rate]]
    assert settings["CustomFrameRate"] == [pytest.approx(float(exact), abs=1e-12)]
    (stack,) = file.of("AnimationStack")
    times = file.driven(stack, file.of("Model", "LimbNode")[0], "Lcl Rotation").times
    # Half a tick is 10 picoseconds.
    assert all(abs(int(t) - k * TICKS_PER_S / exact) <= Fraction(1, 2) for k, t in enumerate(times))
    assert len(times) == 200
    spans = file.objects[stack].table()
    assert spans["LocalStart"] == spans["ReferenceStart"] == [0]
    assert spans["LocalStop"] == spans["ReferenceStop"] == settings["TimeSpanStop"] == [times[-1]]


@pytest.mark.parametrize("unit", ["cm", "m"])
def test_joints_are_where_the_take_has_them(make_take, written, unit):
    take = make_take(121)
    file = written(take, unit=unit)
    assert file.top.one("GlobalSettings").table()["UnitScaleFactor"] == [{"cm": 1.0, "m": 100.0}[unit]]
    assert error_m(file, take) < 1e-5


def test_random_motion_keeps_its_joints(skeleton, rng, written):
    for _ in range(3):
        take = random_walk(skeleton, rng)
        assert error_m(written(take), take) < 1e-5


def test_curves_do_not_jump(make_take, written):
    # The performer turns by 420 degrees and swings the arms past the gimbal lock.
    file = written(make_take(121))
    (stack,) = file.of("AnimationStack")
    curves = [file.driven(stack, b, "Lcl Rotation").values for b in file.of("Model", "LimbNode")]
    assert max(np.abs(np.diff(values, axis=0)).max() for values in curves) < 45


def test_a_performer_who_turns_round_twice_reaches_720_degrees(make_take, written):
    take = make_take(97)
    rotations = np.tile(np.array((1, 0, 0, 0), np.float32), (97, 24, 1))
    rotations[:, 0] = quaternion_from_rotvec(np.linspace(0, 4 * np.pi, 97)[:, None] * (0, 1, 0))
    file = written(replace(take, rotations_wxyz=rotations))
    (stack,) = file.of("AnimationStack")
    angles = file.driven(stack, file.of("Model", "LimbNode")[0], "Lcl Rotation").values
    np.testing.assert_allclose(angles, np.linspace(0, 720, 97)[:, None] * (0, 1, 0), atol=1e-3)


def test_nodes_stand_in_the_t_pose(make_take, skeleton, written):
    file = written(make_take(3), meshes=boxes(skeleton))
    rest_cm = rest_joints(skeleton) * 100
    (pose,) = file.of("Pose")
    matrices = {p.one("Node").values[0]: p.one("Matrix").values[0] for p in file.objects[pose].all("PoseNode")}
    assert len(matrices) == file.objects[pose].one("NbPoseNodes").values[0] == 25
    for j, bone in enumerate(file.of("Model", "LimbNode")):
        table = file.objects[bone].table()
        np.testing.assert_allclose(table["Lcl Translation"], skeleton.offsets[j] * 100, atol=1e-4)
        assert table["Lcl Rotation"] == [0, 0, 0]
        assert table["Lcl Scaling"] == [1, 1, 1]
        np.testing.assert_allclose(matrices[bone].reshape(4, 4)[3], (*rest_cm[j], 1), atol=1e-4)
        np.testing.assert_array_equal(matrices[bone].reshape(4, 4)[:, :3][:3], np.eye(3))
    assert min(rest_cm[:, 1]) == pytest.approx(2, abs=0.1)


def test_the_surface_is_bound_to_the_bones(make_take, skeleton, written):
    mesh = boxes(skeleton)
    file = written(make_take(3), meshes=mesh)
    (geometry,) = file.of("Geometry")
    node = file.objects[geometry]
    np.testing.assert_allclose(node.one("Vertices").values[0].reshape(-1, 3), mesh.vertices * 100, atol=1e-4)
    corners = node.one("PolygonVertexIndex").values[0].reshape(-1, 3)
    np.testing.assert_array_equal(np.stack([corners[:, 0], corners[:, 1], ~corners[:, 2]], 1), mesh.faces)
    normals = node.one("LayerElementNormal").one("Normals").values[0].reshape(-1, 3)
    outwards = mesh.vertices - np.repeat(rest_joints(skeleton), 8, axis=0)
    assert ((normals * outwards).sum(axis=1) > 0).all()
    (skin,) = file.below(geometry, "Deformer")
    shares = np.zeros((len(mesh.vertices), 24))
    for cluster in file.below(skin, "Deformer"):
        ((bone,), entry) = file.below(cluster, "Model"), file.objects[cluster]
        column = SMPL_JOINT_NAMES.index(file.name(bone))
        shares[entry.one("Indexes").values[0], column] = entry.one("Weights").values[0]
        binding = entry.one("Transform").values[0].reshape(4, 4) @ entry.one("TransformLink").values[0].reshape(4, 4)
        np.testing.assert_allclose(binding, np.eye(4), atol=1e-9)
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-6)


def test_a_joint_named_twice_for_a_vertex_counts_twice(make_take, skeleton, written):
    mesh = boxes(skeleton)
    joints, weights = mesh.joints.copy(), mesh.weights.copy()
    joints[0], weights[0] = 5, (0.4, 0.3, 0.3, 0)
    file = written(make_take(2), meshes=replace(mesh, joints=joints, weights=weights))
    cluster = file.objects[file.of("Deformer", "Cluster")[5]]
    assert cluster.one("Indexes").values[0][0] == 0
    assert cluster.one("Weights").values[0][0] == pytest.approx(1.0)


def test_the_t_pose_in_a_take_of_its_own(make_take, written):
    take = make_take(20)
    file = written(take, t_pose="take")
    assert [file.name(n) for n in file.of("AnimationStack")] == ["T-Pose", "analytic"]
    still = joints_in(file, file.of("AnimationStack")[0])
    expected = rest_joints(take.skeleton)
    assert all(len(p) == 2 and np.allclose(p, expected[j], atol=1e-6) for j, p in enumerate(still.values()))
    assert error_m(file, take) < 1e-5
    assert file.top.one("Takes").one("Current").values == ["T-Pose"]
    assert [t.values for t in file.top.one("Takes").all("Take")] == [["T-Pose"], ["analytic"]]


def test_the_t_pose_as_frame_0(make_take, written):
    take = make_take(20)
    file = written(take, t_pose="frame")
    (stack,) = file.of("AnimationStack")
    joints = joints_in(file, stack)
    assert all(
        len(p) == 21 and np.allclose(p[0], r, atol=1e-6) for p, r in zip(joints.values(), rest_joints(take.skeleton))
    )
    assert error_m(file, take, first=1) < 1e-5


def test_several_performers_share_one_time_line(make_take, skeleton, written):
    first = replace(make_take(30), subject=4)
    later = make_take(20)
    later = replace(later, subject=9, timestamps_ns=later.timestamps_ns + first.timestamps_ns[25])
    file = written([first, later], meshes=[None, boxes(skeleton)])
    assert error_m(file, first, prefix="person4_") < 1e-5
    assert error_m(file, later, first=25, prefix="person9_") < 1e-5
    joints = joints_in(file, file.of("AnimationStack")[0])
    assert {len(p) for p in joints.values()} == {45}
    waiting, gone = joints["person9_head"][:25], joints["person4_head"][30:]
    assert np.ptp(waiting, axis=0).max() == np.ptp(gone, axis=0).max() == 0
    names = [file.name(n) for n in file.of("Model")]
    assert len(set(names)) == len(names) == 2 * 25 + 1
    holders = {file.name(n): n for n in file.of("Model", "Null")}
    assert set(holders) == {"person4", "person9"}
    (mesh,) = file.of("Model", "Mesh")
    assert (file.name(mesh), file.parent(mesh)) == ("person9_boxes", holders["person9"])


def test_performers_of_one_number_are_numbered_anew(make_take, written):
    file = written([make_take(3), make_take(3)])
    assert [file.name(n) for n in file.of("Model", "Null")] == ["person1", "person2"]


def test_uneven_times_are_brought_to_the_rate(make_take, tmp_path, caplog):
    take = make_take(60)
    kept = np.r_[0:20, 30:60]
    cut = replace(
        take, rotations_wxyz=take.rotations_wxyz[kept], root_translation=take.root_translation[kept],
        timestamps_ns=take.timestamps_ns[kept],
    )  # fmt: skip
    with caplog.at_level(logging.INFO, "exporters"):
        (gap,) = write_fbx(cut, tmp_path / "take.fbx")
    assert gap.frames == 10
    assert "bridged 1 gap(s), 10 frame(s)" in caplog.text
    file = FbxFile(tmp_path / "take.fbx")
    (stack,) = file.of("AnimationStack")
    assert len(joints_in(file, stack)["head"]) == 60


PRESET_NAMES = {
    "blender": {n: n for n in SMPL_JOINT_NAMES},
    "unity": HUMANOID_BONES | {"left_hand": "LeftHandEnd", "right_hand": "RightHandEnd"},
    "unreal": UNREAL_NAMES,
    "mixamo": {j: f"mixamorig:{n}" for j, n in MIXAMO_NAMES.items()},
}


@pytest.mark.parametrize("preset", FBX_PRESETS)
def test_presets(make_take, skeleton, written, preset):
    file = written(make_take(4), meshes=boxes(skeleton), preset=preset)
    assert [file.name(n) for n in file.of("Model", "LimbNode")] == list(PRESET_NAMES[preset].values())
    assert [file.name(n) for n in file.of("Model", "Null")] == {"unity": ["Root"], "unreal": ["root"]}.get(preset, [])
    assert file.top.one("GlobalSettings").table()["UnitScaleFactor"] == [100.0 if preset == "unity" else 1.0]
    assert len(file.of("AnimationStack")) == (2 if preset == "unity" else 1)


def test_single_choices_override_a_preset(make_take, written):
    file = written(make_take(4), preset="unity", unit="cm", t_pose="none", names=CMU_NAMES)
    assert [file.name(n) for n in file.of("Model", "LimbNode")] == list(CMU_NAMES.values())
    assert len(file.of("AnimationStack")) == 1
    own = FbxPreset({"pelvis": "hip"}, unit="m")
    file = written(make_take(4), preset=own)
    assert file.name(file.of("Model", "LimbNode")[0]) == "hip"


@pytest.mark.parametrize("names", [HUMANOID_BONES, MIXAMO_NAMES, UNREAL_NAMES, CMU_NAMES])
def test_tables_of_names_are_one_to_one(names):
    assert set(names) <= set(SMPL_JOINT_NAMES)
    assert len(set(names.values())) == len(names)


def test_joints_in_another_spelling_are_renamed_too(make_take, written):
    take = make_take(2)
    spelt = tuple(n.replace("left_", "L_").replace("right_", "R_") for n in SMPL_JOINT_NAMES)
    file = written(replace(take, skeleton=replace(take.skeleton, joint_names=spelt)), preset="unreal")
    assert [file.name(n) for n in file.of("Model", "LimbNode")] == list(UNREAL_NAMES.values())


def test_by_suffix_and_one_instant(make_take, tmp_path):
    write_take(make_take(1), tmp_path / "take.FBX")
    file = FbxFile(tmp_path / "take.FBX")
    assert len(file.of("Model")) == 24
    assert len(joints_in(file, file.of("AnimationStack")[0])["head"]) == 1


def test_an_empty_take_is_refused(make_take, tmp_path):
    with pytest.raises(TakeFileError, match="found no instant"):
        write_fbx(replace(make_take(0)), tmp_path / "take.fbx")
    with pytest.raises(ValueError, match="takes: found none"):
        write_fbx([], tmp_path / "take.fbx")
    assert not list(tmp_path.iterdir())


def test_numbers_that_are_not_finite_are_refused(make_take, skeleton, tmp_path):
    take = make_take(9)
    rotations = take.rotations_wxyz.copy()
    rotations[4, 3, 1] = np.nan
    with pytest.raises(TakeFileError, match=r"not finite at 1 instant\(s\), first at number 4"):
        write_fbx(replace(take, rotations_wxyz=rotations), tmp_path / "take.fbx")
    mesh = boxes(skeleton)
    with pytest.raises(ValueError, match="mesh boxes: found numbers that are not finite"):
        write_fbx(take, tmp_path / "take.fbx", meshes=replace(mesh, vertices=mesh.vertices * np.float32(np.inf)))
    assert not list(tmp_path.iterdir())


def test_a_path_that_cannot_be_written_is_named(make_take, tmp_path):
    with pytest.raises(TakeFileError, match=r"nowhere.take\.fbx: cannot be written"):
        write_fbx(make_take(2), tmp_path / "nowhere" / "take.fbx")


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"unit": "inch"}, 'unit: found "inch", expected one of cm, m'),
        ({"t_pose": "first"}, 't_pose: found "first", expected one of none, frame, take'),
        ({"preset": "maya"}, 'preset: found "maya", expected one of blender, unity, unreal, mixamo'),
        ({"names": {"head": "neck"}}, "names: found 'neck' twice or empty"),
        ({"names": {"head": ""}}, "names: found '' twice or empty"),
        ({"fps": 0}, "fps: found 0"),
        ({"meshes": []}, "meshes: found 0, expected one"),
    ],
)
def test_choices_that_there_are_not(make_take, tmp_path, choices, message):
    with pytest.raises(ValueError, match=message):
        write_fbx(make_take(2), tmp_path / "take.fbx", **choices)


def test_a_surface_of_another_skeleton_is_refused(make_take, skeleton, tmp_path):
    mesh = boxes(skeleton)
    other = replace(mesh, joints=mesh.joints + np.int32(1))
    with pytest.raises(ValueError, match="mesh boxes: found joints from 1 to 24, expected 0 to 23"):
        write_fbx(make_take(2), tmp_path / "a.fbx", meshes=other)
    cut = replace(mesh, vertices=mesh.vertices[:100], joints=mesh.joints[:100], weights=mesh.weights[:100])
    with pytest.raises(ValueError, match="mesh boxes: found faces from 0 to 191, expected 0 to 99"):
        write_fbx(make_take(2), tmp_path / "a.fbx", meshes=cut)
