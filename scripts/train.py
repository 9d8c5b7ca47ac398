#!/usr/bin/env python3
"""Train an engine's default weights from synthetic pictures of the free body.

    scripts/train.py --bvh FOLDER [--bvh FOLDER ...] --work DIR --crops 100000 --minutes 90 --engine deforhmr

Reads every .bvh file below the folders (CMU's motion capture in cgspeed's or ASF's form, Mixamo, Unity and SMPL
names are known; the README says where CMU's files are had), draws crops of random people in those poses, runs the
frozen encoder over them and trains the network. Everything lands in DIR: crops, a log row and a checkpoint each
minute, and at last <engine>_default.safetensors. A cut run keeps the crops it has drawn; another engine uses them too.
"""

from __future__ import annotations

import argparse
import multiprocessing
import re
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

POSES_PER_SECOND = 15


def read_poses(folders: list[Path], hold_out: str, rare: str) -> tuple[np.ndarray, np.ndarray]:
    """Return training and held-out global rotations; files matching `rare` count five times."""
    from engines.training.motion import smpl_global_rotations
    from engines.training.poses import thin_out
    from exporters.bvh import read_bvh
    from exporters.rotations import matrix_from_quaternion

    train, held_out = [], []
    for path in sorted(p for folder in folders for p in folder.rglob("*.bvh")):
        take = read_bvh(path)
        skip = 4 if re.fullmatch(r"\d\d_\d\d", path.stem) else 0  # cgspeed files begin with a smeared T-pose
        seconds = np.diff(take.timestamps_ns).mean() * 1e-9
        step = max(1, round(1 / POSES_PER_SECOND / seconds))
        rotations = matrix_from_quaternion(take.rotations_wxyz[skip::step])
        skeleton = take.skeleton
        try:
            turned = smpl_global_rotations(skeleton.joint_names, skeleton.parents, skeleton.offsets, rotations)
        except ValueError as error:
            print(f"{path}: left out: {error}", file=sys.stderr)
            continue
        turned = turned[thin_out(turned)]
        held = bool(hold_out) and re.search(hold_out, path.name)
        (held_out if held else train).extend([turned] * (5 if rare and re.search(rare, path.name) else 1))
    if not train or not held_out:
        raise SystemExit(f"found {len(train)} training and {len(held_out)} held-out files; expected some of both")
    return np.concatenate(train).astype(np.float32), np.concatenate(held_out).astype(np.float32)


def draw(job) -> None:
    """Run one rendering job in this process, saying how far it is."""
    import cv2
    import torch

    from engines.training.rendering_job import run_job

    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    for done in run_job(job):
        print(f"worker {job.seed}: {done} of {job.count} crops", flush=True)


def render(work: Path, poses: tuple[np.ndarray, np.ndarray], crops: int, workers: int) -> None:
    """Draw held-out and training crops that are not there yet."""
    from engines.training.rendering_job import RenderingJob, measure_steps

    jobs = []
    steps_file = work / "steps.npz"
    if not steps_file.exists():
        np.savez(steps_file, *measure_steps(poses[0]))
    with np.load(steps_file) as file:
        steps = (file["arr_0"], file["arr_1"])
    if not list((work / "held_out").glob("*.npz")):
        jobs.append(RenderingJob(poses[1], work / "held_out", 2048, 900_000, steps))
    have = 512 * len(list((work / "train").glob("*.npz")))
    first_seed = have // 512 + 1  # a new seed for every run: no crop is drawn twice
    share = -(-max(0, crops - have) // workers)
    jobs += [RenderingJob(poses[0], work / "train", share, first_seed + w, steps) for w in range(workers) if share]
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        pool.map(draw, jobs, chunksize=1)


def main() -> None:
    """Read, draw, train, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bvh", type=Path, action="append", required=True, help="folder of BVH files; repeatable")
    parser.add_argument("--work", type=Path, required=True, help="folder for crops, log and weights")
    parser.add_argument("--crops", type=int, default=100_000, help="training crops to draw (31 KB of disk each)")
    parser.add_argument("--minutes", type=float, default=90, help="training time; a fifth goes to the landmarks alone")
    parser.add_argument("--engine", choices=("deforhmr", "fastmetro", "deformer"), default="deforhmr")
    parser.add_argument("--workers", type=int, default=2, help="rendering processes")
    parser.add_argument("--threads", type=int, default=0, help="training threads; 0 takes all cores")
    parser.add_argument("--hold-out", default=r"^(02|12)_", help="file names (regular expression) kept for testing")
    parser.add_argument("--rare", default=r"^m2m_", help="file names (regular expression) that count five times")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    poses = read_poses(arguments.bvh, arguments.hold_out, arguments.rare)
    print(f"{len(poses[0])} training poses, {len(poses[1])} held out")
    render(arguments.work, poses, arguments.crops, arguments.workers)

    from engines.training.default_run import train_default

    path = train_default(arguments.engine, arguments.work, arguments.minutes, arguments.threads, arguments.seed)
    print(f"{path}: put it into a folder of weights, or name it in engine.options.weights")


if __name__ == "__main__":
    main()
