"""What other programs want of an FBX file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from .fbx_scene import UNITS_PER_M
from .skeletons import HUMANOID_BONES, MIXAMO_NAMES, UNREAL_NAMES

T_POSES = ("none", "frame", "take")


@dataclass(frozen=True, slots=True)
class FbxPreset:
    """The choices that suit one program."""

    names: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """SMPL joint name -> name to write; joints not named keep theirs."""
    unit: str = "cm"
    """Unit of the file's lengths: "cm" or "m"."""
    t_pose: str = "none"
    """Where the T-pose is shown: "none", "frame" (frame 0 of the motion) or "take" (a take of its own before it)."""
    holder: str | None = None
    """Name of a still node above the skeleton, or None for none."""

    def __post_init__(self) -> None:
        for name, value, known in (("unit", self.unit, UNITS_PER_M), ("t_pose", self.t_pose, T_POSES)):
            if value not in known:
                raise ValueError(f'{name}: found "{value}", expected one of {", ".join(known)}')


def _frozen(names: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType(dict(names))


FBX_PRESETS: Mapping[str, FbxPreset] = MappingProxyType(
    {
        # Blender shows the first take of a file.
        "blender": FbxPreset(),
        # Unity's humanoid is set up from the first frame of the first take, and its hips need a parent. It has no bone
        # at the middle of the hand.
        "unity": FbxPreset(
            _frozen({**HUMANOID_BONES, "left_hand": "LeftHandEnd", "right_hand": "RightHandEnd"}),
            unit="m",
            t_pose="take",
            holder="Root",
        ),
        # The mannequin has a still bone on the floor above its pelvis; Unreal makes a bone of such a node.
        "unreal": FbxPreset(_frozen(UNREAL_NAMES), holder="root"),
        "mixamo": FbxPreset(_frozen({joint: f"mixamorig:{name}" for joint, name in MIXAMO_NAMES.items()})),
    }
)


def find_preset(name: str) -> FbxPreset:
    """Return the preset of that name.

    Raises:
        ValueError: none is called so.
    """
    if name not in FBX_PRESETS:
        raise ValueError(f'preset: found "{name}", expected one of {", ".join(FBX_PRESETS)}')
    return FBX_PRESETS[name]
