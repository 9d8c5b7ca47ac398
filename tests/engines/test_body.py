"""The body: its file, its skinning against a plain reference and against smplx, and refused files."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from engines.body import SMPL_JOINT_NAMES, SMPL_PARENTS, BodyParameters, load_body
from engines.body.parameters import rest_joints
from engines.body.regions import extreme_vertices
from engines.body.skinning import BodyLayer
from engines.body.smplx_body import build_smplx, smpl_entries
from engines.errors import WeightsError


@pytest.fixture(scope="module")
def body() -> BodyParameters:
    return load_body()


@pytest.fixture(scope="module")
def layer(body: BodyParameters) -> BodyLayer:
    return BodyLayer(body)


def joint(name: str) -> int:
    return SMPL_JOINT_NAMES.index(name)


def random_rotations(rng: np.random.Generator, count: int) -> torch.Tensor:
    """Random joint turns of up to about a right angle, as `(N, 24, 3, 3)`."""
    vectors = torch.from_numpy(rng.normal(0, 0.6, (count, 24, 3)))
    skew = torch.zeros(count, 24, 3, 3, dtype=torch.float64)
    for (i, j), axis in (((2, 1), 0), ((0, 2), 1), ((1, 0), 2)):
        skew[..., i, j], skew[..., j, i] = vectors[..., axis], -vectors[..., axis]
    return torch.matrix_exp(skew).float()


def random_betas(rng: np.random.Generator, count: int) -> torch.Tensor:
    return torch.from_numpy(rng.normal(0, 1, (count, 10)).astype(np.float32))


def with_pose_directions(body: BodyParameters, rng: np.random.Generator) -> BodyParameters:
    """The body with made-up pose correctives of a few millimetres."""
    directions = rng.normal(0, 0.002, (body.vertex_count, 3, 207)).astype(np.float32)
    return BodyParameters(
        "corrected", body.template, body.shape_directions, directions, body.skinning_weights,
        body.joint_regressor, body.faces, body.parents,
    )  # fmt: skip


def test_free_body_has_the_smpl_layout(body: BodyParameters) -> None:
    assert body.template.shape == (6890, 3)
    assert body.faces.shape == (13776, 3)
    assert body.shape_count == 10
    assert tuple(body.parents) == SMPL_PARENTS
    np.testing.assert_allclose(body.skinning_weights.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(body.joint_regressor.sum(axis=1), 1, atol=1e-6)


def test_free_body_is_one_closed_surface_turned_outwards(body: BodyParameters) -> None:
    edges = {(int(a), int(b)) for f in body.faces for a, b in zip(f, np.roll(f, -1), strict=True)}
    assert len(edges) == 3 * len(body.faces)  # no edge twice in one direction
    assert all((b, a) in edges for a, b in edges)
    assert len(edges) // 2 == 3 * body.vertex_count - 6
    corners = body.template[body.faces].astype(float)
    volume = np.linalg.det(corners).sum() / 6
    assert 0.05 < volume < 0.09  # cubic metres of an adult


def test_free_body_stands_upright_facing_z_with_its_left_at_x(body: BodyParameters) -> None:
    joints = rest_joints(body)
    assert np.abs(joints[joint("pelvis")]).max() < 0.005
    assert joints[joint("left_wrist"), 0] > 0.5
    assert joints[joint("head"), 1] > joints[joint("neck"), 1] > joints[joint("spine1"), 1] > 0
    assert joints[joint("left_foot"), 2] > joints[joint("left_ankle"), 2] + 0.1
    assert 1.65 < np.ptp(body.template[:, 1]) < 1.85
    left = [i for i, name in enumerate(SMPL_JOINT_NAMES) if name.startswith("left")]
    right = [joint(SMPL_JOINT_NAMES[i].replace("left", "right")) for i in left]
    np.testing.assert_allclose(joints[left], joints[right] * (-1, 1, 1), atol=0.003)


def test_random_shapes_are_people(body: BodyParameters, rng: np.random.Generator) -> None:
    betas = rng.normal(0, 1, (200, 10)).astype(np.float32)
    heights = np.ptp(body.template[:, 1] + np.einsum("vs,ns->nv", body.shape_directions[:, 1], betas), axis=1)
    assert 1.6 < np.median(heights) < 1.9
    assert 0.10 < heights.std() < 0.22


def test_no_rotation_gives_the_template(body: BodyParameters, layer: BodyLayer) -> None:
    vertices, joints = layer(torch.eye(3).expand(1, 24, 3, 3), torch.zeros(1, 10))
    np.testing.assert_allclose(vertices[0].numpy(), body.template, atol=1e-6)
    np.testing.assert_allclose(joints[0].numpy(), rest_joints(body), atol=1e-6)


def test_rest_joints_agree_with_the_layer(body: BodyParameters, layer: BodyLayer, rng: np.random.Generator) -> None:
    betas = random_betas(rng, 3)
    np.testing.assert_allclose(rest_joints(body, betas.numpy()), layer.shaped(betas)[1].numpy(), atol=1e-5)


def test_bending_the_elbow_moves_the_forearm_alone(body: BodyParameters, layer: BodyLayer) -> None:
    rotations = torch.eye(3).repeat(1, 24, 1, 1)
    rotations[0, joint("left_elbow")] = torch.tensor([[0.0, 0, -1], [0, 1, 0], [1, 0, 0]])  # x -> z
    vertices, joints = layer(rotations, torch.zeros(1, 10))
    rest = torch.from_numpy(rest_joints(body))
    forearm = (rest[joint("left_wrist")] - rest[joint("left_elbow")]).norm()
    expected = rest[joint("left_elbow")] + forearm * torch.tensor([0.0, 0, 1])
    torch.testing.assert_close(joints[0, joint("left_wrist")], expected, atol=3e-3, rtol=0)
    still = body.skinning_weights[:, [joint(f"left_{n}") for n in ("elbow", "wrist", "hand")]].sum(axis=1) == 0
    np.testing.assert_allclose(vertices[0].numpy()[still], body.template[still], atol=1e-6)


def test_turning_the_root_turns_everything_about_the_pelvis(layer: BodyLayer, rng: np.random.Generator) -> None:
    rotations, betas = random_rotations(rng, 1), random_betas(rng, 1)
    vertices, joints = layer(rotations, betas)
    turn = random_rotations(rng, 1)[0, 0]
    rotations[0, 0] = turn @ rotations[0, 0]
    turned, turned_joints = layer(rotations, betas)
    pelvis = joints[0, 0]
    torch.testing.assert_close(turned_joints[0, 0], pelvis)
    torch.testing.assert_close(turned[0], (vertices[0] - pelvis) @ turn.T + pelvis, atol=1e-5, rtol=0)


@pytest.mark.parametrize("corrected", [False, True])
def test_layer_agrees_with_smplx(body: BodyParameters, rng: np.random.Generator, corrected: bool) -> None:
    pytest.importorskip("smplx", reason="the extra smpl is not installed")
    parameters = with_pose_directions(body, rng) if corrected else body
    rotations, betas = random_rotations(rng, 32), random_betas(rng, 32)
    reference = build_smplx(parameters, batch_size=32)
    with torch.no_grad():
        vertices, joints = BodyLayer(parameters)(rotations, betas)
        expected = reference(betas=betas, global_orient=rotations[:, :1], body_pose=rotations[:, 1:], pose2rot=False)
    torch.testing.assert_close(vertices, expected.vertices, atol=1e-5, rtol=0)
    torch.testing.assert_close(joints, expected.joints[:, :24], atol=1e-5, rtol=0)


def test_no_people_give_no_bodies(layer: BodyLayer) -> None:
    vertices, joints = layer(torch.zeros(0, 24, 3, 3), torch.zeros(0, 10))
    assert vertices.shape == (0, 6890, 3)
    assert joints.shape == (0, 24, 3)


def test_layer_keeps_the_body_out_of_its_state(layer: BodyLayer) -> None:
    assert layer.state_dict() == {}


def test_extreme_vertices_lie_where_their_names_say(body: BodyParameters) -> None:
    at = {name: body.template[index] for name, index in extreme_vertices(body).items()}
    assert len({tuple(p) for p in at.values()}) == 21
    assert at["leye"][0] > 0.02 > -0.02 > at["reye"][0]
    assert at["leye"][1] > at["nose"][1]
    assert at["lthumb"][2] > at["lindex"][2] > at["lmiddle"][2] > at["lring"][2] > at["lpinky"][2]
    assert at["RBigToe"][0] > at["RSmallToe"][0]
    assert at["LHeel"][2] < rest_joints(body)[joint("left_ankle"), 2]


def test_smpl_files_are_read_back(body: BodyParameters, tmp_path: Path, rng: np.random.Generator) -> None:
    entries = smpl_entries(with_pose_directions(body, rng))
    np.savez(tmp_path / "SMPL_NEUTRAL.npz", **entries)
    (tmp_path / "SMPL_NEUTRAL.pkl").write_bytes(pickle.dumps(entries, protocol=2))
    for name in ("SMPL_NEUTRAL.npz", "SMPL_NEUTRAL.pkl"):
        read = load_body(tmp_path / name)
        assert read.name == "SMPL_NEUTRAL"
        assert tuple(read.parents) == SMPL_PARENTS
        np.testing.assert_array_equal(read.template, body.template)
        np.testing.assert_array_equal(read.pose_directions, entries["posedirs"])
        np.testing.assert_array_equal(read.joint_regressor, body.joint_regressor)


def smpl_pickle_of_old(body: BodyParameters) -> bytes:
    """A pickle as Python 2 wrote it, with a chumpy array and a scipy matrix, built without either library."""
    entries: dict[str, object] = dict(smpl_entries(body))
    chumpy = type("Ch", (), {"__module__": "chumpy.ch"})
    sparse = type("csc_matrix", (), {"__module__": "scipy.sparse.csc"})
    shape_directions, regressor = chumpy(), sparse()
    shape_directions.x = body.shape_directions.astype(float)
    rows, columns = np.nonzero(body.joint_regressor.T)  # by column of the regressor
    regressor.__dict__ |= {
        "_shape": body.joint_regressor.shape,
        "data": body.joint_regressor.T[rows, columns].astype(float),
        "indices": columns.astype(np.int32),
        "indptr": np.searchsorted(rows, np.arange(body.vertex_count + 1)).astype(np.int32),
    }
    entries |= {"shapedirs": shape_directions, "J_regressor": regressor}
    entries["kintree_table"] = np.stack([np.where(body.parents < 0, 2**32 - 1, body.parents)] * 2).astype(np.uint32)
    return _dump_by_name(entries)


def _dump_by_name(entries: dict[str, object]) -> bytes:
    """Pickle objects of classes that no installed module holds."""
    import io
    import sys
    import types

    made = {}
    for value in entries.values():
        module = type(value).__module__
        if module in ("chumpy.ch", "scipy.sparse.csc"):
            made[module] = types.ModuleType(module)
            setattr(made[module], type(value).__name__, type(value))
    parents = {name.rsplit(".", 1)[0]: types.ModuleType(name.rsplit(".", 1)[0]) for name in made}
    parents["scipy"] = types.ModuleType("scipy")
    before = {name: sys.modules.get(name) for name in (*made, *parents)}
    sys.modules.update({**parents, **made})
    try:
        stream = io.BytesIO()
        pickle.Pickler(stream, protocol=2).dump(entries)
        return stream.getvalue()
    finally:
        for name, module in before.items():
            sys.modules.pop(name)
            if module is not None:
                sys.modules[name] = module


def test_an_old_smpl_pickle_is_read_without_chumpy_and_scipy(body: BodyParameters, tmp_path: Path) -> None:
    path = tmp_path / "basicmodel_neutral.pkl"
    path.write_bytes(smpl_pickle_of_old(body))
    read = load_body(path)
    assert tuple(read.parents) == SMPL_PARENTS
    np.testing.assert_array_equal(read.shape_directions, body.shape_directions)
    np.testing.assert_allclose(read.joint_regressor, body.joint_regressor)


class _Payload:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.marker,)


def test_a_pickle_that_would_run_something_is_refused(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    path = tmp_path / "SMPL_NEUTRAL.pkl"
    path.write_bytes(pickle.dumps({"v_template": _Payload(marker)}))
    with pytest.raises(WeightsError, match="refused"):
        load_body(path)
    assert not marker.exists()


@pytest.mark.parametrize("name", ["SMPL.pkl", "SMPL.npz"])
def test_a_damaged_file_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"not a body")
    with pytest.raises(WeightsError, match=name):
        load_body(path)


def test_a_file_without_the_keys_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "body.npz", v_template=np.zeros((6890, 3)))
    with pytest.raises(WeightsError, match="shapedirs"):
        load_body(tmp_path / "body.npz")


def test_a_body_of_other_joints_is_refused(body: BodyParameters, tmp_path: Path) -> None:
    entries = smpl_entries(body)
    entries["weights"] = np.zeros((6890, 52), np.float32)
    np.savez(tmp_path / "SMPLH.npz", **entries)
    with pytest.raises(WeightsError, match="24 joints"):
        load_body(tmp_path / "SMPLH.npz")


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="nowhere"):
        load_body(tmp_path / "nowhere.npz")
