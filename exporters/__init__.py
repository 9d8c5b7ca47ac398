"""Motion out: skeletons, poses and takes to files and network messages. Imports NumPy only."""

from .bvh import format_bvh
from .bvh_reader import parse_bvh, read_bvh
from .errors import ExportError, StreamError, TakeFileError, UnknownFormatError
from .files import FORMATS, read_take, write_take, write_takes
from .journal import TakeJournal, read_journal
from .kinematics import forward_kinematics, rest_joints
from .npz import read_picture, write_picture
from .options import ExportOptions
from .presets import PRESETS
from .resample import resample
from .retarget import retarget
from .rigs import Rig, read_rig
from .skeletons import (
    HUMANOID_BONES,
    MIXAMO_NAMES,
    SMPL_JOINT_NAMES,
    SMPL_PARENTS,
    skeleton_from_rest_joints,
)
from .streams import open_stream
from .types import Observations, Picture, Pose, PoseStream, Skeleton, SkinnedMesh, Take
from .vmc import VmcOptions, VmcStream
from .writing import numbered_path

__all__ = [
    "FORMATS",
    "HUMANOID_BONES",
    "MIXAMO_NAMES",
    "PRESETS",
    "SMPL_JOINT_NAMES",
    "SMPL_PARENTS",
    "ExportError",
    "ExportOptions",
    "Observations",
    "Picture",
    "Pose",
    "PoseStream",
    "Rig",
    "Skeleton",
    "SkinnedMesh",
    "StreamError",
    "Take",
    "TakeFileError",
    "TakeJournal",
    "UnknownFormatError",
    "VmcOptions",
    "VmcStream",
    "format_bvh",
    "forward_kinematics",
    "numbered_path",
    "open_stream",
    "parse_bvh",
    "read_bvh",
    "read_journal",
    "read_picture",
    "read_rig",
    "read_take",
    "resample",
    "rest_joints",
    "retarget",
    "skeleton_from_rest_joints",
    "write_picture",
    "write_take",
    "write_takes",
]
