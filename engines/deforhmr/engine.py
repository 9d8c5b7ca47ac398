"""The DeforHMR engine: the default network over the frozen encoder, or the paper's with a trunk of its own."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import torch

from ..body.fitting import joints_of
from ..body.parameters import rest_joints
from ..recovery.engine import RecoveryEngine
from ..recovery.golden import MM_PER_PX, crops_trial, distance, sight_trial
from ..recovery.recovery import Recovery
from ..recovery.sight import CROP_PX, BodySight, EncoderSight, Views
from ..runtime.network import MM, PERCENTILE, Arrays, relative_error_mm
from ..runtime.session import open_session
from ..runtime.stored import fill_network, read_header
from ..weights import find_configured, sha256_of
from .model import DefaultNetwork
from .options import CONFIGURATIONS, DeforHmrOptions
from .stored import FORMAT, load_paper

INPUTS, OUTPUTS = ("landmarks", "world", "map16", "map8"), ("rotations", "betas", "camera", "joints_px")


class DeforHmrEngine(RecoveryEngine):
    """Recovers bodies from rotated squares of a picture. Used by one thread at a time."""

    def __init__(self, options: DeforHmrOptions, device: str = "cpu") -> None:
        """Load networks and body.

        Raises:
            WeightsError: weights are absent, damaged or do not fit.
            RuntimeUnavailableError: the runtime asked for cannot run here.
        """
        path = find_configured(CONFIGURATIONS[options.configuration], options.weights)
        paper = read_header(path).get("format") == FORMAT
        recovery = Recovery(options.body, options.runtime, device, options.threads, measured=not paper)
        super().__init__(recovery, (_Paper if paper else _Default)(path, recovery, options, device))


class _Default:
    """The network that reads what the frozen encoder saw; limb joints are measured there."""

    def __init__(self, path: Path, recovery: Recovery, options: DeforHmrOptions, device: str) -> None:
        network = fill_network(path, DefaultNetwork())
        inputs = [torch.rand(1, *shape) for shape in ((39, 5), (39, 3), (48, 16, 16), (288, 8, 8))]
        key = f"deforhmr-{sha256_of(path)[:16]}"
        self.session = open_session(
            network, inputs, INPUTS, OUTPUTS, key, options.runtime, device, options.threads,
            sight_trial(INPUTS, partial(error_mm, recovery)),
        )  # fmt: skip

    def read(self, _: Views, seen: EncoderSight) -> BodySight:
        """Return the bodies."""
        return BodySight(*self.session.run(seen.landmarks, seen.world, seen.map16, seen.map8))


class _Paper:
    """The network with a trunk of its own: the bodies are left as it gives them."""

    def __init__(self, path: Path, recovery: Recovery, options: DeforHmrOptions, device: str) -> None:
        network = load_paper(path)
        sizes = network.trunk.config
        self._body, self._size_hw = recovery.parameters, (sizes.height_px, sizes.width_px)
        # The whole network is above the 2 GB that one ONNX file may hold: torch, unless told otherwise.
        runtime = "torch" if options.runtime == "auto" else options.runtime
        crop = torch.zeros(1, 3, *self._size_hw)
        key = f"deforhmr-{sha256_of(path)[:16]}"
        self.session = open_session(
            network, [crop], ("crops",), OUTPUTS[:3], key, runtime, device, options.threads,
            crops_trial(self._size_hw, partial(error_mm, recovery)),
        )  # fmt: skip

    def read(self, views: Views, _: EncoderSight) -> BodySight:
        """Return the bodies; their joints are projected with the network's own camera."""
        rotations, betas, camera = self.session.run(views.normalised_crops(*self._size_hw))
        rest = rest_joints(self._body, betas)
        joints = joints_of(rotations, rest - rest[:, np.maximum(self._body.parents, 0)])
        flat = camera[:, None, :1] * (joints[..., :2] + camera[:, None, 1:])
        return BodySight(rotations, betas, camera, ((flat + 1) * (CROP_PX / 2)).astype(np.float32))


def error_mm(recovery: Recovery, expected: Arrays, found: Arrays) -> float:
    """Return how far the bodies are apart, millimetres: their vertices, cameras, and joints where there are some."""
    ours, theirs = (recovery.skin(rotations, betas)[0] for rotations, betas, *_ in (expected, found))
    errors = [distance(ours, theirs) * MM, relative_error_mm(expected[2:3], found[2:3])]
    if len(expected) > 3:
        apart_px = np.linalg.norm(found[3] - expected[3], axis=-1)
        errors.append(float(np.percentile(apart_px, PERCENTILE)) * MM_PER_PX)
    return float(np.max(errors))
