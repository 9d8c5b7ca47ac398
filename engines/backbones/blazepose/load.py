"""Networks with the weights that are shipped, or the user's."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from ...errors import WeightsError
from ...weights import find_weights
from .person_detection import PersonDetection
from .plans import POSE_PLANS
from .pose_encoder import Map8, Map16, PoseEncoder


def load_pose_encoder(
    variant: str = "full", path: Path | str | None = None, map16: Map16 = "pyramid", map8: Map8 = "landmark"
) -> PoseEncoder:
    """Return the pose encoder, ready to run on the CPU: float32, frozen, in evaluation mode.

    Args:
        variant: lite, full or heavy; `full` is shipped.
        path: A file from scripts/convert_backbone.py; the shipped one when None.
        map16: See `PoseEncoder`.
        map8: See `PoseEncoder`.

    Raises:
        WeightsError: The file is absent, damaged or of another network.
    """
    if variant not in POSE_PLANS:
        raise ValueError(f"found variant {variant!r}; expected one of {', '.join(POSE_PLANS)}")
    encoder = PoseEncoder(POSE_PLANS[variant], map16, map8)
    fill(encoder, find_weights(f"blazepose_{variant}.safetensors", str(path or "")))
    return encoder


def load_person_detection(path: Path | str | None = None) -> PersonDetection:
    """Return the person detector's network; see `load_pose_encoder`."""
    network = PersonDetection()
    fill(network, find_weights("blazepose_detection.safetensors", str(path or "")))
    return network


def fill(module: nn.Module, path: Path) -> None:
    """Load the float16 file `path` into the float32 `module` and freeze it."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        state = {name: tensor.float() for name, tensor in load_file(path).items()}
        module.load_state_dict(state)
    except (SafetensorError, RuntimeError, OSError) as error:
        raise WeightsError(
            f"{path} does not hold the weights of {type(module).__name__} ({str(error).splitlines()[0]}); expected a "
            "file written by scripts/convert_backbone.py for this variant; install the package again or convert it "
            "again"
        ) from error
    module.eval().requires_grad_(False)
