"""Brings the published weights of the paper's trunk, ViT-H of ViTPose, into a file of our own.

They come in two kinds: ViTPose's own checkpoints (MMPose), and those of 4D-Humans (HMR2.0), whose trunk began as
ViTPose's and was trained on. Read without trust (`weights_only`); the trunk is taken over key by key, what is known to
lie beside it is left behind and named.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..backbones.vit import VIT_H, VitConfig, VitTrunk
from ..errors import WeightsError
from ..layers import rotation6d
from ..published import faults_of, only_tensors, read_checkpoint, state_of
from .network import CAMERA_NUMBERS, PAPER, POSE_TOKENS, SHAPE_NUMBERS, DecoderConfig
from .stored import MEAN, TRUNK, save_paper

PUBLISHED = "ViTPose-H's *.pth or HMR2.0's *.ckpt"
WHERE_FROM = (
    "ViTPose-H (COCO, 256x192) is linked from the README of github.com/ViTAE-Transformer/ViTPose, HMR2.0 comes with "
    "github.com/shubham-goel/4D-Humans"
)
VITPOSE, HMR2 = "ViTPose", "HMR2.0"
BESIDE = {
    VITPOSE: ("keypoint_head.", "associate_keypoint_heads."),
    HMR2: ("smpl_head.", "discriminator.", "smpl.", "initialized"),
}
"""What lies beside the trunk in each kind of checkpoint; how its keys begin."""
PREFIX = "backbone."
KEPT = (torch.float32, torch.float16, torch.bfloat16)
"""Precisions that are stored as they are; others become float32."""
MEAN_BODY = {
    "mean_rotations6d": ("smpl_head.init_body_pose", (1, 6 * POSE_TOKENS)),
    "mean_betas": ("smpl_head.init_betas", (1, SHAPE_NUMBERS)),
    "mean_camera": ("smpl_head.init_cam", (1, CAMERA_NUMBERS)),
}
"""Our buffers -> HMR2.0's, and the shapes there."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did."""

    source: str
    """Whose checkpoint it was: VITPOSE or HMR2."""
    target: Path
    tensors: int
    """Tensors taken over from the file."""
    mean: bool
    """Whether SMPL's mean body was among them."""
    left_behind: tuple[str, ...]
    """Keys of the file that the trunk does not need."""


def is_trunk(keys: Iterable[str]) -> bool:
    """Say whether a state dict with these keys holds a vision transformer as ViTPose names it, whole or not."""
    return any(re.match(r"(backbone\.)?blocks\.\d+\.", key) for key in keys)


def import_trunk(file: Path, target: Path, config: VitConfig = VIT_H, decoder: DecoderConfig = PAPER) -> Imported:
    """Read a published checkpoint and write its trunk to `target` (safetensors), in the precision it has.

    Raises:
        WeightsError: The file is absent, holds code, or is not of a published layout.
    """
    state = only_tensors(state_of(read_checkpoint(file, PUBLISHED, WHERE_FROM)), file, WHERE_FROM)
    source = HMR2 if any(key.startswith("smpl_head.") for key in state) else VITPOSE
    beside = {key: value for key, value in state.items() if key.startswith(BESIDE[source])}
    trunk = {key: value for key, value in state.items() if key not in beside}
    mean = mean_body(beside, file) if source == HMR2 else {}
    tensors = {f"{TRUNK}{key}": value for key, value in take_over(trunk, config, file).items()} | mean
    save_paper(target, tensors, config, decoder, source)
    used = {name for name, _ in MEAN_BODY.values()} if mean else set()
    return Imported(source, target, len(tensors), bool(mean), tuple(key for key in beside if key not in used))


def take_over(state: Mapping[str, Tensor], config: VitConfig, file: Path) -> dict[str, Tensor]:
    """Return the trunk's tensors under our names, which are the release's without its prefix.

    Raises:
        WeightsError: A key is missing, unknown, mis-shaped or holds something that is no number.
    """
    prefix = PREFIX if any(key.startswith(PREFIX) for key in state) else ""
    check_size(state, prefix, config, file)
    with torch.device("meta"):
        wanted = {prefix + key: value for key, value in VitTrunk(config).state_dict().items()}
    faults = faults_of(state, wanted, {})
    if faults:
        raise WeightsError(
            f"{file} does not hold ViTPose's trunk as published: {'; '.join(faults)}; expected exactly its "
            f"{len(wanted)} keys; fetch the file again: {WHERE_FROM}"
        )
    return {
        key.removeprefix(prefix): (state[key] if state[key].dtype in KEPT else state[key].float()).contiguous()
        for key in wanted
    }


def check_size(state: Mapping[str, Tensor], prefix: str, config: VitConfig, file: Path) -> None:
    """Raise WeightsError if this is one of ViTPose's other sizes, or its mixture of experts."""
    if any(".mlp.experts." in key for key in state):
        raise WeightsError(
            f"{file} is ViTPose+, a mixture of experts; expected plain ViTPose-H or HMR2.0; {WHERE_FROM}"
        )
    numbers = [re.match(rf"{re.escape(prefix)}blocks\.(\d+)\.", key) for key in state]
    depth = 1 + max((int(found[1]) for found in numbers if found), default=-1)
    norm = state.get(f"{prefix}last_norm.weight")
    width = config.dim if norm is None or norm.ndim != 1 else len(norm)
    # Blocks may be missing from a damaged ViT-H: that is said by name.
    if width != config.dim or depth > config.depth:
        raise WeightsError(
            f"{file} is a trunk of {depth} blocks, {width} wide; expected {config.depth} blocks, {config.dim} wide "
            f"(ViTPose-H), which is what the paper uses; {WHERE_FROM}"
        )


def mean_body(state: Mapping[str, Tensor], file: Path) -> dict[str, Tensor]:
    """Return HMR2.0's mean body in our layout, or nothing where the checkpoint has none.

    Raises:
        WeightsError: It is there in part, mis-shaped, or its rotations are none in either layout of six numbers.
    """
    wanted = {name: torch.empty(shape, device="meta") for name, shape in MEAN_BODY.values()}
    there = {name: state[name] for name in wanted if name in state}
    if not there:
        return {}
    faults = faults_of(there, wanted, {})
    if faults:
        raise WeightsError(
            f"{file}: the mean body is not HMR2.0's: {'; '.join(faults)}; expected {', '.join(wanted)}; "
            f"fetch the file again: {WHERE_FROM}"
        )
    found = {ours: there[name].float()[0].contiguous() for ours, (name, _) in MEAN_BODY.items()}
    found[f"{MEAN}rotations6d"] = _our_rotations(found[f"{MEAN}rotations6d"].reshape(POSE_TOKENS, 6), file)
    return found


def _our_rotations(numbers: Tensor, file: Path) -> Tensor:
    """Return `(24, 6)` in our layout, orthonormal.

    SMPL's mean parameters are interleaved and HMR2.0 keeps them so, although it reads them the other way. In the wrong
    layout some of the columns vanish or are parallel.
    """
    for rotations in (rotation6d.from_interleaved(numbers), numbers):
        first, second = rotations[:, :3], rotations[:, 3:]
        lengths = torch.cat([first, second]).norm(dim=1)
        if lengths.min() > 0.5 and ((first * second).sum(1) / first.norm(dim=1) / second.norm(dim=1)).abs().max() < 0.5:
            return rotation6d.from_matrix(rotation6d.to_matrix(rotations))
    raise WeightsError(
        f"{file}: smpl_head.init_body_pose holds no rotations in either layout of six numbers; expected two columns "
        f"that are not parallel for each joint; fetch the file again: {WHERE_FROM}"
    )
