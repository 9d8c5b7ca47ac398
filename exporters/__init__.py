"""Motion out: skeletons, poses and takes to files and network messages. Imports NumPy only."""

from .bvh import format_bvh
from .bvh_reader import parse_bvh, read_bvh
from .errors import ExportError, StreamError, TakeFileError, UnknownFormatError
from .files import read_take, write_take
from .journal import TakeJournal, read_journal
from .kinematics import forward_kinematics, rest_joints
from .npz import read_picture, write_picture
from .resample import resample
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
from .vrchat import VrchatOptions, VrchatStream
from .web import WebOptions, WebStream
from .writing import numbered_path

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
    "SkinnedMesh",
    "StreamError",
    "Take",
    "TakeFileError",
    "TakeJournal",
    "UnknownFormatError",
    "VmcOptions",
    "VmcStream",
    "VrchatOptions",
    "VrchatStream",
    "WebOptions",
    "WebStream",
    "format_bvh",
    "forward_kinematics",
    "numbered_path",
    "open_stream",
    "parse_bvh",
    "read_bvh",
    "read_journal",
    "read_picture",
    "read_take",
    "resample",
    "rest_joints",
    "skeleton_from_rest_joints",
    "write_picture",
    "write_take",
]
