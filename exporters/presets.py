"""What other programs want of a file: names, units, and where the T-pose is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from . import skeletons
from .skeletons import HUMANOID_BONES, MIXAMO_NAMES, SMPL_JOINT_NAMES

# Bones of Unreal's mannequin and joints of the CMU files, in SMPL's order, where `skeletons` does not tell them.
_UNREAL = (
    "pelvis thigh_l thigh_r spine_01 calf_l calf_r spine_02 foot_l foot_r spine_03 ball_l ball_r neck_01 clavicle_l "
    "clavicle_r head upperarm_l upperarm_r lowerarm_l lowerarm_r hand_l hand_r middle_01_l middle_01_r"
)
_CMU = (
    "Hips LeftUpLeg RightUpLeg LowerBack LeftLeg RightLeg Spine LeftFoot RightFoot Spine1 LeftToeBase RightToeBase "
    "Neck LeftShoulder RightShoulder Head LeftArm RightArm LeftForeArm RightForeArm LeftHand RightHand LeftFingerBase "
    "RightFingerBase"
)
UNREAL_NAMES: Mapping[str, str] = getattr(
    skeletons, "UNREAL_NAMES", dict(zip(SMPL_JOINT_NAMES, _UNREAL.split(), strict=True))
)
CMU_NAMES: Mapping[str, str] = getattr(skeletons, "CMU_NAMES", dict(zip(SMPL_JOINT_NAMES, _CMU.split(), strict=True)))


@dataclass(frozen=True, slots=True)
class Preset:
    """The choices that suit one program; of several words the first that a format knows."""

    summary: str
    names: Mapping[str, str] = field(default_factory=dict)
    """SMPL joint name -> name to write; joints not named keep theirs."""
    unit: tuple[str, ...] = ()
    """Nothing leaves it to the format."""
    t_pose: tuple[str, ...] = ("none",)
    rest_on_floor: bool = False


PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        # A BVH in metres comes in at its true size with the importer's own settings; names that begin with left and
        # right can be mirrored.
        "blender": Preset("sizes in metres, the rest pose on the floor", unit=("m",), rest_on_floor=True),
        # A humanoid is set up from the first frame of a file, which must show the T-pose.
        "unity": Preset(
            "names of a humanoid's bones, the T-pose first",
            {**HUMANOID_BONES, "left_hand": "LeftHandEnd", "right_hand": "RightHandEnd"},
            t_pose=("take", "frame"),
        ),
        "unreal": Preset("names of the mannequin's bones, in centimetres", UNREAL_NAMES, unit=("cm",)),
        "mixamo": Preset("Mixamo's names", {joint: f"mixamorig:{name}" for joint, name in MIXAMO_NAMES.items()}),
        "cmu": Preset("names of the CMU motion files", CMU_NAMES),
        "smpl": Preset("the names of SMPL, as recorded"),
    }
)
"""What suits a program, by its name."""
