"""Motion out: skeletons, poses and takes to files and network messages. Imports NumPy only."""

from .amass import write_amass
from .bvh import format_bvh
from .bvh_reader import parse_bvh, read_bvh
from .c3d import write_c3d
from .errors import ExportError, MissingExtraError, StreamError, TakeFileError, UnknownFormatError
from .fbx import write_fbx
from .fbx_presets import FBX_PRESETS, FbxPreset
from .files import FORMATS, read_take, write_take, write_takes
from .glb import write_glb
from .journal import TakeJournal, read_journal
from .kinematics import forward_kinematics, rest_joints
from .npz import read_picture, write_picture
from .options import ExportOptions
from .presets import PRESETS
from .resample import resample
from .retarget import retarget
from .rigs import Rig, read_rig
from .skeletons import (
    CMU_NAMES,
    HUMANOID_BONES,
    MIXAMO_NAMES,
    SMPL_JOINT_NAMES,
    SMPL_PARENTS,
    UNREAL_NAMES,
    skeleton_from_rest_joints,
)
from .streams import open_stream
from .trc import write_trc
from .types import Observations, Picture, Pose, PoseStream, Skeleton, SkinnedMesh, Take
from .usd import write_usd
from .usda import write_usda
from .vmc import VmcOptions, VmcStream
from .vrchat import VrchatOptions, VrchatStream
from .vrma import write_vrma
from .web import WebOptions, WebStream
from .writing import numbered_path

__all__ = [
    "CMU_NAMES",
    "FBX_PRESETS",
    "FORMATS",
    "HUMANOID_BONES",
    "MIXAMO_NAMES",
    "PRESETS",
    "SMPL_JOINT_NAMES",
    "SMPL_PARENTS",
    "UNREAL_NAMES",
    "ExportError",
    "ExportOptions",
    "FbxPreset",
    "MissingExtraError",
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
    "read_rig",
    "read_take",
    "resample",
    "rest_joints",
    "retarget",
    "skeleton_from_rest_joints",
    "write_amass",
    "write_c3d",
    "write_fbx",
    "write_glb",
    "write_picture",
    "write_take",
    "write_takes",
    "write_trc",
    "write_usd",
    "write_usda",
    "write_vrma",
]
