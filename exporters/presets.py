"""What other programs want of a file: names, units, and where the T-pose is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from .skeletons import CMU_NAMES, HUMANOID_BONES, MIXAMO_NAMES, UNREAL_NAMES


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
        # Without the prefix "mixamorig:", which FBX files have: three.js would not move bones of a BVH with a colon.
        "mixamo": Preset("Mixamo's names", MIXAMO_NAMES),
        "cmu": Preset("names of the CMU motion files", CMU_NAMES),
        "smpl": Preset("the names of SMPL, as recorded"),
    }
)
"""What suits a program, by its name."""
