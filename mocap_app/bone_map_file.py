"""Bone maps as files for people to edit: a line of YAML for each joint."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from exporters.bone_maps import NEEDED, BoneMap
from exporters.skeletons import SMPL_JOINT_NAMES
from exporters.types import Skeleton
from exporters.writing import write_atomically

from .config import read_yaml
from .errors import ConfigError


def read_bone_map(path: Path) -> BoneMap:
    """Return the map in a YAML file of lines `joint: bone`; joints without a bone are left out.

    Raises:
        ConfigError: the file is absent or not such a map.
    """
    bone_map: BoneMap = {}
    for joint, bone in read_yaml(path).items():
        if bone is None or bone == "":
            continue
        if not isinstance(bone, str):
            raise ConfigError(f"{path.name}: {joint}: found {bone!r}, expected a bone's name; put quotes round it")
        bone_map[str(joint)] = bone
    return bone_map


def write_bone_map(path: Path, bone_map: Mapping[str, str], skeleton: Skeleton) -> None:
    """Write a map with every joint, those without a bone too, and the rig's bones below to choose from.

    Raises:
        TakeFileError: the file cannot be written.
    """
    lines = [
        f"# Which bone of {json.dumps(skeleton.name)} each joint of the performer moves.",
        "# Edit the names, then pass this file with --map. Empty: that joint moves nothing.",
    ]
    for joint in SMPL_JOINT_NAMES:
        absent = "  # needed" if joint in NEEDED else ""
        lines.append(f"{joint}:" + (f" {json.dumps(bone_map[joint])}" if joint in bone_map else absent))
    free = [name for name in skeleton.joint_names if name not in bone_map.values()]
    lines += ["", "# Bones that nothing moves:", *(f"#   {json.dumps(name)}" for name in free)]
    text = "\n".join(lines) + "\n"
    write_atomically(path, lambda file: file.write(text.encode("utf-8")))
