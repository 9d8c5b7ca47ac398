"""From a picture and its regions to bodies in the camera frame, around whatever network reads the crops."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..body import BodyParameters, load_body
from ..body.fitting import fit_pose, joints_of
from ..geometry import apply_affine, default_intrinsics, invert_affine
from ..types import BodyModel, FloatArray, Image, MeshResult, Regions, Sighting
from .camera import crop_to_camera, solve_translation
from .evidence import gather_evidence, joint_confidence, next_regions, seen_joints
from .sight import CROP_PX, BodySight, EncoderSight, Views, finite_rows, neutral_rows, zero_rows

if TYPE_CHECKING:
    from ..runtime.session import LastingSession

ENCODER_OUTPUTS = ("landmarks", "world", "presence", "map16", "map8")
Reader = Callable[[Views, EncoderSight], BodySight]
"""A family's network: what it says of the bodies in the views, told what the encoder saw there."""


class Recovery:
    """Encoder, body and camera; used by one thread at a time."""

    def __init__(self, body: str, runtime: str, device: str, threads: int, measured: bool = True) -> None:
        """Load encoder and body.

        Args:
            body: path of a body model file; empty for the shipped free body.
            runtime: see `engines.runtime.session.open_session`.
            device: `cpu` or `cuda:N`.
            threads: CPU threads of a network; 0 takes half of the cores.
            measured: whether limb joints are where the encoder's landmarks are and the pose is nudged there; False
                leaves the bodies as the network gives them.

        Raises:
            WeightsError: weights or body are absent, damaged or do not fit.
            RuntimeUnavailableError: the runtime asked for cannot run here.
        """
        import torch

        from ..backbones.blazepose.load import load_pose_encoder
        from ..body.skinning import BodyLayer
        from ..runtime.session import open_session
        from .golden import encoder_trial

        self._torch = torch
        self.parameters = load_body(Path(body) if body else None)
        self.body_model = body_model_of(self.parameters)
        self._layer = BodyLayer(self.parameters).eval()
        self._measured = measured
        crop = torch.zeros(1, 3, CROP_PX, CROP_PX)
        self._encoder = open_session(
            load_pose_encoder(), [crop], ["crops"], ENCODER_OUTPUTS, "blazepose-full", runtime, device, threads,
            encoder_trial(), wide=True,
        )  # fmt: skip

    def runtime_with(self, network: LastingSession) -> str:
        """Return what runs the encoder and the network that reads it, each runtime once."""
        return ", ".join(dict.fromkeys((self._encoder.runtime, network.runtime)))

    def see(self, image: Image, regions: Regions, intrinsics: FloatArray | None, read: Reader) -> Sighting:
        """Look at the regions; see `engines.types.MeshEngine`. `read` is the family's network."""
        height, width = image.shape[:2]
        camera = default_intrinsics(width, height) if intrinsics is None else intrinsics
        if len(regions) == 0:
            return self._nobody(camera)
        views = Views(image, regions)
        seen = self._look(views)
        return self._note(views, seen, read(views, seen), camera)

    def _look(self, views: Views) -> EncoderSight:
        landmarks, world, presence, map16, map8 = self._encoder.run(views.crops())
        return EncoderSight(landmarks, world, presence.reshape(-1), map16, map8)

    def _note(self, views: Views, seen: EncoderSight, body: BodySight, intrinsics: FloatArray) -> Sighting:
        """Return what was seen, and of the network's body what `recover` needs."""
        finite = finite_rows(seen, body)
        seen, body = zero_rows(seen, finite), neutral_rows(body, finite)
        regions, matrices = views.regions, views.matrices()
        places = seen_joints(body.joints_px, seen.landmarks) if self._measured else body.joints_px
        return Sighting(
            apply_affine(invert_affine(matrices), places),
            joint_confidence(seen.landmarks, seen.presence),
            np.where(finite, seen.presence, 0).astype(np.float32),
            intrinsics.astype(np.float32),
            next_regions(seen.landmarks, matrices),
            (body.rotations, body.betas, body.camera, seen.world, *_arrays_of(regions)),
        )

    def recover(self, sighting: Sighting) -> MeshResult:
        """Return the bodies where they were seen; see `engines.types.MeshEngine`."""
        if not len(sighting):
            return self._no_bodies(sighting)
        rotations, betas, camera, world, *places = sighting.evidence
        regions, intrinsics, seen_px = Regions(*places), sighting.intrinsics, sighting.joints_px
        to_camera = crop_to_camera(regions, intrinsics)
        rotations = rotations.copy()
        rotations[:, 0] = to_camera @ rotations[:, 0]
        depth = intrinsics[0, 0] * 2 / (np.maximum(camera[:, 0], 0.05) * regions.sides_px)
        bones = self._bones(betas)
        joints = joints_of(rotations, bones)
        weights = sighting.confidence if self._measured else np.ones_like(sighting.confidence)
        translation = solve_translation(joints, seen_px, weights, intrinsics, depth)
        if self._measured:
            evidence = gather_evidence(world, to_camera, joints, seen_px, weights, regions, intrinsics)
            rotations, translation = fit_pose(rotations, bones, translation, evidence)
        vertices, joints = self.skin(rotations, betas)
        return MeshResult(
            vertices, joints, translation, self._global(rotations), betas, seen_px, sighting.confidence,
            sighting.scores, intrinsics, sighting.next_regions,
        )  # fmt: skip

    def predict(self, image: Image, regions: Regions, intrinsics: FloatArray | None, read: Reader) -> MeshResult:
        """Recover one body per region; see `engines.types.MeshEngine`."""
        return self.recover(self.see(image, regions, intrinsics, read))

    def _bones(self, betas: FloatArray) -> FloatArray:
        """Return `(N, 24, 3)` rest offsets from the parent; the root's is zero."""
        rest = self.body_model.rest_joints + np.einsum("jcs,ns->njc", self.body_model.rest_joint_directions, betas)
        return rest - rest[:, np.maximum(self.body_model.parents, 0)]

    def skin(self, rotations: FloatArray, betas: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return vertices and joints relative to the root joint."""
        from ..runtime.torch_session import one_torch_thread

        with self._torch.inference_mode(), one_torch_thread():
            vertices, joints = self._layer(self._torch.from_numpy(rotations), self._torch.from_numpy(betas))
            root = joints[:, :1]
            return (vertices - root).numpy(), (joints - root).numpy()

    def _global(self, rotations: FloatArray) -> FloatArray:
        turned = rotations.copy()
        for joint, parent in enumerate(self.body_model.parents):
            if parent >= 0:
                turned[:, joint] = turned[:, parent] @ rotations[:, joint]
        return turned

    def _nobody(self, intrinsics: FloatArray) -> Sighting:
        j, s = len(self.body_model.joint_names), self.parameters.shape_count
        shapes = ((0, j, 3, 3), (0, s), (0, 3), (0, 39, 3), (0, 2), (0,), (0,))
        joints_px, confidence, scores, *evidence = (
            np.zeros(shape, np.float32) for shape in ((0, j, 2), (0, j), (0,), *shapes)
        )
        camera = intrinsics.astype(np.float32)
        return Sighting(joints_px, confidence, scores, camera, Regions.empty(), tuple(evidence))

    def _no_bodies(self, sighting: Sighting) -> MeshResult:
        rotations, betas, places = sighting.evidence[:3]
        vertices, joints = np.zeros((0, self.parameters.vertex_count, 3), np.float32), rotations[..., 0]
        return MeshResult(
            vertices, joints, places, rotations, betas, sighting.joints_px, sighting.confidence, sighting.scores,
            sighting.intrinsics, sighting.next_regions,
        )  # fmt: skip


def _arrays_of(regions: Regions) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the arrays of the regions."""
    return regions.centers_px, regions.sides_px, regions.angles_rad


def body_model_of(parameters: BodyParameters) -> BodyModel:
    """Return what an engine says of its body."""
    return BodyModel(
        parameters.name, parameters.joint_names, parameters.parents,
        parameters.joint_regressor @ parameters.template,
        np.einsum("jv,vcs->jcs", parameters.joint_regressor, parameters.shape_directions).astype(np.float32),
        parameters.faces,
    )  # fmt: skip
