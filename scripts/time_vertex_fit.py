#!/usr/bin/env python3
"""Measure the fit of pose and shape to vertices: error on random bodies, and time on one core.

    python scripts/time_vertex_fit.py
    python scripts/time_vertex_fit.py --level 1 --noise-mm 10 --people 1 4

The bodies are the free body with joints turned by N(0, 0.6) rad per axis and shape numbers N(0, 1). A time is that of
one call for so many people. The processor's own time leaves out what other programs take of it, on a machine that does
other things as well; they still make it longer, by what they drive out of the caches.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # runs from a checkout that is not installed

from engines.body import load_body
from engines.body.skinning import BodyLayer
from engines.body.topology import load_levels
from engines.body.vertex_fit import FittedBodies, VertexFit
from engines.runtime.torch_session import one_torch_thread


def main() -> None:
    """Read the flags, print errors and times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--level", type=int, default=0, help="coarse level of the body (default: 0, the finest)")
    parser.add_argument("--bodies", type=int, default=200, help="random bodies for the error (default: 200)")
    parser.add_argument("--noise-mm", type=float, default=0, help="spread of noise on every coordinate (default: 0)")
    parser.add_argument("--people", type=int, nargs="+", default=[1, 2, 4, 8], help="people per timed call")
    parser.add_argument("--calls", type=int, default=500, help="timed calls each (default: 500)")
    parser.add_argument("--device", default="cpu", help="cpu or cuda:N (default: cpu)")
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    body = load_body()
    ids = load_levels(body).vertex_ids(args.level)
    layer, fit = BodyLayer(body).to(args.device), VertexFit(body, ids).to(args.device)
    rotations, betas = random_bodies(rng, args.bodies, body.shape_count, args.device)
    with torch.inference_mode(), one_torch_thread():
        vertices = layer(rotations, betas)[0]
        noise = rng.normal(0, args.noise_mm / 1000, (args.bodies, len(ids), 3)).astype(np.float32)
        given = vertices[:, ids] + torch.from_numpy(noise).to(args.device)
        print_errors(fit(given), layer, vertices, rotations)
        for people in args.people:
            print_times(fit, given[:people].contiguous(), args.calls)


def random_bodies(rng: np.random.Generator, count: int, shapes: int, device: str) -> tuple[Tensor, Tensor]:
    """Return `(N, 24, 3, 3)` rotations and `(N, S)` shape numbers."""
    x, y, z = torch.from_numpy(rng.normal(0, 0.6, (3, count, 24)))
    zero = torch.zeros_like(x)
    skew = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).unflatten(-1, (3, 3))
    betas = torch.from_numpy(rng.normal(0, 1, (count, shapes)).astype(np.float32))
    return torch.matrix_exp(skew).float().to(device), betas.to(device)


def print_errors(fit: FittedBodies, layer: BodyLayer, vertices: Tensor, rotations: Tensor) -> None:
    """Print how far fits are from `(N, V, 3)` vertices and `(N, 24, 3, 3)` rotations of the joints."""
    found = layer(fit.rotations, fit.betas)[0] + fit.translation[:, None]
    distance_mm = 1000 * (found - vertices).norm(dim=-1).mean(dim=1)
    between = (fit.rotations.double() - rotations.double()).flatten(2).norm(dim=2)
    turn_deg = torch.rad2deg(2 * torch.asin((between / 8**0.5).clamp(max=1)))
    print(f"distance: mean {distance_mm.mean():.3f} mm, worst body {distance_mm.max():.3f} mm")
    print(f"turns:    mean {turn_deg.mean():.3f} degrees, worst joint {turn_deg.max():.3f} degrees")


def print_times(fit: VertexFit, given: Tensor, calls: int) -> None:
    """Print the time of a call with `(N, V, 3)` vertices."""
    times_ms = []
    for _ in range(calls + 20):
        start, own = time.perf_counter(), time.thread_time()
        fit(given).error_m.cpu()  # waits for a GPU
        times_ms.append((1000 * (time.perf_counter() - start), 1000 * (time.thread_time() - own)))
    (median, own), (late, _) = np.percentile(times_ms[20:], [50, 95], axis=0)
    people = len(given)
    print(f"{people} people: median {median:.2f} ms, p95 {late:.2f} ms; processor {own / people:.2f} ms a person")


if __name__ == "__main__":
    main()
