"""Results to give to sinks: performers of the synthetic body at known places."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from engines.geometry import default_intrinsics
from engines.synthetic import SyntheticEngine, SyntheticOptions
from engines.types import FloatArray, MeshResult, Regions
from exporters.skeletons import skeleton_from_rest_joints
from exporters.types import Pose, Skeleton
from mocap_app.sinks import SinkContext
from mocap_app.stats import Stats
from mocap_app.types import Frame, FrameResult, Tracks

SIZE_WH = (96, 64)
STEP_NS = 40_000_000
BODY = SyntheticEngine(SyntheticOptions()).body_model
PELVIS_M = 0.94
"""Height of the pelvis over the soles of the synthetic body."""


def skeleton_of(betas: FloatArray) -> Skeleton:
    rest = BODY.rest_joints + BODY.rest_joint_directions @ betas
    return skeleton_from_rest_joints(rest, BODY.parents, BODY.joint_names, "synthetic")


def context_of(name: str = "walk", **changes: Any) -> SinkContext:
    context = SinkContext(name, 25.0, SIZE_WH, False, None, BODY, skeleton_of, Stats())
    return replace(context, **changes)


def result_of(
    index: int, *tracks: int, betas: float = 0.0, confidence: float = 1.0, root_y_m: float = 1.5, scores: Any = None,
    floor_y_m: float = 0.0,
) -> FrameResult:  # fmt: skip
    """One frame with the performers `tracks`, upright, their pelvis at `root_y_m`; track t stands at x = t."""
    n, joints, count = len(tracks), len(BODY.joint_names), int(BODY.faces.max()) + 1
    timestamp_ns = index * STEP_NS
    image = np.full((SIZE_WH[1], SIZE_WH[0], 3), 60 + index % 100, np.uint8)
    shape = np.zeros((n, 10), np.float32)
    shape[:, 0] = betas
    place = np.array([(t, 0.0, 5.0) for t in tracks], np.float32).reshape(n, 3)
    rng = np.random.default_rng(1)
    meshes = MeshResult(
        vertices=np.broadcast_to(rng.normal(0, 0.3, (count, 3)), (n, count, 3)).astype(np.float32),
        joints=np.broadcast_to(BODY.rest_joints, (n, joints, 3)).astype(np.float32),
        translation=place,
        global_rotations=np.broadcast_to(np.eye(3, dtype=np.float32), (n, joints, 3, 3)).copy(),
        shape=shape,
        joints_px=np.full((n, joints, 2), 10.0, np.float32),
        confidence=np.full((n, joints), confidence, np.float32),
        scores=np.ones(n, np.float32) if scores is None else np.array(scores, np.float32),
        intrinsics=default_intrinsics(*SIZE_WH),
        next_regions=Regions(np.zeros((n, 2), np.float32), np.ones(n, np.float32), np.zeros(n, np.float32)),
    )
    rotations = np.zeros((joints, 4), np.float32)
    rotations[:, 0] = 1
    poses = tuple(
        Pose(rotations, np.array((t, root_y_m, 0.0), np.float32), timestamp_ns, t) for t in tracks
    )  # fmt: skip
    boxes = np.tile(np.array((10, 5, 40, 60), np.float32), (n, 1))
    found = Tracks(np.array(tracks, np.int64), boxes, meshes.scores)
    return FrameResult(Frame(image, index, timestamp_ns, 1), found, meshes, poses, {}, floor_y_m)
