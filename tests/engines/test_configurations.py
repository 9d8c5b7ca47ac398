"""Every size that the engines come in: how large it is, and that it runs in the engine."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from networks import build, is_heavy, write_random
from test_body import smpl_entries, with_pose_directions

from engines import ENGINES, Regions, build_engine
from engines.body import load_body
from engines.errors import WeightsError
from engines.weights import assets_folder, read_sums

CONFIGURATIONS = [(name, size) for name, spec in ENGINES.items() for size in spec.configurations]


@pytest.mark.parametrize(("engine", "configuration"), CONFIGURATIONS)
def test_parameters(engine: str, configuration: str) -> None:
    if configuration == "default":
        network = build(engine, configuration)
    else:
        with torch.device("meta"):
            network = build(engine, configuration)
    found = sum(p.numel() for p in network.parameters())
    assert found == ENGINES[engine].configurations[configuration].parameters


@pytest.mark.parametrize(("engine", "configuration"), [c for c in CONFIGURATIONS if c[1] != "default"])
def test_what_is_not_at_hand_says_where_it_comes_from(engine: str, configuration: str) -> None:
    with pytest.raises(WeightsError, match=r"weights file not found.*these are not shipped"):
        build_engine(engine, {"configuration": configuration})
    assert ENGINES[engine].configurations[configuration].source


@pytest.mark.parametrize("engine", sorted(name for name, spec in ENGINES.items() if spec.configurations))
def test_default_weights_are_shipped_listed_and_small(engine: str) -> None:
    name = ENGINES[engine].configurations["default"].weights
    assert name in read_sums(assets_folder())
    assert (assets_folder() / name).stat().st_size < 20e6
    assert (assets_folder() / name.replace(".safetensors", ".md")).is_file()  # its card


def test_an_unknown_configuration_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'XL'.*S-R50.*L-H64"):
        build_engine("fastmetro", {"configuration": "XL"})


@pytest.mark.parametrize("engine", ["fastmetro", "deformer"])
def test_vertices_of_one_body_are_not_taken_for_anothers(engine: str, tmp_path) -> None:  # type: ignore[no-untyped-def]
    parameters = with_pose_directions(load_body(), np.random.default_rng(0))
    np.savez(tmp_path / "SMPL_NEUTRAL.npz", **smpl_entries(parameters))
    with pytest.raises(WeightsError, match=r"predicts vertices of the free body; found the body 'SMPL_NEUTRAL'"):
        build_engine(engine, {"body": str(tmp_path / "SMPL_NEUTRAL.npz")})


@pytest.mark.slow
@pytest.mark.parametrize(("engine", "configuration"), [c for c in CONFIGURATIONS if is_heavy(c[1])])
def test_heavy_configurations_run_in_the_engine(engine: str, configuration: str, tmp_path) -> None:  # type: ignore[no-untyped-def]
    """The contract proper is held by the light ones, which differ in sizes alone."""
    weights = write_random(engine, configuration, tmp_path / "w.safetensors")
    built = build_engine(engine, {"weights": str(weights), "runtime": "torch"})
    weights.unlink()  # up to 2.7 GB
    region = Regions(np.full((1, 2), 60, np.float32), np.full(1, 100, np.float32), np.zeros(1, np.float32))
    result = built.predict(np.full((120, 120, 3), 90, np.uint8), region)
    assert result.vertices.shape == (1, 6890, 3)
    assert np.isfinite(result.vertices).all()
