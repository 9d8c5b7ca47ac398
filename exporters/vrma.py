"""VRMA: motion for any VRM avatar, a GLB with the extension VRMC_vrm_animation 1.0.

From the specification (https://github.com/vrm-c/vrm-specification, VRMC_vrm_animation-1.0): nodes are named as the
bones of a humanoid; they rest in the T-pose; only the hips have a translation, and nothing has a scale. One performer
to a file, for an avatar plays the first animation.
"""

from __future__ import annotations

from pathlib import Path

from .errors import TakeFileError
from .glb import document, joint_node
from .gltf import BinaryChunk, glb
from .resample import Gap
from .scene import Rate, build_scene, tell_gaps
from .skeletons import HUMANOID_BONES, smpl_name
from .types import Skeleton, Take
from .writing import write_atomically

EXTENSION = "VRMC_vrm_animation"
VRM_BONES: dict[str, str] = {joint: bone[0].lower() + bone[1:] for joint, bone in HUMANOID_BONES.items()}
"""SMPL joint name -> VRM 1.0 bone name, 22 bones."""
_OPTIONAL = {"spine2", "spine3", "neck", "left_collar", "right_collar", "left_foot", "right_foot"}


def write_vrma(take: Take, path: Path | str, *, fps: Rate | None = None) -> tuple[Gap, ...]:
    """Write a take as VRMA and return (and log) the spans that had to be bridged by interpolation.

    Args:
        take: one performer with the joints of SMPL.
        path: the file.
        fps: frames per second; None takes the take's own (30 is what the specification advises).

    Raises:
        TakeFileError: the take is empty, not finite or no humanoid, or the file cannot be written.
        ValueError: `fps` is not a rate.
    """
    bones = _bones(take.skeleton)
    names = {take.skeleton.joint_names[joint]: bone for bone, joint in bones.items()}
    scene = build_scene(take, names=names, fps=fps)
    chunk = BinaryChunk()
    whole = document(scene, chunk, skins=False)
    human_bones = {bone: {"node": joint_node(0, joint)} for bone, joint in bones.items()}
    whole |= {
        "extensionsUsed": [EXTENSION],
        "extensions": {EXTENSION: {"specVersion": "1.0", "humanoid": {"humanBones": human_bones}}},
    }
    data = glb(whole, chunk)
    write_atomically(Path(path), lambda file: file.write(data))
    tell_gaps(Path(path), scene.gaps)
    return scene.gaps


def _bones(skeleton: Skeleton) -> dict[str, int]:
    """Return bone name -> joint."""
    joints = {smpl_name(name): j for j, name in enumerate(skeleton.joint_names)}
    missing = [n for n in VRM_BONES if n not in joints and n not in _OPTIONAL]
    if missing:
        raise TakeFileError(
            f"skeleton {skeleton.name}: found no {', '.join(missing)}, expected the SMPL joints, which VRM's bones are "
            "made from; export a take of this application"
        )
    return {bone: joints[name] for name, bone in VRM_BONES.items() if name in joints}
