"""Motion out: skeletons, poses and takes to files and network messages. Imports NumPy only."""

from .errors import ExportError, StreamError, TakeFileError, UnknownFormatError
from .kinematics import forward_kinematics, rest_joints
from .npz import read_picture, write_picture
from .skeletons import (
    HUMANOID_BONES,
    MIXAMO_NAMES,
    SMPL_JOINT_NAMES,
    SMPL_PARENTS,
    skeleton_from_rest_joints,
)
from .streams import open_stream
from .types import Observations, Picture, Pose, PoseStream, Skeleton, Take
from .vmc import VmcOptions, VmcStream

__all__ = [
    "HUMANOID_BONES",
    "MIXAMO_NAMES",
    "SMPL_JOINT_NAMES",
    "SMPL_PARENTS",
    "ExportError",
    "Observations",
    "Picture",
    "Pose",
    "PoseStream",
    "Skeleton",
    "StreamError",
    "Take",
    "TakeFileError",
    "UnknownFormatError",
    "VmcOptions",
    "VmcStream",
    "forward_kinematics",
    "open_stream",
    "read_picture",
    "rest_joints",
    "skeleton_from_rest_joints",
    "write_picture",
]
