"""The DeforHMR engine, default configuration: frozen encoder, decoder, skinning, camera."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..body import load_body
from ..body.fitting import fit_pose, joints_of
from ..errors import WeightsError
from ..geometry import apply_affine, cut_crops, default_intrinsics, invert_affine, region_matrices
from ..types import BodyModel, FloatArray, Image, MeshResult, Regions
from ..weights import find_weights
from .camera import crop_to_camera, solve_translation
from .decode import gather_evidence, joint_confidence, next_regions, seen_joints
from .options import DeforHmrOptions

CROP_PX = 256
ENCODER_OUTPUTS = ("landmarks", "world", "presence", "map16", "map8")
NETWORK_OUTPUTS = ("rotations", "betas", "camera", "joints_px")


class _Sight(NamedTuple):
    """What the networks saw in N crops (NumPy)."""

    landmarks: FloatArray
    world: FloatArray
    presence: FloatArray
    rotations: FloatArray
    betas: FloatArray
    camera: FloatArray
    joints_px: FloatArray


class DeforHmrEngine:
    """Recovers bodies from rotated squares of a picture. Used by one thread at a time."""

    def __init__(self, options: DeforHmrOptions, device: str = "cpu") -> None:
        """Load encoder, decoder and body.

        Raises:
            WeightsError: weights are absent, damaged or do not fit.
            RuntimeUnavailableError: the runtime asked for cannot run here.
        """
        import torch

        from ..backbones.blazepose.load import load_pose_encoder
        from ..body.skinning import BodyLayer
        from ..runtime.session import open_session

        self._torch = torch
        parameters = load_body(Path(options.body) if options.body else None)
        self.body_model = BodyModel(
            parameters.name, parameters.joint_names, parameters.parents,
            parameters.joint_regressor @ parameters.template,
            np.einsum("jv,vcs->jcs", parameters.joint_regressor, parameters.shape_directions).astype(np.float32),
            parameters.faces,
        )  # fmt: skip
        self._layer = BodyLayer(parameters).eval()
        encoder = load_pose_encoder()
        network, weights_key = load_network(options)
        how = (options.runtime, device, options.threads)
        crop = torch.zeros(1, 3, CROP_PX, CROP_PX)
        self._encoder = open_session(encoder, [crop], ["crops"], ENCODER_OUTPUTS, "blazepose-full", *how)
        with torch.inference_mode():
            landmarks, world, _, *maps = encoder(crop)
        inputs = [landmarks + torch.rand(39, 5), world, *maps]
        names = ["landmarks", "world", *(f"map{n}" for n in range(len(maps)))]
        self._network = open_session(network, inputs, names, NETWORK_OUTPUTS, weights_key, *how)

    def predict(self, image: Image, regions: Regions, intrinsics: FloatArray | None = None) -> MeshResult:
        """Recover one body per region; see `engines.types.MeshEngine`."""
        height, width = image.shape[:2]
        camera = default_intrinsics(width, height) if intrinsics is None else intrinsics
        if len(regions) == 0:
            return self._nobody(camera)
        matrices = region_matrices(regions, CROP_PX)
        sight = self._look(cut_crops(image, matrices, CROP_PX))
        return self._place(sight, regions, matrices, camera)

    def close(self) -> None:
        """Nothing is held beyond this object."""

    def _look(self, crops: Image) -> _Sight:
        tensor = np.ascontiguousarray(crops.transpose(0, 3, 1, 2)).astype(np.float32) / np.float32(255)
        landmarks, world, presence, map16, map8 = self._encoder.run(tensor)
        rotations, betas, camera, joints_px = self._network.run(landmarks, world, map16, map8)
        return _Sight(landmarks, world, presence.reshape(-1), rotations, betas, camera, joints_px)

    def _place(self, sight: _Sight, regions: Regions, matrices: FloatArray, intrinsics: FloatArray) -> MeshResult:
        finite = np.array([all(np.isfinite(a[n]).all() for a in sight) for n in range(len(regions))])
        sight = _Sight(*(np.where(finite.reshape(-1, *[1] * (a.ndim - 1)), a, np.float32(0)) for a in sight))
        rotations = sight.rotations.copy()
        rotations[~finite] = np.eye(3)
        to_camera = crop_to_camera(regions, intrinsics)
        rotations[:, 0] = to_camera @ rotations[:, 0]
        confidence = joint_confidence(sight.landmarks, sight.presence)
        seen_px = apply_affine(invert_affine(matrices), seen_joints(sight.joints_px, sight.landmarks))
        depth = intrinsics[0, 0] * 2 / (np.maximum(sight.camera[:, 0], 0.05) * regions.sides_px)
        bones = self._bones(sight.betas)
        joints = joints_of(rotations, bones)
        translation = solve_translation(joints, seen_px, confidence, intrinsics, depth)
        evidence = gather_evidence(sight.world, to_camera, joints, seen_px, confidence, regions, intrinsics)
        rotations, translation = fit_pose(rotations, bones, translation, evidence)
        vertices, joints = self._skin(rotations, sight.betas)
        return MeshResult(
            vertices, joints, translation, self._global(rotations), sight.betas, seen_px, confidence,
            np.where(finite, sight.presence, 0).astype(np.float32), intrinsics.astype(np.float32),
            next_regions(sight.landmarks, matrices),
        )  # fmt: skip

    def _bones(self, betas: FloatArray) -> FloatArray:
        """Return `(N, 24, 3)` rest offsets from the parent; the root's is zero."""
        rest = self.body_model.rest_joints + np.einsum("jcs,ns->njc", self.body_model.rest_joint_directions, betas)
        return rest - rest[:, np.maximum(self.body_model.parents, 0)]

    def _skin(self, rotations: FloatArray, betas: FloatArray) -> tuple[FloatArray, FloatArray]:
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

    def _nobody(self, intrinsics: FloatArray) -> MeshResult:
        j, v = len(self.body_model.joint_names), int(self.body_model.faces.max()) + 1
        shapes = ((0, v, 3), (0, j, 3), (0, 3), (0, j, 3, 3), (0, self.body_model.rest_joint_directions.shape[2]),
                  (0, j, 2), (0, j), (0,))  # fmt: skip
        empty = (np.zeros(shape, np.float32) for shape in shapes)
        return MeshResult(*empty, intrinsics.astype(np.float32), Regions.empty())  # type: ignore[misc]


def load_network(options: DeforHmrOptions):  # type: ignore[no-untyped-def]
    """Return the default network with its weights and the weights' key.

    Raises:
        WeightsError: the file is absent, damaged or does not fit.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from ..weights import sha256_of
    from .model import DefaultNetwork

    path = find_weights("deforhmr_default.safetensors", options.weights)
    network = DefaultNetwork()
    try:
        network.load_state_dict({k: t.float() for k, t in load_file(str(path)).items()})
    except (RuntimeError, SafetensorError, OSError) as error:
        raise WeightsError(
            f"{path} does not hold weights of the default DeforHMR network ({str(error).splitlines()[0]}); expected a "
            "file written by scripts/train.py; install the package again or leave engine.options.weights away"
        ) from error
    return network.eval().requires_grad_(False), f"deforhmr-{sha256_of(path)[:16]}"
